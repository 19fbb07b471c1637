import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startCluster } from '@sluice/embedded-rocketmq';
import {
  isRocketMqError,
  readableQueues,
  RocketMqClient,
  writableQueues,
  type ProducerMessage,
  type QueueRef,
  type StoredAt,
  type StoredMessage,
  type TopicProducer,
} from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { Mqadmin } from './mqadmin.js';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';

describe('a topic producer on a real broker', () => {
  const run = `${Date.now()}-${process.pid}`;
  const group = `it-producer-group-${run}`;
  const topics: string[] = [];
  let client: RocketMqClient;

  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: NAMESRV });
    await client.admin.createGroup({ group });
  });

  afterAll(async () => {
    for (const topic of topics) await client.admin.deleteTopic(topic);
    await client.admin.deleteGroup(group);
    await client.close();
  });

  async function newTopic(name: string, queues: number): Promise<{ topic: string; queues: QueueRef[] }> {
    const topic = `it-producer-${name}-${run}`;
    topics.push(topic);
    await client.admin.createTopic({ topic, readQueues: queues, writeQueues: queues });
    return { topic, queues: writableQueues(await client.routes.refresh(topic)) };
  }

  const bodyOf = (text: string): ProducerMessage => ({ body: Buffer.from(text) });

  /** Bodies by offset. */
  async function read(queue: QueueRef, count: number, from = 0): Promise<string[]> {
    const reader = client.consumer.readQueue(queue, { from, group });
    const bodies: string[] = [];
    try {
      await until(`${count} messages in queue ${queue.queueId}`, async () => {
        const messages = await reader.nextMessages({ timeoutMs: 200 });
        for (const message of messages) bodies.push(message.body.toString());
        return bodies.length >= count;
      });
    } finally {
      reader.close();
    }
    return bodies;
  }

  it('stores what it resolves with, where it says', async () => {
    const { topic, queues } = await newTopic('where', 3);
    const producer = client.topicProducer(topic);
    const sends = Array.from({ length: 500 }, (_, index) => producer.send(bodyOf(`m${index}`)));
    const stored = await Promise.all(sends);
    expect(producer.stats).toMatchObject({ storedMessages: 500, pendingMessages: 0, pendingBytes: 0, waitingSends: 0 });
    expect(producer.stats.storedBatches).toBeLessThan(50);
    for (const queue of queues) {
      const here = stored.map((at, index) => ({ at, index })).filter(({ at }) => at.queue.queueId === queue.queueId);
      const bodies = here.length === 0 ? [] : await read(queue, here.length);
      expect(bodies).toHaveLength(here.length);
      for (const { at, index } of here) {
        expect(at.status).toBe('stored');
        expect(bodies[at.offset ?? -1]).toBe(`m${index}`);
      }
    }
    await producer.close();
  });

  it('keeps the order of a queue and of a sharding key while many send at once', async () => {
    const { topic, queues } = await newTopic('order', 4);
    const producer = client.topicProducer(topic, { maxBatchMessages: 17, maxPendingMessages: 200 });
    const pinned = queues[1]!;
    const sends: Promise<StoredAt>[] = [];
    const keyed = new Map<string, StoredAt[]>();
    const keyedSends: Promise<unknown>[] = [];
    for (let index = 0; index < 2_000; index += 1) {
      if (!producer.hasRoom) await producer.untilRoom();
      sends.push(producer.send({ ...bodyOf(`p${index}`), queue: pinned }));
      void producer.send(bodyOf('any'));
      const key = `key-${index % 5}`;
      keyedSends.push(
        producer.send({ ...bodyOf(`${key} ${index}`), shardingKey: key }).then((at) => {
          keyed.set(key, [...(keyed.get(key) ?? []), at]);
        }),
      );
    }
    const stored = await Promise.all(sends);
    await Promise.all(keyedSends);
    await producer.close();
    for (const [index, at] of stored.entries()) {
      expect(at.queue).toEqual(pinned);
      if (index > 0) expect(at.offset).toBeGreaterThan(stored[index - 1]!.offset!);
    }
    expect(keyed.size).toBe(5);
    for (const places of keyed.values()) {
      expect(places).toHaveLength(400);
      expect(new Set(places.map((at) => at.queue.queueId)).size).toBe(1);
      for (const [index, at] of places.entries()) {
        if (index > 0) expect(at.offset).toBeGreaterThan(places[index - 1]!.offset!);
      }
    }
    const { storedMessages } = producer.stats;
    expect(storedMessages).toBe(6_000);
    const ends = await Promise.all(queues.map((queue) => client.admin.maxOffset(queue)));
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(6_000);
    const bodies = (await read(pinned, ends[pinned.queueId]!)).filter((body) => body.startsWith('p'));
    expect(bodies).toEqual(Array.from({ length: 2_000 }, (_, index) => `p${index}`));
  });

  it('makes sends wait while it holds as much as it may, and takes a waiting one back', async () => {
    const { topic } = await newTopic('bounds', 2);
    const producer = client.topicProducer(topic, { maxPendingMessages: 10, maxBatchMessages: 5, maxWaitingSends: 30 });
    const sends = Array.from({ length: 39 }, () => producer.send(bodyOf('x')));
    expect(producer.stats).toMatchObject({ pendingMessages: 10, waitingSends: 29 });
    expect(producer.hasRoom).toBe(false);
    const taking = new AbortController();
    const taken = producer.send(bodyOf('taken'), { signal: taking.signal });
    expect(producer.stats.waitingSends).toBe(30);
    await expect(producer.send(bodyOf('refused'))).rejects.toMatchObject({ code: 'PRODUCER_OVERLOADED' });
    taking.abort();
    await expect(taken).rejects.toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'not-sent' });
    await producer.untilRoom();
    await Promise.all(sends);
    await producer.flush();
    expect(producer.stats).toMatchObject({ storedMessages: 39, pendingMessages: 0, waitingSends: 0 });
    const bytes = client.topicProducer(topic, { maxPendingBytes: 1_000 });
    const large = [0, 1, 2].map(() => bytes.send({ body: Buffer.alloc(2_000) }));
    expect(bytes.stats).toMatchObject({ pendingMessages: 1, waitingSends: 2 });
    await Promise.all(large);
    await Promise.all([producer.close(), bytes.close()]);
    await expect(producer.send(bodyOf('late'))).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('sends alone what cannot be in a batch, in its place', async () => {
    const { topic, queues } = await newTopic('alone', 1);
    const [queue] = queues as [QueueRef];
    const producer = client.topicProducer(topic, { maxBatchBytes: 2_000, lingerMs: 20 });
    const stored = await Promise.all([
      producer.send({ ...bodyOf('first'), queue, keys: ['k1', 'k2'], tag: 't', properties: [['p', 'v']] }),
      producer.send({ body: Buffer.alloc(5_000, 'L'), queue }),
      producer.send({ body: Buffer.alloc(0), queue }),
      producer.send({ ...bodyOf('later'), queue, delayLevel: 1 }),
      producer.send({ ...bodyOf('due'), queue, deliverAt: Date.now() + 1_500 }),
      producer.send({ ...bodyOf('last'), queue }),
    ]);
    expect(stored.map((at) => at.offset)).toEqual([0, 1, 2, undefined, undefined, 3]);
    const bodies = await read(queue, 6);
    expect(bodies.slice(0, 4)).toEqual(['first', 'L'.repeat(5_000), '', 'last']);
    expect(bodies.slice(4).sort()).toEqual(['due', 'later']);
    const { messages } = await client.consumer.pull({ queue, offset: 0, group });
    expect(messages[0]).toMatchObject({ keys: 'k1 k2', tags: 't' });
    expect(messages[0]?.property('p')).toBe('v');
    await producer.close();
  });

  it('stores flags, born times, and ids by which RocketMQ finds the messages of a batch', async () => {
    const { topic, queues } = await newTopic('stamps', 1);
    const [queue] = queues as [QueueRef];
    const producer = client.topicProducer(topic);
    const before = Date.now();
    const stored = await producer.sendAll([
      { ...bodyOf('one'), flag: -7, bornAt: 1_700_000_000_000 },
      { ...bodyOf('two'), flag: 8, bornAt: new Date(1_700_000_000_000) },
      { ...bodyOf('three'), properties: [['UNIQ_KEY', 'an-id-of-its-own']] },
      { body: Buffer.alloc(1_200_000), flag: 9, bornAt: 1_600_000_000_000 },
    ]);
    expect(stored.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
    expect(stored[2]?.messageId).toBe('an-id-of-its-own');
    const messages: StoredMessage[] = [];
    for (let offset = 0; offset < 4; offset = messages.length) {
      messages.push(...(await client.consumer.pull({ queue, offset, group })).messages);
    }
    expect(messages.map(({ flag }) => flag)).toEqual([-7, 8, 0, 9]);
    const born = messages.map(({ bornTimestamp }) => bornTimestamp);
    expect([born[0], born[1], born[3]]).toEqual([1_700_000_000_000, 1_700_000_000_000, 1_600_000_000_000]);
    expect(born[2]).toBeGreaterThanOrEqual(before);
    const mqadmin = await Mqadmin.open(NAMESRV);
    try {
      for (const [index, { messageId }] of stored.entries()) {
        expect(messages[index]?.property('UNIQ_KEY')).toBe(messageId);
        const found = await until(`message ${messageId} is found by its id`, async () => {
          const [one] = (await client.admin.messages.byUniqueKey({ topic, key: messageId })).messages;
          return one;
        });
        expect(found.queueOffset).toBe(index);
      }
      // The tool looks for the message around the time that it reads from the id.
      const printed = await mqadmin.run('queryMsgByUniqueKey', '-t', topic, '-i', stored[1]!.messageId);
      expect(printed).toMatch(/Queue Offset:\s+1\b/);
    } finally {
      await mqadmin.close();
      await producer.close();
    }
  });

  it('sends elsewhere what was meant for a queue that the topic no longer has', async () => {
    const { topic } = await newTopic('shrunk', 4);
    // Its route stays old until a broker refuses a queue.
    const stale = RocketMqClient.open({ namesrv: NAMESRV, routeRefreshMs: 3_600_000 });
    const producer = stale.topicProducer(topic, { maxBatchMessages: 1 });
    await Promise.all(Array.from({ length: 8 }, () => producer.send(bodyOf('before'))));
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    const keys = Array.from({ length: 16 }, (_, index) => `key-${index}`);
    const stored = await producer.sendAll([
      ...keys.map((shardingKey) => ({ ...bodyOf('keyed'), shardingKey })),
      ...keys.map(() => bodyOf('any')),
    ]);
    expect(new Set(stored.map(({ queue }) => queue.queueId))).toEqual(new Set([0]));
    const gone = producer.send({ ...bodyOf('pinned'), queue: { ...stored[0]!.queue, queueId: 3 } });
    await expect(gone).rejects.toMatchObject({ code: 'BROKER_RESPONSE', outcome: 'not-sent' });
    await stale.close();
  });

  it('refuses what cannot be sent, and nothing else of its batch', async () => {
    const { topic, queues } = await newTopic('refused', 1);
    const producer = client.topicProducer(topic);
    const good = producer.send(bodyOf('good'));
    const tooLarge = producer.send({ body: Buffer.alloc(4 * 1024 * 1024 + 1) });
    const badQueue = producer.send({ ...bodyOf('x'), queue: { ...queues[0]!, queueId: 77 } });
    const badBroker = producer.send({ ...bodyOf('x'), queue: { ...queues[0]!, brokerName: 'nobody' } });
    const badProperty = producer.send({ ...bodyOf('x'), properties: [['DELAY', '1']] });
    await expect(tooLarge).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await expect(badQueue).rejects.toMatchObject({ code: 'BROKER_RESPONSE' });
    await expect(badBroker).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
    await expect(badProperty).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await good).toMatchObject({ offset: 0 });
    await producer.close();
    const nowhere = client.topicProducer(`it-nowhere-${run}`);
    await expect(nowhere.send(bodyOf('x'))).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
    await expect(nowhere.send({ ...bodyOf('x'), shardingKey: 'k' })).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' });
    await nowhere.close();
  });

  it('uses new queues, and leaves queues that take no more messages', async () => {
    const { topic } = await newTopic('route', 1);
    const watching = RocketMqClient.open({ namesrv: NAMESRV, routeRefreshMs: 100 });
    const producer = watching.topicProducer(topic);
    const queuesUsed = async (): Promise<Set<number>> => {
      const stored = await Promise.all(Array.from({ length: 8 }, (_, index) => sendLater(producer, index)));
      return new Set(stored.map((at) => at.queue.queueId));
    };
    expect(await queuesUsed()).toEqual(new Set([0]));
    await client.admin.createTopic({ topic, readQueues: 4, writeQueues: 4 });
    await until('all four queues are used', async () => (await queuesUsed()).size === 4);
    await client.admin.createTopic({ topic, readQueues: 4, writeQueues: 2 });
    await until('two queues are used', async () => {
      const used = await queuesUsed();
      return used.size === 2 && !used.has(2) && !used.has(3);
    });
    expect(readableQueues(await client.routes.refresh(topic))).toHaveLength(4);
    await watching.close();
    await expect(producer.send(bodyOf('x'))).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('loses nothing that it acknowledged when a broker stops and starts again, and keeps the order', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-producer-'));
    const cluster = await startCluster({
      name: 'restart',
      topology: { proxy: false },
      ports: await freePorts(),
      dataDir,
      startTimeoutMs: 180_000,
    });
    const own = RocketMqClient.open({ namesrv: cluster.namesrv });
    try {
      const topic = `it-restart-${run}`;
      await own.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
      await own.admin.createGroup({ group });
      const queues = writableQueues(await own.routes.get(topic));
      const producers = queues.map((queue) => new PacedProducer(own.topicProducer(topic, { maxBatchMessages: 20 }), queue));
      const sending = producers.map((producer) => producer.run());
      const stored = (): number => Math.min(...producers.map((producer) => producer.stored.size));
      await until('messages are stored', () => stored() > 100);
      await cluster.restartBroker();
      const before = stored();
      await until('messages are stored again', () => stored() > before + 100, 120_000);
      for (const producer of producers) producer.isStopped = true;
      await Promise.all(sending);
      for (const producer of producers) {
        // The broker stores a message a moment before it acknowledges it.
        const end = Math.max(await own.admin.maxOffset(producer.queue), ...[...producer.stored.values()].map((o) => o + 1));
        const reader = own.consumer.readQueue(producer.queue, { from: 0, group });
        const bodies: string[] = [];
        while (bodies.length < end) {
          for (const message of await reader.nextMessages()) bodies.push(message.body.toString());
        }
        reader.close();
        for (const [body, offset] of producer.stored) expect(bodies[offset]).toBe(body);
        const numbers = bodies.map(Number);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        expect(new Set(numbers).size).toBe(numbers.length);
        const missing = producer.sent - producer.stored.size - producer.unknown;
        expect({ missing, failures: producer.failures }).toEqual({ missing: 0, failures: [] });
      }
    } finally {
      await own.close();
      await cluster.kill();
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 400_000);
});

/** In a turn of the event loop of its own, so that it makes a batch of its own. */
async function sendLater(producer: TopicProducer, index: number): Promise<StoredAt> {
  await new Promise((resolve) => setTimeout(resolve, index * 5));
  return producer.send({ body: Buffer.from(`n${index}`) });
}

/** Sends numbers to one queue, some at a time, until it is stopped, and notes what became of each. */
class PacedProducer {
  /** Offset by body. */
  readonly stored = new Map<string, number>();
  readonly failures: unknown[] = [];
  sent = 0;
  unknown = 0;
  isStopped = false;

  constructor(
    private readonly producer: TopicProducer,
    readonly queue: QueueRef,
  ) {}

  async run(): Promise<void> {
    while (!this.isStopped) {
      await Promise.all(Array.from({ length: 10 }, () => this.#send()));
    }
    await this.producer.close();
  }

  async #send(): Promise<void> {
    const body = String(this.sent);
    this.sent += 1;
    try {
      const { offset } = await this.producer.send({ body: Buffer.from(body), queue: this.queue });
      this.stored.set(body, offset ?? -1);
    } catch (error) {
      if (isRocketMqError(error) && error.code === 'SEND_OUTCOME_UNKNOWN') this.unknown += 1;
      else this.failures.push(error);
    }
  }
}
