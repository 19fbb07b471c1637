import { taskKey, type TaskId } from '../model/connector.js';
import { memberKey, type Role } from '../model/member.js';
import type { AssignmentStrategyName } from '../model/cluster-settings.js';
import { assignTasks, keysOfKept } from './assign-tasks.js';
import type { AssignableTask, AssignmentInput, PreviousAssignment, UnassignedReason, UnassignedTask, Worker } from './assignment-types.js';
import { canRun } from './eligibility.js';
import { compareText } from '../model/text-order.js';

/** What is to be tried: exactly one of these. */
export type AssignmentChange =
  { readonly remove: string } | { readonly add: Worker } | { readonly strategy: AssignmentStrategyName } | { readonly drain: string };

/** `unassigned` and `revoked`: nobody ran it before, or its owner was stopping it already. */
export type MoveReason = 'unassigned' | 'revoked' | 'owner-removed' | 'owner-draining' | 'owner-not-eligible' | 'rebalanced';

export interface TaskMove {
  readonly task: TaskId;
  /** Node id of the owner before; absent if nobody held it. */
  readonly from?: string;
  readonly to: string;
  readonly reason: MoveReason;
}

/** Numbers of tasks that a worker holds. */
export interface WorkerLoad {
  readonly nodeId: string;
  readonly role: Role;
  readonly capacity: number;
  readonly before: number;
  readonly after: number;
}

export interface AssignmentPreview {
  readonly ok: true;
  readonly strategy: AssignmentStrategyName;
  /** By connector name, then index. */
  readonly moves: readonly TaskMove[];
  /** Tasks that nobody can run after the change; `from` is the owner that loses it. */
  readonly unassigned: readonly { readonly task: TaskId; readonly from?: string; readonly reason: UnassignedReason }[];
  /** Tasks that stay on their draining node `on`, for every worker that could take them drains too. */
  readonly staying: readonly { readonly task: TaskId; readonly on: string; readonly reason: UnassignedReason }[];
  /** All workers before or after the change, by node id. */
  readonly loads: readonly WorkerLoad[];
}

export interface RefusedChange {
  readonly ok: false;
  readonly status: 'not-found' | 'conflict';
  readonly message: string;
}

type Held = ReadonlyMap<string, PreviousAssignment>;

/** A move takes two plans, stop and start; the third finds nothing to do. Local search may need a few more. */
const MAX_PLANS = 16;

/**
 * What a change would move, carried out to its end as if every task stopped when asked; nothing is moved. What is under
 * way or out of balance already is part of the result. A task whose owner is not among the workers stays with it.
 */
export function planAssignment(
  { strategy, ...input }: AssignmentInput & { readonly strategy: AssignmentStrategyName },
  change: AssignmentChange,
): AssignmentPreview | RefusedChange {
  const changed = changedWorkers(input.workers, change);
  if ('ok' in changed) return changed;
  const next = 'strategy' in change ? change.strategy : strategy;
  const removed = 'remove' in change ? input.workers.find(({ nodeId }) => nodeId === change.remove) : undefined;
  const { held, unassigned, staying } = settle(next, { ...input, workers: changed.workers }, removed);
  return {
    ok: true,
    strategy: next,
    moves: movesBetween(input, held, changed.workers),
    unassigned: unassigned.map(({ connector, index, reason }) => {
      const from = input.previous.get(taskKey({ connector, index }))?.nodeId;
      return { task: { connector, index }, ...(from === undefined ? {} : { from }), reason };
    }),
    staying,
    loads: loadsOf(input, held, changed.workers),
  };
}

function changedWorkers(workers: readonly Worker[], change: AssignmentChange): { readonly workers: readonly Worker[] } | RefusedChange {
  if ('strategy' in change) return { workers };
  const nodeId = 'add' in change ? change.add.nodeId : 'remove' in change ? change.remove : change.drain;
  const isKnown = workers.some((worker) => worker.nodeId === nodeId);
  if ('add' in change) {
    if (isKnown) return { ok: false, status: 'conflict', message: `Worker ${nodeId} is in the cluster already.` };
    return { workers: [...workers, change.add] };
  }
  if (!isKnown) return { ok: false, status: 'not-found', message: `Worker ${nodeId} is not in the cluster.` };
  if ('remove' in change) return { workers: workers.filter((worker) => worker.nodeId !== nodeId) };
  return { workers: workers.map((worker) => (worker.nodeId === nodeId ? { ...worker, draining: true } : worker)) };
}

