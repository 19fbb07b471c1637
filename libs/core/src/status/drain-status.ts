import type { ClusterState } from '../model/cluster-state.js';

/** `draining` until the node holds no task any more. */
export type DrainState = 'active' | 'draining' | 'drained';

export function drainStateOf(state: Pick<ClusterState, 'draining' | 'tasks'>, nodeId: string): DrainState {
  if (!state.draining.includes(nodeId)) return 'active';
  for (const { assignment } of state.tasks.values()) if (assignment?.nodeId === nodeId) return 'draining';
  return 'drained';
}
