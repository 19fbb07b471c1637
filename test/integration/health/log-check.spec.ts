import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { emptyState } from '@sluice/core';
import { logCheck, LogFollower, type ScopedLogger } from '@sluice/node';
import { readerGroupOf } from '@sluice/protocol';
import { BatchEncoder, RocketMqClient } from '@sluice/rocketmq';
import { createCluster } from '../../support/create-cluster.js';
import { until } from '../../support/sluice-cluster.js';

const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const written = 40;

describe('the check of the log', () => {
  let client: RocketMqClient;
  beforeAll(() => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
  });
  afterAll(() => client.close());

  it('reports how far a node is behind, and is up once the node has read the log to its end', async () => {
    const clusterId = `t${randomUUID().slice(0, 8)}`;
    const queue = await createCluster(client, clusterId);
    const { signal } = new AbortController();
    const follower = new LogFollower(client, queue, readerGroupOf(clusterId), emptyState(), silent);
    await follower.begin(AbortSignal.timeout(30_000));
    const { check } = logCheck(follower, queue);
    const batch = new BatchEncoder();
    for (let index = 0; index < written; index += 1) batch.add(Buffer.from(`${index} is no entry`), '');
    await client.producer.sendBatch(queue, batch.finish());
    // The broker answers a send before its queue shows all of it.
    await until('all is in the queue', async () => (await client.admin.maxOffset(queue)) === written + 1);

    // A node that does not get to reading: all that is there, genesis included, is before it.
    await expect(check(signal)).rejects.toThrow(
      /^The node is 41 entries behind the end of the log, it has read up to entry -1\. It becomes ready by itself/,
    );
    expect(follower.behind).toBe(written + 1);

    const reading = follower.run();
    // Reading them may take a busy machine longer than one check does.
    await follower.proveHead(AbortSignal.timeout(30_000));
    expect(await check(signal)).toEqual({ seq: 0, epoch: 0, behind: 0 });
    expect(follower.behind).toBe(0);
    follower.close();
    await reading;
  }, 180_000);
});
