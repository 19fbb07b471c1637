import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RocketMqClient, type PopConsumer, type PoppedMessage } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';

describe('pop on a real broker', () => {
  const run = `${Date.now()}-${process.pid}`;
  const created: { topics: string[]; groups: string[] } = { topics: [], groups: [] };
  let client: RocketMqClient;

  beforeAll(() => {
    client = RocketMqClient.open({ namesrv: NAMESRV });
  });

  afterAll(async () => {
    for (const topic of created.topics) await client.admin.deleteTopic(topic);
    for (const group of created.groups) await client.admin.deleteGroup(group);
    await client.close();
  });

  async function newTopic(name: string, bodies: readonly string[], tag?: (body: string) => string): Promise<string> {
    const topic = `it-pop-${name}-${run}`;
    created.topics.push(topic);
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.routes.refresh(topic);
    const producer = client.topicProducer(topic, { compression: { type: 'zlib', overBytes: 1_000 } });
    await Promise.all(bodies.map((body) => producer.send({ body: Buffer.from(body), tag: tag?.(body) })));
    await producer.close();
    return topic;
  }

  async function newGroup(name: string): Promise<string> {
    const group = `it-pop-${name}-${run}`;
    created.groups.push(group);
    await client.admin.createGroup({ group });
    return group;
  }

  /** Receives until there are as many as wanted. */
  async function receive(consumer: PopConsumer, count: number, invisibleMs: number, acknowledge = false): Promise<PoppedMessage[]> {
    const popped: PoppedMessage[] = [];
    await until(`${count} messages`, async () => {
      const answer = await consumer.receive({ invisibleMs, waitMs: 500 });
      popped.push(...answer);
      if (acknowledge) await consumer.ack(answer.map(({ handle }) => handle));
      return popped.length >= count;
    });
    return popped;
  }

  const bodiesOf = (popped: readonly PoppedMessage[]): string[] => popped.map(({ message }) => message.body.toString()).sort();

  it.concurrent('hands out every message once, with its body as it was sent, and nothing after its acknowledgement', async () => {
    const sent = [...Array.from({ length: 60 }, (_, index) => `m${index}`), 'long '.repeat(1_000)].sort();
    const topic = await newTopic('once', sent);
    const group = await newGroup('once');
    const consumer = client.popConsumer({ topic, group });
    const popped = await receive(consumer, sent.length, 3_000, true);
    expect(bodiesOf(popped)).toEqual(sent);
    expect(new Set(popped.map(({ handle }) => handle)).size).toBe(sent.length);
    for (const { message, deliveryAttempt, invisibleUntil } of popped) {
      expect(message.topic).toBe(topic);
      expect(deliveryAttempt).toBe(1);
      expect(invisibleUntil).toBeGreaterThan(message.storeTimestamp);
    }
    await until('the group has acknowledged all', async () => {
      const stats = await client.admin.consumeStats(group, { topic });
      const done = stats.reduce((sum, { consumerOffset }) => sum + consumerOffset, 0);
      return done === sent.length;
    });
    expect(await consumer.receive({ waitMs: 4_000 })).toEqual([]);
  });

  it.concurrent('hands out again what was not acknowledged while it was invisible', async () => {
    const topic = await newTopic('again', ['kept', 'dropped']);
    const consumer = client.popConsumer({ topic, group: await newGroup('again') });
    const first = await receive(consumer, 2, 2_000);
    expect(bodiesOf(first)).toEqual(['dropped', 'kept']);
    const kept = first.filter(({ message }) => message.body.toString() === 'kept');
    await consumer.ack(kept.map(({ handle }) => handle));
    const second = await receive(consumer, 1, 10_000);
    expect(bodiesOf(second)).toEqual(['dropped']);
    expect(second[0]!.deliveryAttempt).toBe(2);
    expect(second[0]!.message.topic).toBe(topic);
    await consumer.ack(second.map(({ handle }) => handle));
    expect(await consumer.receive({ waitMs: 3_000 })).toEqual([]);
  });

  it.concurrent('hides a message for longer and has it back sooner', async () => {
    const topic = await newTopic('change', ['m']);
    const consumer = client.popConsumer({ topic, group: await newGroup('change') });
    const [popped] = await receive(consumer, 1, 2_000);
    const longer = await consumer.changeInvisible(popped!.handle, 60_000);
    expect(longer).not.toBe(popped!.handle);
    expect(await consumer.receive({ waitMs: 4_000 })).toEqual([]);
    await consumer.changeInvisible(longer, 1_000);
    const again = await receive(consumer, 1, 30_000);
    expect(bodiesOf(again)).toEqual(['m']);
    await consumer.ack([again[0]!.handle]);
  });

  it.concurrent('filters by tags, and is rid of what has the same hash code', async () => {
    const topic = await newTopic('tags', ['Aa', 'BB', 'c'], (body) => body);
    const group = await newGroup('tags');
    const consumer = client.popConsumer({ topic, group, filter: { tags: 'Aa' } });
    const popped = await receive(consumer, 1, 2_000, true);
    expect(bodiesOf(popped)).toEqual(['Aa']);
    expect(await consumer.receive({ waitMs: 4_000 })).toEqual([]);
  });

  it.concurrent('waits for a message, and ends when the caller does', async () => {
    const topic = await newTopic('wait', []);
    const consumer = client.popConsumer({ topic, group: await newGroup('wait') });
    const waiting = consumer.receive({ waitMs: 60_000 });
    await client.producer.send({ ...(await anyQueue(client, topic)) }, { body: Buffer.from('late') });
    const popped = await waiting;
    expect(bodiesOf(popped)).toEqual(['late']);
    await consumer.ack(popped.map(({ handle }) => handle));
    const aborting = new AbortController();
    const aborted = consumer.receive({ waitMs: 60_000, signal: aborting.signal });
    aborting.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'REQUEST_ABORTED' });
  });

  it.concurrent('refuses what it cannot do', async () => {
    const topic = await newTopic('refuse', []);
    const group = await newGroup('refuse');
    const consumer = client.popConsumer({ topic, group });
    await expect(consumer.receive({ maxMessages: 33 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(consumer.ack(['no handle'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { brokerName } = await anyQueue(client, topic);
    const beyond = `0 ${Date.now()} 1000 0 0 ${brokerName} 0 999`;
    await expect(consumer.ack([beyond])).rejects.toMatchObject({
      code: 'ACK_FAILED',
      failures: [{ handle: beyond, error: { code: 'BROKER_RESPONSE' } }],
    });
    const noGroup = client.popConsumer({ topic, group: `it-pop-missing-${run}` });
    await expect(noGroup.receive({ waitMs: 0 })).rejects.toMatchObject({ code: 'BROKER_RESPONSE', responseCode: 26 });
    const noTopic = client.popConsumer({ topic: `it-pop-missing-${run}`, group });
    await expect(noTopic.receive({ waitMs: 0 })).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
  });
});

async function anyQueue(client: RocketMqClient, topic: string): Promise<{ topic: string; brokerName: string; queueId: number }> {
  const { brokers } = await client.routes.get(topic);
  return { topic, brokerName: brokers[0]!.brokerName, queueId: 0 };
}
