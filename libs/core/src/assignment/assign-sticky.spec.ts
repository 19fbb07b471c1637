import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assignTasks } from './assign-tasks.js';
import type { AssignableTask, PreviousAssignment, Worker } from './assignment-types.js';
import { isEligible, loads, misplaced, settle, task, tasksOf, worker, type Held } from '../testing/settled.js';

/** Tries every assignment: the fewest running tasks that any balanced one moves. */
function fewestMoves(tasks: readonly AssignableTask[], workers: readonly Worker[], held: Held): number {
  const choice = new Map<string, PreviousAssignment>();
  let fewest = Infinity;
  const tryFrom = (at: number, moves: number): void => {
    if (moves >= fewest) return;
    const next = tasks[at];
    if (next === undefined) {
      if (misplaced(tasks, workers, choice).length === 0) fewest = moves;
      return;
    }
    const owner = held.get(next.key);
    for (const { nodeId, incarnation } of workers.filter((each) => isEligible(each, next))) {
      choice.set(next.key, { nodeId, incarnation, revoked: false });
      tryFrom(at + 1, moves + (owner !== undefined && owner.nodeId !== nodeId ? 1 : 0));
    }
    choice.delete(next.key);
  };
  tryFrom(0, 0);
  return fewest;
}

/** Any distribution at all, however unbalanced; `undefined` is a free task. */
const owners = fc.array(fc.option(fc.nat({ max: 3 }), { nil: undefined }), { maxLength: 7 });

function heldBy(tasks: readonly AssignableTask[], workers: readonly Worker[], of: readonly (number | undefined)[]): Held {
  return new Map(
    tasks.flatMap((each, i): [string, PreviousAssignment][] => {
      const owner = workers[of[i] ?? -1];
      if (owner === undefined || !isEligible(owner, each)) return [];
      return [[each.key, { nodeId: owner.nodeId, incarnation: owner.incarnation, revoked: false }]];
    }),
  );
}

describe('strategy sticky', () => {
  it('moves as few tasks as any balanced assignment, whatever the capacities', () => {
    const capacities = fc.array(fc.constantFrom(1, 1, 2, 3, 0.5, 1.5), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(capacities, owners, (given, of) => {
        const workers = given.map((capacity, i) => worker(`w${i}`, { capacity }));
        const tasks = tasksOf(of.length);
        const held = heldBy(tasks, workers, of);
        expect(settle('sticky', tasks, workers, held).moves).toBe(fewestMoves(tasks, workers, held));
      }),
      { numRuns: 300 },
    );
  });

  it('moves as few tasks as any balanced assignment where zones share no worker', () => {
    const zones = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(zones, owners, fc.infiniteStream(fc.boolean()), (given, of, coin) => {
        const workers = given.map((zone, i) => worker(`w${i}`, { labels: { zone } }));
        const tasks = of.map((_, i) => task('c', i, { placement: { zone: coin.next().value === true ? 'a' : 'b' } }));
        const placed = tasks.filter((each) => workers.some((to) => isEligible(to, each)));
        const held = heldBy(tasks, workers, of);
        expect(settle('sticky', tasks, workers, held).moves).toBe(fewestMoves(placed, workers, held));
      }),
      { numRuns: 200 },
    );
  });

  it('mostly moves as few where plugins overlap in part: in 97 of 100 cases, and an eighth more in all', () => {
    const plugins = fc.constantFrom(['A', 'B'], ['A', 'B'], ['A'], ['B']);
    const fleets = fc.array(plugins, { minLength: 1, maxLength: 4 });
    const sum = { moves: 0, fewest: 0, cases: 0, exact: 0 };
    fc.assert(
      fc.property(fleets, owners, fc.infiniteStream(fc.boolean()), (given, of, coin) => {
        const workers = given.map((each, i) => worker(`w${i}`, { plugins: each }));
        const tasks = of
          .map((_, i) => task('c', i, { connectorClass: coin.next().value === true ? 'A' : 'B' }))
          .filter((each) => workers.some((to) => isEligible(to, each)));
        const held = heldBy(tasks, workers, of);
        const { moves } = settle('sticky', tasks, workers, held);
        const fewest = fewestMoves(tasks, workers, held);
        expect(moves).toBeGreaterThanOrEqual(fewest);
        sum.moves += moves;
        sum.fewest += fewest;
        sum.cases += 1;
        sum.exact += moves === fewest ? 1 : 0;
      }),
      { numRuns: 1000, seed: 5 },
    );
    expect(sum.exact / sum.cases).toBeGreaterThanOrEqual(0.97);
    expect(sum.moves).toBeLessThanOrEqual(sum.fewest * 1.125);
  });

  it('moves nothing when it is balanced, however it came to be', () => {
    const workers = [worker('w1'), worker('w2')];
    const tasks = tasksOf(4);
    const held = heldBy(tasks, workers, [1, 0, 0, 1]);
    expect(assignTasks('sticky', { tasks, workers, previous: held })).toEqual({
      assign: [],
      revoke: [],
      unassigned: [],
    });
  });

  it('gives a joining worker its share and keeps all other tasks where they run', () => {
    const { held } = settle('sticky', tasksOf(6), [worker('w1'), worker('w2')]);
    const workers = [worker('w1'), worker('w2'), worker('w3')];
    const plan = assignTasks('sticky', { tasks: tasksOf(6), workers, previous: held });
    expect(plan.assign).toEqual([]);
    expect(plan.revoke).toHaveLength(2);
  });

  it('plans nothing more while revoked tasks have not stopped', () => {
    const workers = [worker('w1'), worker('w2')];
    const tasks = tasksOf(4);
    const held = new Map(settle('sticky', tasks, [worker('w1')]).held);
    const { revoke } = assignTasks('sticky', { tasks, workers, previous: held });
    expect(revoke).toHaveLength(2);
    for (const { index } of revoke) held.set(`c-${index}`, { nodeId: 'w1', incarnation: 'w1#1', revoked: true });
    expect(assignTasks('sticky', { tasks, workers, previous: held })).toEqual({
      assign: [],
      revoke: [],
      unassigned: [],
    });
  });

  it('returns tasks to their last owner when it comes back as a new incarnation', () => {
    const workers = [worker('w1'), worker('w2'), worker('w3')];
    const held = new Map(settle('sticky', tasksOf(10), workers).held);
    const lost = [...held].filter(([, { nodeId }]) => nodeId === 'w2').map(([key]) => key);
    for (const key of lost) held.delete(key);
    const tasks = tasksOf(10).map((each) => (lost.includes(each.key) ? { ...each, lastNodeId: 'w2' } : each));
    const back = workers.map((each) => (each.nodeId === 'w2' ? { ...each, incarnation: 'w2#2' } : each));
    const plan = assignTasks('sticky', { tasks, workers: back, previous: held });
    expect(plan.assign.map(({ index, nodeId }) => [`c-${index}`, nodeId])).toEqual(lost.map((key) => [key, 'w2']));
    expect(plan.revoke).toEqual([]);
  });

  it('gives by capacity, and nothing to capacity 0', () => {
    const workers = [worker('w1'), worker('w2', { capacity: 3 }), worker('w3', { capacity: 0 })];
    expect(loads(settle('sticky', tasksOf(8), workers).held, workers)).toEqual({ w1: 2, w2: 6, w3: 0 });
  });
});
