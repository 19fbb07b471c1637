import type { AssignmentStrategyName } from '../model/cluster-settings.js';
import { taskKey } from '../model/connector.js';
import { assignTasks } from '../assignment/assign-tasks.js';
import type { AssignableTask, PreviousAssignment, Worker } from '../assignment/assignment-types.js';

export type Held = ReadonlyMap<string, PreviousAssignment>;

export function worker(nodeId: string, more: Partial<Worker> = {}): Worker {
  return { nodeId, incarnation: `${nodeId}#1`, role: 'source-runner', capacity: 1, plugins: ['A', 'B'], ...more };
}

export function task(connector: string, index: number, more: Partial<AssignableTask> = {}): AssignableTask {
  const id = { connector, index };
  return { key: taskKey(id), id, type: 'source', connectorClass: 'A', ...more };
}

export function tasksOf(count: number, connector = 'c', more: Partial<AssignableTask> = {}): AssignableTask[] {
  return Array.from({ length: count }, (_, index) => task(connector, index, more));
}

export interface Settled {
  readonly held: Held;
  /** How many running tasks were stopped on the way. */
  readonly moves: number;
  /** Keys of the tasks that were said to have no eligible worker. */
  readonly unassigned: readonly string[];
}

/** Carries plans out until one has nothing to do: revoked tasks stop and are assigned by later plans. */
export function settle(
  strategy: AssignmentStrategyName,
  tasks: readonly AssignableTask[],
  workers: readonly Worker[],
  start: Held = new Map(),
): Settled {
  const held = new Map(start);
  let moves = 0;
  for (let round = 0; round < 6; round += 1) {
    const plan = assignTasks(strategy, { tasks, workers, previous: held });
    if (plan.assign.length + plan.revoke.length === 0) return { held, moves, unassigned: plan.unassigned.map(taskKey) };
    moves += plan.revoke.length;
    for (const id of plan.revoke) {
      if (!held.delete(taskKey(id))) throw new Error(`${taskKey(id)} is revoked and nobody holds it`);
    }
    for (const { nodeId, incarnation, ...id } of plan.assign) {
      if (held.has(taskKey(id))) throw new Error(`${taskKey(id)} is assigned twice`);
      held.set(taskKey(id), { nodeId, incarnation, revoked: false });
    }
  }
  throw new Error('plans do not converge');
}

/** What is held after the owners that are not among the workers are gone. */
export function without(held: Held, workers: readonly Worker[]): Held {
  const present = new Set(workers.map(({ nodeId }) => nodeId));
  return new Map([...held].filter(([, { nodeId }]) => present.has(nodeId)));
}

export function loads(held: Held, workers: readonly Worker[]): Record<string, number> {
  const counts = Object.fromEntries(workers.map(({ nodeId }) => [nodeId, 0]));
  for (const { nodeId } of held.values()) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  return counts;
}

/** Said a second time, apart from the product's code: the conditions of eligibility as DESIGN has them. */
export function isEligible(to: Worker, of: AssignableTask): boolean {
  return (
    to.role === `${of.type}-runner` &&
    to.plugins.includes(of.connectorClass) &&
    Object.entries(of.placement ?? {}).every(([name, value]) => to.labels?.[name] === value) &&
    to.draining !== true &&
    to.capacity > 0
  );
}

/** Tasks that would be better off on another worker: `load / capacity` above the other's `(load + 1) / capacity`. */
export function misplaced(tasks: readonly AssignableTask[], workers: readonly Worker[], held: Held): string[] {
  const count = loads(held, workers);
  return tasks.flatMap((each) => {
    const owner = workers.find(({ nodeId }) => nodeId === held.get(each.key)?.nodeId);
    if (owner === undefined) return [];
    const own = (count[owner.nodeId] ?? 0) / owner.capacity;
    const better = workers
      .filter((other) => other !== owner && isEligible(other, each))
      .filter(({ nodeId, capacity }) => own > ((count[nodeId] ?? 0) + 1) / capacity + 1e-6);
    return better.map(({ nodeId }) => `${each.key}: ${owner.nodeId} → ${nodeId}`);
  });
}
