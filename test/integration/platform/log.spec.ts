import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, SnapshotMissingError, stateDigest, type QueueBounds } from '@sluice/core';
import { LogFollower, LogRewrittenError, type ScopedLog } from '@sluice/platform';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { createCluster } from '../../support/create-cluster.js';
import { LogLeader } from './log-leader.js';

const silent: ScopedLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const groupOf = (queue: QueueRef): string => queue.topic.replace(/-log$/, '-reader');
const until = async (isTrue: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 30_000; !isTrue();) {
    if (performance.now() > deadline) throw new Error('it did not come true within 30 s');
    await delay(20);
  }
};
const newClusterId = (): string => `t${randomUUID().slice(0, 8)}`;

describe('the log on a real queue', () => {
  let client: RocketMqClient;
  beforeAll(() => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
  });
  afterAll(() => client.close());

  const logOf = (clusterId: string): Promise<QueueRef> => createCluster(client, clusterId);

  it('is followed up to a head that is proven, and taken up where the local copy ends', async () => {
    const queue = await logOf(newClusterId());
    const signal = AbortSignal.timeout(10_000);
    const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent);
    await follower.begin(signal);
    const running = follower.run();
    const before = performance.now();
    const { sentAt } = await follower.proveHead(signal);
    expect(sentAt).toBeGreaterThanOrEqual(before);
    expect(follower.state.head).toMatchObject({ seq: 0, offset: 0 });
    follower.close();
    await running;
    const next = new LogFollower(client, queue, groupOf(queue), follower.state, silent);
    await expect(next.begin(signal)).resolves.toBeUndefined();
  });

  it('skips and counts what is no entry', async () => {
    const queue = await logOf(newClusterId());
    await client.producer.send(queue, { body: Buffer.from('noise') });
    const signal = AbortSignal.timeout(10_000);
    const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent);
    await follower.begin(signal);
    const running = follower.run();
    await follower.proveHead(signal);
    expect(follower.malformedCount).toBe(1);
    expect(follower.state.head.seq).toBe(0);
    follower.close();
    await running;
  });

  it('is refused when the entry that the local copy ends with is another one, or gone', async () => {
    const queue = await logOf(newClusterId());
    const signal = AbortSignal.timeout(10_000);
    const head = { offset: 0, seq: 5, digest: 'another' };
    const other = new LogFollower(client, queue, groupOf(queue), { ...emptyState(), head }, silent);
    await expect(other.begin(signal)).rejects.toThrow(LogRewrittenError);
    const beyond = new LogFollower(
      client,
      queue,
      groupOf(queue),
      { ...emptyState(), head: { ...head, offset: 50 } },
      silent,
    );
    await expect(beyond.begin(signal)).rejects.toThrow('there is no entry at offset 50 any more');
  });

  describe('when a leader has written a snapshot', () => {
    const signal = AbortSignal.timeout(60_000);
    let queue: QueueRef;
    let leader: LogLeader;
    beforeAll(async () => {
      queue = await logOf(newClusterId());
      leader = new LogLeader(client, queue, groupOf(queue), silent, { snapshotEntries: 25, snapshotChunkBytes: 2_000 });
      await leader.start();
      await until(() => leader.isLeading);
      for (let i = 0; i < 30; i += 1) {
        const config = { 'connector.class': 'X', n: String(i) };
        leader.command({ kind: 'connector.put', mode: 'create', name: `c${String(i)}`, type: 'source', config });
      }
      await until(() => leader.cluster.snapshot !== undefined);
    });
    afterAll(() => leader.stop());

    /** As the broker reports it once retention has taken everything before the snapshot. */
    const withoutHead = async (minOffset: number): Promise<QueueBounds> => {
      return { minOffset, maxOffset: await client.admin.maxOffset(queue, { signal }) };
    };

    it('a node with an empty disk loads it though the head of the log is gone, and goes on', async () => {
      const { asOf, chunks } = leader.cluster.snapshot!;
      expect(chunks).toBeGreaterThan(3);
      const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent, {
        bounds: () => withoutHead(asOf.offset + 1),
      });
      await follower.begin(signal);
      expect(follower.state.head.seq).toBeGreaterThan(asOf.seq);
      expect(follower.state.connectors.size).toBe(30);
      const running = follower.run();
      leader.command({ kind: 'connector.delete', name: 'c7' });
      await until(() => !leader.cluster.connectors.has('c7'));
      await follower.proveHead(signal);
      await until(() => follower.state.head.seq === leader.cluster.head.seq);
      expect(stateDigest(follower.state)).toBe(stateDigest(leader.cluster));
      follower.close();
      await running;
    });

    it('a node whose copy is older than the head that is left loads it too', async () => {
      const { asOf } = leader.cluster.snapshot!;
      const old = { ...emptyState(), head: { offset: 1, seq: 1, digest: 'old' } };
      const follower = new LogFollower(client, queue, groupOf(queue), old, silent, {
        bounds: () => withoutHead(asOf.offset + 1),
      });
      await follower.begin(signal);
      expect(follower.state.connectors.size).toBeGreaterThanOrEqual(29);
    });

    it('a start says so when retention has taken entries that the snapshot does not hold', async () => {
      const { asOf, doneOffset } = leader.cluster.snapshot!;
      const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent, {
        bounds: () => withoutHead(asOf.offset + 2),
      });
      await expect(follower.begin(signal)).rejects.toThrow(SnapshotMissingError);
      await expect(follower.begin(signal)).rejects.toThrow(`the one at offset ${String(doneOffset)} is not valid`);
    });
  });
});
