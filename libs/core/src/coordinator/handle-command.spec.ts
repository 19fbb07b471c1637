import { describe, expect, it } from '@jest/globals';
import { taskConfig } from '../model/connector.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import type { TaskReport } from '../model/report.js';

const HOUR_MS = 3_600_000;
const put = { kind: 'connector.put', mode: 'upsert', name: 'a', type: 'source', config: {} } as const;

/** A leader, runners w1 and w2, and connector `a` whose tasks run. */
function running(tasks: number): CoordinatorHarness {
  const node = CoordinatorHarness.leading();
  for (const nodeId of ['w1', 'w2']) node.report(nodeId);
  node.create('a', tasks);
  node.answer();
  node.pass(100, ['w1', 'w2']);
  return node;
}

function generations(node: CoordinatorHarness): readonly (number | undefined)[] {
  return [...node.state.cluster.tasks.values()].map(({ assignment }) => assignment?.generation);
}

/** Lets the owners stop what is revoked and start it again. */
function settle(node: CoordinatorHarness): void {
  for (let i = 0; i < 2; i += 1) for (const nodeId of ['w1', 'w2']) node.report(nodeId);
}

describe('a config with an expected version', () => {
  it('is stored once: the second of two changes of one version is a conflict and changes nothing', () => {
    const node = CoordinatorHarness.leading();
    node.command({ ...put, config: { v: '1' } });
    const { configVersion: expectedVersion } = node.state.cluster.connectors.get('a')!;
    expect(node.command({ ...put, config: { v: '2' }, expectedVersion })?.status).toBe('done');
    const second = node.command({ ...put, config: { v: '3' }, expectedVersion });
    expect(second).toMatchObject({ status: 'conflict', message: expect.stringContaining(`not ${expectedVersion}`) });
    expect(node.state.cluster.connectors.get('a')?.config).toEqual({ v: '2' });
  });

  it('is a conflict where the connector is gone', () => {
    const node = CoordinatorHarness.leading();
    expect(node.command({ ...put, expectedVersion: 3 })).toMatchObject({
      status: 'conflict',
      message: 'Connector a was changed meanwhile: it does not exist, not 3',
    });
  });
});

describe('the age of commands', () => {
  it('may be 24 hours, and half an hour in the future', () => {
    const node = CoordinatorHarness.leading();
    expect(node.command(put, { sentAt: node.wall - 24 * HOUR_MS })?.status).toBe('done');
    expect(node.command(put, { sentAt: node.wall - 24 * HOUR_MS - 1 })?.status).toBe('expired');
    expect(node.command(put, { sentAt: node.wall + HOUR_MS / 2 })?.status).toBe('done');
    expect(node.command(put, { sentAt: node.wall + HOUR_MS / 2 + 1 })).toMatchObject({
      status: 'invalid',
      message: expect.stringContaining('1800001 ms in the future'),
    });
  });

  it('is limited before the result is forgotten, so a late duplicate is never carried out again', () => {
    const node = CoordinatorHarness.leading();
    const sentAt = node.wall + HOUR_MS / 2;
    const deletion = { kind: 'connector.delete', name: 'a' } as const;
    node.command(put);
    node.command(deletion, { requestId: 'r', sentAt });
    node.command(put);
    for (let hour = 0; hour < 26; hour += 1) {
      node.wall += HOUR_MS;
      node.pass(1_200);
      node.command(deletion, { requestId: 'r', sentAt });
      expect(node.state.cluster.connectors.has('a')).toBe(true);
    }
    expect(node.state.cluster.results.get('r')?.outcome.status).toBe('expired');
  });
});

