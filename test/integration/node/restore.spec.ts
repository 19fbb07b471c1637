import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { emptyState, RestoreUnfinishedError, restoredLog, restoredState, type ClusterState, type ConnectorState } from '@sluice/core';
import {
  createTopics,
  LogFollower,
  masterNames,
  planRestore,
  restoreCluster,
  RestoreError,
  type NodeCopy,
  type ScopedLogger,
} from '@sluice/node';
import { RocketMqPositionStore } from '@sluice/runner';
import { encodeLogChain, positionsQueueOf, readerGroupOf, topicsOf, type ConnectorPositionsCopy } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { createCluster } from '../../support/create-cluster.js';
import { until } from '../../support/sluice-cluster.js';

const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const connector = (name: string): ConnectorState => {
  const config = { 'connector.class': 'X' };
  return { name, type: 'source', config, configVersion: 3, targetState: 'RUNNING', tasksVersion: 4, taskCount: 1 };
};

/** What the log said in the end. */
const keptOn = (broker: string): ClusterState => ({
  ...emptyState(),
  logId: 'old',
  broker,
  epoch: 3,
  claimId: 'c',
  head: { offset: 40, seq: 40, digest: 'd' },
  connectors: new Map(['a', 'b'].map((name) => [name, connector(name)])),
});

const positionOf = (name: string, nextSeq: number): ConnectorPositionsCopy => {
  const owner = { index: 0, generation: 7 };
  const value = { partition: { file: name }, position: { at: nextSeq }, nextSeq, routes: [], owner, revision: nextSeq };
  return { connector: name, floor: 0, floors: [], partitions: [{ value, storedAtMs: 1, offset: 1 }], scans: [] };
};

