import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  BatchEncoder,
  encodeProperties,
  FlowControlError,
  InvalidArgumentError,
  RocketMqClient,
  TopicNotFoundError,
  UnsupportedByBrokerError,
  writableQueues,
  type QueueRef,
  type SendResult,
} from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { type BrokerUnderTest, featuresOf } from './broker-features.js';

const REQUEST_TIMEOUT_MS = 20_000;

/** What the client keeps to on brokers of every version; what a version lacks is a typed error. */
export function describeClient({ version, namesrv }: BrokerUnderTest): void {
  describe(`RocketMqClient on RocketMQ ${version}`, () => {
    const features = featuresOf(version);
    const run = `${Date.now()}-${process.pid}`;
    const topic = `it-client-${run}`;
    const group = `it-group-${run}`;
    /** What a group that has no offset has for its offset. */
    const noOffset = features.tellsMissingOffsets ? undefined : 0;
    let client: RocketMqClient;
    let queue: QueueRef;
    let other: QueueRef;

    beforeAll(async () => {
      client = RocketMqClient.open({ namesrv: namesrv(), requestTimeoutMs: REQUEST_TIMEOUT_MS });
      await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
      await client.admin.createGroup({ group });
      const queues = writableQueues(await client.routes.get(topic));
      [queue, other] = queues as [QueueRef, QueueRef];
    });

    afterAll(async () => {
      await client.admin.deleteTopic(topic);
      await client.admin.deleteGroup(group);
      await client.close();
    });

    /** Resends only what the broker refused because it was busy. */
    async function store(to: QueueRef, encoder: BatchEncoder): Promise<number> {
      for (;;) {
        try {
          return (await client.producer.sendBatch(to, encoder.finish(), { timeoutMs: 20_000 })).firstOffset;
        } catch (error) {
          if (!(error instanceof FlowControlError)) throw error;
        }
      }
    }

    it('pulls exactly what it sent', async () => {
      const encoder = new BatchEncoder();
      const sent = [
        {
          body: Buffer.from([0, 1, 2, 255]),
          properties: new Map([
            ['KEYS', 'k1 k2'],
            ['TAGS', 'a'],
            ['ü', 'väl\nue'],
          ]),
        },
        { body: Buffer.alloc(0), properties: new Map([['x', 'y']]) },
        { body: Buffer.alloc(70_000, 'z'), properties: new Map<string, string>() },
      ];
      for (const message of sent) encoder.add(message.body, encodeProperties(message.properties));
      const before = Date.now();
      const firstOffset = await store(queue, encoder);
      // A broker answers a send before its queue shows the messages.
      const answer = await until('the queue shows what was sent', async () => {
        const pulled = await client.consumer.pull({ queue, offset: firstOffset, group });
        return pulled.maxOffset >= firstOffset + 3 && pulled;
      });
      expect(answer).toMatchObject({ kind: 'found', nextOffset: firstOffset + 3, maxOffset: firstOffset + 3 });
      for (const [index, expected] of sent.entries()) {
        const message = answer.messages[index]!;
        expect(message).toMatchObject({
          topic,
          queueId: queue.queueId,
          queueOffset: firstOffset + index,
          reconsumeTimes: 0,
        });
        expect(message.body.equals(expected.body)).toBe(true);
        const properties = new Map(message.properties());
        for (const name of features.addedToBatches) expect(properties.delete(name)).toBe(true);
        expect(properties).toEqual(expected.properties);
        expect(Math.abs(message.storeTimestamp - before)).toBeLessThan(60_000);
        expect(Math.abs(message.bornTimestamp - before)).toBeLessThan(60_000);
      }
    });

    it('sends one message with its properties', async () => {
      const result = await client.producer.send(other, { body: Buffer.from('single'), properties: [['KEYS', 'one']] });
      expect(result).toMatchObject({ status: 'stored', count: 1 });
      const { messages } = await client.consumer.pull({
        queue: other,
        offset: result.firstOffset,
        group,
        suspendMs: 5000,
      });
      expect(messages[0]?.body.toString()).toBe('single');
      expect(messages[0]?.keys).toBe('one');
    });

    it('stores nothing that is not wanted any more once there is a connection', async () => {
      const fresh = RocketMqClient.open({ namesrv: namesrv(), requestTimeoutMs: REQUEST_TIMEOUT_MS });
      const end = await client.admin.maxOffset(other);
      let asked = 0;
      const maySend = (): boolean => {
        asked += 1;
        return asked > 1;
      };
      try {
        const send = (): Promise<SendResult> => fresh.producer.send(other, { body: Buffer.from('late') }, { maySend });
        await expect(send()).rejects.toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'not-sent' });
        expect(await client.admin.maxOffset(other)).toBe(end);
        expect(await send()).toMatchObject({ firstOffset: end });
      } finally {
        await fresh.close();
      }
    });

    it('fills a batch up to what the broker takes', async () => {
      const encoder = new BatchEncoder({ topicBytes: topic.length });
      const body = Buffer.alloc(100, 'b');
      while (encoder.fits(body, 'a\u0001b')) encoder.add(body, 'a\u0001b');
      expect(encoder.count).toBeGreaterThan(15_000);
      const firstOffset = await store(other, encoder);
      const reader = client.consumer.readQueue(other, { from: firstOffset, group });
      while (reader.position < firstOffset + encoder.count) await reader.next();
      expect(await client.admin.maxOffset(other)).toBe(firstOffset + encoder.count);
      reader.close();
    });

    it('distinguishes an empty head from an offset outside of the queue', async () => {
      const end = await client.admin.maxOffset(queue);
      expect(await client.consumer.pull({ queue, offset: end, group })).toMatchObject({
        kind: 'empty',
        nextOffset: end,
        maxOffset: end,
      });
      expect(await client.consumer.pull({ queue, offset: end + 1, group })).toMatchObject({
        kind: 'offset-moved',
        maxOffset: end,
      });
      const reader = client.consumer.readQueue(queue, { from: end + 5, group });
      await expect(reader.next()).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', reason: 'beyond-max' });
      reader.close();
    });

    it('refuses unknown topics and queues, and creates none of them', async () => {
      const missing = { ...queue, topic: `it-missing-${run}` };
      await expect(client.producer.send(missing, { body: Buffer.from('x') })).rejects.toBeInstanceOf(TopicNotFoundError);
      await expect(client.consumer.pull({ queue: missing, offset: 0, group })).rejects.toBeInstanceOf(TopicNotFoundError);
      await expect(client.producer.send({ ...queue, queueId: 9 }, { body: Buffer.from('x') })).rejects.toMatchObject({
        code: 'BROKER_RESPONSE',
        retriable: false,
        remark: expect.stringContaining('queueId'),
      });
      await expect(client.producer.send({ ...queue, brokerName: 'nobody' }, { body: Buffer.from('x') })).rejects.toMatchObject({
        code: 'BROKER_NOT_FOUND',
      });
      expect(await client.admin.listTopics()).not.toContain(missing.topic);
    });

    it('commits and finds offsets', async () => {
      await client.admin.createGroup({ group });
      expect(await client.admin.groupExists(group)).toBe(true);
      expect(await client.admin.queryOffset(group, queue)).toBe(noOffset);
      await client.admin.updateOffset(group, queue, 2);
      expect(await client.admin.queryOffset(group, queue)).toBe(2);
      const stats = await client.admin.consumeStats(group, { topic });
      expect(stats.find((row) => row.queue.queueId === queue.queueId)).toMatchObject({ consumerOffset: 2, queue });
      client.consumer.attend(group);
      const [member] = await until('the client is shown as a member', async () => {
        const found = await client.admin.consumerConnections(group);
        return found.length > 0 && found;
      });
      expect(member).toMatchObject({ clientId: client.clientId, language: 'OTHER' });
      await expect(client.admin.updateOffset(group, queue, -1)).rejects.toBeInstanceOf(InvalidArgumentError);
    });

    it('finds offsets by time and by queue', async () => {
      const end = await client.admin.maxOffset(queue);
      expect(await client.admin.minOffset(queue)).toBe(0);
      expect(await client.admin.offsetByTime(queue, 0)).toBe(0);
      expect(await client.admin.offsetByTime(queue, Date.now() + 3_600_000)).toBe(features.findsEndByTime ? end : end - 1);
      const stats = await client.admin.topicStats(topic);
      expect(stats.map((row) => row.queue)).toEqual([queue, other]);
      expect(stats[0]).toMatchObject({ minOffset: 0, maxOffset: end });
    });

    it('creates a topic twice, changes and deletes it', async () => {
      const name = `it-admin-${run}`;
      const options = { topic: name, readQueues: 1, writeQueues: 1 };
      await client.admin.createTopic(options);
      await client.admin.createTopic(options);
      await client.admin.createTopic({ ...options, readQueues: 3, writeQueues: 3 });
      const configs = [...(await client.admin.topicConfig(name)).values()];
      expect(configs.length).toBeGreaterThan(0);
      for (const config of configs) expect(config).toMatchObject({ topic: name, readQueues: 3, writeQueues: 3, perm: 6 });
      expect(await client.admin.listTopics()).toContain(name);
      await client.admin.deleteTopic(name);
      await client.admin.deleteTopic(name);
      await expect(client.admin.topicRoute(name)).rejects.toBeInstanceOf(TopicNotFoundError);
      expect([...(await client.admin.topicConfig(name))]).toEqual([]);
    });

    describe('attributes of topics', () => {
      const options = { topic: `it-attributes-${run}`, readQueues: 1, writeQueues: 1 };
      const attributes = { 'cleanup.policy': 'DELETE' };

      if (features.hasTopicAttributes) {
        it('are kept, and set again without harm', async () => {
          await client.admin.createTopic({ ...options, attributes });
          await client.admin.createTopic({ ...options, attributes });
          for (const config of (await client.admin.topicConfig(options.topic)).values())
            expect(config.attributes.get('cleanup.policy')).toBe('DELETE');
          await client.admin.deleteTopic(options.topic);
        });
      } else {
        it('are refused by the client, for the broker would drop them', async () => {
          await expect(client.admin.createTopic({ ...options, attributes })).rejects.toBeInstanceOf(UnsupportedByBrokerError);
          expect(await client.admin.listTopics()).not.toContain(options.topic);
        });
      }
    });

    describe('settings of groups', () => {
      const name = `it-settings-${run}`;

      it('are kept', async () => {
        await client.admin.createGroup({ group: name, retryMaxTimes: 3, retryQueues: 2, isBroadcastEnabled: false });
        const configs = [...(await client.admin.groupConfig(name)).values()];
        expect(configs.length).toBeGreaterThan(0);
        for (const config of configs)
          expect(config).toMatchObject({ group: name, retryMaxTimes: 3, retryQueues: 2, isBroadcastEnabled: false });
        expect(await client.admin.listGroups()).toContain(name);
        await client.admin.deleteGroup(name);
      });

      it(`${features.hasVersion5GroupSettings ? 'include' : 'do not include'} an order`, async () => {
        const created = client.admin.createGroup({ group: name, isOrdered: true });
        if (!features.hasVersion5GroupSettings) {
          await expect(created).rejects.toBeInstanceOf(UnsupportedByBrokerError);
          expect(await client.admin.groupExists(name)).toBe(false);
          return;
        }
        await created;
        for (const config of (await client.admin.groupConfig(name)).values())
          expect(config).toMatchObject({ group: name, isOrdered: true });
        await client.admin.deleteGroup(name);
      });
    });

    it(features.hasPop ? 'pops' : 'has no pop: a typed error', async () => {
      const name = `it-pop-${run}`;
      await client.admin.createTopic({ topic: name, readQueues: 1, writeQueues: 1 });
      await client.admin.createGroup({ group: name });
      const consumer = client.popConsumer({ topic: name, group: name });
      if (features.hasPop) {
        const [only] = writableQueues(await client.routes.get(name)) as [QueueRef];
        await client.admin.updateOffset(name, only, 0);
        await client.producer.send(only, { body: Buffer.from('popped') });
        const popped = await until('the message is popped', async () => {
          const messages = await consumer.receive({ invisibleMs: 30_000, waitMs: 1_000 });
          return messages.length > 0 && messages;
        });
        expect(popped.map(({ message }) => message.body.toString())).toEqual(['popped']);
        await consumer.ack(popped.map(({ handle }) => handle));
      } else {
        await expect(consumer.receive({ invisibleMs: 30_000, waitMs: 1_000 })).rejects.toBeInstanceOf(UnsupportedByBrokerError);
      }
      await client.admin.deleteTopic(name);
      await client.admin.deleteGroup(name);
    });

    if (!features.hasUsers) {
      it('has no users of ACL 2.0: a typed error', async () => {
        await expect(client.acl.listUsers()).rejects.toBeInstanceOf(UnsupportedByBrokerError);
      });
    }

    it('deletes a group with its offsets', async () => {
      const name = `it-gone-${run}`;
      await client.admin.createGroup({ group: name });
      await client.admin.updateOffset(name, queue, 1);
      await client.admin.deleteGroup(name);
      expect(await client.admin.groupExists(name)).toBe(false);
      expect(await client.admin.queryOffset(name, queue)).toBe(noOffset);
    });

    it('knows the brokers', async () => {
      const { brokers } = await client.admin.clusterInfo();
      expect(brokers.find((broker) => broker.brokerName === queue.brokerName)?.masterAddress).toMatch(/:\d+$/);
    });

    it('asks the next name server when one is not there', async () => {
      const second = RocketMqClient.open({ namesrv: `127.0.0.1:1;${namesrv()}` });
      expect((await second.routes.get(topic)).brokers.map((broker) => broker.brokerName)).toContain(queue.brokerName);
      await second.close();
    });
  });
}
