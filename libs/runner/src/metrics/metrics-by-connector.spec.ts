import { describe, expect, it } from '@jest/globals';
import type { TaskReport } from '@sluice/core';
import { newTaskCounters } from '@sluice/runtime';
import { MetricRegistry } from '@sluice/node';
import { collectByConnector } from './metrics-by-connector.js';

/** Each counter has another value, so that no metric can take one for another. */
const counters = Object.fromEntries(Object.keys(newTaskCounters()).map((name, index) => [name, 2 ** index])) as unknown as ReturnType<
  typeof newTaskCounters
>;
const totals = new Map([['c', { counters, failures: 3, restarts: 2 }]]);
const report = (index: number, state: TaskReport['state']): TaskReport => ({
  id: { connector: 'c', index },
  generation: 1,
  state,
  since: 0,
  committed: false,
  counters: {},
});

async function scraped(role: 'source-runner' | 'sink-runner', leaseRemainingMs = 1500): Promise<Readonly<Record<string, number>>> {
  const metrics = new MetricRegistry(role);
  collectByConnector(metrics, {
    role,
    totals: () => totals,
    reports: () => [report(0, 'RUNNING'), { ...report(1, 'RUNNING'), completedAt: 5 }, report(2, 'FAILED')],
    leaseRemainingMs: () => leaseRemainingMs,
  });
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('sluice_'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

const of = (name: string, more = ''): string => `sluice_${name}{connector="c"${more}}`;

describe('the metrics by connector', () => {
  it('are those of a source', async () => {
    const values = await scraped('source-runner');
    expect(values).toMatchObject({
      sluice_lease_remaining_seconds: 1.5,
      [of('runner_tasks', ',state="RUNNING"')]: 2,
      [of('runner_tasks', ',state="FAILED"')]: 1,
      [of('runner_completed_tasks')]: 1,
      [of('task_failures_total')]: 3,
      [of('task_restarts_total')]: 2,
      [of('connector_bytes_out_total')]: counters.bytesSent,
      [of('connector_batches_in_total')]: counters.batchesPolled + counters.batchesRead,
      [of('connector_batches_out_total')]: counters.batchesSent + counters.batchesPut,
      [of('connector_retries_total')]: counters.sendRetries + counters.putRetries,
      [of('connector_unknown_outcomes_total')]: counters.unknownOutcomes,
      [of('connector_position_writes_total')]: counters.positionWrites,
      [of('connector_incomplete_scans_total')]: counters.incompleteScans,
      [of('connector_buffered_records')]: counters.bufferedRecords,
      [of('connector_buffered_bytes')]: counters.bufferedBytes,
      [of('connector_records_in_total')]: counters.recordsPolled + counters.recordsRead,
      [of('connector_records_out_total')]: counters.recordsSent + counters.recordsPut,
    });
    expect(values).toMatchObject({
      [of('connector_conversion_errors_total')]: counters.conversionErrors,
      [of('connector_records_dropped_total', ',reason="skipped"')]: counters.recordsSkipped,
      [of('connector_records_dropped_total', ',reason="filtered"')]: counters.recordsFiltered,
    });
    expect(values).toMatchObject({
      [of('connector_record_errors_total')]: counters.recordErrors,
      [of('connector_record_failures_total')]: counters.recordErrors + counters.recordFailures,
      [of('connector_errors_logged_total')]: counters.errorsLogged,
      [of('connector_dead_letters_total')]: counters.deadLettersWritten,
      [of('connector_dead_letter_failures_total')]: counters.deadLetterFailures,
    });
    expect(values).not.toHaveProperty([of('connector_bytes_in_total')]);
    expect(values).not.toHaveProperty([of('connector_records_dropped_total', ',reason="lost"')]);
  });

  it('count no task as running once the lease has ended', async () => {
    const values = await scraped('source-runner', -1);
    expect(values).not.toHaveProperty([of('runner_tasks', ',state="RUNNING"')]);
    expect(values).toMatchObject({
      [of('runner_tasks', ',state="NO_LEASE"')]: 2,
      [of('runner_tasks', ',state="FAILED"')]: 1,
    });
  });

  it('are those of a sink, with the reasons why records were dropped', async () => {
    const values = await scraped('sink-runner');
    expect(values).toMatchObject({
      [of('connector_bytes_in_total')]: counters.bytesRead,
      [of('connector_records_redriven_total')]: counters.recordsRedriven,
      [of('connector_flushes_total')]: counters.flushes,
      [of('connector_offset_commits_total')]: counters.offsetCommits,
      [of('connector_offset_resets_total')]: counters.offsetResets,
      [of('connector_conversion_errors_total')]: counters.conversionErrors,
      [of('connector_records_dropped_total', ',reason="older_generation"')]: counters.droppedOlderGeneration,
      [of('connector_records_dropped_total', ',reason="repeated_seq"')]: counters.droppedRepeatedSeq,
      [of('connector_records_dropped_total', ',reason="lost"')]: counters.recordsLost,
      [of('connector_records_dropped_total', ',reason="skipped"')]: counters.recordsSkipped - counters.recordsRefused,
      [of('connector_records_dropped_total', ',reason="refused"')]: counters.recordsRefused,
      [of('connector_records_dropped_total', ',reason="filtered"')]: counters.recordsFiltered,
    });
    expect(values).not.toHaveProperty([of('connector_bytes_out_total')]);
    expect(values).not.toHaveProperty([of('runner_completed_tasks')]);
  });
});
