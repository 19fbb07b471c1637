import {
  connectorStatus,
  runnerRole,
  type ClusterState,
  type ConnectorRunState,
  type ConnectorType,
  type ReportsView,
  type Role,
  type TaskRunState,
} from '@sluice/core';

export interface ClusterCounts {
  readonly members: ReadonlyMap<Role, number>;
  readonly connectors: readonly {
    readonly type: ConnectorType;
    readonly state: ConnectorRunState;
    readonly count: number;
  }[];
  /** States that no task of the connector has are left out. */
  readonly tasks: readonly {
    readonly connector: string;
    readonly role: Role;
    readonly state: TaskRunState;
    readonly count: number;
  }[];
  /** Tasks that no member holds, by the role that could; a connector that waits to be split is one. */
  readonly unassigned: ReadonlyMap<Role, number>;
}

/** Counts what log and reports say together. A stopped connector has no tasks that anybody should run. */
export function countCluster(state: ClusterState, reports: ReportsView): ClusterCounts {
  const members = new Map<Role, number>();
  for (const { role } of state.members.values()) add(members, role, 1);
  const connectors = new Map<ConnectorType, Map<ConnectorRunState, number>>();
  const tasks: ClusterCounts['tasks'][number][] = [];
  const unassigned = new Map<Role, number>();
  for (const name of state.connectors.keys()) {
    const status = connectorStatus(state, reports, name);
    if (status === undefined) continue;
    const ofType = connectors.get(status.type) ?? new Map<ConnectorRunState, number>();
    connectors.set(status.type, ofType);
    add(ofType, status.state, 1);
    const role = runnerRole(status.type);
    const byState = new Map<TaskRunState, number>();
    let free = 0;
    for (const task of status.tasks) {
      add(byState, task.state, 1);
      // One that is held has a generation; until its first report it is UNASSIGNED too.
      if (task.generation === undefined) free += 1;
    }
    for (const [taskState, count] of byState) tasks.push({ connector: name, role, state: taskState, count });
    // New settings wait to be split, beside no task or beside ones that completed with the old settings.
    add(unassigned, role, status.state === 'UNASSIGNED' ? Math.max(free, 1) : free);
  }
  return {
    members,
    connectors: [...connectors].flatMap(([type, byState]) =>
      [...byState].map(([connectorState, count]) => ({ type, state: connectorState, count })),
    ),
    tasks,
    unassigned,
  };
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
