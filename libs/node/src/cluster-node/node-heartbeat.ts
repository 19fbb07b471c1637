import { MAX_LEVEL, REPORT_DELTAS_LEVEL, type Report, reportIntervalMs } from '@sluice/core';
import { Heartbeat } from '../membership/heartbeat.js';
import { OutageLogger } from '../logging/outage-logger.js';
import type { ClusterNode } from './cluster-node.js';

/** The heartbeat of a node. `own` adds what only its role can tell: plugins, tasks, whether it is leaving. */
export function nodeHeartbeat(
  node: ClusterNode,
  own: () => Partial<Pick<Report, 'plugins' | 'tasks' | 'leaving'>> = () => ({}),
): Heartbeat {
  const { settings, store, follower } = node;
  return new Heartbeat(
    node.reports,
    () => ({
      ...node.self,
      role: settings.role,
      startedAt: node.startedAt,
      ...(node.http === undefined ? {} : { http: node.http }),
      leaving: false,
      ...(store.supersedes === undefined ? {} : { supersedes: store.supersedes }),
      capacity: settings.capacity,
      labels: settings.labels,
      plugins: [],
      maxLevel: MAX_LEVEL,
      appliedSeq: follower.state.head.seq,
      tasks: [],
      ...own(),
    }),
    () => ({
      allowsDeltas: follower.state.level >= REPORT_DELTAS_LEVEL,
      intervalMs: reportIntervalMs(follower.state.members.size, follower.state.level),
    }),
    new OutageLogger(node.logger.scoped('reports'), 'Reports are sent again'),
  );
}
