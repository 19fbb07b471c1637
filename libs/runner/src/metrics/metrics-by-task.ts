import { Role, taskKey, type TaskReport } from '@sluice/core';
import { type CollectedName, type HistogramSample, metricNamesOf, type MetricRegistry, type Sample } from '@sluice/node';
import { SINK_STAGES, SOURCE_STAGES, TASK_OPERATIONS, type TaskCounters, type TaskOperation } from '@sluice/runtime';
import type { MeteredTask, MeteredTasks, TaskTotals } from './task-meter.js';

/** What the metrics of tasks are read from. */
export interface TaskMetricsSource {
  readonly role: Role;
  readonly tasks: () => MeteredTasks;
  readonly reports: () => readonly TaskReport[];
  /** By task key, in messages. */
  readonly lagOf: () => ReadonlyMap<string, number>;
  /** The clock of commits and calls. */
  readonly nowMs: () => number;
}

interface TaskLabels {
  readonly connector: string;
  readonly task: string;
}

/** No connector has such a name. */
const FOLDED: TaskLabels = { connector: '/folded', task: '/folded' };

/** Metrics with connector and task as their only labels. */
type TaskMetric = {
  [Name in CollectedName]: Sample<Name>['labels'] extends TaskLabels
    ? Readonly<TaskLabels> extends Sample<Name>['labels']
      ? Name
      : never
    : never;
}[CollectedName];

type CountedMetric = Exclude<TaskMetric, 'sluice_task_buffer_fill_ratio' | 'sluice_task_commit_age_seconds' | 'sluice_task_lag_messages'>;

// A task is of one kind: the counters of the other are 0.
const COUNTED: Readonly<Record<CountedMetric, (counters: Readonly<TaskCounters>) => number>> = {
  sluice_task_records_in_total: ({ recordsPolled, recordsRead }) => recordsPolled + recordsRead,
  sluice_task_records_out_total: ({ recordsSent, recordsPut }) => recordsSent + recordsPut,
  sluice_task_bytes_in_total: ({ bytesRead }) => bytesRead,
  sluice_task_bytes_out_total: ({ bytesSent }) => bytesSent,
  sluice_task_batches_in_total: ({ batchesPolled, batchesRead }) => batchesPolled + batchesRead,
  sluice_task_batches_out_total: ({ batchesSent, batchesPut }) => batchesSent + batchesPut,
  sluice_task_retries_total: ({ sendRetries, putRetries }) => sendRetries + putRetries,
  sluice_task_dead_letters_total: ({ deadLettersWritten }) => deadLettersWritten,
  sluice_task_buffered_records: ({ bufferedRecords }) => bufferedRecords,
};

const OPERATIONS: Readonly<Record<'source' | 'sink', readonly TaskOperation[]>> = {
  source: ['poll', 'convert', 'send', 'commit'],
  sink: ['convert', 'put', 'flush', 'commit'],
};

/** States in which a task is to commit what it did. */
const COMMITS: ReadonlySet<TaskReport['state']> = new Set(['RUNNING', 'RESTARTING', 'FAILED']);

