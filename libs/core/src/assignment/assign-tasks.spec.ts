import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { taskKey } from '../model/connector.js';
import { assignTasks } from './assign-tasks.js';
import type { AssignableTask, AssignmentPlan, PreviousAssignment, Worker } from './assignment-plan.js';

const worker = (nodeId: string, capacity = 1, plugins: readonly string[] = ['A', 'B']): Worker => ({
  nodeId,
  incarnation: `${nodeId}#1`,
  role: 'source-runner',
  capacity,
  plugins,
});
const task = (connector: string, index: number, connectorClass = 'A'): AssignableTask => ({
  key: taskKey({ connector, index }),
  id: { connector, index },
  type: 'source',
  connectorClass,
});
const tasksOf = (count: number, connector = 'c'): AssignableTask[] =>
  Array.from({ length: count }, (_, i) => task(connector, i));

type Held = Map<string, PreviousAssignment>;

/** What is held after the plan was carried out to its end: revoked tasks stop and are assigned by further plans. */
function settle(
  tasks: readonly AssignableTask[],
  workers: readonly Worker[],
  start: Held,
): { held: Held; moves: number } {
  let held = new Map(start);
  let moves = 0;
  for (let round = 0; round < 5; round += 1) {
    const plan = assignTasks({ tasks, workers, previous: held });
    if (plan.assign.length + plan.revoke.length === 0) return { held, moves };
    moves += plan.revoke.length;
    held = new Map(held);
    for (const id of plan.revoke) held.delete(taskKey(id));
    for (const { nodeId, incarnation, ...id } of plan.assign) {
      expect(held.has(taskKey(id))).toBe(false);
      held.set(taskKey(id), { nodeId, incarnation, revoked: false });
    }
  }
  throw new Error('plans do not converge');
}

function loads(held: Held, workers: readonly Worker[]): Record<string, number> {
  const counts = Object.fromEntries(workers.map(({ nodeId }) => [nodeId, 0]));
  for (const { nodeId } of held.values()) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  return counts;
}

const text = (plan: AssignmentPlan): string[] => [
  ...plan.assign.map(({ nodeId, ...id }) => `${taskKey(id)} → ${nodeId}`),
  ...plan.revoke.map((id) => `${taskKey(id)} ✗`),
];