describe('a restart', () => {
  const failed = (node: CoordinatorHarness, ...indexes: readonly number[]): readonly TaskReport[] =>
    [...node.state.cluster.tasks.values()].flatMap(({ id, assignment }) => {
      if (assignment?.nodeId !== 'w1' || assignment.revokedAt !== undefined) return [];
      const state = indexes.includes(id.index) ? ('FAILED' as const) : ('RUNNING' as const);
      return [{ id, generation: assignment.generation, state, since: 0, committed: false, counters: {} }];
    });

  it('of the connector alone splits it again and leaves its tasks alone', () => {
    const node = running(4);
    const before = generations(node);
    expect(node.command({ kind: 'connector.restart', name: 'a' })?.status).toBe('done');
    node.answer();
    settle(node);
    expect(node.of('ask-task-configs')).toHaveLength(2);
    expect(generations(node)).toEqual(before);
  });

  it('with its tasks gives each of them a new generation', () => {
    const node = running(4);
    const before = generations(node);
    node.command({ kind: 'connector.restart', name: 'a', includeTasks: true });
    node.answer();
    settle(node);
    expect(generations(node).map((generation, i) => generation! > before[i]!)).toEqual([true, true, true, true]);
  });

  it('of what has failed touches only those tasks', () => {
    const node = running(4);
    const before = generations(node);
    node.report('w1', { tasks: failed(node, 2) });
    node.command({ kind: 'connector.restart', name: 'a', includeTasks: true, onlyFailed: true });
    settle(node);
    expect(generations(node).map((generation, i) => generation! > before[i]!)).toEqual([false, false, true, false]);
    expect(node.of('ask-task-configs')).toHaveLength(1);
  });

  it('of what has failed splits again a connector whose splitting has failed', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.create('a');
    const { connector, configVersion, nodeId } = node.of('ask-task-configs')[0]!;
    const answer = { kind: 'error', error: 'no such file' } as const;
    node.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer });
    node.command({ kind: 'connector.restart', name: 'a', onlyFailed: true });
    expect(node.state.cluster.connectors.get('a')?.error).toBeUndefined();
  });

  /** A new leader that has to restart what has failed of connector `a`, and another command behind that. */
  const restartAfterTakeOver = (): CoordinatorHarness => {
    const before = running(2);
    before.log.write({ kind: 'leader.resigned' });
    const node = new CoordinatorHarness(before.log);
    node.wall = before.wall;
    node.feed({ kind: 'head.reached', sentAt: 0 });
    expect(node.state.role).toBe('leader');
    const restart = { kind: 'connector.restart', name: 'a', includeTasks: true, onlyFailed: true } as const;
    const next = { kind: 'settings.put', settings: {} } as const;
    for (const [i, body] of [restart, next].entries()) {
      const offset = node.state.cluster.nextCommandOffset + i;
      const command = { requestId: i === 0 ? 'x' : 'y', sentAt: node.wall, from: 'g', ...body };
      node.feed({ kind: 'command.read', readId: node.state.commandReads, offset, command });
    }
    return node;
  };

  it('of what has failed holds no other command up where an owner stays silent', () => {
    const node = restartAfterTakeOver();
    node.pass(4_000, ['w1']);
    expect(node.state.cluster.results.get('x')?.outcome).toMatchObject({
      status: 'conflict',
      message: expect.stringContaining('a node that holds some does not report'),
    });
    expect(node.state.cluster.results.get('y')?.outcome.status).toBe('done');
  });

  it('of what has failed waits until a new leader has heard the owners', () => {
    const node = restartAfterTakeOver();
    node.report('w1', { tasks: failed(node, 0) });
    node.pass(300);
    expect(node.state.cluster.results.has('x')).toBe(false);
    node.report('w2');
    node.pass(100);
    expect(node.state.cluster.results.get('x')?.outcome.status).toBe('done');
    expect(node.events('tasks.revoked').at(-1)).toMatchObject({ tasks: [{ index: 0 }], reason: 'restarted' });
  });
});

