import { describe, expect, it } from '@jest/globals';
import type { TaskReport } from '@sluice/core';
import { metricSpecs, MetricRegistry } from '@sluice/node';
import { DURATION_BOUNDS, type LoopEnd, newTaskCounters } from '@sluice/runtime';
import { collectByTask } from './metrics-by-task.js';
import { type TaskBoards, TaskMeter } from './task-meter.js';

const NOW_MS = 100_000;

/** Each counter has another value, so that no metric can take one for another. */
const counters = Object.fromEntries(Object.keys(newTaskCounters()).map((name, index) => [name, 2 ** index])) as unknown as ReturnType<
  typeof newTaskCounters
>;

class Node {
  readonly boards = new Map<string, TaskBoards>();
  readonly reports = new Map<string, TaskReport>();
  readonly lags = new Map<string, number>();
  readonly meter: TaskMeter;
  readonly metrics: MetricRegistry;

  constructor(role: 'source-runner' | 'sink-runner', maxTasks: number) {
    this.meter = new TaskMeter({ maxTasks, held: () => new Set(this.reports.keys()), nowMs: () => 0 });
    this.metrics = new MetricRegistry(role);
    collectByTask(this.metrics, {
      role,
      tasks: () => this.meter.tasks(),
      reports: () => [...this.reports.values()],
      lagOf: () => this.lags,
      nowMs: () => NOW_MS,
    });
  }

  start(connector: string, index: number, state: TaskReport['state'] = 'RUNNING'): TaskBoards {
    const key = `${connector}-${index}`;
    this.reports.set(key, { id: { connector, index }, generation: 1, state, since: 0, committed: false, counters: {} });
    const loop = { counters: { ...counters }, ended: new Promise<LoopEnd>(() => undefined) };
    this.meter.counted({ connector, index }, (boards) => {
      this.boards.set(key, boards);
      return loop;
    });
    return this.boards.get(key)!;
  }

  async scrape(): Promise<Readonly<Record<string, number>>> {
    const lines = (await this.metrics.text()).split('\n').filter((line) => line.startsWith('sluice_'));
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
  }
}

const of = (name: string, labels = 'connector="c",task="0"', more = ''): string => `sluice_${name}{${labels}${more}}`;
const folded = 'connector="/folded",task="/folded"';

