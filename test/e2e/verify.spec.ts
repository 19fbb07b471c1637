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

  const messagesIn = async (topic: string): Promise<number> => {
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
    try {
      const queues = readableQueues(await client.routes.get(cluster.topic(topic)));
      const ends = await Promise.all(queues.map((queue) => client.admin.maxOffset(queue)));
      return ends.reduce((sum, end) => sum + end, 0);
    } finally {
      await client.close();
    }
  };

  it('complete: nobody runs the tasks again but a restart or new settings, whatever is killed', async () => {
    interface Answer {
      readonly connector: { readonly state: string };
      readonly tasks: readonly { readonly state: string; readonly generation: number; readonly completed_at?: number }[];
    }
    const statusOf = async (name: string) => (await cluster.request('GET', `/connectors/${name}/status`)).body as Answer;
    /** Returns the generations of the tasks once all of them have completed and are later ones. */
    const untilCompleted = async (name: string, after: readonly number[] = [0, 0]): Promise<number[]> => {
      let last: Answer | undefined;
      return until(
        `${name} has completed`,
        async () => {
          const { connector, tasks } = (last = await statusOf(name));
          const areDone = tasks.every(({ state, generation }, index) => state === 'COMPLETED' && generation > (after[index] ?? 0));
          return connector.state === 'COMPLETED' && areDone ? tasks.map(({ generation }) => generation) : undefined;
        },
        90_000,
        () => `${JSON.stringify(last)}\n${cluster.roles.map((role) => `--- ${role.id}\n${role.log.slice(-1500)}`).join('\n')}`,
      );
    };
    const create = async (name: string): Promise<void> => {
      const shape = { topic: cluster.topic(name), records: '100', partitions: '2', 'tasks.max': '2' };
      const config = { 'connector.class': 'DatagenSource', ...shape };
      const post = async (): Promise<boolean> => (await cluster.request('POST', '/connectors', { name, config })).status === 201;
      await until(`${name} is accepted, which takes a leader`, post, 90_000);
    };
    const startsOf = (name: string): number => {
      const runners = cluster.roles.filter(({ role }) => role === 'source-runner');
      return runners.reduce((sum, { log }) => sum + log.split(`Starting ${name}-`).length - 1, 0);
    };
    await create('bounded');
    const first = await untilCompleted('bounded');
    expect(first).toHaveLength(2);
    const starts = startsOf('bounded');
    expect(starts).toBeGreaterThanOrEqual(2);
    expect(await messagesIn('bounded')).toBe(100);

    for (const id of ['source-runner-1', 'coordinator-1']) await cluster.role(id).kill('SIGKILL');
    cluster.role('coordinator-1').start();
    const other = cluster.add('source-runner', 'source-runner-2');
    other.start();
    cluster.role('source-runner-1').start();
    // The new leader gives the new runner what there is to run.
    await create('another');
    await untilCompleted('another');
    expect(await untilCompleted('bounded')).toEqual(first);
    expect(startsOf('another')).toBeGreaterThanOrEqual(2);
    expect(startsOf('bounded')).toBe(starts);
    expect((await cluster.request('PUT', '/connectors/bounded/pause')).status).toBe(202);
    expect((await cluster.request('PUT', '/connectors/bounded/resume')).status).toBe(202);
    expect(await untilCompleted('bounded')).toEqual(first);

    expect((await cluster.request('POST', '/connectors/bounded/restart?includeTasks=true')).status).toBe(202);
    const second = await untilCompleted('bounded', first);
    expect(await messagesIn('bounded')).toBe(100);
    expect((await cluster.request('PATCH', '/connectors/bounded/config', { records: '150' })).status).toBe(200);
    await untilCompleted('bounded', second);
    expect(await messagesIn('bounded')).toBe(150);
  }, 400_000);

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
