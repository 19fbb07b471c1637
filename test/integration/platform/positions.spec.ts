import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { initCluster, PositionsMissingError, RocketMqPositionStore, type ScopedLog } from '@sluice/platform';
import { topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import type { PartitionPosition, PositionsWrite } from '@sluice/runtime';

const silent: ScopedLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const clusterId = `t${randomUUID().slice(0, 8)}`;
const topics = topicsOf(clusterId);

describe('source positions on their topic', () => {
  let client: RocketMqClient;
  let brokerName: string;
  let committed = false;
  const newStore = (): RocketMqPositionStore =>
    new RocketMqPositionStore(client, topics, brokerName, `sluice-${clusterId}-reader`, () => committed, silent);
  const task = (generation: number, connector = 'files'): { connector: string; index: number; generation: number } => ({
    connector,
    index: 0,
    generation,
  });
  const at = (position: number, generation: number, filename = 'a'): PartitionPosition => ({
    partition: { filename },
    position: { position },
    nextSeq: position + 1,
    routes: [],
    generation,
  });
  const change = (partitions: PartitionPosition[], more: Partial<PositionsWrite> = {}): PositionsWrite => ({
    partitions,
    queues: [{ queue: { topic: 't', brokerName: 'b', queueId: 0 }, scanFrom: 7 }],
    full: false,
    clean: false,
    ...more,
  });

  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
    ({ brokerName } = await initCluster(client, { clusterId }));
  });
  afterAll(() => client.close());

  it('has nothing for a new task', async () => {
    expect(await newStore().open(task(1))).toEqual({ partitions: [], queues: [], clean: true });
  });

  it('gives a new owner, on another node, what was written before its barrier, and not what the old one writes later', async () => {
    const old = newStore();
    await old.open(task(2));
    await old.write(task(2), change([at(10, 2)]));
    await old.write(task(2), change([at(5, 2, 'b')]));
    const next = newStore();
    const stored = await next.open(task(3));
    expect(stored.clean).toBe(false);
    expect(stored.partitions).toEqual([at(10, 2), at(5, 2, 'b')]);
    expect(stored.queues).toEqual([{ queue: { topic: 't', brokerName: 'b', queueId: 0 }, scanFrom: 7 }]);
    await old.write(task(2), change([at(99, 2)]));
    expect((await newStore().open(task(4))).partitions).toEqual([at(10, 2), at(5, 2, 'b')]);
  });

  it('tells a clean stop from an unclean one', async () => {
    const store = newStore();
    await store.write(task(4), change([at(20, 4)], { clean: true, full: true }));
    const stored = await newStore().open(task(5));
    expect(stored).toMatchObject({ clean: true, partitions: [at(20, 4)] });
    expect((await newStore().open(task(6))).clean).toBe(false);
  });

  it('goes on from a local copy', async () => {
    const store = newStore();
    await store.open(task(7));
    const copy = newStore();
    copy.restore(JSON.parse(JSON.stringify(store.snapshot())) as ReturnType<RocketMqPositionStore['snapshot']>);
    await store.write(task(7), change([at(30, 7)]));
    expect((await copy.open(task(8))).partitions).toEqual([at(30, 7)]);
  });

  it('splits a change that is larger than a message and keeps all of it', async () => {
    const store = newStore();
    await store.open(task(1, 'many'));
    const partitions = Array.from({ length: 20_000 }, (_, i) => at(i, 1, `${'d/'.repeat(60)}${String(i)}`));
    await store.write(task(1, 'many'), change(partitions, { full: true, clean: true }));
    const stored = await newStore().open(task(2, 'many'));
    expect(stored.partitions).toHaveLength(20_000);
    expect(stored.clean).toBe(true);
  }, 60_000);

  it('is an error, not a start from zero, when a task that has committed has no positions', async () => {
    committed = true;
    await expect(newStore().open(task(1, 'lost'))).rejects.toThrow(PositionsMissingError);
  });
});
