import type { TaskTable } from '../model/task-table.js';
import type { ClusterState } from '../model/cluster-state.js';
import { connectorClass, taskKey, type ConnectorState, type TaskState } from '../model/connector.js';
import { Role } from '../model/member.js';
import type { AssignableTask, AssignmentInput, PreviousAssignment, Worker } from './assignment-types.js';
import { placementOf } from '../model/placement.js';
import { hasOlderOwners, assignmentStateOf } from './assignment-state.js';

interface AssignedTables {
  readonly connectors: ClusterState['connectors'];
  readonly tasks: TaskTable;
}

/** What workers must have for the tasks of a connector. */
export type Need = Pick<Required<AssignableTask>, 'connectorClass' | 'placement'>;

/**
 * Lists what there is to assign in a cluster. It leaves out tasks of stopped connectors, surplus tasks, and tasks of an
 * older config that nobody holds. It also leaves out a connector's free tasks while owners from before its present task
 * configs are stopping. `workers` are those that can be given tasks now; by default all runners.
 */
export function assignmentInput(
  cluster: AssignedTables & Pick<ClusterState, 'members'>,
  workers: readonly Worker[] = runners(cluster),
): AssignmentInput {
  return inputOf(cluster, workers, ({ assignment }, { tasksVersion, configVersion }) => {
    return assignment !== undefined && tasksVersion === configVersion;
  });
}

/** As {@link assignmentInput}; tasks that wait for a later assignment are treated as placed, so that no other one is moved as if they were gone. */
export function inputWithMoving(cluster: AssignedTables, workers: readonly Worker[]): AssignmentInput {
  return inputOf(cluster, workers, () => true);
}

function inputOf(
  { connectors, tasks: table }: AssignedTables,
  workers: readonly Worker[],
  countsMoving: (task: TaskState, connector: ConnectorState) => boolean,
): AssignmentInput {
  const tasks: AssignableTask[] = [];
  const previous = new Map<string, PreviousAssignment>();
  for (const [name, group] of table.groups()) {
    const connector = connectors.get(name);
    if (connector === undefined) continue;
    const isWaiting = hasOlderOwners(connector, group);
    const need = needOf(connector);
    for (const task of group) {
      const state = task === undefined ? 'out' : assignmentStateOf(task, connector, isWaiting);
      if (task === undefined || state === 'out') continue;
      if (state === 'moving' && !countsMoving(task, connector)) continue;
      const assignable = assignableTask(task, need);
      tasks.push(assignable);
      if (state !== 'free') previous.set(assignable.key, previousOf(task));
    }
  }
  return { tasks, workers, previous };
}

/** Tasks of an older config run on until their connector is split again: a new config that nobody can split takes none from its owner. */
export function needOf({ config: newest, tasksConfig: config = newest }: ConnectorState): Need {
  return { connectorClass: connectorClass(config), placement: placementOf(config) };
}

export function assignableTask({ id, type, lastNodeId }: TaskState, need: Need): AssignableTask {
  return { key: taskKey(id), id, type, ...need, ...(lastNodeId === undefined ? {} : { lastNodeId }) };
}

/** Of a task that is held or moving: who has it, or had it last. */
export function previousOf({ assignment, lastNodeId }: TaskState): PreviousAssignment {
  if (assignment === undefined) return { nodeId: lastNodeId ?? '', incarnation: '', revoked: true };
  const { nodeId, incarnation, revokedAt } = assignment;
  return { nodeId, incarnation, revoked: revokedAt !== undefined };
}

function runners({ members }: Pick<ClusterState, 'members'>): readonly Worker[] {
  return [...members.values()].filter(({ role }) => role === Role.sourceRunner || role === Role.sinkRunner);
}
