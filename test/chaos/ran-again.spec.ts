import { describe, expect, it } from '@jest/globals';
import { ranAgain, type TaskSeen } from './ran-again.js';

const task = (name: string, workerId: string, generation: number, state = 'RUNNING'): TaskSeen => ({
  task: name,
  workerId,
  generation,
  state,
});
const before = [task('a-0', 'killed', 5), task('b-0', 'other', 6)];

describe('a kill', () => {
  it.each<readonly [string, readonly TaskSeen[], boolean]>([
    ['a task of its runner has a new generation there', [task('a-0', 'killed', 9), task('b-0', 'other', 6)], true],
    ['a task of its runner has a new generation elsewhere', [task('a-0', 'other', 9), task('b-0', 'other', 6)], true],
    ['nothing changes', before, false],
    ['another runner has a new generation', [task('a-0', 'killed', 5), task('b-0', 'other', 9)], false],
    ['a task does not run yet', [task('a-0', 'killed', 9), task('b-0', 'other', 6, 'UNASSIGNED')], false],
    ['a task is not shown', [task('a-0', 'killed', 9)], false],
  ])('when %s has ended a task that runs again, or not', (_when, now, expected) => {
    expect(ranAgain(before, now, 'killed')).toBe(expected);
  });
});
