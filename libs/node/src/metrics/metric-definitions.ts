import { Role } from '@sluice/core';

/** What is known of a metric before it has a value. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Each takes a bounded number of values: ids of nodes and connectors, or a fixed list that `help` names. */
  readonly labels: readonly string[];
  /** One sentence with the unit. */
  readonly help: string;
  readonly roles: readonly Role[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

const every = Object.values(Role);
/** Those that read the log and all reports. */
const READERS = [Role.gateway, Role.coordinator] as const;
const RUNNERS = [Role.sourceRunner, Role.sinkRunner] as const;
const SOURCE = [Role.sourceRunner] as const;
const SINK = [Role.sinkRunner] as const;

/** All metrics of Sluice, by name. Counters begin at 0 with the process. */
export const metricSpecs = {
  sluice_build_info: {
    type: 'gauge',
    labels: ['version', 'role', 'node', 'cluster'],
    help: 'Always 1; its labels tell which node this is and what it runs.',
    roles: every,
  },
  sluice_log_seq: {
    type: 'gauge',
    labels: [],
    help: 'Number of the last entry of the cluster log that this node has applied.',
    roles: every,
  },
  sluice_log_behind_entries: {
    type: 'gauge',
    labels: [],
    help: 'Entries of the log that this node has not applied, out of those that it knows of from the broker.',
    roles: every,
  },
  sluice_log_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Seconds since this node last knew that it had read the log up to its end.',
    roles: every,
  },
  sluice_log_skipped_entries_total: {
    type: 'counter',
    labels: [],
    help: 'Entries of the log that this node did not accept, because they were resent or written by a deposed leader.',
    roles: every,
  },
  sluice_log_malformed_messages_total: {
    type: 'counter',
    labels: [],
    help: 'Messages of the log that this node could not understand.',
    roles: every,
  },
  sluice_reports_malformed_messages_total: {
    type: 'counter',
    labels: [],
    help: 'Messages of the reports topic that this node skipped: it could not understand them, or somebody else than the named node wrote them.',
    roles: every,
  },
  sluice_leader_epoch: {
    type: 'gauge',
    labels: [],
    help: 'Epoch of the leading coordinator, as far as this node has read.',
    roles: every,
  },
  sluice_leader_silence_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Seconds since this node read an entry of a leader, or since it started.',
    roles: every,
  },
  sluice_leader_changes_total: {
    type: 'counter',
    labels: [],
    help: 'Claims of the lead that were valid, as this node read them.',
    roles: every,
  },
  sluice_rpc_ready: {
    type: 'gauge',
    labels: [],
    help: '1 while questions of other nodes arrive at this one, else 0.',
    roles: every,
  },
  sluice_rpc_messages_total: {
    type: 'counter',
    labels: ['event'],
    help: 'Messages on the rpc topic by what became of them at this node: received, acked, failed, sent and others.',
    roles: every,
  },
  sluice_rpc_pending_requests: {
    type: 'gauge',
    labels: [],
    help: 'Questions of this node that wait for their answer.',
    roles: every,
  },
  sluice_rpc_request_duration_seconds: {
    type: 'histogram',
    labels: ['outcome'],
    help: 'Seconds from a question of this node to its answer; outcome is answered, refused or unanswered.',
    roles: every,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  sluice_members: {
    type: 'gauge',
    labels: ['role'],
    help: 'Nodes that are members of the cluster.',
    roles: READERS,
  },
  sluice_connectors: {
    type: 'gauge',
    labels: ['type', 'state'],
    help: 'Connectors by type (source, sink) and state (UNASSIGNED, RUNNING, PAUSED, STOPPED, FAILED, RESTARTING, COMPLETED).',
    roles: READERS,
  },
  sluice_tasks: {
    type: 'gauge',
    labels: ['connector', 'role', 'state'],
    help: 'Tasks of a connector by the role that runs them and by state (UNASSIGNED, RUNNING, PAUSED, FAILED, RESTARTING, COMPLETED).',
    roles: READERS,
  },
  sluice_tasks_unassigned: {
    type: 'gauge',
    labels: ['role'],
    help:
      'Tasks that no runner of the role holds (source-runner, sink-runner); a connector that nobody has split into tasks yet is one task here. ' +
      'Above 0 for long: more runners are needed.',
    roles: READERS,
  },
  sluice_commands_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Commands that the leader handled, by result (done, conflict, not-found, invalid, expired), as this node read them.',
    roles: READERS,
  },
  sluice_coordinator_leads: {
    type: 'gauge',
    labels: [],
    help: '1 on the coordinator that leads, else 0.',
    roles: [Role.coordinator],
  },
  sluice_commands_waiting: {
    type: 'gauge',
    labels: [],
    help: 'Commands that this coordinator has read and the log does not answer yet.',
    roles: [Role.coordinator],
  },
  sluice_lease_remaining_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Seconds for which this runner may still run its tasks without another contact to the log; below 0 they are paused.',
    roles: RUNNERS,
  },
  sluice_runner_tasks: {
    type: 'gauge',
    labels: ['connector', 'state'],
    help: 'Tasks on this runner by state (RUNNING, PAUSED, FAILED, RESTARTING, STOPPING; NO_LEASE for what would run but pauses, for the lease has ended).',
    roles: RUNNERS,
  },
  sluice_runner_completed_tasks: {
    type: 'gauge',
    labels: ['connector'],
    help:
      'Source tasks on this runner that have no more data for good, all of it committed: those that the leader has not ended yet, and those ' +
      'that an instance of their connector runs beside. sluice_tasks counts what has COMPLETED.',
    roles: [Role.sourceRunner],
  },
  sluice_task_failures_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Failures of tasks on this runner.',
    roles: RUNNERS,
  },
  sluice_task_restarts_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Starts of tasks on this runner after a failure.',
    roles: RUNNERS,
  },
  sluice_connector_records_in_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that came in on this runner: returned by a source, or read from the queues of a sink, duplicates included.',
    roles: RUNNERS,
  },
  sluice_connector_records_out_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that went out of this runner: acknowledged by brokers, or taken by the sink.',
    roles: RUNNERS,
  },
  sluice_connector_bytes_in_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Bytes of bodies, decompressed, and properties read from the queues of a sink on this runner.',
    roles: SINK,
  },
  sluice_connector_bytes_out_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Bytes of bodies and properties of a source that brokers acknowledged to this runner.',
    roles: SOURCE,
  },
  sluice_connector_records_dropped_total: {
    type: 'counter',
    labels: ['connector', 'reason'],
    help:
      'Records that this runner left out, by reason. skipped: they failed in a transform or a converter, or were too large, and errors.tolerance is all; ' +
      'where there is a dead letter topic, they are in it. ' +
      'filtered: a transform dropped them. ' +
      'Only on sinks: refused ones the task or its put refused; older_generation and repeated_seq are copies; ' +
      'retention had removed lost ones before they were read.',
    roles: RUNNERS,
  },
  sluice_connector_conversion_errors_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that could not be converted on this runner, or were too large for a message.',
    roles: RUNNERS,
  },
  sluice_connector_record_errors_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records that failed for good on this runner, at whatever stage: they ended their task, or were left out.',
    roles: RUNNERS,
  },
  sluice_connector_record_failures_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Failures on this runner to process records, each try: those of sluice_connector_record_errors_total, and puts of a sink that failed.',
    roles: RUNNERS,
  },
  sluice_connector_errors_logged_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Records left out on this runner that its log reports, by name or in a number.',
    roles: RUNNERS,
  },
  sluice_connector_dead_letters_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Dead letters of this runner that brokers acknowledged.',
    roles: RUNNERS,
  },
  sluice_connector_dead_letter_failures_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Failed tries of this runner to write a dead letter; each is made again, and offsets or positions wait.',
    roles: RUNNERS,
  },
  sluice_connector_retries_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Repeated attempts on this runner: to send a batch of a source, or to put records into a sink.',
    roles: RUNNERS,
  },
  sluice_connector_batches_out_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Batches of a source that brokers acknowledged to this runner.',
    roles: SOURCE,
  },
  sluice_connector_unknown_outcomes_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Batches of a source of which this runner did not learn whether they were stored.',
    roles: SOURCE,
  },
  sluice_connector_incomplete_scans_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Queues whose tail could not be examined in full after an unclean stop: there may be duplicates.',
    roles: SOURCE,
  },
  sluice_connector_position_writes_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Writes of a source to the positions topic by this runner.',
    roles: SOURCE,
  },
  sluice_connector_buffered_records: {
    type: 'gauge',
    labels: ['connector'],
    help: 'Records of a source that wait on this runner for the acknowledgement of a broker.',
    roles: SOURCE,
  },
  sluice_connector_buffered_bytes: {
    type: 'gauge',
    labels: ['connector'],
    help: 'Bytes of a source that wait on this runner for the acknowledgement of a broker.',
    roles: SOURCE,
  },
  sluice_connector_flushes_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Flushes of a sink on this runner.',
    roles: SINK,
  },
  sluice_connector_offset_commits_total: {
    type: 'counter',
    labels: ['connector'],
    help: 'Commits of offsets to the consumer group of a sink by this runner.',
    roles: SINK,
  },
  sluice_connector_offset_resets_total: {
    type: 'counter',
    labels: ['connector'],
    help: "Resets of a sink's consumer group by an operator that this runner followed, by queue.",
    roles: SINK,
  },
  sluice_connector_lag_messages: {
    type: 'gauge',
    labels: ['connector'],
    help:
      'Messages that are not committed in the queues that this runner reads for a sink; the sum over all sink runners is the lag of the ' +
      'connector. The ends of queues are asked for every 5 s, not at a scrape.',
    roles: SINK,
  },
  sluice_connector_lag_age_seconds: {
    type: 'gauge',
    labels: ['connector'],
    help: 'Age of the oldest figure in sluice_connector_lag_messages, in seconds: it grows while brokers do not answer.',
    roles: SINK,
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof metricSpecs;

/** Names of the metrics that a role has, in the order of the list. */
export function metricNamesOf(role: Role): readonly MetricName[] {
  const names = Object.keys(metricSpecs) as MetricName[];
  return names.filter((name) => (metricSpecs[name].roles as readonly Role[]).includes(role));
}
