import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, SnapshotMissingError, stateDigest, type ClusterState } from '@sluice/core';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { LogFollower, type ScopedLogger } from '@sluice/node';
import { readerGroupOf, topicsOf } from '@sluice/protocol';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { createCluster } from '../../support/create-cluster.js';
import { LogLeader } from './log-leader.js';

const clusterId = 'kept';
const group = readerGroupOf(clusterId);
const fileBytes = 1024 * 1024;
/** A broker first looks for files to delete a minute after its start: what is sent until then need not be much. */
const fillEveryMs = 250;
const everyHour = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';');
const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('a log whose head the broker has deleted', () => {
  let directory: string;
  let rocketmq: RunningCluster;
  let client: RocketMqClient;
  let queue: QueueRef;
  let away: ClusterState;
  const signal = AbortSignal.timeout(280_000);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-retention-'));
    rocketmq = await startCluster({
      name: 'retention',
      topology: { proxy: false },
      dataDir: directory,
      ports: await freePorts(),
      // Files that are full are deleted at the next look, whatever their age.
      brokerConfig: {
        mappedFileSizeCommitLog: String(fileBytes),
        fileReservedTime: '0',
        deleteWhen: everyHour,
        cleanResourceInterval: '1000',
        deleteCommitLogFilesInterval: '10',
      },
    });
    client = RocketMqClient.open({ namesrv: rocketmq.namesrv });
    queue = await createCluster(client, clusterId);
    away = await read(emptyState());
  }, 200_000);
  afterAll(async () => {
    await (client as RocketMqClient | undefined)?.close();
    await (rocketmq as RunningCluster | undefined)?.kill();
    rmSync(directory, { recursive: true, force: true });
  }, 180_000);

  /** What a node that begins with `initial` has folded once it knows the head. */
  const read = async (initial: ClusterState): Promise<ClusterState> => {
    const follower = new LogFollower(client, queue, group, initial, silent);
    await follower.begin(signal);
    const running = follower.run();
    await follower.proveHead(signal);
    follower.close();
    await running;
    return follower.state;
  };

  const until = async (what: string, isTrue: () => boolean | Promise<boolean>, everyMs = 50): Promise<void> => {
    for (const deadline = performance.now() + 90_000; !(await isTrue());) {
      if (performance.now() > deadline) throw new Error(`${what}: not within 90 s`);
      await delay(everyMs);
    }
  };

  /** Fills files of the broker with other messages until the log's head is gone up to an offset. */
  const letRetentionTake = (upTo: number): Promise<void> => {
    const other = { ...queue, topic: topicsOf(clusterId).commands.name };
    const isGone = async (): Promise<boolean> => {
      await client.producer.send(other, { body: Buffer.alloc(fileBytes / 4, 'x') });
      return (await client.admin.minOffset(queue)) > upTo;
    };
    return until(`the log begins behind offset ${upTo}`, isGone, fillEveryMs);
  };

  it('is read by a node with an empty disk, and by one that was down, from the snapshot and the tail', async () => {
    const leader = new LogLeader(client, queue, group, silent, { snapshotEntries: 25 });
    await leader.start();
    await until('it leads', () => leader.isLeading);
    const config = { 'connector.class': 'X' };
    for (let i = 0; i < 30; i += 1) {
      leader.command({ kind: 'connector.put', mode: 'create', name: `c${i}`, type: 'source', config });
    }
    await until('all are created', () => leader.cluster.connectors.size === 30);
    await letRetentionTake(away.head.offset + 10);
    const { snapshot } = leader.cluster;
    await until('a snapshot stands in what is left', async () => {
      const asOf = leader.cluster.snapshot?.asOf.offset ?? -1;
      return leader.cluster.snapshot !== snapshot && asOf >= (await client.admin.minOffset(queue));
    });
    await leader.stop();
    const [anew, back] = [await read(emptyState()), await read(away)];
    expect(anew.connectors.size).toBe(30);
    expect(stateDigest(anew)).toBe(stateDigest(leader.cluster));
    expect(stateDigest(back)).toBe(stateDigest(leader.cluster));
  }, 240_000);

  it('is refused at the start, with what is to be done, where no snapshot is left', async () => {
    await letRetentionTake((await client.admin.maxOffset(queue)) - 1);
    await expect(read(emptyState())).rejects.toThrow(SnapshotMissingError);
    await expect(read(away)).rejects.toThrow(/hold no snapshot.*Copy the files of a node.*sluice restore/);
  }, 180_000);
});
