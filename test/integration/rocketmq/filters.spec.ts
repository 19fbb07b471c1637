import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, startCluster } from '@sluice/embedded-rocketmq';
import { RocketMqClient, writableQueues, type MessageFilter, type PullResult, type QueueRef } from '@sluice/rocketmq';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/sluice-cluster.js';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';

describe('filters on a real broker', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-filter-${run}`;
  const group = `it-filter-group-${run}`;
  let client: RocketMqClient;
  let queue: QueueRef;

  /** 200 messages: tags 'Aa', 'BB' (the same hash code in Java), 'c' and none in turn, property `n` the number. */
  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: NAMESRV });
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.admin.createGroup({ group });
    [queue] = writableQueues(await client.routes.get(topic)) as [QueueRef];
    const producer = client.topicProducer(topic);
    const tags = ['Aa', 'BB', 'c', undefined];
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        producer.send({ body: Buffer.from(String(n)), queue, tag: tags[n % 4], properties: [['n', String(n)]] }),
      ),
    );
    await producer.close();
    await until('the queue shows all', async () => {
      return (await client.consumer.pull({ queue, offset: 0, group })).maxOffset === 200;
    });
  });

  afterAll(async () => {
    await client.admin.deleteTopic(topic);
    await client.admin.deleteGroup(group);
    await client.close();
  });

  async function pullAll(filter: MessageFilter): Promise<{ offsets: number[]; kinds: Set<PullResult['kind']> }> {
    const offsets: number[] = [];
    const kinds = new Set<PullResult['kind']>();
    let offset = 0;
    for (let pull = 0; pull < 500 && offset < 200; pull += 1) {
      const answer = await client.consumer.pull({ queue, offset, group, filter });
      expect(answer.nextOffset).toBeGreaterThan(offset);
      offsets.push(...answer.messages.map((message) => message.queueOffset));
      kinds.add(answer.kind);
      offset = answer.nextOffset;
    }
    return { offsets, kinds };
  }

  const numbers = (isWanted: (n: number) => boolean): number[] => Array.from({ length: 200 }, (_, n) => n).filter((n) => isWanted(n));

  it('by tags give these tags and not those of the same hash code', async () => {
    expect((await pullAll({ tags: 'Aa' })).offsets).toEqual(numbers((n) => n % 4 === 0));
    expect((await pullAll({ tags: 'BB || c' })).offsets).toEqual(numbers((n) => n % 4 === 1 || n % 4 === 2));
    expect((await pullAll({ tags: '*' })).offsets).toHaveLength(200);
  });

  it('by SQL92 give what the condition holds for', async () => {
    expect((await pullAll({ sql92: 'n >= 150 AND n < 160' })).offsets).toEqual(numbers((n) => n >= 150 && n < 160));
    expect((await pullAll({ sql92: "TAGS = 'c' AND n < 10" })).offsets).toEqual([2, 6]);
  });

  it('that nothing matches move on and are not taken for a gap', async () => {
    for (const filter of [{ tags: 'nobody' }, { sql92: 'n > 1000' }]) {
      expect(await pullAll(filter)).toEqual({ offsets: [], kinds: new Set(['filtered']) });
    }
  });

  it('are followed by a reader up to the head and from there on', async () => {
    const reader = client.consumer.readQueue(queue, { from: 3, group, filter: { tags: 'Aa' }, suspendMs: 1_000 });
    const offsets: number[] = [];
    await until('all that match', async () => {
      for (const message of await reader.next({ timeoutMs: 300 })) offsets.push(message.queueOffset);
      return offsets.length >= 49;
    });
    expect(offsets).toEqual(numbers((n) => n > 3 && n % 4 === 0));
    // Nothing matches up to the head: the reader waits there, and continues when something does.
    const next = reader.next();
    await client.producer.send(queue, { body: Buffer.from('other'), properties: [['TAGS', 'BB']] });
    const wanted = await client.producer.send(queue, { body: Buffer.from('wanted'), properties: [['TAGS', 'Aa']] });
    expect((await next).map((message) => message.queueOffset)).toEqual([wanted.firstOffset]);
    expect(reader.position).toBe(wanted.firstOffset + 1);
    reader.close();
    const none = client.consumer.readQueue(queue, { from: 0, group, filter: { sql92: 'n > 1000' }, suspendMs: 200 });
    expect(await none.next({ timeoutMs: 2_000 })).toEqual([]);
    expect(none.position).toBe(wanted.firstOffset + 1);
    none.close();
  });

  it('that the broker cannot read are refused', async () => {
    const pull = client.consumer.pull({ queue, offset: 0, group, filter: { sql92: 'n >' } });
    await expect(pull).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('sql92') });
    const reader = client.consumer.readQueue(queue, { from: 0, group, filter: { sql92: 'n >' } });
    await expect(reader.next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    reader.close();
  });

  it('by SQL92 are refused where the broker evaluates none', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-filters-'));
    const cluster = await startCluster({
      name: 'filters',
      topology: { proxy: false },
      ports: await freePorts(),
      dataDir,
      brokerConfig: { enablePropertyFilter: 'false' },
      startTimeoutMs: 180_000,
    });
    const other = RocketMqClient.open({ namesrv: cluster.namesrv });
    try {
      await other.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      await other.admin.createGroup({ group });
      const there = writableQueues(await other.routes.get(topic))[0]!;
      const reader = other.consumer.readQueue(there, { from: 0, group, filter: { sql92: 'n > 1' } });
      await expect(reader.next()).rejects.toMatchObject({
        code: 'UNSUPPORTED_BY_BROKER',
        message: expect.stringContaining('enablePropertyFilter'),
      });
      reader.close();
      const popping = other.popConsumer({ topic, group, filter: { sql92: 'n > 1' } });
      await expect(popping.receive({ waitMs: 0 })).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_BROKER' });
    } finally {
      await other.close();
      await cluster.kill();
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 240_000);
});
