import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TaskTable } from '../model/task-table.js';
import type { ConnectorState, TaskState } from '../model/connector.js';
import { memberKey } from '../model/member.js';
import { ASSIGNMENT_STRATEGY_NAMES } from '../model/cluster-settings.js';
import { assignIndexed, assignTasks } from './assign-tasks.js';
import { inputWithMoving } from './assignment-input.js';
import type { Worker } from './assignment-types.js';
import { TaskIndex } from './task-index.js';
import { worker } from '../testing/settled.js';

const names = ['c1', 'c2', 'c-3'];

const connectors = fc
  .tuple(
    ...names.map((name) =>
      fc.option(
        fc.record({
          name: fc.constant(name),
          type: fc.constant('source' as const),
          config: fc.constantFrom(
            { 'connector.class': 'A' },
            { 'connector.class': 'B' },
            { 'connector.class': 'A', 'placement.zone': 'a' },
          ),
          configVersion: fc.constantFrom(5, 5, 5, 6),
          tasksVersion: fc.constant(5),
          taskCount: fc.constantFrom(0, 3, 6),
          targetState: fc.constantFrom('RUNNING' as const, 'RUNNING' as const, 'PAUSED' as const, 'STOPPED' as const),
        }),
        { freq: 5, nil: undefined },
      ),
    ),
  )
  .map((all): ReadonlyMap<string, ConnectorState> => {
    return new Map(all.flatMap((each) => (each === undefined ? [] : [[each.name, each]])));
  });

const tasks = fc.array(
  fc.record({
    connector: fc.constantFrom(...names),
    index: fc.nat({ max: 6 }),
    type: fc.constantFrom('source' as const, 'source' as const, 'source' as const, 'sink' as const),
    owner: fc.option(fc.constantFrom('w1', 'w2', 'w3', 'w4', 'gone'), { freq: 3, nil: undefined }),
    incarnation: fc.constantFrom(1, 1, 1, 2),
    generation: fc.constantFrom(4, 7),
    revokedAt: fc.constantFrom(undefined, undefined, undefined, 9),
    lastNodeId: fc.constantFrom('w1', 'w2', 'w3'),
    committed: fc.boolean(),
  }),
  { maxLength: 20 },
);

type GivenTask = typeof tasks extends fc.Arbitrary<readonly (infer Item)[]> ? Item : never;

function taskOf(given: GivenTask): TaskState {
  const { connector, index, type, owner, incarnation, generation, revokedAt, committed, lastNodeId } = given;
  const held =
    owner === undefined
      ? {}
      : {
          assignment: {
            nodeId: owner,
            incarnation: `${owner}#${incarnation}`,
            generation,
            ...(revokedAt === undefined ? {} : { revokedAt }),
          },
        };
  return { id: { connector, index }, type, overrides: {}, committed, lastNodeId: owner ?? lastNodeId, ...held };
}

const fleets = fc
  .uniqueArray(
    fc.record({
      nodeId: fc.constantFrom('w1', 'w2', 'w3', 'w4'),
      role: fc.constantFrom('source-runner' as const, 'source-runner' as const, 'sink-runner' as const),
      capacity: fc.constantFrom(1, 1, 1, 2, 0),
      plugins: fc.constantFrom(['A', 'B'], ['A', 'B'], ['A']),
      labels: fc.constantFrom<Record<string, string>>({}, { zone: 'a' }),
      draining: fc.constantFrom(false, false, false, true),
    }),
    { selector: ({ nodeId }) => nodeId },
  )
  .map((fleet): Worker[] => fleet.map(({ nodeId, ...more }) => worker(nodeId, more)));

/** Each version is a copy of the one before with some tasks changed, or of the first: an index may be moved back. */
const versions = fc.array(fc.tuple(connectors, tasks, fleets, fc.boolean()), { minLength: 1, maxLength: 6 });

describe('an index of tasks', () => {
  it.each(ASSIGNMENT_STRATEGY_NAMES)('leads to the same %s assignment as all tasks do', (strategy) => {
    fc.assert(
      fc.property(versions, (steps) => {
        const index = new TaskIndex();
        let last = new TaskTable();
        for (const [known, changes, workers, isFromFirst] of steps) {
          const table = isFromFirst ? new TaskTable() : new TaskTable(last);
          for (const given of changes) {
            if (given.owner === 'w4' && !given.committed) table.delete(given);
            else table.set(taskOf(given));
          }
          last = table;
          index.moveTo(table, known);
          const expected = assignTasks(strategy, inputWithMoving({ tasks: table, connectors: known }, workers));
          expect(assignIndexed(strategy, index, workers)).toEqual(expected);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('knows who holds what, and how many of that are to stop, wherever it was before', () => {
    fc.assert(
      fc.property(versions, (steps) => {
        const index = new TaskIndex();
        let last = new TaskTable();
        for (const [known, changes] of steps) {
          const table = new TaskTable(last);
          for (const given of changes) table.set(taskOf(given));
          last = table;
          index.moveTo(table, known);
          const held = [...table.values()].filter(({ assignment }) => assignment !== undefined);
          for (const { assignment } of held) {
            const owner = memberKey(assignment!);
            const own = held.filter((task) => memberKey(task.assignment!) === owner);
            expect(new Set(index.ownedBy(owner))).toEqual(new Set(own));
          }
          expect(index.moves).toBe(held.filter(({ assignment }) => assignment?.revokedAt !== undefined).length);
        }
      }),
    );
  });

  it('keeps its version where only a mark changes, and has another one where an assignment may turn out differently', () => {
    const index = new TaskIndex();
    const known = new Map([
      [
        'c1',
        {
          name: 'c1',
          type: 'source',
          config: {},
          configVersion: 1,
          tasksVersion: 1,
          taskCount: 1,
          targetState: 'RUNNING',
        },
      ],
    ] as const);
    const task: TaskState = { id: { connector: 'c1', index: 0 }, type: 'source', overrides: {}, committed: false };
    const first = TaskTable.of([task]);
    index.moveTo(first, known);
    const { version } = index;
    const marked = new TaskTable(first);
    marked.set({ ...task, committed: true });
    index.moveTo(marked, known);
    expect(index.version).toBe(version);
    const held = new TaskTable(marked);
    held.set({ ...task, assignment: { nodeId: 'w1', incarnation: 'w1#1', generation: 3 } });
    index.moveTo(held, known);
    expect(index.version).not.toBe(version);
  });
});
