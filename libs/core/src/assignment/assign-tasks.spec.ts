import { describe, expect, it } from '@jest/globals';
import { ASSIGNMENT_STRATEGY_NAMES } from '../model/cluster-settings.js';
import { assignTasks } from './assign-tasks.js';
import type { AssignableTask, Worker } from './assignment-types.js';
import { task, worker } from '../testing/settled.js';

describe.each(ASSIGNMENT_STRATEGY_NAMES)('assignTasks by %s', (strategy) => {
  const planned = (workers: readonly Worker[], ...tasks: readonly AssignableTask[]): string[] => {
    const { assign, revoke, unassigned } = assignTasks(strategy, { tasks, workers, previous: new Map() });
    expect(revoke).toEqual([]);
    return [
      ...assign.map(({ connector, nodeId }) => `${connector} → ${nodeId}`),
      ...unassigned.map(({ connector, reason }) => `${connector}: ${reason.code}: ${reason.message}`),
    ];
  };

  it('gives tasks to workers of their role only', () => {
    const workers = [worker('w1'), worker('w2', { role: 'sink-runner' })];
    expect(planned(workers, task('in', 0), task('out', 0, { type: 'sink' }))).toEqual(['in → w1', 'out → w2']);
    expect(planned([worker('w1')], task('out', 0, { type: 'sink' }))).toEqual([
      'out: no-worker: No worker of role sink-runner is a member.',
    ]);
  });

  it('gives tasks to workers that list the class only', () => {
    const workers = [worker('w1', { plugins: ['B'] })];
    expect(planned(workers, task('a', 0), task('b', 0, { connectorClass: 'B' }))).toEqual([
      'b → w1',
      'a: no-plugin: No worker of role source-runner has plugin A.',
    ]);
  });

  it('gives tasks to workers that carry all labels of the placement only', () => {
    const workers = [worker('w1', { labels: { zone: 'a' } }), worker('w2', { labels: { zone: 'b', disk: 'ssd' } })];
    expect(
      planned(
        workers,
        task('in-a', 0, { placement: { zone: 'a' } }),
        task('in-b', 0, { placement: { disk: 'ssd', zone: 'b' } }),
        task('none', 0, { placement: { zone: 'a', disk: 'ssd' } }),
        task('odd', 0, { placement: { constructor: 'x' } }),
      ),
    ).toEqual([
      'in-a → w1',
      'in-b → w2',
      'none: no-labels: No worker of role source-runner has plugin A and labels {disk: ssd, zone: a}.',
      'odd: no-labels: No worker of role source-runner has plugin A and labels {constructor: x}.',
    ]);
  });

  it('says that all workers that could run a task are draining, or have no capacity', () => {
    const workers = [worker('w1', { draining: true }), worker('w2', { plugins: ['B'], capacity: 0, labels: { zone: 'a' } })];
    expect(planned(workers, task('a', 0), task('b', 0, { connectorClass: 'B', placement: { zone: 'a' } }))).toEqual([
      'a: all-draining: All workers of role source-runner with plugin A are draining.',
      'b: no-capacity: All workers of role source-runner with plugin B and labels {zone: a} have capacity 0.',
    ]);
  });

  it('revokes a task that its owner may not run any more, and says why if nobody may', () => {
    const tasks = [task('c', 0, { placement: { zone: 'b' } })];
    const workers = [worker('w1', { labels: { zone: 'a' } })];
    const previous = new Map([['c-0', { nodeId: 'w1', incarnation: 'w1#1', revoked: false }]]);
    const { assign, revoke, unassigned } = assignTasks(strategy, { tasks, workers, previous });
    expect({ assign, revoke }).toEqual({ assign: [], revoke: [{ connector: 'c', index: 0 }] });
    expect(unassigned.map(({ reason }) => reason.code)).toEqual(['no-labels']);
  });

  it('says nothing of an empty cluster', () => {
    expect(assignTasks(strategy, { tasks: [], workers: [], previous: new Map() })).toEqual({
      assign: [],
      revoke: [],
      unassigned: [],
    });
  });
});
