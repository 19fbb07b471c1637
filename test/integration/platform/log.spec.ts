import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { emptyState } from '@sluice/core';
import { initCluster, LogFollower, LogRewrittenError, type ScopedLog } from '@sluice/platform';
import { topicsOf } from '@sluice/protocol';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';

const silent: ScopedLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const groupOf = (queue: QueueRef): string => queue.topic.replace(/-log$/, '-reader');
const newClusterId = (): string => `t${randomUUID().slice(0, 8)}`;

describe('the log on a real queue', () => {
  let client: RocketMqClient;
  beforeAll(() => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
  });
  afterAll(() => client.close());

  const logOf = async (clusterId: string): Promise<QueueRef> => {
    const { brokerName } = await initCluster(client, { clusterId });
    return { topic: topicsOf(clusterId).log.name, brokerName, queueId: 0 };
  };

  it('is created once, with one genesis, however often init runs', async () => {
    const clusterId = newClusterId();
    const first = await initCluster(client, { clusterId });
    expect(first.created).toHaveLength(5);
    const again = await initCluster(client, { clusterId });
    expect(again).toEqual({ brokerName: first.brokerName, created: [] });
    expect(await client.admin.maxOffset(await logOf(clusterId))).toBe(1);
  });

  it('is followed up to a head that is proven, and taken up where the local copy ends', async () => {
    const queue = await logOf(newClusterId());
    const signal = AbortSignal.timeout(10_000);
    const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent);
    await follower.verify(signal);
    const running = follower.run();
    const before = performance.now();
    const { sentAt } = await follower.proveHead(signal);
    expect(sentAt).toBeGreaterThanOrEqual(before);
    expect(follower.state.head).toMatchObject({ seq: 0, offset: 0 });
    follower.close();
    await running;
    const next = new LogFollower(client, queue, groupOf(queue), follower.state, silent);
    await expect(next.verify(signal)).resolves.toBeUndefined();
  });

  it('skips and counts what is no entry', async () => {
    const queue = await logOf(newClusterId());
    await client.producer.send(queue, { body: Buffer.from('noise') });
    const signal = AbortSignal.timeout(10_000);
    const follower = new LogFollower(client, queue, groupOf(queue), emptyState(), silent);
    await follower.verify(signal);
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
    await expect(other.verify(signal)).rejects.toThrow(LogRewrittenError);
    const beyond = new LogFollower(
      client,
      queue,
      groupOf(queue),
      { ...emptyState(), head: { ...head, offset: 50 } },
      silent,
    );
    await expect(beyond.verify(signal)).rejects.toThrow('there is no entry at offset 50 any more');
  });
});
