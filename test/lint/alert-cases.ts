/** Series and what an alert does with them. The notation of values is that of `promtool test rules`. */
export interface AlertCase {
  readonly alert: string;
  readonly when: string;
  /** Values every 15 s from time 0 on, by selector. */
  readonly series: Readonly<Record<string, string>>;
  /** Minutes after time 0. */
  readonly atMinutes: number;
  /** Labels of the alerts that fire, beside the rule's own. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const c = (more = ''): string => `{instance="r1",connector="c"${more}}`;
const task = (more = ''): string => c(`,task="0"${more}`);

/** Of put, with all observations in the bucket up to 60 s where `isSlow`, else in the one up to 0.1 s. */
function putBuckets(isSlow: boolean, operation = 'put'): Readonly<Record<string, string>> {
  const bounds = ['0.001', '0.005', '0.02', '0.1', '0.5', '2', '10', '60', '+Inf'];
  const first = isSlow ? '60' : '0.1';
  return Object.fromEntries(
    bounds.map((le, at) => [
      `sluice_task_operation_duration_seconds_bucket${task(`,operation="${operation}",le="${le}"`)}`,
      at < bounds.indexOf(first) ? '0x120' : '0+1x120',
    ]),
  );
}

const case_ = (
  alert: string,
  when: string,
  series: Readonly<Record<string, string>>,
  atMinutes: number,
  ...fires: readonly Readonly<Record<string, string>>[]
): AlertCase => ({ alert, when, series, atMinutes, fires });

const connector = { connector: 'c' };

/** Of a counter of a node that took over in minute 1, and counted 500 until it was scraped. */
const BEFORE_FIRST_SCRAPE = '_ _ _ _ 500x80';

export const ALERT_CASES: readonly AlertCase[] = [
  case_(
    'SluiceNodeDown',
    'a node answers no scrape',
    { 'up{job="sluice",instance="r1"}': '1x4 0x20', 'up{job="sluice",instance="r2"}': '1x40' },
    5,
    { instance: 'r1' },
  ),
  case_('SluiceNodeDown', 'a node missed one scrape', { 'up{job="sluice",instance="r1"}': '1x19 0 1x20' }, 5),
  case_('SluiceNodeDown', 'a target of others is down', { 'up{job="other",instance="r1"}': '0x40' }, 5),
  case_(
    'SluiceNoLeader',
    'all nodes hear nobody',
    { 'sluice_leader_silence_seconds{instance="g1"}': '0+15x40', 'sluice_leader_silence_seconds{instance="r1"}': '3+15x40' },
    5,
    {},
  ),
  case_(
    'SluiceNoLeader',
    'one node alone hears nobody',
    { 'sluice_leader_silence_seconds{instance="g1"}': '1x40', 'sluice_leader_silence_seconds{instance="r1"}': '3+15x40' },
    5,
  ),
  case_('SluiceNoLeader', 'nobody led for a moment', { 'sluice_leader_silence_seconds{instance="g1"}': '1x18 10 25 2x40' }, 5),
  case_(
    'SluiceLogStale',
    'a node reads nothing',
    { 'sluice_log_age_seconds{instance="g1"}': '1x40', 'sluice_log_age_seconds{instance="r1"}': '0+15x40' },
    5,
    { instance: 'r1' },
  ),
  case_('SluiceLogStale', 'a node was slow for a moment', { 'sluice_log_age_seconds{instance="r1"}': '1x19 20 1x40' }, 5),
  case_(
    'SluiceLeaseEnds',
    'the lease ended for a moment',
    { 'sluice_lease_remaining_seconds{instance="r1"}': '4x14 -1 4x40', 'sluice_lease_remaining_seconds{instance="r2"}': '4x40' },
    5,
    { instance: 'r1' },
  ),
  case_('SluiceLeaseEnds', 'the lease was short and did not end', { 'sluice_lease_remaining_seconds{instance="r1"}': '4x14 0.2 4x40' }, 5),
  case_('SluiceLeaseEnds', 'the lease ends now', { 'sluice_lease_remaining_seconds{instance="r1"}': '4x19 -1 4x40' }, 5),
  case_(
    'SluiceTasksUnassigned',
    'a task waits',
    {
      'sluice_tasks_unassigned{instance="g1",role="sink-runner"}': '0x4 1x40',
      'sluice_tasks_unassigned{instance="g1",role="source-runner"}': '0x40',
    },
    5,
    { role: 'sink-runner' },
  ),
  case_('SluiceTasksUnassigned', 'a task moved', { 'sluice_tasks_unassigned{instance="g1",role="sink-runner"}': '0x18 1 1 0x40' }, 5),
  case_('SluiceTaskFailed', 'a task has failed', { [`sluice_tasks${c(',role="sink-runner",state="FAILED"')}`]: '0x4 1x40' }, 5, connector),
  case_(
    'SluiceTaskFailed',
    'all tasks run',
    {
      [`sluice_tasks${c(',role="sink-runner",state="RUNNING"')}`]: '4x40',
      [`sluice_tasks${c(',role="sink-runner",state="FAILED"')}`]: '1x4 0x40',
    },
    5,
  ),
  case_(
    'SluiceTaskRestarts',
    'a task restarts every minute',
    { [`sluice_task_restarts_total${c()}`]: '0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3' },
    8,
    connector,
  ),
  case_('SluiceTaskRestarts', 'a task has restarted twice', { [`sluice_task_restarts_total${c()}`]: '0x20 1x10 2x40' }, 15),
  case_('SluiceTaskWaits', 'a put hangs', { [`sluice_task_open_call_seconds${task(',call="put"')}`]: '0+15x40' }, 5, {
    ...connector,
    task: '0',
    call: 'put',
  }),
  case_('SluiceTaskWaits', 'calls return', { [`sluice_task_open_call_seconds${task(',call="poll"')}`]: '0+15x6 0+15x6 0+15x6 0+15x6' }, 5),
  case_(
    'SluiceTaskWaits',
    'a call that hung has returned',
    { [`sluice_task_open_call_seconds${task(',call="put"')}`]: '0+15x12 stale' },
    5,
  ),
  case_('SluiceTaskWaits', 'a put took two minutes', { [`sluice_task_open_call_seconds${task(',call="put"')}`]: '0x18 135 0x20' }, 4.75),
  case_(
    'SluiceNoCommit',
    'a sink has a lag and commits nothing',
    { [`sluice_task_commit_age_seconds${task()}`]: '0+15x60', [`sluice_task_lag_messages${task()}`]: '7x60' },
    10,
    { ...connector, task: '0' },
  ),
  case_(
    'SluiceNoCommit',
    'a source sends and stores no position',
    { [`sluice_task_commit_age_seconds${task()}`]: '0+15x60', [`sluice_task_records_out_total${task()}`]: '0+100x60' },
    10,
    { ...connector, task: '0' },
  ),
  case_(
    'SluiceNoCommit',
    'the broker of a source takes nothing',
    {
      [`sluice_task_commit_age_seconds${task()}`]: '0+15x60',
      [`sluice_task_records_out_total${task()}`]: '1000x60',
      [`sluice_task_buffered_records${task()}`]: '10000x60',
    },
    10,
    { ...connector, task: '0' },
  ),
  case_(
    'SluiceNoCommit',
    'a source got records after a time without any',
    { [`sluice_task_commit_age_seconds${task()}`]: '0+15x60', [`sluice_task_buffered_records${task()}`]: '0x35 7x60' },
    10,
  ),
  case_(
    'SluiceNoCommit',
    'there is nothing to commit',
    {
      [`sluice_task_commit_age_seconds${task()}`]: '0+15x60',
      [`sluice_task_lag_messages${task()}`]: '0x60',
      [`sluice_task_records_out_total${task()}`]: '100x60',
      [`sluice_task_buffered_records${task()}`]: '0x60',
    },
    10,
  ),
  case_(
    'SluiceNoCommit',
    'another task has the lag',
    { [`sluice_task_commit_age_seconds${task()}`]: '0+15x60', [`sluice_task_lag_messages${c(',task="1"')}`]: '7x60' },
    10,
  ),
  case_(
    'SluiceNoCommit',
    'a sink got its first messages',
    { [`sluice_task_commit_age_seconds${task()}`]: '0+15x60', [`sluice_task_lag_messages${task()}`]: '0x35 7x60' },
    10,
  ),
  case_(
    'SluiceNoCommit',
    'a sink with a lag commits',
    { [`sluice_task_commit_age_seconds${task()}`]: '30x60', [`sluice_task_lag_messages${task()}`]: '7x60' },
    10,
  ),
  case_('SluiceLagGrows', 'a sink falls behind', { [`sluice_connector_lag_messages${c()}`]: '90000+1000x120' }, 20, connector),
  case_('SluiceLagGrows', 'a sink catches up', { [`sluice_connector_lag_messages${c()}`]: '900000-1000x120' }, 20),
  case_('SluiceLagGrows', 'a lag has grown for a minute', { [`sluice_connector_lag_messages${c()}`]: '200000x75 201000+1000x40' }, 20),
  case_('SluiceLagGrows', 'a small lag grows', { [`sluice_connector_lag_messages${c()}`]: '0+10x120' }, 20),
  case_('SluiceLagUnknown', 'a broker does not answer', { [`sluice_connector_lag_age_seconds${c()}`]: '0+15x40' }, 5, connector),
  case_('SluiceLagUnknown', 'brokers answer', { [`sluice_connector_lag_age_seconds${c()}`]: '5x40' }, 5),
  case_(
    'SluiceLagUnknown',
    'a broker did not answer for a moment',
    { [`sluice_connector_lag_age_seconds${c()}`]: '5x17 50 65 5x40' },
    4.75,
  ),
  case_('SluiceSlow', 'puts take long', putBuckets(true), 10, { ...connector, operation: 'put' }),
  case_('SluiceSlow', 'puts began to take long', putBuckets(true), 3),
  case_('SluiceSlow', 'puts are fast', putBuckets(false), 10),
  case_('SluiceSlow', 'polls wait for data', putBuckets(true, 'poll'), 10),
  case_(
    'SluiceRecordsFail',
    'a converter refuses many records',
    {
      [`sluice_task_errors_total${task(',stage="VALUE_CONVERTER"')}`]: '0+1x40',
      [`sluice_task_errors_total${task(',stage="TRANSFORMATION"')}`]: '0x40',
    },
    8,
    { ...connector, stage: 'VALUE_CONVERTER' },
  ),
  case_(
    'SluiceRecordsFail',
    'many records failed before the first scrape after a take-over',
    { [`sluice_task_errors_total${task(',stage="VALUE_CONVERTER"')}`]: BEFORE_FIRST_SCRAPE },
    5,
    { ...connector, stage: 'VALUE_CONVERTER' },
  ),
  case_(
    'SluiceRecordsFail',
    'many records failed before the first scrape, long ago',
    { [`sluice_task_errors_total${task(',stage="VALUE_CONVERTER"')}`]: BEFORE_FIRST_SCRAPE },
    15,
  ),
  case_(
    'SluiceRecordsFail',
    'a few records fail',
    { [`sluice_task_errors_total${task(',stage="VALUE_CONVERTER"')}`]: '0x10 1x5 3x40' },
    10,
  ),
  case_(
    'SluiceRecordsDropped',
    'a record was skipped',
    { [`sluice_connector_records_dropped_total${c(',reason="skipped"')}`]: '0x8 1x40' },
    5,
    { ...connector, reason: 'skipped' },
  ),
  case_(
    'SluiceRecordsDropped',
    'a record was refused, and one lost',
    {
      [`sluice_connector_records_dropped_total${c(',reason="refused"')}`]: '0x8 1x40',
      [`sluice_connector_records_dropped_total${c(',reason="lost"')}`]: '0x8 1x40',
    },
    5,
    { ...connector, reason: 'refused' },
    { ...connector, reason: 'lost' },
  ),
  case_(
    'SluiceRecordsDropped',
    'records were lost before the first scrape after a take-over',
    {
      [`sluice_connector_records_dropped_total${c(',reason="lost"')}`]: BEFORE_FIRST_SCRAPE,
      [`sluice_connector_records_dropped_total${c(',reason="filtered"')}`]: BEFORE_FIRST_SCRAPE,
    },
    3,
    { ...connector, reason: 'lost' },
  ),
  case_(
    'SluiceRecordsDropped',
    'records were lost before the first scrape, long ago',
    { [`sluice_connector_records_dropped_total${c(',reason="lost"')}`]: BEFORE_FIRST_SCRAPE },
    15,
  ),
  case_(
    'SluiceRecordsDropped',
    'transforms and the filter against duplicates drop records',
    {
      [`sluice_connector_records_dropped_total${c(',reason="filtered"')}`]: '0+5x40',
      [`sluice_connector_records_dropped_total${c(',reason="repeated_seq"')}`]: '0+5x40',
    },
    5,
  ),
  case_(
    'SluiceRecordsDropped',
    'records were skipped long ago',
    { [`sluice_connector_records_dropped_total${c(',reason="skipped"')}`]: '0x4 9x60' },
    15,
  ),
  case_(
    'SluiceDeadLettersBlocked',
    'no dead letter can be written',
    { [`sluice_connector_dead_letter_failures_total${c()}`]: '0x3 1x3 2x3 3x3 4x3 5x3 6x3 7x3 8x3 9x3 10x3' },
    9,
    connector,
  ),
  case_('SluiceDeadLettersBlocked', 'one try failed', { [`sluice_connector_dead_letter_failures_total${c()}`]: '0x3 1x60' }, 3),
  case_(
    'SluiceDuplicatesPossible',
    'a scan stayed incomplete',
    { [`sluice_connector_incomplete_scans_total${c()}`]: '0x8 1x40' },
    5,
    connector,
  ),
  case_(
    'SluiceDuplicatesPossible',
    'a scan stayed incomplete before the first scrape after a take-over',
    {
      'sluice_connector_incomplete_scans_total{instance="r1",connector="c"}': '0x160',
      'sluice_connector_incomplete_scans_total{instance="r2",connector="c"}': '_ _ _ _ 1x160',
    },
    5,
    connector,
  ),
  case_(
    'SluiceDuplicatesPossible',
    'a scan stayed incomplete before the first scrape, long ago',
    { [`sluice_connector_incomplete_scans_total${c()}`]: '_ _ _ _ 1x160' },
    25,
  ),
  case_(
    'SluiceDuplicatesPossible',
    'a node that took over began with complete scans',
    { [`sluice_connector_incomplete_scans_total${c()}`]: '_ _ _ _ 0x160' },
    5,
  ),
  case_('SluiceDuplicatesPossible', 'scans were complete', { [`sluice_connector_incomplete_scans_total${c()}`]: '0x40' }, 5),
];