/** Registers the metrics of a runner's tasks: of each task, up to a number of them, and of the others together. */
export function collectByTask(metrics: MetricRegistry, { role, tasks, reports, lagOf, nowMs }: TaskMetricsSource): void {
  const ofRole = new Set<string>(metricNamesOf(role));
  const [stages, operations] = role === Role.sinkRunner ? [SINK_STAGES, OPERATIONS.sink] : [SOURCE_STAGES, OPERATIONS.source];
  const totals = (): readonly (TaskTotals & { readonly labels: TaskLabels })[] => {
    const { own, folded, foldedTotals } = tasks();
    const each = own.map((task) => ({ ...task, labels: labelsOf(task) }));
    // What was folded stays counted when no task is folded any more.
    return folded.length === 0 && isNothing(foldedTotals) ? each : [...each, { ...foldedTotals, labels: FOLDED }];
  };
  /** Returns the value of each task that has one; of those that are folded the highest, or the sum. */
  const gauge = (
    valueOf: (task: MeteredTask) => number | undefined,
    fold: (values: readonly number[]) => number,
  ): readonly { readonly labels: TaskLabels; readonly value: number }[] => {
    const { own, folded } = tasks();
    const values = folded.map(valueOf).filter((value) => value !== undefined);
    const samples = own.flatMap((task) => {
      const value = valueOf(task);
      return value === undefined ? [] : [{ labels: labelsOf(task), value }];
    });
    return values.length === 0 ? samples : [...samples, { labels: FOLDED, value: fold(values) }];
  };
  const highest = (values: readonly number[]): number => Math.max(...values);
  metrics.collectOne('sluice_runner_folded_tasks', () => tasks().folded.length);
  for (const [name, read] of Object.entries(COUNTED) as [CountedMetric, (counters: Readonly<TaskCounters>) => number][]) {
    if (!ofRole.has(name)) continue;
    metrics.collect(name, () => totals().map(({ labels, counters }) => ({ labels, value: read(counters) })));
  }
  metrics.collect('sluice_task_errors_total', () =>
    totals().flatMap(({ labels, sum }) => stages.map((stage) => ({ labels: { ...labels, stage }, value: sum.errorsAt(stage) }))),
  );
  metrics.collectHistogram('sluice_task_operation_duration_seconds', () =>
    totals().flatMap(({ labels, sum }) =>
      operations.map((operation): HistogramSample<'sluice_task_operation_duration_seconds'> => {
        return { labels: { ...labels, operation }, ...sum.timesOf(operation) };
      }),
    ),
  );
  metrics.collect('sluice_task_buffer_fill_ratio', () =>
    gauge(({ counters, boards }) => {
      const { bufferedRecords: records, bufferedBytes: bytes } = counters;
      return boards === undefined ? undefined : boards.figures.fillOf({ records, bytes });
    }, highest),
  );
  metrics.collect('sluice_task_commit_age_seconds', () => {
    const committing = new Set(
      reports().flatMap(({ id, state, completedAt }) => (COMMITS.has(state) && completedAt === undefined ? [taskKey(id)] : [])),
    );
    return gauge(({ key, lastCommitMs }) => (committing.has(key) ? secondsSince(lastCommitMs) : undefined), highest);
  });
  metrics.collect('sluice_task_open_call_seconds', () => {
    const { own, folded } = tasks();
    const oldest = new Map<string, number>();
    for (const { boards } of folded) {
      const ongoing = boards?.calls.ongoing;
      if (ongoing !== undefined) oldest.set(ongoing.call, Math.max(oldest.get(ongoing.call) ?? 0, secondsSince(ongoing.sinceMs)));
    }
    return [
      ...own.flatMap((task) => {
        const ongoing = task.boards?.calls.ongoing;
        return ongoing === undefined ? [] : [{ labels: { ...labelsOf(task), call: ongoing.call }, value: secondsSince(ongoing.sinceMs) }];
      }),
      ...[...oldest].map(([call, value]) => ({ labels: { ...FOLDED, call }, value })),
    ];
  });
  if (role !== Role.sinkRunner) return;
  metrics.collect('sluice_task_lag_messages', () => {
    const lags = lagOf();
    return gauge(
      ({ key }) => lags.get(key),
      (values) => values.reduce((all, each) => all + each, 0),
    );
  });

  function secondsSince(ms: number): number {
    return Math.max(0, nowMs() - ms) / 1000;
  }
}

function labelsOf({ id }: MeteredTask): TaskLabels {
  return { connector: id.connector, task: String(id.index) };
}

function isNothing({ counters, sum }: TaskTotals): boolean {
  return (
    Object.values(counters).every((count) => count === 0) &&
    TASK_OPERATIONS.every((operation) => sum.timesOf(operation).counts.every((count) => count === 0))
  );
}
