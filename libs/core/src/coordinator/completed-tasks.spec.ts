import { describe, expect, it } from '@jest/globals';
import type { CommandBody } from '../model/command.js';
import type { TaskReport } from '../model/report.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';

/** A leader whose nodes `w1` and `w2` run the tasks of connector `a`. */
function running(tasks = 2): CoordinatorHarness {
  const node = CoordinatorHarness.leading();
  for (const nodeId of ['w1', 'w2']) node.report(nodeId);
  node.create('a', tasks);
  node.answer();
  return node;
}

const generations = (node: CoordinatorHarness) => [...node.state.cluster.tasks.values()].map(({ assignment }) => assignment?.generation);
const completions = (node: CoordinatorHarness) => [...node.state.cluster.tasks.values()].map(({ completed }) => completed?.at);

/** What a node that runs its tasks reports where those with these indexes have no more data. */
function ended(node: CoordinatorHarness, nodeId: string, indexes: readonly number[], more: Partial<TaskReport> = {}): TaskReport[] {
  return node.reportOf(nodeId).tasks.map((task) => (indexes.includes(task.id.index) ? { ...task, completedAt: 7, ...more } : task));
}

/** All tasks come to their end, and stop. */
function complete(node: CoordinatorHarness, indexes: readonly number[] = [0, 1]): void {
  for (const nodeId of ['w1', 'w2']) node.report(nodeId, { tasks: ended(node, nodeId, indexes) });
  for (const nodeId of ['w1', 'w2']) node.report(nodeId);
}

function putOtherConfig(node: CoordinatorHarness): void {
  const config = { 'connector.class': 'FileSource', bad: 'yes' };
  node.command({ kind: 'connector.put', mode: 'upsert', name: 'a', type: 'source', config });
}

/** The node that was asked last cannot split the connector. */
function refuse(node: CoordinatorHarness): void {
  const question = node.effects.findLast((effect) => effect.kind === 'ask-task-configs')!;
  const { connector, configVersion, nodeId } = question;
  node.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer: { kind: 'error', error: 'bad' } });
}

describe('a task whose runner reports that it has no more data', () => {
  it('is written as completed, released once it has stopped, and assigned to nobody', () => {
    const node = running(1);
    const before = node.state.cluster.tasks.get('a-0')!.assignment!;
    node.report(before.nodeId, { tasks: ended(node, before.nodeId, [0], { committed: true }) });
    const { generation } = before;
    expect(node.events('tasks.completed')).toEqual([{ kind: 'tasks.completed', tasks: [{ connector: 'a', index: 0, generation, at: 7 }] }]);
    expect(node.owner('a-0')).toBe(`${before.nodeId}✗`);
    node.report(before.nodeId);
    node.report('w3');
    node.pass(3_000, ['w1', 'w2', 'w3']);
    expect(node.state.cluster.tasks.get('a-0')).toMatchObject({ committed: true, completed: { generation, at: 7 } });
    expect(node.owner('a-0')).toBeUndefined();
    expect(node.events('tasks.assigned')).toHaveLength(1);
    expect(node.events('tasks.completed')).toHaveLength(1);
  });

  it('is written with the records that it left out, and with how many of them the dead letter topic has', () => {
    const node = running(1);
    const { nodeId, generation } = node.state.cluster.tasks.get('a-0')!.assignment!;
    const counters = { recordsSent: 9, recordsSkipped: 5, deadLettersWritten: 2 };
    node.report(nodeId, { tasks: ended(node, nodeId, [0], { counters }) });
    const completed = { generation, at: 7, skipped: 5, deadLetters: 2 };
    expect(node.events('tasks.completed')).toEqual([{ kind: 'tasks.completed', tasks: [{ connector: 'a', index: 0, ...completed }] }]);
    expect(node.state.cluster.tasks.get('a-0')?.completed).toEqual(completed);
  });

  it('is no load: the tasks that are left are spread evenly', () => {
    const node = running(4);
    const ownedBy = (nodeId: string) => node.reportOf(nodeId).tasks.map(({ id }) => id.index);
    expect([ownedBy('w1').length, ownedBy('w2').length]).toEqual([2, 2]);
    node.report('w1', { tasks: ended(node, 'w1', ownedBy('w1')) });
    for (let i = 0; i < 3; i += 1) for (const nodeId of ['w1', 'w2']) node.report(nodeId);
    expect([ownedBy('w1').length, ownedBy('w2').length]).toEqual([1, 1]);
  });

  it('does not complete at another generation than the present one', () => {
    const node = running(1);
    const { nodeId } = node.state.cluster.tasks.get('a-0')!.assignment!;
    const late = ended(node, nodeId, [0]);
    node.command({ kind: 'tasks.restart', name: 'a', tasks: [{ connector: 'a', index: 0 }] });
    node.report(nodeId, { tasks: late });
    expect(node.events('tasks.completed')).toEqual([]);
    node.report(nodeId);
    expect(generations(node)[0]).toBeGreaterThan(late[0]!.generation);
    node.report(nodeId, { tasks: late });
    expect(node.events('tasks.completed')).toEqual([]);
  });

  it('does not complete while the instance of its connector runs beside it', () => {
    const node = running(2);
    complete(node, []);
    for (const nodeId of ['w1', 'w2']) {
      const tasks = ended(node, nodeId, [0, 1]).map((task) =>
        task.id.index === 0 ? { ...task, instance: { state: 'RUNNING' } as const } : task,
      );
      node.report(nodeId, { tasks });
    }
    expect(completions(node)).toEqual([undefined, 7]);
    expect(node.owner('a-0')).toMatch(/^w\d$/);
  });

  it('does not complete while it stops with its node, which does not say any more whether an instance ran beside it', () => {
    const node = running(1);
    const { nodeId } = node.state.cluster.tasks.get('a-0')!.assignment!;
    node.report(nodeId, { leaving: true, tasks: ended(node, nodeId, [0], { state: 'STOPPING' }) });
    expect(node.events('tasks.completed')).toEqual([]);
  });

  it('is completed by the next leader where the one before wrote nothing', () => {
    const before = running(1);
    const { nodeId } = before.state.cluster.tasks.get('a-0')!.assignment!;
    const tasks = ended(before, nodeId, [0]);
    before.log.write({ kind: 'leader.resigned' });
    const node = new CoordinatorHarness(before.log);
    node.wall = before.wall;
    node.report(nodeId, { tasks });
    node.feed({ kind: 'head.reached', sentAt: 0 });
    node.pass(300);
    expect(completions(node)).toEqual([7]);
  });

  it('completes once all members know of that', () => {
    const node = CoordinatorHarness.leading({ maxLevel: 2 });
    node.report('w1');
    node.create('a', 1);
    node.answer();
    node.report('w1', { tasks: ended(node, 'w1', [0]) });
    node.pass(2_000);
    expect({ level: node.state.cluster.level, completions: completions(node) }).toEqual({ level: 2, completions: [undefined] });
    node.state = { ...node.state, settings: { ...node.state.settings, maxLevel: 3 } };
    node.pass(200);
    expect({ level: node.state.cluster.level, completions: completions(node) }).toEqual({ level: 3, completions: [7] });
  });
});

