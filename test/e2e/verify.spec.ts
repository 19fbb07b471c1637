import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SluiceCluster } from '../support/sluice-cluster.js';
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
