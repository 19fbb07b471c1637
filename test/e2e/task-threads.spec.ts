import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { operationTimesOf } from '../support/operation-times.js';
import { parsePrometheusText, type Scrape } from '../support/prometheus-text.js';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { SupportRunner } from '../support/support-runner.js';
import { cleanVerdict, VerifiedFlow } from '../support/verified-flow.js';

interface TaskStatus {
  readonly id: number;
  readonly state: string;
  readonly generation: number;
  readonly worker_id: string;
  readonly last_error?: { readonly message: string };
  readonly waits?: readonly { readonly call: string; readonly since: number }[];
}

describe('tasks over threads', () => {
  let cluster: SluiceCluster;
  let runner: SupportRunner;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    expect(await cluster.role('source-runner-1').kill('SIGTERM')).toBe(0);
    expect(await cluster.role('sink-runner-1').kill('SIGTERM')).toBe(0);
    cluster.add('sink-runner', 'threaded-sinks', { SLUICE_TASK_THREADS: '2' }).start();
    runner = new SupportRunner(cluster, new URL('../dist/support/faulty-source-runner.js', import.meta.url), 'threaded-sources', {
      SLUICE_TASK_THREADS: '2',
      SLUICE_TASK_THREAD_MEMORY_MB: '64',
      SLUICE_TASK_CALL_TIMEOUT_MS: '15000',
    });
  }, 300_000);
  afterAll(async () => {
    (runner as SupportRunner | undefined)?.kill('SIGKILL');
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const logs = (): string => `${runner.log.slice(-4000)}\n${cluster.role('threaded-sinks').log.slice(-2000)}`;

  const untilTasks = async (
    connector: string,
    what: string,
    condition: (tasks: readonly TaskStatus[]) => boolean,
  ): Promise<readonly TaskStatus[]> => {
    let tasks: readonly TaskStatus[] = [];
    return until(
      `the tasks of ${connector} ${what}`,
      async () => {
        const { body } = await cluster.request('GET', `/connectors/${connector}/status`);
        tasks = (body as { tasks?: readonly TaskStatus[] }).tasks ?? [];
        return condition(tasks) ? tasks : undefined;
      },
      180_000,
      () => JSON.stringify(tasks) + logs(),
    );
  };

  const untilBothRun = (connector: string): Promise<readonly TaskStatus[]> =>
    untilTasks(connector, 'run', (tasks) => tasks.length === 2 && tasks.every(({ state }) => state === 'RUNNING'));

  const scrape = async (id: string): Promise<Scrape> => {
    const { nodes } = (await cluster.request('GET', '/cluster')).body as { nodes: { id: string; http?: string }[] };
    const answer = await fetch(`http://${nodes.find((node) => node.id === id)?.http ?? ''}/metrics`);
    return parsePrometheusText(await answer.text());
  };

  const figuresOf = async (runner: string, connector: string): Promise<ReturnType<typeof operationTimesOf>> =>
    operationTimesOf([await scrape(runner)], connector);

  /** Expects that what two source tasks in threads count and measure is in the metrics of their runner. */
  const expectSourceFigures = async (): Promise<void> => {
    const config = { 'connector.class': 'DatagenSource', topic: cluster.topic('measured'), partitions: '2', 'tasks.max': '2', rate: '200' };
    expect((await cluster.request('PUT', '/connectors/measured-in/config', config)).status).toBe(201);
    const total = async (): Promise<number> => (await figuresOf('threaded-sources', 'measured-in')).total('sluice_task_records_out_total');
    await until('the records of the source are counted by task', async () => (await total()) > 400);
    // No record passes while the figures are compared.
    expect((await cluster.request('PUT', '/connectors/measured-in/pause')).status).toBe(202);
    await untilTasks('measured-in', 'pause', (tasks) => tasks.length === 2 && tasks.every(({ state }) => state === 'PAUSED'));
    const scraped = await scrape('threaded-sources');
    const source = operationTimesOf([scraped], 'measured-in');
    expect(source.count('send')).toBeGreaterThanOrEqual(source.total('sluice_task_batches_out_total'));
    expect(source.count('convert')).toBe(source.total('sluice_task_batches_in_total'));
    expect(source.count('poll')).toBeGreaterThanOrEqual(source.count('convert'));
    expect(source.count('commit')).toBeGreaterThanOrEqual(source.total('sluice_connector_position_writes_total'));
    const tasks = scraped.samples.filter(
      ({ name, labels }) => name === 'sluice_task_records_out_total' && labels['connector'] === 'measured-in',
    );
    expect(tasks.map(({ labels, value }) => [labels['task'], value > 0])).toEqual([
      ['0', true],
      ['1', true],
    ]);
    expect((await cluster.request('DELETE', '/connectors/measured-in')).status).toBe(204);
  };

  const expectSinkFigures = async (records: number): Promise<void> => {
    const total = async (): Promise<number> => (await figuresOf('threaded-sinks', 'rated-out')).total('sluice_task_records_out_total');
    await until('the records of the sink are counted by task', async () => (await total()) === records);
    const sink = await figuresOf('threaded-sinks', 'rated-out');
    expect(sink.count('put')).toBe(sink.total('sluice_task_batches_out_total'));
    expect(sink.count('convert')).toBeGreaterThanOrEqual(sink.count('put'));
    expect(sink.count('flush')).toBeGreaterThanOrEqual(sink.total('sluice_connector_flushes_total'));
    expect(sink.count('commit')).toBeGreaterThanOrEqual(sink.total('sluice_connector_offset_commits_total'));
    expect(sink.total('sluice_task_batches_in_total')).toBeGreaterThan(0);
    expect(sink.total('sluice_task_bytes_in_total')).toBe(sink.total('sluice_connector_bytes_in_total'));
    expect(sink.total('sluice_task_commit_age_seconds')).toBeLessThan(120);
  };

  /** A flow whose two source tasks run in the two threads, and one faulty task beside one of them. */
  const startFlow = async (fault: string, seed: number): Promise<{ flow: VerifiedFlow; before: readonly TaskStatus[] }> => {
    await runner.create(`${fault}-probe`, {
      'connector.class': 'FaultySource',
      fault,
      'done.file': '/dev/null',
    });
    expect((await cluster.request('DELETE', `/connectors/${fault}-probe`)).status).toBe(204);
    const flow = await VerifiedFlow.start(
      cluster,
      { name: `flow-${fault}`, seed, ofPartitions: [5_000, 5_000] },
      { rate: '400', 'tasks.max': '2' },
      { 'tasks.max': '2', 'offset.flush.interval.ms': '200' },
    );
    await flow.until(1);
    return { flow, before: await untilBothRun(`flow-${fault}-in`) };
  };

  it('share the rate limit of their connector over threads, and follow a change of it without a restart', async () => {
    await until('the runners offer their connectors', async () => {
      const { body } = await cluster.request('GET', '/connector-plugins');
      const names = (body as readonly { readonly class: string }[]).map((each) => each.class);
      return names.includes('DatagenSource') && names.includes('VerifySink');
    });
    const flow = await VerifiedFlow.start(
      cluster,
      { name: 'rated', seed: 60, ofPartitions: [6_000, 6_000] },
      { rate: '0', 'tasks.max': '2' },
      { 'tasks.max': '2', 'offset.flush.interval.ms': '200', 'rate.limit.records.per.second': '200' },
    );
    const { records } = await flow.until(200);
    const before = await untilBothRun('rated-out');
    const fromMs = performance.now();
    await flow.until(records + 1_000);
    // The reports of both tasks are a flush old at most.
    expect(performance.now() - fromMs).toBeGreaterThan(4_000);
    const config = { 'rate.limit.records.per.second': '100000' };
    expect((await cluster.request('PATCH', '/connectors/rated-out/config', config)).status).toBe(200);
    const changedMs = performance.now();
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
    // At the old limit the rest would take longer.
    expect(performance.now() - changedMs).toBeLessThan(((flow.records - records - 1_000) / 200) * 1_000 - 3_000);
    const after = await untilBothRun('rated-out');
    expect(after.map(({ generation }) => generation)).toEqual(before.map(({ generation }) => generation));
    await expectSinkFigures(flow.records);
    await expectSourceFigures();
    for (const name of ['rated-in', 'rated-out']) expect((await cluster.request('DELETE', `/connectors/${name}`)).status).toBe(204);
  }, 200_000);

  it.each([
    ['throw', 'nobody caught an error: Error: thrown where nobody catches it'],
    ['memory', 'it passed its memory limit, task.thread.memory.mb = 64'],
    ['spin', 'task spin-0 used the CPU for 2'],
  ])(
    'end with their thread only (%s), restart in a new generation, and nothing is lost or duplicated',
    async (fault, reason) => {
      const { flow, before } = await startFlow(fault, fault.length);
      await runner.create(fault, {
        'connector.class': 'FaultySource',
        fault,
        'done.file': cluster.path(fault),
        'restart.backoff.initial.ms': '200',
      });
      const [faulty] = await untilTasks(fault, 'run again', ([task]) => task?.state === 'RUNNING' && task.last_error !== undefined);
      expect(faulty?.last_error?.message).toContain(reason);
      const after = await untilTasks(
        `flow-${fault}-in`,
        'run, one of them again',
        (tasks) =>
          tasks.every(({ state }) => state === 'RUNNING' || state === 'COMPLETED') &&
          tasks.some(({ generation }, index) => generation > (before[index]?.generation ?? Infinity)),
      );
      expect(after.filter(({ generation }, index) => generation > (before[index]?.generation ?? 0))).toHaveLength(1);
      expect(after.map(({ worker_id: id }) => id)).toEqual(['threaded-sources', 'threaded-sources']);
      expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
      expect(runner.isRunning).toBe(true);
      for (const name of [fault, `flow-${fault}-in`, `flow-${fault}-out`]) {
        expect((await cluster.request('DELETE', `/connectors/${name}`)).status).toBe(204);
      }
    },
    300_000,
  );

  it('name a call that waits forever, end it after its limit, and run again', async () => {
    const config = {
      'connector.class': 'FaultySource',
      fault: 'hang',
      'done.file': cluster.path('hang'),
      'restart.backoff.initial.ms': '200',
    };
    await runner.create('hang', config);
    const [waiting] = await untilTasks('hang', 'wait', ([task]) => (task?.waits ?? []).length > 0);
    expect(waiting).toMatchObject({ state: 'RUNNING', waits: [{ call: 'poll', error: 'The call has not returned' }] });
    expect(Date.now() - (waiting?.waits?.[0]?.since ?? 0)).toBeGreaterThanOrEqual(10_000);
    const [again] = await untilTasks('hang', 'run again', ([task]) => task?.state === 'RUNNING' && task.last_error !== undefined);
    expect(again?.last_error?.message).toContain('task hang-0 waits in its call poll');
    expect(runner.isRunning).toBe(true);
    expect((await cluster.request('DELETE', '/connectors/hang')).status).toBe(204);
  }, 300_000);

  it('stop while they start, and leave nothing behind', async () => {
    const config = { 'connector.class': 'FaultySource', fault: 'hang', 'done.file': '/dev/null' };
    for (let round = 0; round < 10; round += 1) {
      await runner.create(`brief-${round}`, config);
      await until(
        'the task starts',
        () => runner.log.includes(`Starting brief-${round}-0`),
        60_000,
        () => runner.log.slice(-1000),
      );
      expect((await cluster.request('DELETE', `/connectors/brief-${round}`)).status).toBe(204);
    }
    const ready = /http:\S+\/health\/ready/.exec(runner.log)?.[0] ?? '';
    await until(
      'the runner holds no task',
      async () => {
        const { details } = (await (await fetch(ready)).json()) as { details: { lease?: { tasks?: number } } };
        return details.lease?.tasks === 0;
      },
      60_000,
      logs,
    );
    expect(runner.isRunning).toBe(true);
  }, 300_000);

  it('stop in order with their runners', async () => {
    const flow = await VerifiedFlow.start(
      cluster,
      { name: 'last', seed: 9, ofPartitions: [2_000, 2_000] },
      { rate: '400', 'tasks.max': '2' },
    );
    await flow.until(1);
    runner.kill('SIGTERM');
    expect(await runner.exited).toBe(0);
    expect(runner.log).not.toContain('does not close');
    expect(await cluster.role('threaded-sinks').kill('SIGTERM')).toBe(0);
    cluster.role('source-runner-1').start();
    cluster.role('sink-runner-1').start();
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
  }, 300_000);
});