describe('tasks that have completed', () => {
  const restart = (more: object): CommandBody => ({ kind: 'connector.restart', name: 'a', ...more });
  const both = (state: boolean) => [state, state];

  it.each<[string, CommandBody, readonly boolean[]]>([
    ['a restart of one', { kind: 'tasks.restart', name: 'a', tasks: [{ connector: 'a', index: 1 }] }, [false, true]],
    ['a restart with the tasks', restart({ includeTasks: true }), both(true)],
    ['a restart of the connector', restart({}), both(true)],
    ['a request of one for new task settings', restart({ byTask: true }), both(false)],
    ['a restart of what has failed', restart({ includeTasks: true, onlyFailed: true }), both(false)],
    ['a pause', { kind: 'connector.target', name: 'a', targetState: 'PAUSED' }, both(false)],
    [
      'a request of the runner that had one',
      { kind: 'tasks.restart', name: 'a', tasks: [{ connector: 'a', index: 1, generation: 5 }] },
      both(false),
    ],
  ])('run again after %s, or not: %j', (_, command, expected) => {
    const node = running();
    complete(node);
    expect(generations(node)).toEqual([undefined, undefined]);
    expect(node.command(command)?.status).toBe('done');
    if (node.effects.at(-1)?.kind === 'ask-task-configs') node.answer();
    for (const nodeId of ['w1', 'w2']) node.report(nodeId);
    node.command({ kind: 'connector.target', name: 'a', targetState: 'RUNNING' });
    node.pass(1_000, ['w1', 'w2']);
    expect(generations(node).map((generation) => generation !== undefined)).toEqual(expected);
  });

  it('stay so where others of the connector run and it is restarted without its tasks', () => {
    const node = running();
    complete(node, [1]);
    const before = generations(node);
    node.command({ kind: 'connector.restart', name: 'a' });
    node.answer();
    node.pass(1_000, ['w1', 'w2']);
    expect(generations(node)).toEqual(before);
  });

  it('stay so where a task asks for new task settings in each run', () => {
    const node = running(1);
    for (let round = 0; round < 5; round += 1) {
      complete(node);
      // A runner sends such a command every 10 s.
      node.command(restart({ byTask: true }), { from: 'w1' });
      node.answer();
      node.pass(10_000, ['w1', 'w2']);
    }
    expect(node.events('tasks.assigned')).toHaveLength(1);
    expect(completions(node)).toEqual([7]);
  });

  it.each<[string, (node: CoordinatorHarness) => void]>([
    [
      'has failed, for its new config cannot be split',
      (node) => {
        putOtherConfig(node);
        refuse(node);
      },
    ],
    ['is being split', putOtherConfig],
    ['is paused', (node) => node.command({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' })],
  ])('stay so where their connector is restarted that %s', (_, act) => {
    const node = running();
    complete(node);
    act(node);
    expect(node.command(restart({}))?.status).toBe('done');
    expect(node.events('tasks.revoked')).toEqual([]);
    refuse(node);
    node.pass(5_000, ['w1', 'w2']);
    expect(generations(node)).toEqual([undefined, undefined]);
    expect(completions(node)).toEqual([7, 7]);
  });

  it('are not restarted by a request that means the generation before', () => {
    const node = running();
    complete(node, []);
    const [generation = 0] = generations(node);
    const ask = (of: number) => node.command({ kind: 'tasks.restart', name: 'a', tasks: [{ connector: 'a', index: 0, generation: of }] });
    ask(generation - 1);
    expect(node.events('tasks.revoked')).toEqual([]);
    ask(generation);
    expect(node.events('tasks.revoked')).toEqual([{ kind: 'tasks.revoked', tasks: [{ connector: 'a', index: 0 }], reason: 'restarted' }]);
    complete(node);
    const [, last = 0] = completions(node).map((at, index) =>
      at === undefined ? 0 : node.state.cluster.tasks.get(`a-${index}`)!.completed!.generation,
    );
    node.command({ kind: 'tasks.restart', name: 'a', tasks: [{ connector: 'a', index: 1, generation: last }] });
    expect(node.events('tasks.revoked')).toHaveLength(1);
  });
});
