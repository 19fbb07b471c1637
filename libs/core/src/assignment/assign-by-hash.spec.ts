import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loads, settle, tasksOf, worker, type Held } from '../testing/settled.js';

const zones = fc.constantFrom<Record<string, string>>({ zone: 'a' }, { zone: 'b' });
const fleets = fc
  .uniqueArray(fc.record({ n: fc.integer({ min: 0, max: 20 }), capacity: fc.constantFrom(1, 2, 0.5), labels: zones }), {
    selector: ({ n }) => n,
    minLength: 1,
    maxLength: 8,
  })
  .map((fleet) => fleet.map(({ n, ...more }) => worker(`w${n}`, more)));
const tasks = [
  ...tasksOf(30, 'any'),
  ...tasksOf(30, 'in-a', { placement: { zone: 'a' } }),
  ...tasksOf(30, 'in-b', { placement: { zone: 'b' } }),
];

const nodeOf = (held: Held, key: string): string | undefined => held.get(key)?.nodeId;

describe('strategy consistent-hash', () => {
  it('moves only the tasks of a worker that goes, or those that a worker takes when it comes', () => {
    fc.assert(
      fc.property(fleets, fc.nat(), (workers, pick) => {
        const changed = workers[pick % workers.length]?.nodeId;
        const all = settle('consistent-hash', tasks, workers).held;
        const rest = settle(
          'consistent-hash',
          tasks,
          workers.filter(({ nodeId }) => nodeId !== changed),
        ).held;
        for (const { key } of tasks) {
          if (nodeOf(all, key) !== changed) expect(nodeOf(rest, key)).toBe(nodeOf(all, key));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('gives a node that restarts its tasks again', () => {
    const workers = [worker('w1'), worker('w2'), worker('w3')];
    const restarted = workers.map((each) => ({ ...each, incarnation: `${each.nodeId}#2` }));
    const before = settle('consistent-hash', tasksOf(50), workers).held;
    const after = settle('consistent-hash', tasksOf(50), restarted).held;
    for (const { key } of tasksOf(50)) expect(nodeOf(after, key)).toBe(nodeOf(before, key));
  });

  it('spreads by capacity on average', () => {
    const workers = Array.from({ length: 20 }, (_, i) => worker(`w${i}`, { capacity: i < 10 ? 1 : 3 }));
    const count = loads(settle('consistent-hash', tasksOf(20_000), workers).held, workers);
    const small = workers.slice(0, 10).reduce((sum, { nodeId }) => sum + (count[nodeId] ?? 0), 0);
    expect(small).toBeGreaterThan(4_000);
    expect(small).toBeLessThan(6_000);
    for (const { nodeId, capacity } of workers) {
      expect((count[nodeId] ?? 0) / capacity).toBeGreaterThan(300);
      expect((count[nodeId] ?? 0) / capacity).toBeLessThan(750);
    }
  });
});
