import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readableQueues, RocketMqClient } from '@sluice/rocketmq';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { cleanVerdict, VerifiedFlow } from '../support/verified-flow.js';

const ofPartitions = [5000, 5000, 5000, 5000];

describe('numbered records through a topic into the verifier', () => {
  let cluster: SluiceCluster;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  it('all come once, in order and whole: 20,000 of 4 partitions in 2 tasks, as fast as possible, into 2 tasks', async () => {
    const flow = await VerifiedFlow.start(cluster, { name: 'verified', seed: 1, ofPartitions }, {});
    const verdict = await flow.until(flow.records);
    expect(verdict).toMatchObject(cleanVerdict(flow));
    expect(verdict.latencyMs?.max).toBeGreaterThanOrEqual(verdict.latencyMs?.p50 ?? Infinity);
    const { body } = await cluster.request('GET', '/connectors/verified-out/status');
    expect((body as { tasks: unknown[] }).tasks).toHaveLength(2);
  }, 300_000);

  it('all come once with values of a schema, through JSON, and the verifier judges them by their header', async () => {
    const quickstart = { quickstart: 'orders', keys: undefined, 'verification.header': 'true', 'value.converter': 'JsonConverter' };
    const flow = await VerifiedFlow.start(cluster, { name: 'orders', seed: 3, ofPartitions: [500, 500] }, quickstart, {
      'value.converter': 'JsonConverter',
    });
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow, 0));
  }, 300_000);

  it('all come once where keys choose among the queues of one partition, and the status shows since when there are no more', async () => {
    const one = { 'queue.by': 'key', 'tasks.max': '1' };
    const flow = await VerifiedFlow.start(cluster, { name: 'keyed', seed: 4, ofPartitions: [5000] }, one);
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
    let status: unknown;
    const completedAt = await until(
      'the source has no more data',
      async () => {
        status = (await cluster.request('GET', '/connectors/keyed-in/status')).body;
        return (status as { tasks: { completed_at?: number }[] }).tasks[0]?.completed_at;
      },
      60_000,
      () => JSON.stringify(status),
    );
    expect(Math.abs(Date.now() - completedAt)).toBeLessThan(300_000);
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
    try {
      const queues = readableQueues(await client.routes.get(cluster.topic('keyed')));
      const ends = await Promise.all(queues.map((queue) => client.admin.maxOffset(queue)));
      expect(ends).toHaveLength(4);
      expect(Math.min(...ends)).toBeGreaterThan(500);
      expect(ends.reduce((sum, end) => sum + end, 0)).toBe(5000);
    } finally {
      await client.close();
    }
  }, 300_000);

  it('all come once when sink runner and source runner are killed in between', async () => {
    const flow = await VerifiedFlow.start(
      cluster,
      { name: 'killed', seed: 2, ofPartitions },
      { rate: '400' },
      { 'offset.flush.interval.ms': '200' },
    );
    for (const [id, share] of [
      ['sink-runner-1', 0.1],
      ['source-runner-1', 0.4],
      ['sink-runner-1', 0.7],
    ] as const) {
      const { records: before } = await flow.until(flow.records * share);
      expect(before).toBeLessThan(flow.records);
      const runner = cluster.role(id);
      await runner.kill('SIGKILL');
      runner.start();
    }
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
  }, 300_000);
});
