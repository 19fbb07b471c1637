import { Role } from '@sluice/core';
import type { MetricSpec } from './metric-spec.js';
import { runnerMetricSpecs } from './runner-metric-definitions.js';

const every = Object.values(Role);
/** Those that read the log and all reports. */
const READERS = [Role.gateway, Role.coordinator] as const;

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
  ...runnerMetricSpecs,
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof metricSpecs;

/** Names of the metrics that a role has, in the order of the list. */
export function metricNamesOf(role: Role): readonly MetricName[] {
  const names = Object.keys(metricSpecs) as MetricName[];
  return names.filter((name) => (metricSpecs[name].roles as readonly Role[]).includes(role));
}
