import type { ClusterState } from '../model/cluster-state.js';
import { TargetState, type Config, type ConnectorType, type TaskId } from '../model/connector.js';

/** A task that a node should run. A change of `generation` means a stop and a new start. */
export interface DesiredTask {
  readonly id: TaskId;
  readonly generation: number;
  readonly type: ConnectorType;
  readonly config: Config;
  /** It keeps its resources but moves no records. */
  readonly paused: boolean;
  /** Positions were committed before: a missing one is an error. */
  readonly committed: boolean;
}

/**
 * What this incarnation of a node should run, by `taskKey`. What it runs beyond that, or at another generation, it must
 * stop and then report as absent. An incarnation that is not a member should run nothing.
 */
export function desiredTasks(
  state: ClusterState,
  node: { readonly nodeId: string; readonly incarnation: string },
): ReadonlyMap<string, DesiredTask> {
  const desired = new Map<string, DesiredTask>();
  if (state.members.get(node.nodeId)?.incarnation !== node.incarnation) return desired;
  for (const [key, { id, type, config, assignment, committed }] of state.tasks) {
    if (assignment?.nodeId !== node.nodeId || assignment.incarnation !== node.incarnation) continue;
    if (assignment.revokedAt !== undefined) continue;
    const paused = state.connectors.get(id.connector)?.targetState === TargetState.paused;
    desired.set(key, { id, generation: assignment.generation, type, config, paused, committed });
  }
  return desired;
}
