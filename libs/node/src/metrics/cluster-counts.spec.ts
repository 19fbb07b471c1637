import { describe, expect, it } from '@jest/globals';
import {
  emptyState,
  memberKey,
  Role,
  TaskTable,
  type ClusterState,
  type ConnectorState,
  type Member,
  type Report,
  type ReportsView,
  type RunState,
  type TaskState,
} from '@sluice/core';
import { countCluster } from './cluster-counts.js';

const runner: Member = {
  nodeId: 'w1',
  incarnation: 'w1#1',
  role: Role.sourceRunner,
  capacity: 1,
  plugins: ['FileSource'],
  joinedAt: 1,
};

const config = { 'connector.class': 'FileSource' };

const connector = (name: string, change: Partial<ConnectorState> = {}): ConnectorState => ({
  name,
  type: 'source',
  config,
  configVersion: 2,
  targetState: 'RUNNING',
  tasksVersion: 2,
  taskCount: 2,
  ...change,
});

const task = (name: string, index: number, generation?: number): TaskState => ({
  id: { connector: name, index },
  type: 'source',
  overrides: {},
  committed: false,
  ...(generation === undefined ? {} : { assignment: { nodeId: runner.nodeId, incarnation: runner.incarnation, generation } }),
});

function stateOf(members: readonly Member[], connectors: readonly ConnectorState[], tasks: readonly TaskState[]): ClusterState {
  return {
    ...emptyState(),
    members: new Map(members.map((member) => [member.nodeId, member])),
    connectors: new Map(connectors.map((each) => [each.name, each])),
    tasks: TaskTable.of(tasks),
  };
}

function reportOf(...tasks: readonly (readonly [string, number, number, RunState])[]): ReportsView {
  const report: Report = {
    nodeId: runner.nodeId,
    incarnation: runner.incarnation,
    role: runner.role,
    reportSeq: 1,
    sentAt: 0,
    leaving: false,
    capacity: 1,
    plugins: [],
    appliedSeq: 9,
    tasks: tasks.map(([name, index, generation, state]) => ({
      id: { connector: name, index },
      generation,
      state,
      since: 0,
      committed: false,
      counters: {},
    })),
  };
  return new Map([[memberKey(runner), report]]);
}

describe('countCluster', () => {
  it('counts tasks as they are reported', () => {
    const state = stateOf([runner], [connector('a')], [task('a', 0, 5), task('a', 1, 6)]);
    const counts = countCluster(state, reportOf(['a', 0, 5, 'RUNNING'], ['a', 1, 6, 'FAILED']));
    expect(counts.tasks).toEqual([
      { connector: 'a', role: 'source-runner', state: 'RUNNING', count: 1 },
      { connector: 'a', role: 'source-runner', state: 'FAILED', count: 1 },
    ]);
    expect(counts.connectors).toEqual([{ type: 'source', state: 'RUNNING', count: 1 }]);
    expect(counts.unassigned.get(Role.sourceRunner)).toBe(0);
    expect(counts.members.get(Role.sourceRunner)).toBe(1);
  });

  it('does not take a task for unassigned that its runner has not reported yet', () => {
    const state = stateOf([runner], [connector('a', { taskCount: 1 })], [task('a', 0, 5)]);
    const counts = countCluster(state, reportOf());
    expect(counts.tasks).toEqual([{ connector: 'a', role: 'source-runner', state: 'UNASSIGNED', count: 1 }]);
    expect(counts.unassigned.get(Role.sourceRunner)).toBe(0);
  });

  it('needs no runner for what has completed', () => {
    const ended = [0, 1].map((index) => ({ ...task('a', index), completed: { generation: 5, at: 7 } }));
    const state = stateOf([], [connector('a')], ended);
    const counts = countCluster(state, new Map());
    expect(counts.tasks).toEqual([{ connector: 'a', role: 'source-runner', state: 'COMPLETED', count: 2 }]);
    expect(counts.connectors).toEqual([{ type: 'source', state: 'COMPLETED', count: 1 }]);
    expect(counts.unassigned.get(Role.sourceRunner)).toBe(0);
  });

  it('counts what no runner holds, and a connector that waits to be split as one', () => {
    const unsplit: ConnectorState = { name: 'b', type: 'source', config, configVersion: 3, targetState: 'RUNNING' };
    const state = stateOf([], [connector('a'), unsplit], [task('a', 0, 5), task('a', 1)]);
    const counts = countCluster(state, reportOf(['a', 0, 5, 'RUNNING']));
    expect(counts.tasks).toEqual([{ connector: 'a', role: 'source-runner', state: 'UNASSIGNED', count: 2 }]);
    expect(counts.unassigned.get(Role.sourceRunner)).toBe(3);
    expect(counts.unassigned.get(Role.sinkRunner)).toBeUndefined();
  });

  it('counts one that completed, and got new settings that no runner has split yet, as a task that waits', () => {
    const ended = { ...task('a', 0), committed: true, completed: { generation: 5, at: 7 } };
    const changed = connector('a', { config: { ...config, records: '200' }, configVersion: 9, tasksConfig: config, taskCount: 1 });
    const counts = countCluster(stateOf([], [changed], [ended]), new Map());
    expect(counts.connectors).toEqual([{ type: 'source', state: 'UNASSIGNED', count: 1 }]);
    expect(counts.tasks).toEqual([{ connector: 'a', role: 'source-runner', state: 'COMPLETED', count: 1 }]);
    expect(counts.unassigned.get(Role.sourceRunner)).toBe(1);
  });

  it('needs no runner for a stopped connector', () => {
    const state = stateOf([], [connector('a', { targetState: 'STOPPED' })], [task('a', 0), task('a', 1)]);
    const counts = countCluster(state, new Map());
    expect(counts.connectors).toEqual([{ type: 'source', state: 'STOPPED', count: 1 }]);
    expect(counts.tasks).toEqual([]);
    expect(counts.unassigned.get(Role.sourceRunner)).toBe(0);
  });
});
