import { describe, expect, it } from '@jest/globals';
import { assignTasks } from './assign-tasks.js';
import type { AssignableTask, Worker } from './assignment-types.js';
import { loads, misplaced, settle, task, tasksOf, worker } from '../testing/settled.js';

function dealt(tasks: readonly AssignableTask[], workers: readonly Worker[]): string[] {
  const { assign } = assignTasks('average', { tasks, workers, previous: new Map() });
  return assign.map(({ connector, index, nodeId }) => `${connector}-${index} → ${nodeId}`);
}

describe('strategy average', () => {
  it('deals tasks by connector and index to workers by node id, one running index modulo the workers', () => {
    const tasks = [...tasksOf(3, 'b'), ...tasksOf(2, 'a')];
    expect(dealt(tasks, [worker('w2'), worker('w3'), worker('w1')])).toEqual(['a-0 → w1', 'a-1 → w2', 'b-0 → w3', 'b-1 → w1', 'b-2 → w2']);
  });

  it('orders indexes as numbers', () => {
    const tasks = [task('a', 10), task('a', 9)];
    expect(dealt(tasks, [worker('w1'), worker('w2')])).toEqual(['a-9 → w1', 'a-10 → w2']);
  });

  it('deals by capacity', () => {
    expect(dealt(tasksOf(6), [worker('w1'), worker('w2', { capacity: 2 })])).toEqual([
      'c-0 → w2',
      'c-1 → w1',
      'c-2 → w2',
      'c-3 → w2',
      'c-4 → w1',
      'c-5 → w2',
    ]);
  });

  it('evens out what dealing group by group leaves uneven', () => {
    const workers = [worker('w1', { plugins: ['A'] }), worker('w2'), worker('w3', { plugins: ['B'] })];
    const tasks = [...tasksOf(2, 'a'), ...tasksOf(6, 'b', { connectorClass: 'B' })];
    const { held } = settle('average', tasks, workers);
    expect(loads(held, workers)).toEqual({ w1: 2, w2: 3, w3: 3 });
    expect(misplaced(tasks, workers, held)).toEqual([]);
  });

  it('forgets who ran what: the result is the same from any start', () => {
    const workers = [worker('w1'), worker('w2'), worker('w3')];
    const tasks = tasksOf(20);
    const started = settle('sticky', tasks, [worker('w2'), worker('w3')]).held;
    expect(settle('average', tasks, workers, started).held).toEqual(settle('average', tasks, workers).held);
  });
});
