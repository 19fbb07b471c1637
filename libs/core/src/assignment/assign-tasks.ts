import type { AssignmentStrategyName } from '../model/cluster-settings.js';
import { taskKey, type ConnectorType, type TaskId } from '../model/connector.js';
import { assignAverage } from './assign-average.js';
import { assignByHash } from './assign-by-hash.js';
import { assignSticky } from './assign-sticky.js';
import { inputWithMoving } from './assignment-input.js';
import type { AssignmentInput, AssignmentPlan, PreviousAssignment, UnassignedTask, Worker } from './assignment-types.js';
import { fleetOf, fleetOfIndex, inOrderOfIds, type Fleet, type Item, type Slot } from './fleet.js';
import type { TaskIndex } from './task-index.js';

/** By the values of `assignment.strategy`. Each says in `item.slot` who is to run each task that somebody can run. */
const strategies = {
  sticky: assignSticky,
  average: assignAverage,
  'consistent-hash': assignByHash,
} as const satisfies Record<AssignmentStrategyName, (fleet: Fleet) => void>;

/**
 * Decides who runs what, for source and sink tasks apart. The order of tasks and workers does not matter. A worker is
 * eligible for a task if it has the role, lists the connector's class and carries the labels of its placement. It must
 * also have capacity and not be draining. A task without an eligible worker is `unassigned`.
 *
 * The plan assigns a task only while nobody holds it. It first revokes one that is to move. One whose owner is not
 * among `workers` waits until it is freed.
 */
export function assignTasks(strategy: AssignmentStrategyName, input: AssignmentInput): AssignmentPlan {
  return planOf(input.workers, (type) => {
    const fleet = fleetOf(type, input);
    strategies[strategy](fleet);
    return fleet.items;
  });
}

/**
 * The same of all tasks of an index. `sticky` looks only at what cannot stay, so that a plan costs what has changed; the other strategies look
 * at every task.
 */
export function assignIndexed(strategy: AssignmentStrategyName, index: TaskIndex, workers: readonly Worker[]): AssignmentPlan {
  if (strategy !== 'sticky') return assignTasks(strategy, inputWithMoving(index, workers));
  return planOf(workers, (type) => {
    const fleet = fleetOfIndex(type, index, workers);
    assignSticky(fleet);
    if (fleet.taken.length === 0) return fleet.items;
    return inOrderOfIds([...fleet.items, ...fleet.taken]);
  });
}

function planOf(workers: readonly Worker[], itemsOf: (type: ConnectorType) => readonly Item[]): AssignmentPlan {
  const assign: (TaskId & { nodeId: string; incarnation: string })[] = [];
  const revoke: TaskId[] = [];
  const unassigned: UnassignedTask[] = [];
  let incarnations: ReadonlyMap<string, string> | undefined;
  for (const type of ['source', 'sink'] as const) {
    for (const { task, group, previous, slot } of itemsOf(type)) {
      const { connector, index } = task.id;
      if (group.reason !== undefined) unassigned.push({ connector, index, reason: group.reason });
      if (previous === undefined) {
        if (slot === undefined) continue;
        const { nodeId, incarnation } = slot.worker;
        assign.push({ connector, index, nodeId, incarnation });
      } else if (
        !previous.revoked &&
        !isOwner(slot, previous) &&
        (incarnations ??= incarnationsOf(workers)).get(previous.nodeId) === previous.incarnation
      ) {
        revoke.push(task.id);
      }
    }
  }
  return { assign, revoke, unassigned };
}

/** Keys of the tasks that stay with their draining owner, for every runner that could take them drains too. */
export function keysOfKept({ unassigned }: AssignmentPlan): ReadonlySet<string> {
  return new Set(unassigned.filter(({ reason }) => reason.code === 'all-draining').map(taskKey));
}

function incarnationsOf(workers: readonly Worker[]): ReadonlyMap<string, string> {
  return new Map(workers.map(({ nodeId, incarnation }) => [nodeId, incarnation]));
}

function isOwner(slot: Slot | undefined, { nodeId, incarnation }: PreviousAssignment): boolean {
  return slot?.worker.nodeId === nodeId && slot.worker.incarnation === incarnation;
}