describe('assignTasks', () => {
  it('spreads free tasks evenly', () => {
    const plan = assignTasks({ tasks: tasksOf(3), workers: [worker('w2'), worker('w1')], previous: new Map() });
    expect(text(plan)).toEqual(['c-0 → w1', 'c-1 → w2', 'c-2 → w1']);
  });

  it('gives a joining worker its share and keeps all other tasks where they run', () => {
    const { held } = settle(tasksOf(6), [worker('w1'), worker('w2')], new Map());
    const plan = assignTasks({
      tasks: tasksOf(6),
      workers: [worker('w1'), worker('w2'), worker('w3')],
      previous: held,
    });
    expect(plan.assign).toEqual([]);
    expect(plan.revoke).toHaveLength(2);
  });

  it('plans nothing more while revoked tasks have not stopped', () => {
    const workers = [worker('w1'), worker('w2')];
    const { held } = settle(tasksOf(4), [worker('w1')], new Map());
    const plan = assignTasks({ tasks: tasksOf(4), workers, previous: held });
    for (const id of plan.revoke) held.set(taskKey(id), { nodeId: 'w1', incarnation: 'w1#1', revoked: true });
    expect(text(assignTasks({ tasks: tasksOf(4), workers, previous: held }))).toEqual([]);
  });

  it('returns tasks to their last owner when it comes back as a new incarnation', () => {
    const workers = [worker('w1'), worker('w2'), worker('w3')];
    const { held } = settle(tasksOf(10), workers, new Map());
    const lost = [...held].filter(([, { nodeId }]) => nodeId === 'w2').map(([key]) => key);
    for (const key of lost) held.delete(key);
    const tasks = tasksOf(10).map((each) => (lost.includes(taskKey(each.id)) ? { ...each, lastNodeId: 'w2' } : each));
    const back = workers.map((each) => (each.nodeId === 'w2' ? { ...each, incarnation: 'w2#2' } : each));
    const plan = assignTasks({ tasks, workers: back, previous: held });
    expect(plan.assign.map((id) => [taskKey(id), id.nodeId])).toEqual(lost.map((key) => [key, 'w2']));
    expect(plan.revoke).toEqual([]);
  });

  it('gives by capacity, and nothing to capacity 0', () => {
    const workers = [worker('w1', 1), worker('w2', 3), worker('w3', 0)];
    expect(loads(settle(tasksOf(8), workers, new Map()).held, workers)).toEqual({ w1: 2, w2: 6, w3: 0 });
  });

  it('gives only to workers of the role that list the class', () => {
    const workers = [worker('w1', 1, ['B']), { ...worker('w2'), role: 'sink-runner' as const }];
    expect(text(assignTasks({ tasks: [task('a', 0, 'A'), task('b', 0, 'B')], workers, previous: new Map() }))).toEqual([
      'b-0 → w1',
    ]);
  });

  it('is complete, balanced within one, sticky and independent of order', () => {
    const plugins = fc.constantFrom(['A', 'B'], ['A', 'B'], ['A'], ['B']);
    const fleet = fc.uniqueArray(
      fc.record({ n: fc.integer({ min: 0, max: 12 }), capacity: fc.constantFrom(1, 1, 2, 0.5), plugins }),
      { selector: ({ n }) => n, maxLength: 8 },
    );
    const work = fc.array(fc.constantFrom('A', 'B'), { maxLength: 40 });
    const build = (spec: readonly { n: number; capacity: number; plugins: readonly string[] }[]): Worker[] =>
      spec.map((each) => worker(`w${String(each.n)}`, each.capacity, each.plugins));
    fc.assert(
      fc.property(fleet, fleet, work, (first, second, classes) => {
        const tasks = classes.map((each, i) => task('c', i, each));
        const before = settle(tasks, build(first), new Map()).held;
        const workers = build(second);
        const alive = new Set(workers.map(({ nodeId }) => nodeId));
        const freed = new Map([...before].filter(([, { nodeId }]) => alive.has(nodeId)));
        const input = { tasks, workers, previous: freed };
        const shuffled = { ...input, tasks: tasks.toReversed(), workers: workers.toReversed() };
        expect(assignTasks(shuffled)).toEqual(assignTasks(input));

        const { held } = settle(tasks, workers, freed);
        for (const { id, connectorClass } of tasks) {
          const canRun = workers.filter((each) => each.plugins.includes(connectorClass));
          const owner = canRun.find(({ nodeId }) => held.get(taskKey(id))?.nodeId === nodeId);
          expect(owner !== undefined).toBe(canRun.length > 0);
          if (owner === undefined) continue;
          const count = loads(held, workers);
          for (const other of canRun) {
            const own = (count[owner.nodeId] ?? 0) / owner.capacity;
            expect(own).toBeLessThanOrEqual(((count[other.nodeId] ?? 0) + 1) / other.capacity + 1e-6);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('moves no more tasks than balance needs among equal workers', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(nodes, nodes, fc.integer({ min: 0, max: 60 }), (first, second, count) => {
        const tasks = tasksOf(count);
        const workers = second.map((n) => worker(`w${String(n)}`));
        const before = settle(
          tasks,
          first.map((n) => worker(`w${String(n)}`)),
          new Map(),
        ).held;
        const kept = new Map([...before].filter(([, { nodeId }]) => workers.some((each) => each.nodeId === nodeId)));
        const sizes = Object.values(loads(kept, workers)).sort((a, b) => b - a);
        const low = Math.floor(count / workers.length);
        const high = count % workers.length;
        const needed = sizes.reduce((sum, size, i) => sum + Math.max(0, size - (i < high ? low + 1 : low)), 0);
        expect(settle(tasks, workers, kept).moves).toBe(needed);
      }),
      { numRuns: 300 },
    );
  });

  it('assigns 100,000 tasks to 1,000 workers, and one more, in at most 200 ms of CPU each', () => {
    const tasks = Array.from({ length: 10_000 }, (_, c) => tasksOf(10, `connector-${String(c)}`)).flat();
    const workers = Array.from({ length: 1_000 }, (_, i) => worker(`w${String(i)}`));
    const timed = (previous: Held, fleet: readonly Worker[]): { plan: AssignmentPlan; cpuMs: number } => {
      const run = (): { plan: AssignmentPlan; cpuMs: number } => {
        const before = process.cpuUsage();
        const plan = assignTasks({ tasks, workers: fleet, previous });
        return { plan, cpuMs: process.cpuUsage(before).user / 1_000 };
      };
      return [run(), run(), run(), run(), run()].reduce((best, each) => (each.cpuMs < best.cpuMs ? each : best));
    };
    const start = timed(new Map(), workers);
    expect(start.plan.assign).toHaveLength(100_000);
    const held: Held = new Map(
      start.plan.assign.map((to) => [taskKey(to), { nodeId: to.nodeId, incarnation: to.incarnation, revoked: false }]),
    );
    const joined = timed(held, [...workers, worker('x')]);
    expect(joined.plan.revoke).toHaveLength(99);
    expect(Math.max(start.cpuMs, joined.cpuMs)).toBeLessThan(200);
  });
});
