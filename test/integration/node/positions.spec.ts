import type { PositionFile } from '@sluice/node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { PositionsMissingError, RocketMqPositionStore } from '@sluice/runner';
import type { ScopedLogger } from '@sluice/node';
import { decodePosition, positionsQueueOf, topicsOf, type PartitionPosition, type PositionMessage, type QueueScan } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import type { PositionsWrite, SourceTaskId } from '@sluice/runtime';
import { createCluster } from '../../support/create-cluster.js';

const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const clusterId = `t${randomUUID().slice(0, 8)}`;
const topics = topicsOf(clusterId);
const group = `sluice-${clusterId}-reader`;

describe('source positions on their topic', () => {
  let client: RocketMqClient;
  let brokerName: string;
  let hasCommitted = false;
  /** The generation that holds each task, and the log entry of the present task configs. */
  let live = new Map<number, number>();
  let tasksSince = 0;
  const newStore = (): RocketMqPositionStore =>
    new RocketMqPositionStore(
      client,
      topics,
      brokerName,
      group,
      () => ({ asOf: Math.max(0, ...live.values()), live, tasksSince, hasCommitted }),
      silent,
    );
  /** A task as the log assigns it: its generations before are over. */
  const assigned = (generation: number, index = 0, connector = 'files'): SourceTaskId => {
    live = new Map([...live, [index, generation]]);
    return { connector, index, generation };
  };
  const at = (position: number, { index, generation }: SourceTaskId, filename = 'a'): PartitionPosition => ({
    partition: { filename },
    position: { position },
    nextSeq: position + 1,
    routes: [],
    owner: { index, generation },
    revision: position,
  });
  const scanOf = ({ index, generation }: SourceTaskId): QueueScan => ({
    owner: { index, generation },
    queue: { topic: 't', brokerName: 'b', queueId: 0 },
    scanFrom: 7,
  });
  const change = (partitions: readonly PartitionPosition[], more: Partial<PositionsWrite> = {}): PositionsWrite => ({
    partitions,
    scans: [],
    settled: [],
    ...more,
  });

  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
    ({ brokerName } = await createCluster(client, clusterId));
  });
  afterAll(() => client.close());

  it('has nothing for a new connector', async () => {
    expect(await newStore().open(assigned(1))).toEqual({ free: [], held: [], unsettled: [] });
  });

  it('gives a new owner, on another node, what was written before its barrier, and not what the old one writes later', async () => {
    const old = newStore();
    const first = assigned(2);
    await old.open(first);
    await old.write(first, change([at(10, first)], { scans: [scanOf(first)] }));
    await old.write(first, change([at(5, first, 'b')]));
    const found = { free: [at(10, first), at(5, first, 'b')], held: [], unsettled: [scanOf(first)] };
    expect(await newStore().open(assigned(3))).toEqual(found);
    await old.write(first, change([at(99, first)]));
    expect(await newStore().open(assigned(4))).toEqual(found);
  });

  it('has nothing to examine after a clean stop', async () => {
    const store = newStore();
    const last = assigned(5);
    await store.open(last);
    await store.write(last, change([at(20, last)], { scans: [scanOf(last)] }));
    await store.write(last, change([], { settled: [last, { index: 0, generation: 2 }] }));
    const { free, unsettled } = await newStore().open(assigned(6));
    expect(free).toContainEqual(at(20, last));
    expect(unsettled).toEqual([]);
  });

  it('gives a partition to another task once the owner is over, and refuses what that one writes then', async () => {
    const stores = [newStore(), newStore(), newStore()];
    const old = assigned(10, 0, 'moved');
    await stores[0]!.open(old);
    await stores[0]!.write(old, change([at(10, old), at(5, old, 'b')], { scans: [scanOf(old)] }));
    const neighbour = assigned(11, 1, 'moved');
    expect(await stores[1]!.open(neighbour)).toEqual({
      free: [],
      held: [at(10, old), at(5, old, 'b')],
      unsettled: [],
    });
    tasksSince = 15;
    live = new Map();
    const next = assigned(20, 2, 'moved');
    const found = { free: [at(10, old), at(5, old, 'b')], held: [], unsettled: [scanOf(old)] };
    expect(await stores[2]!.open(next)).toEqual(found);
    // The old owner's last words come too late, before and after the new one has written.
    await stores[0]!.write(old, change([at(98, old)], { settled: [old] }));
    await stores[2]!.write(next, change([at(11, next)], { scans: [scanOf(next)], settled: [old] }));
    await stores[0]!.write(old, change([at(99, old), at(99, old, 'b')]));
    const other = assigned(21, 0, 'moved');
    expect(await newStore().open(other)).toEqual({
      free: [at(5, old, 'b')],
      held: [at(11, next)],
      unsettled: [],
    });
    tasksSince = 0;
  });

  it('resumes from a local copy', async () => {
    const store = newStore();
    const first = assigned(7, 0, 'copied');
    await store.open(first);
    const copy = newStore();
    copy.restore(JSON.parse(JSON.stringify(await store.snapshot())) as PositionFile);
    await store.write(first, change([at(30, first)]));
    expect((await copy.open(assigned(8, 0, 'copied'))).free).toEqual([at(30, first)]);
  });

  it('of a topic that was created again, and has grown beyond what was read, are not mixed with those of before', async () => {
    const recreated = topicsOf(`t${randomUUID().slice(0, 8)}`);
    await createCluster(client, recreated.log.name.replace(/^sluice-(.*)-log$/, '$1'));
    const storeOf = (): RocketMqPositionStore =>
      new RocketMqPositionStore(
        client,
        recreated,
        brokerName,
        group,
        () => ({ asOf: Math.max(0, ...live.values()), live, tasksSince, hasCommitted: false }),
        silent,
      );
    live = new Map();
    const first = assigned(1, 0, 'again');
    const before = storeOf();
    await before.open(first);
    await before.write(first, change([at(500, first), at(400, first, 'b')]));
    await before.catchUp();
    const copy = await before.snapshot();

    const { name, queues } = recreated.positions;
    await client.admin.deleteTopic(name);
    await client.admin.createTopic({ topic: name, readQueues: queues, writeQueues: queues, brokerName });
    const other = storeOf();
    await other.open(first);
    for (const position of [1, 2, 3, 4]) await other.write(first, change([at(position, first)]));

    const restored = storeOf();
    restored.restore(JSON.parse(JSON.stringify(copy)) as typeof copy);
    const next = assigned(9, 0, 'again');
    expect((await restored.open(next)).free).toEqual([at(4, first)]);
    expect((await before.open(assigned(10, 0, 'again'))).free).toEqual([at(4, first)]);
    live = new Map();
  }, 180_000);

  it('splits a change that is larger than a message and keeps all of it', async () => {
    const store = newStore();
    const first = assigned(1, 0, 'many');
    await store.open(first);
    const partitions = Array.from({ length: 20_000 }, (_, i) => at(i, first, `${'d/'.repeat(60)}${i}`));
    await store.write(first, change(partitions, { scans: [scanOf(first)], settled: [first] }));
    const stored = await newStore().open(assigned(2, 0, 'many'));
    expect(stored.free).toHaveLength(20_000);
    expect(stored.unsettled).toEqual([]);
  }, 180_000);

  it('writes again, with their owners, the positions that nobody wrote for long; once, however many tasks do so', async () => {
    const gone = assigned(1, 0, 'idle');
    const first = newStore();
    await first.open(gone);
    await first.write(gone, change([at(3, gone)], { scans: [scanOf(gone)] }));
    const task = assigned(2, 1, 'idle');
    const [one, two] = [newStore(), newStore()];
    await one.open(task);
    await one.refresh(task, Date.now() - 3_600_000);
    await one.refresh(task, Date.now() + 3_600_000);
    const told = (await messagesOf('idle')).filter(({ kind }) => kind === 'write');
    const again = { kind: 'write', ...task, partitions: [at(3, gone)], scans: [scanOf(gone)], settled: [] };
    expect(told.slice(1)).toEqual([again]);
    await two.refresh(task, Date.now() - 3_600_000);
    expect((await messagesOf('idle')).filter(({ kind }) => kind === 'write')).toHaveLength(2);
  });

  it('writes again, for a leader, the positions of a connector that nobody runs; not after a task was given to somebody', async () => {
    const gone = assigned(30, 0, 'stopped');
    const first = newStore();
    await first.open(gone);
    await first.write(gone, change([at(3, gone)], { settled: [gone] }));
    live = new Map();
    const soon = (): number => Date.now() + 3_600_000;
    const leader = newStore();
    await leader.refreshFor('stopped', 40, Date.now() - 3_600_000);
    await leader.refreshFor('stopped', 40, soon());
    const told = (await messagesOf('stopped')).filter(({ kind }) => kind === 'write').slice(1);
    expect(told).toMatchObject([{ index: -1, generation: 41, partitions: [at(3, gone)] }]);
    const next = assigned(45, 0, 'stopped');
    const store = newStore();
    expect((await store.open(next)).free).toEqual([at(3, gone)]);
    await store.write(next, change([at(4, next)]));
    // What the leader still had under way comes too late.
    await leader.write({ connector: 'stopped', index: -1, generation: 41 }, change([], { scans: [scanOf(gone)] }));
    const other = assigned(46, 1, 'stopped');
    expect(await newStore().open(other)).toEqual({ free: [], held: [at(4, next)], unsettled: [] });
  });

  it('is an error, not a start from zero, when a connector that has committed has no positions', async () => {
    hasCommitted = true;
    await expect(newStore().open(assigned(1, 0, 'lost'))).rejects.toThrow(PositionsMissingError);
  });

  async function messagesOf(connector: string): Promise<readonly PositionMessage[]> {
    const queue = { topic: topics.positions.name, brokerName, queueId: positionsQueueOf(connector, topics) };
    const found: PositionMessage[] = [];
    for (let offset = 0, isMore = true; isMore;) {
      const answer = await client.consumer.pull({
        queue,
        offset,
        group,
        maxMessages: 32,
        suspendMs: 500,
      });
      found.push(...answer.messages.map(({ body }) => decodePosition(body)));
      isMore = answer.kind === 'found';
      offset = answer.nextOffset;
    }
    return found.filter((message) => message.connector === connector);
  }
});
