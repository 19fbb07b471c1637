import type { ClusterNode } from '../cluster-node/cluster-node.js';
import type { RpcEndpoint } from '@sluice/rpc';
import { ownVersion } from '../service/own-version.js';
import { MetricRegistry } from './metric-registry.js';

/** The metrics that every role has; the role adds its own. */
export function nodeMetrics(node: ClusterNode, rpc: RpcEndpoint): MetricRegistry {
  const { settings, follower } = node;
  const metrics = new MetricRegistry(settings.role);
  const labels = { version: ownVersion(), role: settings.role, node: settings.nodeId, cluster: settings.clusterId };
  metrics.collect('sluice_build_info', () => [{ labels, value: 1 }]);
  collectLog(metrics, follower);
  metrics.collectOne('sluice_reports_malformed_messages_total', () => node.reports.malformedCount);
  collectRpc(metrics, rpc);
  return metrics;
}

function collectLog(metrics: MetricRegistry, follower: ClusterNode['follower']): void {
  let claims = 0;
  follower.subscribe(({ accepted }) => {
    for (const { entry } of accepted) if (entry.event.kind === 'claimed') claims += 1;
  });
  metrics.collectOne('sluice_log_seq', () => follower.state.head.seq);
  metrics.collectOne('sluice_log_behind_entries', () => follower.behind);
  metrics.collectOne('sluice_log_age_seconds', () => follower.ageMs / 1000);
  metrics.collectOne('sluice_log_skipped_entries_total', () => follower.state.skipped);
  metrics.collectOne('sluice_log_malformed_messages_total', () => follower.malformedCount);
  metrics.collectOne('sluice_leader_epoch', () => follower.state.epoch);
  metrics.collectOne('sluice_leader_silence_seconds', () => follower.leaderSilentMs / 1000);
  metrics.collectOne('sluice_leader_changes_total', () => claims);
}

function collectRpc(metrics: MetricRegistry, rpc: RpcEndpoint): void {
  metrics.collectOne('sluice_rpc_ready', () => (rpc.state === 'ready' ? 1 : 0));
  metrics.collectOne('sluice_rpc_pending_requests', () => rpc.pendingRequests);
  metrics.collect('sluice_rpc_messages_total', () =>
    Object.entries(rpc.counters).map(([event, value]) => ({
      labels: { event: snakeCase(event) },
      value,
    })),
  );
  const durations = metrics.histogram('sluice_rpc_request_duration_seconds');
  rpc.onRequestSettled(({ outcome, durationMs }) => {
    durations.observe({ outcome }, durationMs / 1000);
  });
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
