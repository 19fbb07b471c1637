import type { ClusterState, TaskState } from '@sluice/core';
import type { ConnectorOwners } from '@sluice/protocol';

/** What the log says of a connector's tasks, as far as their positions are concerned. */
export interface SourceOwners extends ConnectorOwners {
  /** Some task has stored positions: from then on it is an error if there are none. */
  readonly hasCommitted: boolean;
}

const known = new WeakMap<ClusterState['tasks'], ReadonlyMap<string, readonly TaskState[]>>();

/** Who runs the tasks of a connector, those that are asked to stop or no longer wanted included. */
export function sourceOwners(state: ClusterState, connector: string): SourceOwners {
  const tasks = tasksByConnector(state.tasks).get(connector) ?? [];
  const live = new Map<number, number>();
  for (const { id, assignment } of tasks) if (assignment !== undefined) live.set(id.index, assignment.generation);
  return {
    asOf: state.head.seq,
    live,
    tasksSince: state.connectors.get(connector)?.tasksVersion ?? 0,
    hasCommitted: tasks.some(({ committed }) => committed),
  };
}

/** Computed once per version of the map, which never changes once it is folded. */
function tasksByConnector(tasks: ClusterState['tasks']): ReadonlyMap<string, readonly TaskState[]> {
  const before = known.get(tasks);
  if (before !== undefined) return before;
  const byConnector = new Map<string, TaskState[]>();
  for (const task of tasks.values()) {
    const others = byConnector.get(task.id.connector);
    if (others === undefined) byConnector.set(task.id.connector, [task]);
    else others.push(task);
  }
  known.set(tasks, byConnector);
  return byConnector;
}
