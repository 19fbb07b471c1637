import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, NewerVersionNeededError, SnapshotMissingError, stateDigest, type LogEvent, type QueueBounds } from '@sluice/core';
import { LogFollower, LogRewrittenError, type ScopedLogger } from '@sluice/node';
import { decodeLogEntry, encodeLogEntry } from '@sluice/protocol';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { createCluster } from '../../support/create-cluster.js';
import { CuttableProxy } from '../rocketmq/cuttable-proxy.js';
import { RouteRewritingProxy } from '../../support/route-rewriting-proxy.js';
import { LogLeader } from './log-leader.js';

const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const groupOf = (queue: QueueRef): string => queue.topic.replace(/-log$/, '-reader');
const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 30_000; !(await isTrue());) {
    if (performance.now() > deadline) throw new Error('it did not come true within 30 s');
    await delay(20);
  }
};
const namesrvAddress = (): string => (process.env['SLUICE_TEST_NAMESRV'] ?? '').split(/[;,]/)[0]!;
const newClusterId = (): string => `t${randomUUID().slice(0, 8)}`;

describe('the log on a real queue', () => {
  let client: RocketMqClient;
  beforeAll(() => {
    client = RocketMqClient.open({ namesrv: namesrvAddress() });
  });
  afterAll(() => client.close());

  const createLogTopic = async ({ topic, brokerName }: QueueRef): Promise<void> => {
    await client.admin.createTopic({ topic, brokerName, readQueues: 1, writeQueues: 1 });
  };

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
    const beyond = new LogFollower(client, queue, groupOf(queue), { ...emptyState(), head: { ...head, offset: 50 } }, silent);
    await expect(beyond.begin(signal)).rejects.toThrow('there is no entry at offset 50 any more');
  });

  describe('of a node that reads and proves by separate pulls', () => {
    const signal = AbortSignal.timeout(60_000);
    let queue: QueueRef;
    let genesis: Buffer;
    beforeEach(async () => {
      queue = await logOf(newClusterId());
      genesis = await bodyAt(queue, 0);
    });

    /** Waits for the message: a broker answers a send before pulls show it. */
    const bodyAt = async (ref: QueueRef, offset: number): Promise<Buffer> => {
      const { messages } = await client.consumer.pull({ queue: ref, offset, group: groupOf(ref), suspendMs: 10_000 });
      return messages[0]!.body;
    };

    /** The body of a claim right after genesis. */
    const claimOf = (nodeId: string): Buffer => {
      const first = encodeLogEntry(decodeLogEntry<LogEvent>(genesis));
      const after = { seq: 0, digest: first.digest };
      const event: LogEvent = { kind: 'claimed', nodeId, incarnation: 'i', after };
      const { logId } = decodeLogEntry(genesis);
      return encodeLogEntry({ logId, epoch: 1, claimId: nodeId, seq: 1, prevDigest: first.digest, at: 1, event }).body;
    };

    /** A client whose pulls that prove, and readers, a test gets hold of. */
    const observed = (hooks: {
      readonly beforePull?: () => Promise<void>;
      readonly readerOf?: (count: number) => RocketMqClient;
    }): RocketMqClient => {
      let readers = 0;
      const consumer: Pick<RocketMqClient['consumer'], 'pull' | 'readQueue'> = {
        pull: async (options) => {
          await hooks.beforePull?.();
          return client.consumer.pull(options);
        },
        readQueue: (ref, options) => {
          readers += 1;
          return (hooks.readerOf?.(readers) ?? client).consumer.readQueue(ref, options);
        },
      };
      return { admin: client.admin, routes: client.routes, consumer } as RocketMqClient;
    };

    it('folds nothing that the log lost after it was pulled', async () => {
      let isLost = false;
      const loseClaim = async (): Promise<void> => {
        if (isLost || follower.state.head.seq !== 0 || (await client.admin.maxOffset(queue)) < 2) return;
        isLost = true;
        // The claim was pulled, and its check is about to be sent: the queue loses it and grows again.
        await client.admin.deleteTopic(queue.topic);
        await createLogTopic(queue);
        await client.producer.send(queue, { body: genesis });
        await client.producer.send(queue, { body: claimOf('kept') });
        await until(async () => (await client.admin.maxOffset(queue)) === 2);
      };
      const hooked = observed({ beforePull: () => loseClaim() });
      const follower = new LogFollower(hooked, queue, groupOf(queue), emptyState(), silent);
      const leaders: (string | undefined)[] = [];
      follower.subscribe(({ state }) => leaders.push(state.leader?.nodeId));
      await follower.begin(signal);
      const running = follower.run();
      await follower.proveHead(signal);
      await client.producer.send(queue, { body: claimOf('lost') });
      await until(() => follower.state.head.seq === 1);
      expect(isLost).toBe(true);
      expect(leaders).toEqual([undefined, 'kept']);
      follower.close();
      await running;
    });

    it('opens its reader again when that does not deliver what proofs see', async () => {
      const { masterAddress } = (await client.routes.get(queue.topic)).brokers[0]!;
      const proxy = await CuttableProxy.to(masterAddress!);
      const namesrv = await RouteRewritingProxy.of(namesrvAddress(), masterAddress!, proxy.address);
      const other = RocketMqClient.open({ namesrv: namesrv.address });
      try {
        const hooked = observed({ readerOf: (count) => (count === 1 ? other : client) });
        const follower = new LogFollower(hooked, queue, groupOf(queue), emptyState(), silent);
        await follower.begin(signal);
        const running = follower.run();
        await follower.proveHead(signal);
        proxy.swallow();
        await client.producer.send(queue, { body: claimOf('c1') });
        // Without it the pull that is held would end after more than 15 s.
        await follower.proveHead(AbortSignal.timeout(12_000));
        expect(follower.state.leader?.nodeId).toBe('c1');
        follower.close();
        await running;
      } finally {
        await other.close();
        await namesrv.close();
        await proxy.close();
      }
    });

    it('ends at an entry of a newer version, and proves nothing any more', async () => {
      const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent);
      await follower.begin(signal);
      const running = follower.run();
      await follower.proveHead(signal);
      const { logId } = follower.state;
      await client.producer.send(queue, { body: Buffer.from(JSON.stringify({ v: 2, logId, what: 'unknown' })) });
      await expect(running).rejects.toThrow(NewerVersionNeededError);
      await expect(follower.proveHead(signal)).rejects.toThrow('offset 1 that this build cannot decode');
      expect(follower.holdsLease).toBe(false);
    });
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
        leader.command({ kind: 'connector.put', mode: 'create', name: `c${i}`, type: 'source', config });
      }
      await until(() => leader.cluster.snapshot !== undefined);
    });
    afterAll(() => leader.stop());

    /** As the broker reports it once retention has taken everything before the snapshot. */
    const withoutHead = async (minOffset: number): Promise<QueueBounds> => {
      return { minOffset, maxOffset: await client.admin.maxOffset(queue, { signal }) };
    };

    it('a node with an empty disk loads it though the head of the log is gone, and continues', async () => {
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
      await expect(follower.begin(signal)).rejects.toThrow(`the one at offset ${doneOffset} is not valid`);
    });
  });
});
