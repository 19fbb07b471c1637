import { isBeingSplit, TargetState, type ConnectorState, type TaskState } from '../model/connector.js';
import type { TaskGroup } from '../model/task-table.js';

/**
 * Whether a task is to be given to a runner:
 * - `held`: its owner runs it;
 * - `free`: it is to be given to somebody;
 * - `moving`: it is not to be given yet but will be, so no other task may take its place. Its owner is stopping, its
 *   connector is being split, or owners from before the connector's present tasks have not stopped;
 * - `out`: nobody is to run it, such as one that has completed.
 */
export type AssignmentState = 'held' | 'free' | 'moving' | 'out';

/** @param hasOlderOwners see {@link hasOlderOwners} */
export function assignmentStateOf(
  { id, assignment, completed }: Pick<TaskState, 'id' | 'assignment' | 'completed'>,
  connector: ConnectorState | undefined,
  hasOlderOwners: boolean,
): AssignmentState {
  if (connector === undefined || connector.targetState === TargetState.stopped) return 'out';
  if (id.index >= (connector.taskCount ?? 0) || completed !== undefined) return 'out';
  if (assignment !== undefined && assignment.revokedAt === undefined) return 'held';
  const isCurrent = connector.tasksVersion === connector.configVersion;
  if (!isCurrent && !isBeingSplit(connector)) return 'out';
  return isCurrent && assignment === undefined && !hasOlderOwners ? 'free' : 'moving';
}

/**
 * Returns whether an owner from before a connector's present tasks was asked to stop and has not stopped. The present
 * tasks wait for it: a source partition or a queue has one owner at any time.
 */
export function hasOlderOwners(connector: ConnectorState | undefined, group: TaskGroup): boolean {
  const tasksVersion = connector?.tasksVersion;
  if (tasksVersion === undefined) return false;
  return group.some((task) => task?.assignment?.revokedAt !== undefined && task.assignment.generation < tasksVersion);
}
