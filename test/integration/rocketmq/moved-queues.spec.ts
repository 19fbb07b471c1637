import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { RocketMqQueueMessages } from '@sluice/runner';
import { type QueueRef, readableQueues, RocketMqClient, type StoredAt, writableQueues } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { Mqadmin } from './mqadmin.js';

const LIMIT_MS = 300_000;
const KEYS = 8;

interface StoredMark extends StoredAt {
  readonly body: string;
}

describe('queues that move or close while a producer sends', () => {
  const group = 'readers';
  let dir: string;
  let cluster: RunningCluster;
  let client: RocketMqClient;
  let mqadmin: Mqadmin;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-moved-'));
    cluster = await startCluster({
      name: 'moved',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { brokers: [{ name: 'broker-a' }, { name: 'broker-b' }], proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: 200_000,
    });
    client = RocketMqClient.open({ namesrv: cluster.namesrv });
    mqadmin = await Mqadmin.open(cluster.namesrv);
    await client.admin.createGroup({ group });
  }, LIMIT_MS);

  afterAll(async () => {
    await client.close();
    await mqadmin.close();
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  async function writable(topic: string, isExpected: (queues: readonly QueueRef[]) => boolean): Promise<QueueRef[]> {
    return until(`the route of ${topic} is as expected`, async () => {
      const queues = writableQueues(await client.routes.refresh(topic));
      return isExpected(queues) && queues;
    });
  }

  /** Everything in a queue, with its offsets. */
  async function readAll(queue: QueueRef): Promise<Map<number, string>> {
    const end = await client.admin.maxOffset(queue);
    const reader = client.consumer.readQueue(queue, { from: 0, group });
    const bodies = new Map<number, string>();
    while (reader.position < end) {
      const messages = await reader.nextMessages({ timeoutMs: 60_000 });
      for (const { queueOffset, body } of messages) bodies.set(queueOffset, body.toString());
      if (messages.length === 0) throw new Error(`nothing comes at offset ${reader.position} of ${end}`);
    }
    reader.close();
    return bodies;
  }

  const where = ({ queueId }: QueueRef, offset: number | undefined): string => `${queueId}:${String(offset)}`;

  it(
    'follows the queues of a static topic to another broker, and reads what each broker has of them',
    async () => {
      const topic = 'static';
      const queueIds = [0, 1, 2, 3];
      await mqadmin.run('updateStaticTopic', '-t', topic, '-qn', '4', '-b', 'broker-a,broker-b');
      const before = await writable(topic, (queues) => queues.length === queueIds.length);
      expect(before.map(({ brokerName }) => brokerName)).toEqual(['broker-a', 'broker-a', 'broker-b', 'broker-b']);
      expect(before.map(({ queueId }) => queueId).sort()).toEqual(queueIds);
      const stored: StoredMark[] = [];
      for (const queue of before) {
        const { status, firstOffset } = await client.producer.send(queue, { body: Buffer.from('first') });
        expect({ status, firstOffset }).toEqual({ status: 'stored', firstOffset: 0 });
        await client.admin.updateOffset(group, queue, 1);
      }

      // Its route stays old until a broker refuses a queue.
      const stale = RocketMqClient.open({ namesrv: cluster.namesrv, routeRefreshMs: 3_600_000 });
      const producer = stale.topicProducer(topic);
      const stopping = new AbortController();
      const sending = Array.from({ length: KEYS }, async (_, key) => {
        for (let number = 0; !stopping.signal.aborted; number += 1) {
          const body = `k${key} ${number}`;
          stored.push({ body, ...(await producer.send({ body: Buffer.from(body), shardingKey: `k${key}` })) });
        }
      });
      const onto = (brokerName: string): number => stored.filter(({ queue }) => queue.brokerName === brokerName).length;
      await until('both brokers store', () => onto('broker-a') > 50 && onto('broker-b') > 50);
      const moved = before[0]!;
      const reader = stale.consumer.readQueue(moved, { from: 0, group });
      const reading = (async () => {
        for (;;) await reader.nextMessages();
      })();

      await mqadmin.run('remappingStaticTopic', '-t', topic, '-b', 'broker-b');
      const after = await writable(topic, (queues) => queues.every(({ brokerName }) => brokerName === 'broker-b'));
      expect(after.map(({ queueId }) => queueId)).toEqual(queueIds);
      const untilNow = onto('broker-b');
      await until('the new leader stores', () => onto('broker-b') > untilNow + 200);
      stopping.abort();
      await Promise.all(sending);
      expect(producer.stats.resentNotStored).toBeGreaterThan(0);

      const refused = { code: 'BROKER_RESPONSE', responseCode: 501, outcome: 'not-sent' };
      await expect(producer.send({ body: Buffer.from('pinned'), queue: moved })).rejects.toMatchObject(refused);
      await expect(reading).rejects.toMatchObject(refused);
      reader.close();
      await stale.close();

      const found = new Map<string, string>();
      for (const queue of readableQueues(await client.routes.refresh(topic))) {
        const bodies = await readAll(queue);
        expect(bodies.get(0)).toBe('first');
        expect(await client.admin.queryOffset(group, queue)).toBe(1);
        bodies.delete(0);
        for (const [offset, body] of bodies) found.set(where(queue, offset), body);
      }
      expect([...found.values()].sort()).toEqual(stored.map(({ body }) => body).sort());
      // The new leader has no offsets for what it stores before the move is complete.
      const placed = stored.filter(({ offset }) => offset !== undefined);
      expect(placed.length).toBeGreaterThan(untilNow);
      for (const { body, queue, offset } of placed) expect(found.get(where(queue, offset))).toBe(body);

      // The last offsets of a queue that has just moved have no messages.
      await mqadmin.run('remappingStaticTopic', '-t', topic, '-b', 'broker-a');
      const back = await writable(topic, (queues) => queues.every(({ brokerName }) => brokerName === 'broker-a'));
      const messages = new RocketMqQueueMessages(client, group);
      const again: string[] = [];
      for (const queue of back) {
        const end = await messages.endOffset(queue);
        expect(end % 10_000).toBe(0);
        for await (const some of messages.range(queue, 1, end, AbortSignal.timeout(LIMIT_MS))) {
          again.push(...some.map(({ body }) => body.toString()));
        }
      }
      expect(again.sort()).toEqual([...found.values()].sort());
    },
    LIMIT_MS,
  );

  it(
    'sends elsewhere what a broker without write permission refuses of an ordered topic',
    async () => {
      const topic = 'ordered';
      await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2, isOrdered: true });
      const queues = await writable(topic, ({ length }) => length === 4);
      const producer = client.topicProducer(topic, { retryBackoff: { initialMs: 5, maxMs: 50 } });
      const keys = Array.from({ length: 32 }, (_, key) => `k${key}`);
      const spread = await producer.sendAll(keys.map((shardingKey) => ({ body: Buffer.from('x'), shardingKey })));
      expect(new Set(spread.map(({ queue }) => queue.brokerName))).toEqual(new Set(['broker-a', 'broker-b']));

      // The name servers hear of it some time later.
      await client.admin.brokers.updateConfig('broker-a', { brokerPermission: '4' });
      const closed = queues.find(({ brokerName }) => brokerName === 'broker-a')!;
      await expect(producer.send({ body: Buffer.from('pinned'), queue: closed })).rejects.toMatchObject({
        code: 'BROKER_RESPONSE',
        responseCode: 16,
        outcome: 'not-sent',
      });
      const elsewhere = await producer.sendAll(keys.map(() => ({ body: Buffer.from('any') })));
      expect(new Set(elsewhere.map(({ queue }) => queue.brokerName))).toEqual(new Set(['broker-b']));
      await writable(topic, (left) => left.every(({ brokerName }) => brokerName === 'broker-b'));
      const keyed = await producer.sendAll(keys.map((shardingKey) => ({ body: Buffer.from('x'), shardingKey })));
      expect(new Set(keyed.map(({ queue }) => queue.brokerName))).toEqual(new Set(['broker-b']));
      expect(producer.stats.storedMessages).toBe(3 * keys.length);

      await client.admin.brokers.updateConfig('broker-b', { brokerPermission: '4' });
      await expect(producer.send({ body: Buffer.from('nowhere') })).rejects.toMatchObject({ responseCode: 16 });
      await producer.close();
    },
    LIMIT_MS,
  );
});
