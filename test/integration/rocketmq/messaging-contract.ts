import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type MessagingCluster,
  type MessageReceiver,
  type ReceivedMessage,
  RocketMqClient,
  type SendOutcome,
  type TopicMessage,
} from '@sluice/rocketmq';

export interface MessagingImplementation {
  readonly open: () => MessagingCluster | Promise<MessagingCluster>;
  /** Whether several messages of one `send` are stored one after the other in one queue. */
  readonly keepsBatchesTogether: boolean;
  /** Whether property values may hold control characters other than the two separators. */
  readonly takesControlCharacters: boolean;
}

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const QUEUES = 2;
const INVISIBLE_MS = 10_000;
const LIMIT_MS = 180_000;
const BIG_BODY_BYTES = Math.floor(3.9 * 1024 * 1024);

/** What every way to send and receive messages keeps to, on a real broker. */
export function describeMessaging(name: string, implementation: MessagingImplementation): void {
  describe(`messaging over ${name}`, () => {
    const run = `${name}-${Date.now().toString(36)}${randomBytes(2).toString('hex')}`;
    const topics: string[] = [];
    const groups: string[] = [];
    let admin: RocketMqClient;
    let cluster: MessagingCluster;

    beforeAll(async () => {
      admin = RocketMqClient.open({ namesrv: NAMESRV });
      cluster = await implementation.open();
    });

    afterAll(async () => {
      await cluster.close();
      for (const topic of topics) await admin.admin.deleteTopic(topic);
      for (const group of groups) await admin.admin.deleteGroup(group);
      await admin.close();
    });

    /** A topic and a group of its own that reads it from the start. */
    async function prepare(label: string, type = 'NORMAL'): Promise<{ topic: string; group: string }> {
      const topic = `it-msg-${label}-${run}`;
      const attributes = { 'message.type': type };
      await admin.admin.createTopic({ topic, readQueues: QUEUES, writeQueues: QUEUES, attributes });
      topics.push(topic);
      await prepareGroup(topic, topic);
      return { topic, group: topic };
    }

    /** Pop starts a new group at the end of the queues. */
    async function prepareGroup(group: string, topic: string): Promise<void> {
      await admin.admin.createGroup({ group });
      groups.push(group);
      const { brokers } = await admin.routes.get(topic);
      for (const { brokerName } of brokers) {
        for (let queueId = 0; queueId < QUEUES; queueId += 1) {
          await admin.admin.updateOffset(group, { topic, brokerName, queueId }, 0);
        }
      }
    }

    async function sendAll(topic: string, messages: readonly TopicMessage[]): Promise<readonly SendOutcome[]> {
      const outcomes = await cluster.sender(topic).send(messages, { timeoutMs: LIMIT_MS });
      expect(outcomes.map(({ status }) => status)).toEqual(messages.map(() => 'stored'));
      return outcomes;
    }

    /** Receives and acknowledges until `count` different messages came. */
    async function receiveAll(receiver: MessageReceiver, count: number): Promise<ReceivedMessage[]> {
      const received = new Map<string, ReceivedMessage>();
      const until = Date.now() + LIMIT_MS;
      while (received.size < count && Date.now() < until) {
        const messages = await receiver.receive({ maxMessages: 32, waitMs: 5_000, invisibleMs: 30_000 });
        for (const message of messages) received.set(message.messageId, message);
        const acks = await receiver.ack(messages);
        expect(acks.map(({ status }) => status)).toEqual(messages.map(() => 'acknowledged'));
      }
      expect(received.size).toBe(count);
      return [...received.values()];
    }

    it.concurrent(
      'carries bodies of 1 byte to 3.9 MB unchanged',
      async () => {
        const { topic, group } = await prepare('bodies');
        const bodies = [
          Buffer.from([0]),
          Buffer.from('text'),
          Buffer.from([0x1f, 0x8b, 0, 1, 2]),
          Buffer.from([0x78, 0x9c, 1]),
          randomBytes(70_000),
          randomBytes(BIG_BODY_BYTES),
        ];
        const outcomes = await sendAll(
          topic,
          bodies.map((body) => ({ body })),
        );
        const receiver = cluster.receiver({ topic, group });
        const received = await receiveAll(receiver, bodies.length);
        for (const [index, body] of bodies.entries()) {
          const message = received.find(({ messageId }) => messageId === outcomes[index]?.messageId);
          expect(message?.body?.equals(body)).toBe(true);
          expect(message?.bodyError).toBeUndefined();
        }
      },
      2 * LIMIT_MS,
    );

    it.concurrent('carries keys, tag, properties and where a message is', async () => {
      const { topic, group } = await prepare('fields');
      const properties = new Map([
        ['plain', 'value'],
        ['ключ', 'значение 😀'],
        ['odd = | % " \\', ' leading and trailing '],
        ['long', 'x'.repeat(8_000)],
        ['number', '0'],
      ]);
      const before = Date.now();
      const [outcome] = await sendAll(topic, [
        { body: Buffer.from('b'), tag: 'tag-1', keys: ['key1', 'ключ2'], properties, messageId: `id-${run}` },
        { body: Buffer.from('c') },
      ]);
      const [first, second] = sortedById(await receiveAll(cluster.receiver({ topic, group }), 2), `id-${run}`);
      expect(first).toMatchObject({ topic, messageId: `id-${run}`, tag: 'tag-1', keys: ['key1', 'ключ2'] });
      expect([...first!.properties].sort()).toEqual([...properties].sort());
      expect(first).toMatchObject({ deliveryAttempt: 1, messageGroup: undefined });
      expect(outcome).toMatchObject({
        messageId: `id-${run}`,
        brokerName: first!.brokerName,
        offset: first!.queueOffset,
      });
      expect(first!.queueId).toBeLessThan(QUEUES);
      expect(Math.abs(first!.bornTimestamp - before)).toBeLessThan(LIMIT_MS);
      expect(Math.abs(first!.storeTimestamp! - before)).toBeLessThan(LIMIT_MS);
      expect(second).toMatchObject({ tag: undefined, keys: [] });
      expect(second!.properties.size).toBe(0);
    });

    it.concurrent('gives each message of 64 its own outcome, offset and properties', async () => {
      const { topic, group } = await prepare('batch');
      const messages = Array.from({ length: 64 }, (_, at) => ({
        body: Buffer.from(`body ${at}`),
        tag: at % 2 === 0 ? 'even' : undefined,
        keys: at % 3 === 0 ? [`key${at}`] : undefined,
        properties: new Map([[`only-${at}`, `value ${at}`]]),
      }));
      const outcomes = await sendAll(topic, messages);
      expect(new Set(outcomes.map(({ messageId }) => messageId)).size).toBe(64);
      const received = await receiveAll(cluster.receiver({ topic, group }), 64);
      for (const [at, outcome] of outcomes.entries()) {
        const message = received.find(({ messageId }) => messageId === outcome.messageId);
        expect(message?.body?.toString()).toBe(`body ${at}`);
        expect(message?.tag).toBe(messages[at]!.tag);
        expect(message?.keys).toEqual(messages[at]!.keys ?? []);
        expect([...message!.properties]).toEqual([[`only-${at}`, `value ${at}`]]);
        expect(outcome).toMatchObject({ offset: message!.queueOffset, brokerName: message!.brokerName });
      }
      if (implementation.keepsBatchesTogether) {
        const [first] = outcomes;
        const base = first?.status === 'stored' ? first.offset! : -1;
        expect(outcomes).toMatchObject(messages.map((_, at) => ({ status: 'stored', offset: base + at })));
        expect(new Set(received.map(({ queueId }) => queueId)).size).toBe(1);
      }
    });

    it.concurrent('refuses single messages by name and sends the others', async () => {
      const { topic, group } = await prepare('refused');
      const body = Buffer.from('x');
      const refused: [TopicMessage, string][] = [
        [{ body, properties: new Map([['empty', '']]) }, 'property "empty"'],
        [{ body, properties: new Map([['separator', 'a\u0001b']]) }, 'property "separator"'],
        [{ body, properties: new Map([['__SHARDINGKEY', 'g']]) }, 'property "__SHARDINGKEY"'],
        [{ body: Buffer.alloc(0) }, 'message body: empty'],
        [{ body: Buffer.alloc(4 * 1024 * 1024 + 1) }, 'message body of 4194305 bytes'],
        [{ body, keys: ['two words'] }, "key 'two words'"],
      ];
      const control: TopicMessage = { body, properties: new Map([['control', 'line\nbreak']]) };
      const messages = [{ body: Buffer.from('1') }, ...refused.map(([message]) => message), control, { body }];
      const outcomes = await cluster.sender(topic).send(messages, { timeoutMs: LIMIT_MS });
      for (const [index, [, reason]] of refused.entries()) {
        const outcome = outcomes[index + 1]!;
        expect(outcome).toMatchObject({ status: 'failed', mayBeStored: false, error: { retriable: false } });
        expect(outcome.status === 'failed' && outcome.error.message).toContain(reason);
      }
      const controlOutcome = outcomes[refused.length + 1]!;
      if (implementation.takesControlCharacters) expect(controlOutcome.status).toBe('stored');
      else expect(controlOutcome).toMatchObject({ status: 'failed', error: { code: 'INVALID_ARGUMENT' } });
      expect(outcomes.at(0)).toMatchObject({ status: 'stored' });
      expect(outcomes.at(-1)).toMatchObject({ status: 'stored' });
      await receiveAll(cluster.receiver({ topic, group }), implementation.takesControlCharacters ? 3 : 2);
    });

    it.concurrent(
      'delivers again what was not acknowledged, and nothing that was',
      async () => {
        const { topic, group } = await prepare('again');
        await sendAll(topic, [{ body: Buffer.from('kept') }, { body: Buffer.from('done') }]);
        const receiver = cluster.receiver({ topic, group });
        const first = await collect(receiver, 2, INVISIBLE_MS);
        const done = first.find(({ body }) => body?.toString() === 'done')!;
        expect(await receiver.ack([done])).toEqual([{ status: 'acknowledged', messageId: done.messageId }]);
        const [again] = await collect(receiver, 1, INVISIBLE_MS);
        expect(again?.body?.toString()).toBe('kept');
        expect(again?.deliveryAttempt).toBe(2);
        expect(again?.messageId).toBe(first.find(({ body }) => body?.toString() === 'kept')?.messageId);
        expect((await receiver.ack([again!])).map(({ status }) => status)).toEqual(['acknowledged']);
        const more = await receiver.receive({
          maxMessages: 32,
          waitMs: INVISIBLE_MS + 5_000,
          invisibleMs: INVISIBLE_MS,
        });
        expect(more).toEqual([]);
      },
      2 * LIMIT_MS,
    );

    it.concurrent(
      'keeps an extended message away and gives one back early',
      async () => {
        const { topic, group } = await prepare('extend');
        await sendAll(topic, [{ body: Buffer.from('long') }, { body: Buffer.from('back') }]);
        const receiver = cluster.receiver({ topic, group });
        const messages = await collect(receiver, 2, INVISIBLE_MS);
        const long = messages.find(({ body }) => body?.toString() === 'long')!;
        const back = messages.find(({ body }) => body?.toString() === 'back')!;
        const receivedAt = performance.now();
        await receiver.extend(long, 600_000);
        await receiver.extend(back, 0);
        const [again] = await collect(receiver, 1, 600_000);
        expect(performance.now() - receivedAt).toBeLessThan(INVISIBLE_MS);
        expect(again?.body?.toString()).toBe('back');
        await receiver.ack([again!]);
        const more = await receiver.receive({
          maxMessages: 32,
          waitMs: INVISIBLE_MS + 5_000,
          invisibleMs: INVISIBLE_MS,
        });
        expect(more).toEqual([]);
        expect((await receiver.ack([long])).map(({ status }) => status)).toEqual(['acknowledged']);
      },
      2 * LIMIT_MS,
    );

    it.concurrent(
      'keeps the order within a message group',
      async () => {
        const { topic, group } = await prepare('groups', 'FIFO');
        const messageGroups = ['a', 'b'];
        const messages = Array.from({ length: 20 }, (_, number): TopicMessage => {
          return { body: Buffer.from(String(number)), messageGroup: messageGroups[number % 2] };
        });
        await sendAll(topic, messages);
        const received = await receiveAll(cluster.receiver({ topic, group }), messages.length);
        for (const messageGroup of messageGroups) {
          const sent = messages.filter((message) => message.messageGroup === messageGroup);
          const of = received.filter((message) => message.messageGroup === messageGroup);
          const inQueue = of.sort((left, right) => left.queueOffset - right.queueOffset);
          expect(new Set(of.map(({ queueId }) => queueId)).size).toBe(1);
          expect(inQueue.map(({ body }) => String(body))).toEqual(sent.map(({ body }) => String(body)));
        }
      },
      2 * LIMIT_MS,
    );

    it.concurrent(
      'delivers a delayed message when it is due',
      async () => {
        const { topic, group } = await prepare('delayed', 'DELAY');
        const deliverAt = Date.now() + 3_000;
        await sendAll(topic, [{ body: Buffer.from('later'), deliverAt }]);
        const [message] = await receiveAll(cluster.receiver({ topic, group }), 1);
        expect(String(message?.body)).toBe('later');
        expect(message?.storeTimestamp).toBeGreaterThanOrEqual(deliverAt - 1_000);
      },
      2 * LIMIT_MS,
    );

    it.concurrent('delivers only the tags that were asked for', async () => {
      const { topic, group } = await prepare('filter');
      const tags = ['a', 'b', 'c', undefined, 'ab', 'b'];
      await sendAll(
        topic,
        tags.map((tag) => ({ body: Buffer.from(tag ?? 'none'), tag })),
      );
      const received = await receiveAll(cluster.receiver({ topic, group, filter: 'a || b' }), 3);
      expect(received.map(({ tag }) => tag).sort()).toEqual(['a', 'b', 'b']);
    });

    it.concurrent('reads what a producer compressed with zlib as its producer made it', async () => {
      const { topic, group } = await prepare('zlib');
      const compressing = RocketMqClient.open({ namesrv: NAMESRV, compressOverBytes: 1_000 });
      const body = Buffer.alloc(50_000, 'compress me ');
      try {
        const { brokerName } = (await compressing.routes.get(topic)).brokers[0]!;
        await compressing.producer.send(
          { topic, brokerName, queueId: 0 },
          {
            body,
            properties: [
              ['UNIQ_KEY', 'z'],
              ['KEYS', 'zip'],
              ['__SHARDINGKEY', 'group-1'],
              ['mine', '1'],
            ],
          },
        );
      } finally {
        await compressing.close();
      }
      const [message] = await receiveAll(cluster.receiver({ topic, group }), 1);
      expect(message?.body?.equals(body)).toBe(true);
      expect(message).toMatchObject({ keys: ['zip'], messageId: 'z', messageGroup: 'group-1' });
      expect([...message!.properties]).toEqual([['mine', '1']]);
    });

    it.concurrent('says that a topic is missing, to sender and receiver', async () => {
      const topic = `it-msg-missing-${run}`;
      const outcomes = await cluster.sender(topic).send([{ body: Buffer.from('1') }, { body: Buffer.from('2') }]);
      expect(outcomes).toMatchObject([1, 2].map(() => ({ status: 'failed', mayBeStored: false })));
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ error: { code: 'TOPIC_NOT_FOUND', retriable: false } });
      }
      const receiver = cluster.receiver({ topic, group: topic });
      await expect(receiver.receive({ maxMessages: 1, waitMs: 1_000, invisibleMs: INVISIBLE_MS })).rejects.toMatchObject({
        code: 'TOPIC_NOT_FOUND',
      });
      expect(await admin.admin.listTopics()).not.toContain(topic);
    });

    it.concurrent('ends a receive with its time, its signal and its receiver', async () => {
      const { topic, group } = await prepare('ends');
      const receiver = cluster.receiver({ topic, group });
      const options = { maxMessages: 1, invisibleMs: INVISIBLE_MS };
      expect(await receiver.receive({ ...options, waitMs: 200 })).toEqual([]);
      const aborting = new AbortController();
      const aborted = receiver.receive({ ...options, waitMs: LIMIT_MS, signal: aborting.signal });
      aborting.abort(new Error('enough'));
      await expect(aborted).rejects.toMatchObject({ code: 'REQUEST_ABORTED' });
      const closed = receiver.receive({ ...options, waitMs: LIMIT_MS });
      const rejected = expect(closed).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
      await receiver.close();
      await receiver.close();
      await rejected;
      await expect(receiver.receive({ ...options, waitMs: 0 })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    });

    it.concurrent('gives a message that came after an aborted receive to the next one', async () => {
      const { topic, group } = await prepare('handover');
      const receiver = cluster.receiver({ topic, group });
      expect(await receiver.receive({ maxMessages: 1, waitMs: 0, invisibleMs: 60_000 })).toEqual([]);
      await sendAll(topic, [{ body: Buffer.from('late') }]);
      const [message] = await receiveAll(receiver, 1);
      expect(message).toMatchObject({ deliveryAttempt: 1 });
      expect(message?.body?.toString()).toBe('late');
    });

    it.concurrent('refuses what it cannot do before asking anyone', async () => {
      const { topic, group } = await prepare('arguments');
      const receiver = cluster.receiver({ topic, group });
      const other = cluster.receiver({ topic, group });
      const wrong = { code: 'INVALID_ARGUMENT', retriable: false };
      await expect(receiver.receive({ maxMessages: 0, waitMs: 1, invisibleMs: 10_000 })).rejects.toMatchObject(wrong);
      await expect(receiver.receive({ maxMessages: 1, waitMs: -1, invisibleMs: 10_000 })).rejects.toMatchObject(wrong);
      await sendAll(topic, [{ body: Buffer.from('x') }]);
      const [message] = await collect(receiver, 1, INVISIBLE_MS);
      await expect(other.ack([message!])).rejects.toMatchObject(wrong);
      await expect(receiver.extend(message!, -1)).rejects.toMatchObject(wrong);
      expect((await receiver.ack([message!])).map(({ status }) => status)).toEqual(['acknowledged']);
      expect(await receiver.ack([])).toEqual([]);
      expect(await cluster.sender(topic).send([])).toEqual([]);
    });
  });
}

/** Receives `count` messages without acknowledging them. */
async function collect(receiver: MessageReceiver, count: number, invisibleMs: number): Promise<ReceivedMessage[]> {
  const collected: ReceivedMessage[] = [];
  const until = Date.now() + LIMIT_MS;
  while (collected.length < count && Date.now() < until) {
    collected.push(...(await receiver.receive({ maxMessages: 32, waitMs: 5_000, invisibleMs })));
  }
  expect(collected).toHaveLength(count);
  return collected;
}

function sortedById(messages: readonly ReceivedMessage[], first: string): ReceivedMessage[] {
  return [...messages].sort((a) => (a.messageId === first ? -1 : 1));
}
