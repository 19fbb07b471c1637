import { Role, type TaskReport } from '@sluice/core';
import type { TaskCounters } from '@sluice/runtime';
import { type CollectedName, metricNamesOf, type MetricRegistry, type Sample } from '@sluice/node';
import type { ConnectorTotals } from './task-meter.js';

/** What the metrics of connectors are read from. */
export interface ConnectorMetricsSource {
  readonly role: Role;
  /** By connector. */
  readonly totals: () => ReadonlyMap<string, ConnectorTotals>;
  readonly reports: () => readonly TaskReport[];
  /** Milliseconds. */
  readonly leaseRemainingMs: () => number;
}

/** Metrics with the connector as their only label, and what they say of it. */
type ConnectorMetric = {
  [Name in CollectedName]: Sample<Name>['labels'] extends Readonly<Record<'connector', string>>
    ? Readonly<Record<'connector', string>> extends Sample<Name>['labels']
      ? Name
      : never
    : never;
}[CollectedName];

type CountedMetric = Exclude<
  ConnectorMetric,
  'sluice_connector_lag_messages' | 'sluice_connector_lag_age_seconds' | 'sluice_runner_completed_tasks'
>;

const ofCounters = (read: (counters: Readonly<TaskCounters>) => number) => (totals: ConnectorTotals) => read(totals.counters);

const COUNTED: Readonly<Record<CountedMetric, (totals: ConnectorTotals) => number>> = {
  sluice_task_failures_total: ({ failures }) => failures,
  sluice_task_restarts_total: ({ restarts }) => restarts,
  // A task is of one kind: the counters of the other are 0.
  sluice_connector_records_in_total: ofCounters(({ recordsPolled, recordsRead }) => recordsPolled + recordsRead),
  sluice_connector_records_out_total: ofCounters(({ recordsSent, recordsPut }) => recordsSent + recordsPut),
  sluice_connector_bytes_in_total: ofCounters(({ bytesRead }) => bytesRead),
  sluice_connector_bytes_out_total: ofCounters(({ bytesSent }) => bytesSent),
  sluice_connector_conversion_errors_total: ofCounters(({ conversionErrors }) => conversionErrors),
  sluice_connector_record_errors_total: ofCounters(({ recordErrors }) => recordErrors),
  sluice_connector_record_failures_total: ofCounters(({ recordErrors, recordFailures }) => recordErrors + recordFailures),
  sluice_connector_errors_logged_total: ofCounters(({ errorsLogged }) => errorsLogged),
  sluice_connector_dead_letters_total: ofCounters(({ deadLettersWritten }) => deadLettersWritten),
  sluice_connector_dead_letter_failures_total: ofCounters(({ deadLetterFailures }) => deadLetterFailures),
  sluice_connector_retries_total: ofCounters(({ sendRetries, putRetries }) => sendRetries + putRetries),
  sluice_connector_batches_in_total: ofCounters(({ batchesPolled, batchesRead }) => batchesPolled + batchesRead),
  sluice_connector_batches_out_total: ofCounters(({ batchesSent, batchesPut }) => batchesSent + batchesPut),
  sluice_connector_unknown_outcomes_total: ofCounters(({ unknownOutcomes }) => unknownOutcomes),
  sluice_connector_incomplete_scans_total: ofCounters(({ incompleteScans }) => incompleteScans),
  sluice_connector_position_writes_total: ofCounters(({ positionWrites }) => positionWrites),
  sluice_connector_buffered_records: ofCounters(({ bufferedRecords }) => bufferedRecords),
  sluice_connector_buffered_bytes: ofCounters(({ bufferedBytes }) => bufferedBytes),
  sluice_connector_records_redriven_total: ofCounters(({ recordsRedriven }) => recordsRedriven),
  sluice_connector_flushes_total: ofCounters(({ flushes }) => flushes),
  sluice_connector_offset_commits_total: ofCounters(({ offsetCommits }) => offsetCommits),
  sluice_connector_offset_resets_total: ofCounters(({ offsetResets }) => offsetResets),
};

type DropReasons = Readonly<Record<string, (counters: Readonly<TaskCounters>) => number>>;

const sourceDropReasons: DropReasons = {
  skipped: ({ recordsSkipped }) => recordsSkipped,
  filtered: ({ recordsFiltered }) => recordsFiltered,
};

const sinkDropReasons: DropReasons = {
  ...sourceDropReasons,
  skipped: ({ recordsSkipped, recordsRefused }) => recordsSkipped - recordsRefused,
  refused: ({ recordsRefused }) => recordsRefused,
  older_generation: ({ droppedOlderGeneration }) => droppedOlderGeneration,
  repeated_seq: ({ droppedRepeatedSeq }) => droppedRepeatedSeq,
  lost: ({ recordsLost }) => recordsLost,
};

/** States in which a task works, which it does only under a lease. */
const NEEDS_LEASE: ReadonlySet<TaskReport['state']> = new Set(['RUNNING', 'RESTARTING']);

/** Registers the metrics of a runner's connectors, of the states of its tasks, and of its lease. */
export function collectByConnector(metrics: MetricRegistry, { role, totals, reports, leaseRemainingMs }: ConnectorMetricsSource): void {
  metrics.collectOne('sluice_lease_remaining_seconds', () => leaseRemainingMs() / 1000);
  metrics.collect('sluice_runner_tasks', () => {
    const counts = new Map<string, { readonly labels: { connector: string; state: string }; value: number }>();
    const isLeased = leaseRemainingMs() >= 0;
    for (const { id, state: reported } of reports()) {
      const state = isLeased || !NEEDS_LEASE.has(reported) ? reported : 'NO_LEASE';
      const key = `${state} ${id.connector}`;
      const count = counts.get(key) ?? { labels: { connector: id.connector, state }, value: 0 };
      count.value += 1;
      counts.set(key, count);
    }
    return counts.values();
  });
  const ofRole = new Set<string>(metricNamesOf(role));
  if (ofRole.has('sluice_runner_completed_tasks')) {
    metrics.collect('sluice_runner_completed_tasks', () => {
      const counts = new Map<string, number>();
      for (const { id, completedAt } of reports()) {
        counts.set(id.connector, (counts.get(id.connector) ?? 0) + Number(completedAt !== undefined));
      }
      return [...counts].map(([connector, value]) => ({ labels: { connector }, value }));
    });
  }
  for (const [name, read] of Object.entries(COUNTED) as [CountedMetric, (totals: ConnectorTotals) => number][]) {
    if (!ofRole.has(name)) continue;
    metrics.collect(name, () => [...totals()].map(([connector, of]) => ({ labels: { connector }, value: read(of) })));
  }
  const dropReasons = Object.entries(role === Role.sinkRunner ? sinkDropReasons : sourceDropReasons);
  metrics.collect('sluice_connector_records_dropped_total', () =>
    [...totals()].flatMap(([connector, { counters }]) =>
      dropReasons.map(([reason, read]) => ({ labels: { connector, reason }, value: read(counters) })),
    ),
  );
}
