import { describe, expect, it } from '@jest/globals';
import { chooseThread } from './choose-thread.js';

describe('the thread for a task', () => {
  it('is the one with the fewest tasks', () => {
    const loads = [3, 1, 2].map((tasks) => ({ tasks, ofConnector: 0 }));
    expect(chooseThread(loads)).toBe(1);
  });

  it('is of those the one with the fewest of the same connector: what stalls together is spread', () => {
    const loads = [
      { tasks: 2, ofConnector: 2 },
      { tasks: 2, ofConnector: 0 },
      { tasks: 2, ofConnector: 1 },
    ];
    expect(chooseThread(loads)).toBe(1);
  });

  it('stays the one before while no other has less to do', () => {
    const even = [1, 1, 1].map((tasks) => ({ tasks, ofConnector: 0 }));
    expect(chooseThread(even, 2)).toBe(2);
    const uneven = [0, 1, 2].map((tasks) => ({ tasks, ofConnector: 0 }));
    expect(chooseThread(uneven, 2)).toBe(0);
  });

  it('spreads tasks that come one after the other evenly, by number and by connector', () => {
    const threads: string[][] = [[], [], []];
    for (const connector of ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a']) {
      const loads = threads.map((tasks) => ({
        tasks: tasks.length,
        ofConnector: tasks.filter((each) => each === connector).length,
      }));
      threads[chooseThread(loads)]?.push(connector);
    }
    expect(threads.map((tasks) => tasks.length)).toEqual([3, 3, 3]);
    for (const tasks of threads) expect(new Set(tasks).size).toBe(2);
  });
});
