import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ASSIGNMENT_STRATEGY_NAMES, type AssignmentStrategyName } from '../model/cluster-settings.js';
import { taskKey } from '../model/connector.js';
import type { AssignableTask, Worker } from './assignment-types.js';
import { planAssignment, type AssignmentChange, type AssignmentPreview } from './preview-assignment.js';
import { loads, settle, task, tasksOf, worker, type Held } from '../testing/settled.js';

const three = [worker('w1'), worker('w2'), worker('w3')];

function preview(
  change: AssignmentChange,
  tasks: readonly AssignableTask[],
  workers: readonly Worker[],
  previous: Held = settle('sticky', tasks, workers).held,
  strategy: AssignmentStrategyName = 'sticky',
): AssignmentPreview {
  const plan = planAssignment({ strategy, tasks, workers, previous }, change);
  if (!plan.ok) throw new Error(plan.message);
  return plan;
}

const text = ({ moves }: AssignmentPreview): string[] =>
  moves.map(({ task: { connector, index }, from = '-', to, reason }) => {
    return `${connector}-${index}: ${from} → ${to} (${reason})`;
  });
const loadsText = ({ loads: all }: AssignmentPreview): string[] =>
  all.map(({ nodeId, before, after }) => `${nodeId}: ${before} → ${after}`);

