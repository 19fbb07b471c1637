import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { taskKey, type TaskState } from './connector.js';
import { memberKey } from './member.js';
import { TaskTable } from './task-table.js';

const ids = fc.record({ connector: fc.constantFrom('a', 'b-1', '__proto__'), index: fc.nat({ max: 4 }) });
const operations = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete', 'copy'), ids), { maxLength: 60 });

function taskOf(id: TaskState['id'], generation: number): TaskState {
  const task = { id, type: 'source', overrides: {}, committed: false } as const;
  if (generation % 4 === 3) return task;
  return { ...task, assignment: { nodeId: 'w', incarnation: `w#${generation % 3}`, generation } };
}

/** Keys of the tasks that each of the three owners has, as every task says. */
function heldIn(tasks: Iterable<TaskState>): readonly (readonly string[])[] {
  const all = [...tasks];
  return owners.map((owner) => keysOf(all.filter(({ assignment }) => assignment && memberKey(assignment) === owner)));
}

const keysOf = (tasks: Iterable<Pick<TaskState, 'id'>>): readonly string[] => Array.from(tasks, ({ id }) => taskKey(id)).sort();
const owners = [0, 1, 2].map((n) => memberKey({ nodeId: 'w', incarnation: `w#${n}` }));
const heldBy = (table: TaskTable): readonly (readonly string[])[] =>
  owners.map((owner) => keysOf(Array.from(table.heldBy(owner), (id) => ({ id }))));

describe('a table of tasks', () => {
  it('holds what was set and not deleted, by connector and index, and never changes what it was copied from', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const model = new Map<string, TaskState>();
        let table = new TaskTable();
        const frozen: { readonly table: TaskTable; readonly entries: readonly unknown[]; readonly held: unknown }[] = [];
        for (const [generation, [what, id]] of steps.entries()) {
          if (what === 'copy') {
            frozen.push({ table, entries: [...table], held: heldBy(table) });
            table = new TaskTable(table);
          } else if (what === 'set') {
            table.set(taskOf(id, generation));
            model.set(taskKey(id), taskOf(id, generation));
          } else {
            table.delete(id);
            model.delete(taskKey(id));
          }
          expect(new Map(table)).toEqual(model);
          expect(table.size).toBe(model.size);
          expect(heldBy(table)).toEqual(heldIn(model.values()));
          expect([table.get(taskKey(id)), table.find(id)]).toEqual([model.get(taskKey(id)), model.get(taskKey(id))]);
        }
        for (const { table: old, entries, held } of frozen) expect([[...old], heldBy(old)]).toEqual([entries, held]);
      }),
    );
  });

  it('says which connectors differ between two versions, also after many changes', () => {
    const first = TaskTable.of(Array.from({ length: 2_000 }, (_, n) => taskOf({ connector: `c${n}`, index: 0 }, 0)));
    let table = first;
    for (let n = 0; n < 500; n += 1) {
      table = new TaskTable(table);
      table.set(taskOf({ connector: `c${n}`, index: 0 }, 1));
    }
    const last = new TaskTable(table);
    last.delete({ connector: 'c1999', index: 0 });
    last.set(taskOf({ connector: 'new', index: 0 }, 1));
    expect([...TaskTable.changedConnectors(table, last)].sort()).toEqual(['c1999', 'new']);
    expect(TaskTable.changedConnectors(first, last)).toHaveLength(502);
    expect(TaskTable.changedConnectors(last, last)).toEqual([]);
  });

  it('finds nothing under a key that is written otherwise', () => {
    const table = TaskTable.of([taskOf({ connector: 'a', index: 1 }, 0)]);
    expect(['a-1', 'a-01', 'a-1e0', 'a-', 'a', ''].map((key) => table.has(key))).toEqual([true, false, false, false, false, false]);
  });
});
