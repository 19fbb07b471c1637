import type { ClusterState } from '@sluice/core';
import type { ConnectorOwners } from '@sluice/protocol';

/** What the log says of a connector's tasks, as far as their positions are concerned. */
export interface SourceOwners extends ConnectorOwners {
  /** Some task has stored positions: from then on it is an error if there are none. */
  readonly hasCommitted: boolean;
}

/** Returns who runs the tasks of a connector, those that are asked to stop or no longer wanted included. */
export function sourceOwners(state: ClusterState, connector: string): SourceOwners {
  const tasks = state.tasks.ofConnector(connector).filter((task) => task !== undefined);
  const live = new Map<number, number>();
  for (const { id, assignment } of tasks) if (assignment !== undefined) live.set(id.index, assignment.generation);
  return {
    asOf: state.head.seq,
    live,
    tasksSince: state.connectors.get(connector)?.tasksVersion ?? 0,
    hasCommitted: tasks.some(({ committed }) => committed),
  };
}
