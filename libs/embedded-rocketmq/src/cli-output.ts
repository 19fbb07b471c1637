import { addressOf, type PlannedNode } from './cluster-plan.js';
import type { ClusterStatus, StopOutcomes } from './cluster-status.js';
import type { StopOutcome } from './jvm-process.js';

/** Returns a cluster as `status` shows it: one line of state, then each process, then where things are. */
export function describeStatus({ name, version, condition, nodes, pids, dataDir, logDir }: ClusterStatus): string {
  const state = condition.kind === 'degraded' ? `degraded: ${condition.missing}` : condition.kind;
  const width = Math.max(...nodes.map(({ id }) => id.length));
  return [
    `${name}: ${state} (RocketMQ ${version})`,
    ...nodes.map((node) => `  ${node.id.padEnd(width)}  ${describeNode(node)}, pid ${pids[node.id] ?? '-'}`),
    `  ${'data'.padEnd(width)}  ${dataDir}`,
    `  ${'logs'.padEnd(width)}  ${logDir}`,
  ].join('\n');
}

function describeNode(node: PlannedNode): string {
  const address = addressOf(node);
  switch (node.kind) {
    case 'namesrv':
      return node.ports.controller === undefined ? address : `${address}, controller ${node.ports.controller}`;
    case 'broker': {
      const { listen, grpc, proxyRemoting } = node.ports;
      const proxy = grpc === undefined ? '' : `, gRPC 127.0.0.1:${grpc}, remoting proxy ${proxyRemoting ?? '-'}`;
      return `${address} (also ${listen - 2}, ${listen + 1})${proxy}, ${node.brokerName} ${node.brokerId ?? ''}`.trim();
    }
  }
}

export function describeStopOutcomes(name: string, outcomes: StopOutcomes): string {
  return Object.entries(outcomes)
    .map(([id, outcome]) => `${name}: the ${id} ${describeOutcome(outcome)}`)
    .join('\n');
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
