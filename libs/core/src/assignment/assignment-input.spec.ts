import { describe, expect, it } from '@jest/globals';
import { TaskTable } from '../model/task-table.js';
import type { ConnectorState, TaskState } from '../model/connector.js';
import type { Member } from '../model/member.js';
import { assignmentInput } from './assignment-input.js';
import { worker } from '../testing/settled.js';

const connector = (name: string, more: Partial<ConnectorState> = {}): ConnectorState => ({
  name,
  type: 'source',
  config: { 'connector.class': 'A', 'placement.zone': 'a' },
  configVersion: 5,
  tasksVersion: 5,
  taskCount: 1,
  targetState: 'RUNNING',
  ...more,
});
const taskOf = (name: string, index: number, more: Partial<TaskState> = {}): TaskState => ({
  id: { connector: name, index },
  type: 'source',
  overrides: {},
  committed: false,
  ...more,
});
const member = (nodeId: string, role: Member['role']): Member => ({ ...worker(nodeId), role, joinedAt: 1 });
const byName = (all: readonly ConnectorState[]): Map<string, ConnectorState> => new Map(all.map((each) => [each.name, each]));
const held = { nodeId: 'w1', incarnation: 'w1#1', generation: 7 };

describe('assignmentInput', () => {
  it('names class, placement, last owner and holder of each task', () => {
    const input = assignmentInput({
      connectors: byName([connector('c', { taskCount: 3 })]),
      tasks: TaskTable.of([
        taskOf('c', 0, { assignment: held }),
        taskOf('c', 1, { assignment: { ...held, revokedAt: 9 } }),
        taskOf('c', 2, { lastNodeId: 'w2' }),
      ]),
      members: new Map(),
    });
    const need = { type: 'source', connectorClass: 'A', placement: { zone: 'a' } };
    expect(input.tasks).toEqual([
      { key: 'c-0', id: { connector: 'c', index: 0 }, ...need },
      { key: 'c-1', id: { connector: 'c', index: 1 }, ...need },
      { key: 'c-2', id: { connector: 'c', index: 2 }, ...need, lastNodeId: 'w2' },
    ]);
    expect([...input.previous]).toEqual([
      ['c-0', { nodeId: 'w1', incarnation: 'w1#1', revoked: false }],
      ['c-1', { nodeId: 'w1', incarnation: 'w1#1', revoked: true }],
    ]);
  });

  it('leaves out what is stopped, surplus, without a connector, or free and of an older config', () => {
    const { tasks } = assignmentInput({
      connectors: byName([
        connector('stopped', { targetState: 'STOPPED' }),
        connector('small'),
        connector('newer', { configVersion: 6, taskCount: 2 }),
      ]),
      tasks: TaskTable.of([
        taskOf('stopped', 0),
        taskOf('small', 0),
        taskOf('small', 1),
        taskOf('deleted', 0),
        taskOf('newer', 0),
        taskOf('newer', 1, { assignment: held }),
      ]),
      members: new Map(),
    });
    expect(tasks.map(({ key }) => key)).toEqual(['small-0', 'newer-1']);
  });

  it('needs what the present tasks need while a new config is not split: its class may be one that nobody has', () => {
    const tasksConfig = { 'connector.class': 'A', 'placement.zone': 'a' };
    const config = { 'connector.class': 'B', 'placement.zone': 'b' };
    const { tasks } = assignmentInput({
      connectors: byName([connector('c', { config, configVersion: 6, tasksConfig })]),
      tasks: TaskTable.of([taskOf('c', 0, { assignment: held })]),
      members: new Map(),
    });
    expect(tasks).toMatchObject([{ connectorClass: 'A', placement: { zone: 'a' } }]);
  });

  it('leaves out the free tasks of a connector until all owners from before its task configs have stopped', () => {
    const older = { ...held, generation: 4 };
    const input = (...owners: TaskState[]): readonly string[] =>
      assignmentInput({
        connectors: byName([connector('c', { taskCount: 2 }), connector('other')]),
        tasks: TaskTable.of([taskOf('c', 0), taskOf('c', 1), taskOf('other', 0), ...owners]),
        members: new Map(),
      }).tasks.map(({ key }) => key);
    expect(input()).toEqual(['c-0', 'c-1', 'other-0']);
    expect(input(taskOf('c', 1, { assignment: { ...older, revokedAt: 6 } }))).toEqual(['c-1', 'other-0']);
    expect(input(taskOf('c', 7, { assignment: { ...older, revokedAt: 6 } }))).toEqual(['other-0']);
    expect(input(taskOf('c', 1, { assignment: older }))).toEqual(['c-0', 'c-1', 'other-0']);
    expect(input(taskOf('c', 1, { assignment: { ...held, revokedAt: 9 } }))).toEqual(['c-0', 'c-1', 'other-0']);
  });

  it('takes all runners, or the workers that it is given', () => {
    const members = [member('g', 'gateway'), member('in', 'source-runner'), member('out', 'sink-runner')];
    const cluster = {
      connectors: new Map(),
      tasks: new TaskTable(),
      members: new Map(members.map((each) => [each.nodeId, each])),
    };
    expect(assignmentInput(cluster).workers.map(({ nodeId }) => nodeId)).toEqual(['in', 'out']);
    expect(assignmentInput(cluster, [worker('x')]).workers.map(({ nodeId }) => nodeId)).toEqual(['x']);
  });
});
