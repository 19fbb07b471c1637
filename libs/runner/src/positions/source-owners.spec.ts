import { describe, expect, it } from '@jest/globals';
import { TaskTable, type ClusterState, type TaskState } from '@sluice/core';
import { sourceOwners } from './source-owners.js';

const task = (connector: string, index: number, generation?: number, more: Partial<TaskState> = {}): TaskState => ({
  id: { connector, index },
  type: 'source',
  overrides: {},
  committed: false,
  ...(generation === undefined ? {} : { assignment: { nodeId: 'w', incarnation: 'w#1', generation } }),
  ...more,
});
const stateOf = (...tasks: readonly TaskState[]): ClusterState =>
  ({
    head: { seq: 30, offset: 30, digest: '' },
    connectors: new Map([['c', { tasksVersion: 15 }]]),
    tasks: TaskTable.of(tasks),
  }) as unknown as ClusterState;

describe('sourceOwners', () => {
  it('names every holder of a task, also one that is stopping or surplus, and those of no other connector', () => {
    const stopping = { nodeId: 'w', incarnation: 'w#1', generation: 10, revokedAt: 16 };
    const state = stateOf(task('c', 0, 20), task('c', 1), task('c', 7, 10, { assignment: stopping }), task('d', 1, 9));
    expect(sourceOwners(state, 'c')).toEqual({
      asOf: 30,
      live: new Map([
        [0, 20],
        [7, 10],
      ]),
      tasksSince: 15,
      hasCommitted: false,
    });
  });

  it('counts a connector as committed once any of its tasks has', () => {
    expect(sourceOwners(stateOf(task('c', 0), task('c', 1, 3, { committed: true })), 'c').hasCommitted).toBe(true);
    expect(sourceOwners(stateOf(task('d', 0, 3, { committed: true })), 'c').hasCommitted).toBe(false);
  });
});
