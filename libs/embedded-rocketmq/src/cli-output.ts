import { type ClusterStatus } from './cluster-status.js';
import { CLUSTER_ROLES, type ClusterRole } from './jvm-command.js';
import { type StopOutcome } from './jvm-process.js';

/** A cluster as `status` shows it: one line of state, then where to reach it and where things are. */
export function describeStatus({ name, condition, ports, pids, dataDir, logDir }: ClusterStatus): string {
  const state = condition.kind === 'degraded' ? `degraded: ${condition.missing}` : condition.kind;
  const processes = CLUSTER_ROLES.map((role) => `${role} ${pids[role] ?? '-'}`).join(', ');
  return [
    `${name}: ${state}`,
    `  namesrv  127.0.0.1:${ports.namesrv}`,
    `  gRPC     127.0.0.1:${ports.grpc}`,
    `  broker   127.0.0.1:${ports.broker} (also ${ports.broker - 2}, ${ports.broker + 1}; remoting proxy ${ports.proxyRemoting})`,
    `  pids     ${processes}`,
    `  data     ${dataDir}`,
    `  logs     ${logDir}`,
  ].join('\n');
}

export function describeStop(name: string, outcomes: Readonly<Record<ClusterRole, StopOutcome>>): string {
  return CLUSTER_ROLES.map((role) => `${name}: the ${role} ${describeOutcome(outcomes[role])}`).join('\n');
}

function describeOutcome(outcome: StopOutcome): string {
  switch (outcome.kind) {
    case 'not-running':
      return 'was not running';
    case 'stopped':
      return `ended after ${(outcome.tookMs / 1000).toFixed(1)} s`;
    case 'killed':
      return `did not end within ${(outcome.afterMs / 1000).toFixed(1)} s of SIGTERM and was killed`;
  }
}
