import type { ClusterState, CommandOutcome, ReportsView } from '@sluice/core';
import { Role } from '@sluice/core';
import type { LogFollower } from '../log/log-follower.js';
import { countCluster, type ClusterCounts } from './cluster-counts.js';
import type { MetricRegistry } from './metric-registry.js';

const RESULTS = ['done', 'conflict', 'not-found', 'invalid', 'expired'] as const satisfies readonly CommandOutcome['status'][];

/** The metrics of a role that knows all of the cluster: from what it has read, whether a coordinator lives or not. */
export function collectModel(metrics: MetricRegistry, follower: LogFollower, reports: () => ReportsView): void {
  const counts = oncePerState(() => follower.state, reports);
  metrics.collect('sluice_members', () =>
    Object.values(Role).map((role) => ({ labels: { role }, value: counts().members.get(role) ?? 0 })),
  );
  metrics.collect('sluice_tasks_unassigned', () =>
    [Role.sourceRunner, Role.sinkRunner].map((role) => ({
      labels: { role },
      value: counts().unassigned.get(role) ?? 0,
    })),
  );
  metrics.collect('sluice_connectors', () =>
    counts().connectors.map(({ type, state, count }) => ({ labels: { type, state }, value: count })),
  );
  metrics.collect('sluice_tasks', () => counts().tasks.map(({ count, ...labels }) => ({ labels, value: count })));
  const handled = new Map<string, number>(RESULTS.map((result) => [result, 0]));
  follower.subscribe(({ accepted }) => {
    for (const { entry } of accepted) {
      const { event } = entry;
      if (event.kind !== 'command.done' && event.kind !== 'command.applied') continue;
      const { status } = event.result.outcome;
      handled.set(status, (handled.get(status) ?? 0) + 1);
    }
  });
  metrics.collect('sluice_commands_total', () => [...handled].map(([result, value]) => ({ labels: { result }, value })));
}

/** Several metrics of one scrape need the same counts. */
function oncePerState(state: () => ClusterState, reports: () => ReportsView): () => ClusterCounts {
  let last: { readonly state: ClusterState; readonly reports: ReportsView; readonly counts: ClusterCounts } | undefined;
  return () => {
    const now = { state: state(), reports: reports() };
    if (last?.state !== now.state || last.reports !== now.reports) {
      last = { ...now, counts: countCluster(now.state, now.reports) };
    }
    return last.counts;
  };
}
