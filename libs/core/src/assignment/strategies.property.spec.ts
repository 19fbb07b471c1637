import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSIGNMENT_STRATEGY_NAMES } from '../model/cluster-settings.js';
import { assignTasks } from './assign-tasks.js';
import type { AssignableTask, Worker } from './assignment-types.js';
import { isEligible, misplaced, settle, task, without, worker } from '../testing/settled.js';

const labels = fc.constantFrom<Record<string, string>>({}, { zone: 'a' }, { zone: 'b' }, { zone: 'a', disk: 'ssd' });
const fleets = fc
  .uniqueArray(
    fc.record({
      n: fc.integer({ min: 0, max: 11 }),
      role: fc.constantFrom('source-runner' as const, 'source-runner' as const, 'sink-runner' as const),
      capacity: fc.constantFrom(1, 1, 1, 2, 3, 0.5, 0),
      plugins: fc.constantFrom(['A', 'B'], ['A', 'B'], ['A'], ['B']),
      labels,
      draining: fc.constantFrom(false, false, false, true),
    }),
    { selector: ({ n }) => n, maxLength: 8 },
  )
  .map((fleet): Worker[] => fleet.map(({ n, ...more }) => worker(`w${n}`, more)));
const placement = fc.constantFrom<Record<string, string>>({}, {}, { zone: 'a' }, { zone: 'b' }, { disk: 'ssd' });
const work = fc
  .array(
    fc.record({
      connector: fc.constantFrom('c1', 'c2', 'c10'),
      type: fc.constantFrom('source' as const, 'sink' as const),
      connectorClass: fc.constantFrom('A', 'B'),
      placement,
    }),
    { maxLength: 40 },
  )
  .map((all): AssignableTask[] => all.map(({ connector, ...more }, i) => task(connector, i, more)));

describe.each(ASSIGNMENT_STRATEGY_NAMES)('strategy %s', (strategy) => {
  it('assigns every task once, to an eligible worker, and says which have none', () => {
    fc.assert(
      fc.property(fleets, fleets, work, (first, second, tasks) => {
        const { held } = settle(strategy, tasks, first);
        const after = settle(strategy, tasks, second, without(held, second));
        const lonely = tasks.filter((each) => !second.some((to) => isEligible(to, each)));
        expect([...after.unassigned].sort()).toEqual(lonely.map(({ key }) => key).sort());
        expect([...after.held.keys(), ...after.unassigned].sort()).toEqual(tasks.map(({ key }) => key).sort());
        for (const each of tasks) {
          const owner = second.find(({ nodeId }) => nodeId === after.held.get(each.key)?.nodeId);
          if (owner !== undefined) expect(isEligible(owner, each)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says the same whatever the order of tasks and workers', () => {
    fc.assert(
      fc.property(fleets, fleets, work, fc.infiniteStream(fc.nat()), (first, second, tasks, keys) => {
        const shuffled = <T>(all: readonly T[]): T[] =>
          all
            .map((each) => ({ each, at: Number(keys.next().value) }))
            .sort((a, b) => a.at - b.at)
            .map(({ each }) => each);
        const previous = without(settle(strategy, tasks, first).held, second);
        const plan = assignTasks(strategy, { tasks, workers: second, previous });
        const other = { tasks: shuffled(tasks), workers: shuffled(second), previous: new Map(shuffled([...previous])) };
        expect(assignTasks(strategy, other)).toEqual(plan);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves what it assigned where it is', () => {
    fc.assert(
      fc.property(fleets, work, (workers, tasks) => {
        const { assign } = assignTasks(strategy, { tasks, workers, previous: new Map() });
        const { held, moves } = settle(strategy, tasks, workers);
        expect(moves).toBe(0);
        expect(held.size).toBe(assign.length);
      }),
      { numRuns: 200 },
    );
  });

  it('waits for tasks whose owner is absent or still stops them', () => {
    const workers = [worker('w1'), worker('w2')];
    const tasks = [task('c', 0), task('c', 1)];
    const previous = new Map([
      ['c-0', { nodeId: 'w9', incarnation: 'w9#1', revoked: false }],
      ['c-1', { nodeId: 'w1', incarnation: 'w1#1', revoked: true }],
    ]);
    expect(assignTasks(strategy, { tasks, workers, previous })).toEqual({ assign: [], revoke: [], unassigned: [] });
  });

  it('moves tasks off a draining worker and gives it none', () => {
    const tasks = Array.from({ length: 30 }, (_, i) => task('c', i));
    const workers = ['w1', 'w2', 'w3'].map((nodeId) => worker(nodeId));
    const { held } = settle(strategy, tasks, workers);
    const drained = workers.map((each) => ({ ...each, draining: each.nodeId === 'w2' }));
    const onDrained = tasks.filter(({ key }) => held.get(key)?.nodeId === 'w2').map(({ id }) => id);
    expect(onDrained.length).toBeGreaterThan(0);
    expect(assignTasks(strategy, { tasks, workers: drained, previous: held }).revoke).toEqual(expect.arrayContaining(onDrained));
    const after = settle(strategy, tasks, drained, held).held;
    expect(new Set([...after.values()].map(({ nodeId }) => nodeId))).toEqual(new Set(['w1', 'w3']));
  });
});

describe.each(['sticky', 'average'] as const)('strategy %s', (strategy) => {
  it('leaves no task that would be better off on another eligible worker', () => {
    fc.assert(
      fc.property(fleets, fleets, work, (first, second, tasks) => {
        const before = without(settle(strategy, tasks, first).held, second);
        const { held } = settle(strategy, tasks, second, before);
        expect(misplaced(tasks, second, held)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('keeps equal workers within one task of each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 60 }), (size, count) => {
        const workers = Array.from({ length: size }, (_, i) => worker(`w${i}`));
        const tasks = Array.from({ length: count }, (_, i) => task('c', i));
        const { held } = settle(strategy, tasks, workers);
        const counts = workers.map(({ nodeId }) => [...held.values()].filter((each) => each.nodeId === nodeId).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