describe('the metrics by task', () => {
  it('have the bounds that tasks count by', () => {
    expect(metricSpecs.sluice_task_operation_duration_seconds.buckets).toEqual([...DURATION_BOUNDS]);
  });

  it('are those of a source', async () => {
    const node = new Node('source-runner', 10);
    const { figures, calls } = node.start('c', 0);
    figures.limitBuffer({ records: counters.bufferedRecords * 2, bytes: counters.bufferedBytes * 4 });
    figures.noteError('TASK_POLL');
    figures.noteCommit(NOW_MS - 7000);
    void calls.run('poll', () => new Promise(() => undefined));
    const values = await node.scrape();
    expect(values).toMatchObject({
      [of('task_records_in_total')]: counters.recordsPolled + counters.recordsRead,
      [of('task_records_out_total')]: counters.recordsSent + counters.recordsPut,
      [of('task_bytes_out_total')]: counters.bytesSent,
      [of('task_batches_in_total')]: counters.batchesPolled + counters.batchesRead,
      [of('task_batches_out_total')]: counters.batchesSent + counters.batchesPut,
      [of('task_retries_total')]: counters.sendRetries + counters.putRetries,
      [of('task_dead_letters_total')]: counters.deadLettersWritten,
      [of('task_buffered_records')]: counters.bufferedRecords,
      [of('task_buffer_fill_ratio')]: 0.5,
      [of('task_commit_age_seconds')]: 7,
      [of('task_errors_total', undefined, ',stage="TASK_POLL"')]: 1,
      [of('task_errors_total', undefined, ',stage="ROCKETMQ_PRODUCE"')]: 0,
      sluice_runner_folded_tasks: 0,
    });
    expect(Object.keys(values).filter((name) => name.includes('open_call'))).toEqual([
      of('task_open_call_seconds', undefined, ',call="poll"'),
    ]);
    expect(Object.keys(values).some((name) => name.includes('TASK_PUT') || name.includes('operation="put"'))).toBe(false);
    expect(Object.keys(values).some((name) => name.includes('folded='))).toBe(false);
  });

  it('have histograms with buckets that add up, a sum and a count', async () => {
    const node = new Node('sink-runner', 10);
    const { figures } = node.start('c', 0);
    for (const ms of [1, 4, 5, 300, 61_000]) figures.observe('put', ms);
    const text = await node.metrics.text();
    const lines = text.split('\n').filter((line) => line.includes('operation_duration_seconds') && !line.includes('operation="c'));
    const bucket = (operation: string, le: string, count: number): string =>
      `sluice_task_operation_duration_seconds_bucket{le="${le}",connector="c",task="0",operation="${operation}"} ${count}`;
    expect(lines).toContain('# TYPE sluice_task_operation_duration_seconds histogram');
    expect(lines.filter((line) => line.includes('"put"'))).toEqual([
      ...[1, 3, 3, 3, 4, 4, 4, 4].map((count, at) => bucket('put', String(DURATION_BOUNDS[at]), count)),
      bucket('put', '+Inf', 5),
      'sluice_task_operation_duration_seconds_sum{connector="c",task="0",operation="put"} 61.31',
      'sluice_task_operation_duration_seconds_count{connector="c",task="0",operation="put"} 5',
    ]);
    expect(lines).toContain(bucket('flush', '+Inf', 0));
  });

  it('are those of a sink, with its lag', async () => {
    const node = new Node('sink-runner', 10);
    node.start('c', 0);
    node.lags.set('c-0', 12);
    const values = await node.scrape();
    expect(values).toMatchObject({
      [of('task_bytes_in_total')]: counters.bytesRead,
      [of('task_lag_messages')]: 12,
      [of('task_errors_total', undefined, ',stage="TASK_PUT"')]: 0,
    });
    expect(values).not.toHaveProperty([of('task_bytes_out_total')]);
  });

  it('have no age of the commit where nothing is to be committed', async () => {
    const node = new Node('source-runner', 10);
    for (const [index, state] of (['RUNNING', 'FAILED', 'PAUSED', 'STOPPING', 'RUNNING'] as const).entries()) node.start('c', index, state);
    node.reports.set('c-4', { ...node.reports.get('c-4')!, completedAt: 5 });
    const values = await node.scrape();
    expect(Object.keys(values).filter((name) => name.includes('commit_age'))).toEqual([
      of('task_commit_age_seconds'),
      of('task_commit_age_seconds', 'connector="c",task="1"'),
    ]);
  });

  it('go when the task goes', async () => {
    const node = new Node('source-runner', 10);
    let end: (end: LoopEnd) => void = () => undefined;
    const ended = new Promise<LoopEnd>((resolve) => {
      end = resolve;
    });
    node.start('other', 0);
    node.reports.set('c-0', { ...node.reports.get('other-0')!, id: { connector: 'c', index: 0 } });
    node.meter.counted({ connector: 'c', index: 0 }, () => ({ counters: newTaskCounters(), ended }));
    expect(Object.keys(await node.scrape()).some((name) => name.includes('connector="c"'))).toBe(true);
    end({ kind: 'stopped', clean: true });
    await ended;
    node.reports.delete('c-0');
    expect(Object.keys(await node.scrape()).some((name) => name.includes('connector="c"'))).toBe(false);
  });

  it('are bounded: tasks beyond the limit are counted together', async () => {
    const node = new Node('sink-runner', 1);
    node.start('c', 0);
    const others = [node.start('c', 1), node.start('d', 0)] as const;
    for (const [index, { figures, calls }] of others.entries()) {
      figures.observe('put', 1);
      figures.noteError('TASK_PUT');
      figures.limitBuffer({ records: counters.bufferedRecords * 2 ** (index + 1), bytes: counters.bufferedBytes * 100 });
      figures.noteCommit(NOW_MS - 1000 * (index + 1));
      void calls.run('put', () => new Promise(() => undefined));
    }
    node.lags.set('c-1', 5).set('d-0', 6);
    const values = await node.scrape();
    expect(values).toMatchObject({
      sluice_runner_folded_tasks: 2,
      [of('task_records_in_total', folded)]: 2 * (counters.recordsPolled + counters.recordsRead),
      [of('task_errors_total', folded, ',stage="TASK_PUT"')]: 2,
      [of('task_operation_duration_seconds_count', folded, ',operation="put"')]: 2,
      [of('task_buffer_fill_ratio', folded)]: 0.5,
      [of('task_commit_age_seconds', folded)]: 2,
      [of('task_lag_messages', folded)]: 11,
    });
    expect(values).toHaveProperty([of('task_open_call_seconds', folded, ',call="put"')]);
    const names = Object.keys(values).filter((name) => name.includes('task="'));
    expect(names.every((name) => name.includes('connector="c",task="0"') || name.includes(folded))).toBe(true);
    // Of two sets: what one task has at most.
    expect(names.length).toBeLessThanOrEqual(2 * 70);
  });
});