describe('a changed config', () => {
  const change = (node: CoordinatorHarness, config: Readonly<Record<string, string>>): void => {
    node.command({ ...put, config: { 'connector.class': 'FileSource', ...config } });
    node.answer();
    settle(node);
  };

  it('that only allows more tasks adds them: the others keep running', () => {
    const node = running(2);
    const before = generations(node);
    change(node, { 'tasks.max': '4' });
    expect(generations(node).slice(0, 2)).toEqual(before);
    expect(generations(node).slice(2)).not.toContain(undefined);
    const { connectors, tasks } = node.state.cluster;
    expect(taskConfig(connectors.get('a'), tasks.get('a-0')!)['tasks.max']).toBe('4');
  });

  it('of a rate limit restarts no task, whether it sets, changes or removes one', () => {
    const node = running(2);
    const before = generations(node);
    for (const limit of ['100', '5', undefined]) {
      change(node, { 'tasks.max': '2', ...(limit === undefined ? {} : { 'rate.limit.bytes.per.second': limit }) });
      expect(generations(node)).toEqual(before);
      const { connectors, tasks } = node.state.cluster;
      expect(taskConfig(connectors.get('a'), tasks.get('a-1')!)['rate.limit.bytes.per.second']).toBe(limit);
    }
  });

  it("of a connector's own setting that begins like those limits restarts them", () => {
    const node = running(2);
    const before = generations(node);
    change(node, { 'tasks.max': '2', 'rate.limit.retry.ms': '5' });
    expect(generations(node)).not.toEqual(before);
  });

  it('that allows fewer tasks stops the surplus ones only', () => {
    const node = running(4);
    const before = generations(node);
    change(node, { 'tasks.max': '3' });
    expect(generations(node)).toEqual(before.slice(0, 3));
  });

  it('of one task restarts that one', () => {
    const node = running(2);
    const before = generations(node);
    node.command({ ...put, config: { 'connector.class': 'FileSource', 'tasks.max': '2' } });
    const { connector, configVersion, nodeId } = node.of('ask-task-configs').at(-1)!;
    const tasks = [{ part: '0' }, { part: 'new' }];
    node.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer: { kind: 'tasks', tasks } });
    settle(node);
    expect(generations(node)[0]).toBe(before[0]);
    expect(generations(node)[1]).toBeGreaterThan(before[1]!);
  });
});

describe('settings of the cluster', () => {
  it('are checked and stored in the log; null brings the default back', () => {
    const node = CoordinatorHarness.leading();
    const change = (settings: Readonly<Record<string, string | null>>) => node.command({ kind: 'settings.put', settings });
    expect(change({ 'assignment.strategy': 'average', 'rebalance.interval.ms': '5000' })?.status).toBe('done');
    expect(change({ 'assignment.strategy': 'best' })).toEqual({
      status: 'invalid',
      message: 'Invalid value "best" for setting assignment.strategy: allowed are sticky, average, consistent-hash',
    });
    expect(change({ x: '1' })).toMatchObject({ message: expect.stringContaining('Unknown setting x; there are') });
    expect(change({ 'rebalance.interval.ms': '10' })?.status).toBe('invalid');
    expect(change({ 'rebalance.interval.ms': null })?.status).toBe('done');
    expect(node.state.cluster.settings).toEqual({ 'assignment.strategy': 'average' });
  });
});

describe('a commands queue that was cut or created again', () => {
  it('is read from its beginning, and what was done before is not done twice', () => {
    const node = CoordinatorHarness.leading();
    for (const name of ['a', 'b', 'c']) node.create(name);
    const { commandReads: readId, cluster } = node.state;
    expect(cluster.nextCommandOffset).toBe(3);
    node.feed({ kind: 'commands.cut', readId, minOffset: 0 });
    expect(node.state.cluster.nextCommandOffset).toBe(0);
    expect(node.of('read-commands').at(-1)).toEqual({ kind: 'read-commands', readId: readId + 1, fromOffset: 0 });
    const again = { requestId: 'q1', sentAt: node.wall, from: 'g', ...put, mode: 'create', name: 'b' } as const;
    const fresh = { requestId: 'new', sentAt: node.wall, from: 'g', ...put, name: 'd' } as const;
    node.feed({ kind: 'command.read', readId: readId + 1, offset: 0, command: again });
    node.feed({ kind: 'command.read', readId: readId + 1, offset: 1, command: fresh });
    expect(node.state.cluster.results.get('q1')?.outcome).toEqual({ status: 'done', created: true });
    expect(node.events('connector.put').map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(node.state.cluster.nextCommandOffset).toBe(2);
  });

  it('loses no new command though an append of old ones is in flight when that is noticed', () => {
    const node = CoordinatorHarness.leading();
    node.isStoring = false;
    node.create('a');
    const { commandReads: readId } = node.state;
    node.feed({ kind: 'commands.cut', readId, minOffset: 0 });
    node.isStoring = true;
    node.store(node.of('append').at(-1)!);
    expect(node.events('commands.rewound')).toEqual([{ kind: 'commands.rewound', nextOffset: 0 }]);
    const fresh = { requestId: 'new', sentAt: node.wall, from: 'g', ...put, name: 'd' } as const;
    node.feed({ kind: 'command.read', readId: readId + 1, offset: 0, command: fresh });
    expect([...node.state.cluster.connectors.keys()]).toEqual(['a', 'd']);
  });
});