describe('restore on a real cluster', () => {
  let client: RocketMqClient;
  let clusterId: string;
  let brokerName: string;
  let kept: ClusterState;
  const signal = AbortSignal.timeout(120_000);
  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
    [brokerName = ''] = await masterNames(client);
    kept = keptOn(brokerName);
    clusterId = `r${randomUUID().slice(0, 8)}`;
  });
  afterAll(() => client.close());

  const copyOf = (state: ClusterState, positions: readonly ConnectorPositionsCopy[], nextOffset: number): NodeCopy => ({
    directory: '/nowhere',
    writtenAt: new Date(0),
    state,
    positions: positions.map((each) => ({
      queueId: positionsQueueOf(each.connector, topicsOf(clusterId)),
      nextOffset,
      connectors: [each],
    })),
    groups: {},
  });

  it('resumes where one was interrupted, with the log and the positions that are the newest', async () => {
    const older = { ...kept, head: { offset: 9, seq: 9, digest: 'o' }, connectors: new Map() };
    const copies = [copyOf(older, [positionOf('a', 50), positionOf('deleted', 5)], 60), copyOf(kept, [positionOf('a', 20)], 30)];
    const first = await planRestore(client, { clusterId, copies });
    expect(first).toMatchObject({
      lastOffset: -1,
      missingTopics: Object.values(topicsOf(clusterId)).map(({ name }) => name as string),
    });
    expect(first.log.state).toBe(kept);
    await createTopics(client, clusterId, first.brokerName, first.missingTopics);
    const queue = { topic: topicsOf(clusterId).log.name, brokerName: first.brokerName, queueId: 0 };
    const place = { logId: 'half', broker: queue.brokerName, incarnation: 'i', at: Date.now(), lastOffset: -1 };
    const half = restoredState(kept, place);
    const [chunk] = encodeLogChain({ ...half, at: place.at }, half.head, restoredLog(half, 1_000_000));
    await client.producer.send(queue, { body: chunk!.body });
    // A broker answers before its queue shows the message.
    await until('the chunk is there', async () => (await client.admin.maxOffset(queue)) === 1);
    const follower = new LogFollower(client, queue, readerGroupOf(clusterId), emptyState(), silent);
    await expect(follower.begin(signal)).rejects.toThrow(RestoreUnfinishedError);

    const plan = await planRestore(client, { clusterId, copies });
    expect(plan).toMatchObject({ lastOffset: 0, missingTopics: [] });
    const state = await restoreCluster(client, plan, silent);
    expect([...state.connectors.keys()]).toEqual(['a', 'b']);
    expect(state).toMatchObject({ epoch: 3, leader: { resigned: true }, broker: queue.brokerName });
    expect(state.head.seq).toBeGreaterThan(1_000_000);

    const owners = { asOf: state.head.seq, live: new Map(), tasksSince: 4, hasCommitted: true };
    const group = readerGroupOf(clusterId);
    const positions = new RocketMqPositionStore(client, topicsOf(clusterId), queue.brokerName, group, () => owners, silent);
    await positions.catchUp();
    const stored = (await positions.snapshot()).queues.flatMap(({ connectors }) => connectors);
    expect(stored.map((each) => [each.connector, each.partitions.map(({ value }) => value.nextSeq)])).toEqual([['a', [50]]]);
  }, 180_000);

  it('counts offsets of sinks that it writes apart from those whose queue is not there or ends before them', async () => {
    const name = `r${randomUUID().slice(0, 8)}`;
    const { log } = topicsOf(name);
    await createTopics(client, name, brokerName, [log.name]);
    const queueAt = (topic: string): string => `${topic}@${brokerName}:0`;
    const groups = { sinks: { [queueAt(log.name)]: 0, [queueAt(`${name}-gone`)]: 9, [`${log.name}@away:0`]: 3 } };
    const later = { sinks: { [queueAt(log.name)]: 5 } };
    const found = await planRestore(client, { clusterId: name, copies: [{ ...copyOf(kept, [], 0), groups }] });
    expect(found.offsets).toEqual([{ group: 'sinks', queue: { topic: log.name, brokerName, queueId: 0 }, nextOffset: 0 }]);
    expect(found.offsetsWithoutQueue.map(({ nextOffset }) => nextOffset)).toEqual([9, 3]);
    const tooShort = await planRestore(client, {
      clusterId: name,
      copies: [{ ...copyOf(kept, [], 0), groups: later }],
    });
    expect(tooShort).toMatchObject({ offsets: [], offsetsWithoutQueue: [{ nextOffset: 5 }] });
  }, 180_000);

  it('writes to the broker that had the topics; to another one only where that is named', async () => {
    const elsewhere = `r${randomUUID().slice(0, 8)}`;
    const copies = [copyOf(keptOn('away'), [], 0)];
    await expect(planRestore(client, { clusterId: elsewhere, copies })).rejects.toThrow(
      /Broker away, which had the topics, has not registered a master and may still have them: start it/,
    );
    expect(await planRestore(client, { clusterId: elsewhere, copies, brokerName })).toMatchObject({ brokerName });
    await expect(planRestore(client, { clusterId: elsewhere, copies, brokerName: 'away' })).rejects.toThrow(
      `There is no broker "away" with a master; there are: ${brokerName}`,
    );
    // Topics that are left on another broker do not prove that the one which had the log is lost.
    await createTopics(client, elsewhere, brokerName, [topicsOf(elsewhere).commands.name]);
    await expect(planRestore(client, { clusterId: elsewhere, copies })).rejects.toThrow('may still have them');
    expect(await planRestore(client, { clusterId: elsewhere, copies, brokerName })).toMatchObject({ brokerName });
  }, 180_000);

  it('is refused over a log that is there, and with files of two logs', async () => {
    const other = `r${randomUUID().slice(0, 8)}`;
    await createCluster(client, other);
    await expect(planRestore(client, { clusterId: other, copies: [copyOf(kept, [], 0)] })).rejects.toThrow(RestoreError);
    await expect(planRestore(client, { clusterId: other, copies: [copyOf(kept, [], 0)] })).rejects.toThrow('not empty');
    const copies = [copyOf(kept, [], 0), copyOf({ ...kept, logId: 'another' }, [], 0)];
    await expect(planRestore(client, { clusterId, copies })).rejects.toThrow('are of two logs (old, another)');
  }, 180_000);
});