/** Plans again and again, as the coordinator does, until nothing is left to do. */
function settle(
  strategy: AssignmentStrategyName,
  input: AssignmentInput,
  removed: Worker | undefined,
): {
  readonly held: Held;
  readonly unassigned: readonly UnassignedTask[];
  readonly staying: AssignmentPreview['staying'];
} {
  const held = new Map(input.previous);
  let tasks = input.tasks;
  const free = (isFree: (task: AssignableTask, owner: PreviousAssignment) => boolean): void => {
    tasks = tasks.map((task) => {
      const owner = held.get(task.key);
      if (owner === undefined || !isFree(task, owner)) return task;
      held.delete(task.key);
      return { ...task, lastNodeId: owner.nodeId };
    });
  };
  const isRemoved = (owner: PreviousAssignment): boolean => removed !== undefined && memberKey(owner) === memberKey(removed);
  free((_, owner) => owner.revoked || isRemoved(owner));
  for (let plans = 1; ; plans += 1) {
    const plan = assignTasks(strategy, { ...input, tasks, previous: held });
    const kept = keysOfKept(plan);
    const revoked = new Set(plan.revoke.map(taskKey).filter((key) => !kept.has(key)));
    const isDone = plan.assign.length + revoked.size === 0;
    if (isDone || plans === MAX_PLANS) return { held, ...splitUnassigned(plan.unassigned, kept, held, input.workers) };
    free(({ key }) => revoked.has(key));
    for (const { nodeId, incarnation, ...id } of plan.assign) {
      held.set(taskKey(id), { nodeId, incarnation, revoked: false });
    }
  }
}

function splitUnassigned(
  all: readonly UnassignedTask[],
  kept: ReadonlySet<string>,
  held: Held,
  workers: readonly Worker[],
): { readonly unassigned: readonly UnassignedTask[]; readonly staying: AssignmentPreview['staying'] } {
  const present = new Set(workers.map(memberKey));
  const unassigned: UnassignedTask[] = [];
  const staying: AssignmentPreview['staying'][number][] = [];
  for (const task of all) {
    const { connector, index, reason } = task;
    const key = taskKey(task);
    const owner = kept.has(key) ? held.get(key) : undefined;
    if (owner === undefined || !present.has(memberKey(owner))) unassigned.push(task);
    else staying.push({ task: { connector, index }, on: owner.nodeId, reason });
  }
  return { unassigned, staying };
}

function movesBetween({ tasks, workers, previous }: AssignmentInput, after: Held, next: readonly Worker[]): TaskMove[] {
  const before = new Map(workers.map((worker) => [memberKey(worker), worker]));
  const nextWorkers = new Map(next.map((worker) => [memberKey(worker), worker]));
  const moves = tasks.flatMap((task): TaskMove[] => {
    const from = previous.get(task.key);
    const to = after.get(task.key);
    if (to === undefined) return [];
    if (from === undefined) return [{ task: task.id, to: to.nodeId, reason: 'unassigned' }];
    if (memberKey(from) === memberKey(to)) return [];
    const isGone = before.has(memberKey(from)) && !nextWorkers.has(memberKey(from));
    const reason = isGone ? 'owner-removed' : moveReason(task, from, nextWorkers.get(memberKey(from)));
    return [{ task: task.id, from: from.nodeId, to: to.nodeId, reason }];
  });
  return moves.sort((a, b) => compareText(a.task.connector, b.task.connector) || a.task.index - b.task.index);
}

function moveReason(task: AssignableTask, { revoked }: PreviousAssignment, owner: Worker | undefined): MoveReason {
  if (owner?.draining === true) return 'owner-draining';
  if (revoked) return 'revoked';
  return owner === undefined || !canRun(owner, task) ? 'owner-not-eligible' : 'rebalanced';
}

function loadsOf({ workers, previous }: AssignmentInput, after: Held, next: readonly Worker[]): WorkerLoad[] {
  const byNode = new Map([...workers, ...next].map((worker) => [worker.nodeId, worker]));
  const before = counted(previous);
  const then = counted(after);
  return [...byNode.values()]
    .sort((a, b) => compareText(a.nodeId, b.nodeId))
    .map(({ nodeId, role, capacity }) => ({
      nodeId,
      role,
      capacity,
      before: before.get(nodeId) ?? 0,
      after: then.get(nodeId) ?? 0,
    }));
}

function counted(held: Held): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { nodeId } of held.values()) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  return counts;
}
