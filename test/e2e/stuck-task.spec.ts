import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mergeReports, type Verdict } from '@sluice/connector-verify';
import { RocketMqClient } from '@sluice/rocketmq';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { SupportRunner } from '../support/support-runner.js';

const STUCK_SINK_RUNNER = new URL('../dist/support/stuck-sink-runner.js', import.meta.url);

describe('a task that does not stop', () => {
  let cluster: SluiceCluster;
  let runner: SupportRunner;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    expect(await cluster.role('sink-runner-1').kill('SIGTERM')).toBe(0);
    runner = new SupportRunner(cluster, STUCK_SINK_RUNNER, 'stuck-runner');
  }, 300_000);
  afterAll(async () => {
    (runner as SupportRunner | undefined)?.kill('SIGKILL');
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  it('ends its process, and nobody loses anything: the other tasks of the node run elsewhere', async () => {
    const records = 6000;
    const folder = cluster.path('reports');
    mkdirSync(folder);
    const untilVerified = async (count: number): Promise<Verdict> => {
      let verdict: Verdict | undefined;
      return until(
        `${count} records are verified`,
        async () => {
          verdict = await mergeReports(folder, { seed: 1, ofPartitions: [records] });
          return verdict.records >= count ? verdict : undefined;
        },
        180_000,
        () => `${JSON.stringify({ ...verdict, examples: [] })}\n${runner.log}`,
      );
    };
    const topic = cluster.topic('lines');
    const load = { topic, records: String(records), rate: '300', 'topic.creation.default.partitions': '2' };
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.close();
    const flush = { 'offset.flush.interval.ms': '200' };
    await runner.create('out', { 'connector.class': 'VerifySink', topics: topic, 'report.dir': folder, ...flush });
    await runner.create('stuck', { 'connector.class': 'StuckSink', topics: topic, 'task.shutdown.timeout.ms': '500' });
    await cluster.untilTask('out', 'RUNNING', 'stuck-runner', 180_000);
    await cluster.untilTask('stuck', 'RUNNING', 'stuck-runner', 180_000);
    // The second half is for the node that takes over: the source starts once all tasks that matter before run.
    await runner.create('in', { 'connector.class': 'DatagenSource', ...load });
    await untilVerified(1);
    expect((await cluster.request('PUT', '/connectors/in/pause')).status).toBe(202);
    await cluster.untilTask('in', 'PAUSED', undefined, 180_000);

    expect((await cluster.request('POST', '/connectors/stuck/tasks/0/restart')).status).toBe(204);
    expect(await runner.exited).toBe(1);
    expect(runner.log).toContain('Task stuck-0 does not stop');
    expect((await untilVerified(1)).records).toBeLessThan(records);
    expect((await cluster.request('PUT', '/connectors/in/resume')).status).toBe(202);
    cluster.role('sink-runner-1').start();
    await cluster.untilTask('out', 'RUNNING', 'sink-runner-1', 180_000);
    await cluster.untilTask('stuck', 'UNASSIGNED', undefined, 180_000);
    const end = await untilVerified(records);
    expect(end.examples).toEqual([]);
    expect(end).toMatchObject({ clean: true, complete: true, records, missing: 0, duplicates: 0, outOfOrder: 0 });
  }, 300_000);

  it('ends only its thread where it has one, and starts again', async () => {
    const generation = async (): Promise<number> => {
      const { body } = await cluster.request('GET', '/connectors/stuck/status');
      return (body as { tasks: { generation?: number }[] }).tasks[0]?.generation ?? 0;
    };
    const threaded = { SLUICE_TASK_THREADS: '2' };
    runner = new SupportRunner(cluster, STUCK_SINK_RUNNER, 'threaded-runner', threaded);
    await cluster.untilTask('stuck', 'RUNNING', 'threaded-runner', 180_000);
    const before = await generation();
    expect((await cluster.request('POST', '/connectors/stuck/tasks/0/restart')).status).toBe(204);
    await until(
      'its thread has ended',
      () => runner.log.includes('has ended: task stuck-0 did not stop'),
      60_000,
      () => runner.log,
    );
    await until(
      'it is started again',
      async () => (await generation()) > before,
      60_000,
      () => runner.log,
    );
    await cluster.untilTask('stuck', 'RUNNING', 'threaded-runner', 60_000);
    expect(runner.isRunning).toBe(true);
  }, 300_000);

  it('kills its process where native code keeps its thread, and says why; the status of the task says so before', async () => {
    runner.kill('SIGKILL');
    await runner.exited;
    const pipe = cluster.path('pipe');
    execFileSync('mkfifo', [pipe]);
    const limited = { SLUICE_TASK_THREADS: '2', SLUICE_TASK_CALL_TIMEOUT_MS: '2000' };
    runner = new SupportRunner(cluster, STUCK_SINK_RUNNER, 'frozen-runner', limited);
    await runner.create('frozen', { 'connector.class': 'FrozenSink', topics: cluster.topic('lines'), pipe });
    await until(
      'the status shows that the thread does not end',
      async () => JSON.stringify((await cluster.request('GET', '/connectors/frozen/status')).body).includes('does not end'),
      120_000,
      () => runner.log,
    );
    // Killed by a signal: it has no exit code.
    expect(await runner.exited).toBeNull();
    expect(runner.log).toMatch(
      / cannot continue: Thread t\d+ with 1 task\(s\) does not end, .* because task frozen-0 blocks its thread in its call start/,
    );
    await cluster.untilTask('frozen', 'UNASSIGNED', undefined, 180_000);
  }, 300_000);
});