describe('planAssignment', () => {
  it('shows where the tasks of a removed worker go', () => {
    const plan = preview({ remove: 'w2' }, tasksOf(6), three);
    expect(text(plan)).toEqual(['c-1: w2 → w1 (owner-removed)', 'c-4: w2 → w3 (owner-removed)']);
    expect(loadsText(plan)).toEqual(['w1: 2 → 3', 'w2: 2 → 0', 'w3: 2 → 3']);
    expect(plan.unassigned).toEqual([]);
  });

  it('shows where the tasks of a drained worker go', () => {
    const plan = preview({ drain: 'w2' }, tasksOf(6), three);
    expect(text(plan)).toEqual(['c-1: w2 → w1 (owner-draining)', 'c-4: w2 → w3 (owner-draining)']);
    expect(loadsText(plan)).toEqual(['w1: 2 → 3', 'w2: 2 → 0', 'w3: 2 → 3']);
  });

  it('shows what an added worker takes', () => {
    const plan = preview({ add: worker('w4') }, tasksOf(6), three);
    expect(text(plan)).toEqual(['c-5: w3 → w4 (rebalanced)']);
    expect(loadsText(plan)).toEqual(['w1: 2 → 2', 'w2: 2 → 2', 'w3: 2 → 1', 'w4: 0 → 1']);
  });

  it('shows what another strategy moves', () => {
    const held = settle('sticky', tasksOf(4), [worker('w1')]).held;
    const plan = preview({ strategy: 'average' }, tasksOf(4), [worker('w1'), worker('w2')], held);
    expect(plan.strategy).toBe('average');
    expect(text(plan)).toEqual(['c-1: w1 → w2 (rebalanced)', 'c-3: w1 → w2 (rebalanced)']);
  });

  it('shows which tasks stay with a draining worker, for nobody else could run them', () => {
    const workers = [worker('w1', { labels: { zone: 'a' } }), worker('w2')];
    const plan = preview({ drain: 'w1' }, [task('c', 0, { placement: { zone: 'a' } }), task('d', 0)], workers);
    expect(plan.unassigned).toEqual([]);
    expect(plan.staying).toEqual([
      {
        task: { connector: 'c', index: 0 },
        on: 'w1',
        reason: {
          code: 'all-draining',
          message: 'All workers of role source-runner with plugin A and labels {zone: a} are draining.',
        },
      },
    ]);
    expect(loadsText(plan)).toEqual(['w1: 1 → 1', 'w2: 1 → 1']);
  });

  it('says which tasks nobody can run afterwards, and who loses them', () => {
    const plan = preview({ remove: 'w1' }, tasksOf(1), [worker('w1'), worker('w2', { draining: true })]);
    expect(plan.staying).toEqual([]);
    expect(plan.unassigned).toMatchObject([{ task: { connector: 'c', index: 0 }, from: 'w1', reason: { code: 'all-draining' } }]);
    expect(loadsText(plan)).toEqual(['w1: 1 → 0', 'w2: 0 → 0']);
  });

  it('shows what is under way already, with its reason', () => {
    const workers = [worker('w1'), worker('w2'), worker('w3', { plugins: ['B'] })];
    const held = new Map([
      ['c-0', { nodeId: 'w3', incarnation: 'w3#1', revoked: false }],
      ['c-1', { nodeId: 'w1', incarnation: 'w1#1', revoked: true }],
      ['c-3', { nodeId: 'gone', incarnation: 'gone#1', revoked: false }],
    ]);
    const plan = preview({ drain: 'w1' }, tasksOf(4), workers, held);
    expect(text(plan)).toEqual(['c-0: w3 → w2 (owner-not-eligible)', 'c-1: w1 → w2 (owner-draining)', 'c-2: - → w2 (unassigned)']);
    expect(text(preview({ strategy: 'sticky' }, [task('c', 1)], [worker('w2')], held))).toEqual(['c-1: w1 → w2 (revoked)']);
  });

  it('keeps a task that is being restarted with its owner', () => {
    const held = new Map([['c-0', { nodeId: 'w3', incarnation: 'w3#1', revoked: true }]]);
    const plan = preview({ strategy: 'sticky' }, tasksOf(1), three, held);
    expect(text(plan)).toEqual([]);
    expect(loadsText(plan)).toEqual(['w1: 0 → 0', 'w2: 0 → 0', 'w3: 1 → 1']);
  });

  it('refuses to add a worker that is there, and to remove or drain one that is not', () => {
    const input = { strategy: 'sticky' as const, tasks: [], workers: three, previous: new Map() };
    const missing = { ok: false, status: 'not-found', message: 'Worker w9 is not in the cluster.' };
    expect(planAssignment(input, { remove: 'w9' })).toEqual(missing);
    expect(planAssignment(input, { drain: 'w9' })).toEqual(missing);
    expect(planAssignment(input, { add: worker('w1') })).toEqual({
      ok: false,
      status: 'conflict',
      message: 'Worker w1 is in the cluster already.',
    });
  });

  it('ends as the plans themselves end, and changes nothing that it was given', () => {
    const names = fc.constantFrom(...ASSIGNMENT_STRATEGY_NAMES);
    const plugins = fc.constantFrom(['A', 'B'], ['A'], ['B']);
    const fleets = fc
      .array(fc.record({ plugins, capacity: fc.constantFrom(1, 2) }), { minLength: 1, maxLength: 6 })
      .map((all) => all.map((more, i) => worker(`w${i}`, more)));
    const work = fc
      .array(fc.constantFrom('A', 'B'), { maxLength: 25 })
      .map((all) => all.map((connectorClass, i) => task('c', i, { connectorClass })));
    fc.assert(
      fc.property(names, fleets, work, fc.nat(), (strategy, workers, tasks, pick) => {
        const { held } = settle(strategy, tasks, workers);
        const drained = workers[pick % workers.length]!;
        const untouched = structuredClone({ tasks, workers, held });
        const plan = preview({ drain: drained.nodeId }, tasks, workers, held, strategy);
        expect({ tasks, workers, held }).toEqual(untouched);
        const after = workers.map((each) => (each === drained ? { ...each, draining: true } : each));
        const owners = new Map([...held].map(([key, { nodeId }]) => [key, nodeId]));
        for (const { task: id, from, to } of plan.moves) {
          expect(owners.get(`c-${id.index}`)).toBe(from);
          owners.set(`c-${id.index}`, to);
        }
        for (const { task: id } of plan.unassigned) owners.delete(`c-${id.index}`);
        const result = new Map([...owners].map(([key, nodeId]) => [key, { nodeId, incarnation: `${nodeId}#1`, revoked: false }]));
        expect(Object.fromEntries(plan.loads.map((load) => [load.nodeId, load.after]))).toEqual(loads(result, after));
        // The plans alone would revoke those too: the coordinator keeps what nobody else could run.
        const staying = new Set(plan.staying.map(({ task: id }) => taskKey(id)));
        const movable = tasks.filter(({ key }) => !staying.has(key));
        const settled = new Map([...result].filter(([key]) => !staying.has(key)));
        expect(settle(strategy, movable, after, settled)).toMatchObject({ moves: 0, held: settled });
      }),
      { numRuns: 300 },
    );
  });
});
