import { describe, expect, it } from '@jest/globals';
import type { Command } from '../model/command.js';
import { taskConfig } from '../model/connector.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { LogWriter } from '../testing/log-writer.js';
import { maySend } from './appends.js';

describe('election', () => {
  it('claims a log without a leader once the head is reached, and leads only after reading the claim back', () => {
    const log = new LogWriter();
    log.write({ kind: 'genesis', broker: 'b' });
    const node = new CoordinatorHarness(log);
    node.isStoring = false;
    node.feed({ kind: 'tick' });
    expect(node.of('append')).toEqual([]);
    node.feed({ kind: 'head.reached', sentAt: 0 });
    expect(node.state.role).toBe('candidate');
    node.store(node.of('append')[0]!);
    expect(node.state.role).toBe('leader');
    expect(node.effects.map(({ kind }) => kind)).toEqual(['append', 'became-leader', 'read-commands', 'append']);
  });

  it('claims no sooner than a pull proves that the leader was silent for the lease', () => {
    const node = new CoordinatorHarness(LogWriter.started('c9'));
    node.pass(10_000);
    node.feed({ kind: 'head.reached', sentAt: 2_900 });
    expect(node.of('append')).toEqual([]);
    node.readNew((log) => log.write({ kind: 'lease.renewed' }));
    node.feed({ kind: 'head.reached', sentAt: 10_000 });
    expect(node.of('append')).toEqual([]);
    node.pass(4_000);
    node.feed({ kind: 'head.reached', sentAt: 13_800 });
    expect(node.state.role).toBe('leader');
  });

  it('claims at once when the leader resigned, or was its own earlier incarnation', () => {
    const resigned = LogWriter.started('c9');
    resigned.write({ kind: 'leader.resigned' });
    const own = new CoordinatorHarness(LogWriter.started('c1'), 'c1#1');
    const other = new CoordinatorHarness(LogWriter.started('c1'));
    const after = new CoordinatorHarness(resigned);
    for (const node of [own, other, after]) node.feed({ kind: 'head.reached', sentAt: 0 });
    expect([own, other, after].map(({ state }) => state.role)).toEqual(['leader', 'standby', 'leader']);
  });

  it('steps down at once when it reads the claim of another', () => {
    const node = CoordinatorHarness.leading();
    node.readNew((log) => {
      log.claim('c2');
    });
    expect(node.state.role).toBe('standby');
    expect(node.of('stepped-down')).toEqual([{ kind: 'stepped-down', epoch: 1, reason: 'c2 claimed epoch 2' }]);
  });

  it('renews its lease three times per lease when nothing else is to be said', () => {
    const node = CoordinatorHarness.leading();
    const before = node.events('lease.renewed').length;
    node.pass(3_000);
    expect(node.events('lease.renewed')).toHaveLength(before + 3);
  });

  it('claims again, and assigns no task for a lease, when it has not read its own entries back for the lease', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.isStoring = false;
    node.pass(4_000);
    const renewal = node.of('append').at(-1)!;
    node.create('a');
    node.isStoring = true;
    node.feed({ kind: 'append.settled', appendId: renewal.appendId, outcome: 'not-stored' });
    node.pass(500);
    expect(node.of('stepped-down')).toMatchObject([{ reason: 'it has read nothing of its own for 3000 ms' }]);
    expect([node.state.role, node.state.cluster.epoch]).toEqual(['leader', 2]);
    node.create('b');
    expect(node.state.cluster.connectors.has('b')).toBe(true);
    node.report('w1');
    node.answer();
    expect(node.owner('b-0')).toBeUndefined();
    node.pass(3_000, ['w1']);
    expect(node.owner('b-0')).toBe('w1');
  });

  it('claims again when it reads an entry back only so late: what it decides from it may be old', () => {
    const node = CoordinatorHarness.leading();
    node.isStoring = false;
    node.pass(1_000);
    const renewal = node.of('append').at(-1)!;
    node.now += 6_000;
    node.isStoring = true;
    node.store(renewal);
    node.pass(100);
    expect([node.state.role, node.state.cluster.epoch]).toEqual(['leader', 2]);
  });

  it('claims again when its machine was suspended for the lease, though its monotonic clock was stopped', () => {
    const node = CoordinatorHarness.leading();
    node.pass(1_000);
    node.wall += 2_000;
    node.pass(100);
    expect([node.of('stepped-down'), node.state.cluster.epoch]).toEqual([[], 1]);
    node.wall += 3_000;
    node.pass(100);
    expect(node.of('stepped-down')).toMatchObject([{ reason: 'it has read nothing of its own for 3000 ms' }]);
    expect([node.state.role, node.state.cluster.epoch]).toEqual(['leader', 2]);
  });

  it('sends nothing later than a lease after it last led for certain, however long the process was suspended', () => {
    const node = CoordinatorHarness.leading();
    const confirmedAt = node.state.lastConfirmedAt;
    node.isStoring = false;
    node.now = confirmedAt + 2_000;
    node.wall += 2_000;
    const stood = { now: node.now, wall: node.wall };
    const [decided] = node.feed({ kind: 'tick' }).filter((effect) => effect.kind === 'append');
    const sentAfter = (now: number, wall: number): boolean =>
      maySend(node.state, decided!, { now: stood.now + now, wall: stood.wall + wall });
    expect(sentAfter(900, 900)).toBe(true);
    expect(sentAfter(1_000, 1_000)).toBe(false);
    expect(sentAfter(0, 1_000)).toBe(false);
  });

  it('numbers claims by the clock of the broker: those of coordinators may differ by any time', () => {
    const log = LogWriter.started('c9');
    log.write({ kind: 'leader.resigned' });
    const seqs = [3_600_000, 0, -3_600_000].map((skewMs, at) => {
      const node = new CoordinatorHarness(log);
      node.isStoring = false;
      node.wall += skewMs;
      node.state = { ...node.state, time: { ...node.state.time, wall: node.wall } };
      node.hearBrokerTime(log.state.createdAt + 60_000 + at * 5_000);
      // What was stored long ago says nothing new.
      node.hearBrokerTime(log.state.createdAt + 1_000);
      node.feed({ kind: 'head.reached', sentAt: 0 });
      return node.of('append')[0]?.after.seq ?? 0;
    });
    expect(seqs).toEqual([...seqs].sort((left, right) => left - right));
    expect(Math.min(...seqs)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...seqs)).toBeLessThan(80_000);
  });

  it('claims nothing before a message has shown it the clock of the broker', () => {
    const node = new CoordinatorHarness(new LogWriter());
    node.state = { ...node.state, brokerTime: undefined };
    node.readNew((log) => log.write({ kind: 'genesis', broker: 'b' }));
    node.feed({ kind: 'head.reached', sentAt: 0 });
    expect(node.state.role).toBe('standby');
    node.hearBrokerTime(node.wall);
    expect(node.state.role).toBe('leader');
  });

  it('numbers a claim above the age of the log and what nodes say they have applied', () => {
    const log = LogWriter.started('c9');
    log.join('w1');
    log.write({ kind: 'leader.resigned' });
    const first = new CoordinatorHarness(log);
    first.hearBrokerTime(log.state.createdAt + 50_000);
    first.feed({ kind: 'head.reached', sentAt: 0 });
    expect(first.state.cluster.head.seq).toBeGreaterThan(50_000);
    first.feed({ kind: 'stop' });
    const second = new CoordinatorHarness(log);
    second.report('w1', { appliedSeq: 700_000 });
    second.report('w2', { appliedSeq: 2 ** 52 });
    second.feed({ kind: 'head.reached', sentAt: 0 });
    expect(second.state.role).toBe('leader');
    expect(second.state.cluster.head.seq).toBeGreaterThan(700_000);
    expect(second.state.cluster.head.seq).toBeLessThan(2 ** 31);
  });

  it('that is stopped while its claim is under way waits for it, and resigns', () => {
    const log = new LogWriter();
    log.write({ kind: 'genesis', broker: 'b' });
    const node = new CoordinatorHarness(log);
    node.isStoring = false;
    node.feed({ kind: 'head.reached', sentAt: 0 });
    const claim = node.of('append').at(-1)!;
    node.feed({ kind: 'stop' });
    expect(node.of('exit')).toEqual([]);
    node.isStoring = true;
    node.store(claim);
    expect(node.events('leader.resigned')).toHaveLength(1);
    expect(node.of('exit')).toMatchObject([{ reason: 'stopped' }]);
  });

  it('resigns when it is stopped only after the append in flight', () => {
    const node = CoordinatorHarness.leading();
    node.isStoring = false;
    node.create('a');
    const first = node.of('append').at(-1)!;
    node.feed({ kind: 'stop' });
    node.pass(500);
    expect(node.of('append').at(-1)).toBe(first);
    node.isStoring = true;
    node.store(first);
    node.pass(100);
    expect([node.events('connector.put').length, node.events('leader.resigned').length]).toEqual([1, 1]);
  });

  it('resigns when it is stopped, and ends after reading that back', () => {
    const node = CoordinatorHarness.leading();
    node.feed({ kind: 'stop' });
    expect(node.events('leader.resigned')).toHaveLength(1);
    expect(node.of('exit')).toMatchObject([{ reason: 'stopped' }]);
    expect(node.feed({ kind: 'tick' })).toEqual([]);
  });

  it('has one append in flight, and decides again when a pull proves that one in doubt is not there', () => {
    const node = CoordinatorHarness.leading();
    node.isStoring = false;
    node.create('a');
    const first = node.of('append').at(-1)!;
    node.create('b');
    node.pass(500);
    expect(node.of('append').at(-1)).toBe(first);
    node.feed({ kind: 'append.settled', appendId: first.appendId, outcome: 'unknown' });
    node.pass(100);
    node.feed({ kind: 'head.reached', sentAt: node.now - 100 });
    expect(node.of('append').at(-1)).toBe(first);
    node.isStoring = true;
    node.feed({ kind: 'head.reached', sentAt: node.now });
    node.pass(300);
    expect(node.of('read-commands').at(-1)).toMatchObject({ fromOffset: 0 });
    node.feed({ kind: 'command.read', readId: node.state.commandReads, offset: 0, command: put('a') });
    node.feed({ kind: 'command.read', readId: node.state.commandReads, offset: 1, command: put('b') });
    expect([...node.state.cluster.connectors.keys()]).toEqual(['a', 'b']);
  });
});

describe('commands', () => {
  it('answer like Kafka Connect', () => {
    const node = CoordinatorHarness.leading();
    expect(node.create('a')).toEqual({ status: 'done', created: true });
    expect(node.create('a')).toEqual({ status: 'conflict', message: 'Connector a already exists' });
    const missing = { status: 'not-found', message: 'Connector x not found' };
    expect(node.command({ kind: 'connector.target', name: 'x', targetState: 'PAUSED' })).toEqual(missing);
    expect(node.command({ kind: 'connector.delete', name: 'x' })).toEqual(missing);
    const put = { kind: 'connector.put', mode: 'upsert', name: 'a', config: { v: '2' } } as const;
    expect(node.command({ ...put, type: 'source' })).toEqual({ status: 'done', created: false });
    expect(node.state.cluster.connectors.get('a')?.config).toEqual({ v: '2' });
    expect(node.command({ ...put, type: 'sink' })?.status).toBe('invalid');
    const unknown = { connector: 'a', index: 7 };
    expect(node.command({ kind: 'tasks.restart', name: 'a', tasks: [unknown] })).toEqual({
      status: 'not-found',
      message: 'Unknown task: a-7',
    });
  });

  it('are done once when they come twice, and the second time get the first answer', () => {
    const node = CoordinatorHarness.leading();
    const put = { kind: 'connector.put', mode: 'create', name: 'a', type: 'source', config: {} } as const;
    expect(node.command(put, { requestId: 'r' })?.status).toBe('done');
    expect(node.command(put, { requestId: 'r' })).toEqual({ status: 'done', created: true });
    expect(node.events('connector.put')).toHaveLength(1);
    expect(node.state.cluster.nextCommandOffset).toBe(2);
  });

  it('expire after 24 hours', () => {
    const node = CoordinatorHarness.leading();
    const body = { kind: 'connector.delete', name: 'a' } as const;
    expect(node.command(body, { sentAt: node.wall - 24 * 3_600_000 - 1 })?.status).toBe('expired');
  });

  it('beyond the limit of the queue are read again, and what the older reading still brings is ignored', () => {
    const node = CoordinatorHarness.leading({ maxQueuedCommands: 2 });
    node.isStoring = false;
    for (const name of ['a', 'b', 'c', 'd']) node.create(name);
    node.isStoring = true;
    node.store(node.of('append').at(-1)!);
    node.pass(200);
    expect(node.of('read-commands').at(-1)).toEqual({ kind: 'read-commands', readId: 2, fromOffset: 2 });
    const late = { requestId: 'late', sentAt: node.wall, from: 'g', kind: 'connector.delete', name: 'z' } as const;
    node.feed({ kind: 'command.read', readId: 1, offset: 4, command: late });
    expect([...node.state.cluster.connectors.keys()]).toEqual(['a', 'b']);
    expect(node.state.cluster.nextCommandOffset).toBe(2);
  });
});

describe('members', () => {
  it('join with their first report', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    expect(node.state.cluster.members.get('w1')).toMatchObject({ plugins: ['FileSource', 'org.FileSource'] });
  });

  it('are suspected after 3 s of silence and expire after 6 s, and no other member moves', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.report('w2');
    node.pass(2_800, ['w1']);
    expect(node.events('member.suspected')).toEqual([]);
    node.pass(300, ['w1']);
    expect(node.events('member.suspected')).toMatchObject([{ nodeId: 'w2' }]);
    node.pass(2_700, ['w1']);
    expect(node.events('member.left')).toEqual([]);
    node.pass(600, ['w1']);
    expect(node.events('member.left')).toMatchObject([{ nodeId: 'w2', reason: 'expired' }]);
    expect([...node.state.cluster.members.keys()]).toEqual(['w1']);
  });

  it('do not expire before their leases have ended, however late their suspicion is read back', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.isStoring = false;
    node.pass(7_000);
    expect(node.events('member.suspected')).toEqual([]);
    node.isStoring = true;
    node.store(node.of('append').at(-1)!);
    node.pass(3_200);
    expect(node.events('member.suspected')).toHaveLength(1);
    const suspectedAt = node.now;
    node.pass(2_700);
    expect(node.events('member.left')).toEqual([]);
    node.pass(500);
    expect(node.events('member.left')).toHaveLength(1);
    expect(node.now - suspectedAt).toBeGreaterThan(3_000);
  });

  it('get a full session from a new leader', () => {
    const log = LogWriter.started('c9');
    log.join('w1');
    const node = new CoordinatorHarness(log);
    node.report('w1');
    node.pass(4_000);
    node.feed({ kind: 'head.reached', sentAt: node.now });
    expect(node.state.role).toBe('leader');
    node.pass(2_800);
    expect(node.events('member.suspected')).toEqual([]);
    node.pass(300);
    expect(node.events('member.suspected')).toHaveLength(1);
  });

  it('are cleared by a report that comes after the suspicion', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.pass(4_000);
    node.report('w1');
    expect(node.events('member.cleared')).toHaveLength(1);
    node.pass(10_000, ['w1']);
    expect(node.events('member.left')).toEqual([]);
  });

  it('do not expire while the reports queue stalls, and get a full session afterwards', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.pass(1_000);
    node.isProbing = false;
    node.pass(30_000);
    expect(node.events('member.left')).toEqual([]);
    node.isProbing = true;
    node.pass(5_000);
    expect(node.events('member.left')).toEqual([]);
    node.pass(3_000);
    expect(node.events('member.left')).toHaveLength(1);
  });

  it('do not expire because this process was paused', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.pass(1_000, ['w1']);
    node.now += 60_000;
    node.pass(2_000, ['w1']);
    expect(node.events('member.suspected')).toEqual([]);
  });

  it('give way to a later incarnation on the same state directory: runners when they have no lease any more', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.report('w1', { incarnation: 'w1#2', supersedes: 'w1#1' });
    expect(node.events('member.suspected')).toMatchObject([{ incarnation: 'w1#1' }]);
    for (let i = 0; i < 29; i += 1) {
      node.pass(100);
      node.report('w1', { incarnation: 'w1#2', supersedes: 'w1#1' });
    }
    expect(node.events('member.left')).toEqual([]);
    node.pass(100);
    expect(node.events('member.left')).toMatchObject([{ incarnation: 'w1#1', reason: 'superseded' }]);
    expect(node.state.cluster.members.get('w1')?.incarnation).toBe('w1#2');
    node.report('g1', { role: 'gateway' });
    node.report('g1', { role: 'gateway', incarnation: 'g1#2', supersedes: 'g1#1' });
    expect(node.state.cluster.members.get('g1')?.incarnation).toBe('g1#2');
  });

  it('that report after a later incarnation on a copy of their state directory stay, and that one is rejected', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.report('w1', { incarnation: 'w1#2', supersedes: 'w1#1' });
    node.pass(100);
    node.report('w1');
    expect(node.events('member.rejected')).toMatchObject([{ nodeId: 'w1', incarnation: 'w1#2' }]);
    expect(node.events('member.cleared')).toMatchObject([{ incarnation: 'w1#1' }]);
    expect(node.state.cluster.members.get('w1')?.incarnation).toBe('w1#1');
  });

  it('are not cleared before a leader may assign tasks: others may act on what the log has lost', () => {
    const log = LogWriter.started('c9');
    log.join('w1');
    log.write({ kind: 'member.suspected', nodeId: 'w1', incarnation: 'w1#1' });
    const node = new CoordinatorHarness(log);
    node.pass(4_000);
    node.feed({ kind: 'head.reached', sentAt: node.now });
    expect(node.state.role).toBe('leader');
    node.pass(2_900, ['w1']);
    expect(node.events('member.cleared')).toEqual([]);
    node.pass(200, ['w1']);
    expect(node.events('member.cleared')).toHaveLength(1);
  });

  it('are known by their latest report, not by one that lands late', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1', { reportSeq: 7, appliedSeq: 90 });
    node.pass(1_000);
    const { lastAt } = node.state.reports.get('w1@w1#1')!;
    for (const reportSeq of [6, 7]) node.report('w1', { reportSeq, appliedSeq: 80 });
    expect(node.state.reports.get('w1@w1#1')).toMatchObject({ lastAt, report: { reportSeq: 7, appliedSeq: 90 } });
  });

  it('reject a second live node of the same id, but wait for a silent one to expire', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.report('w1', { incarnation: 'x' });
    expect(node.events('member.rejected')).toEqual([]);
    expect(node.events('member.suspected')).toEqual([]);
    node.pass(100);
    node.report('w1');
    node.pass(100);
    expect(node.events('member.rejected')).toMatchObject([{ nodeId: 'w1', incarnation: 'x' }]);
    node.report('w1', { incarnation: 'y' });
    for (let i = 0; i < 8; i += 1) {
      node.pass(1_000);
      node.report('w1', { incarnation: 'y' });
    }
    expect(node.state.cluster.members.get('w1')?.incarnation).toBe('y');
  });

  it('live as long as they are heard, though no whole report of theirs is known', () => {
    const log = LogWriter.started('c9');
    log.join('w1');
    const node = new CoordinatorHarness(log);
    node.pass(4_000);
    node.feed({ kind: 'head.reached', sentAt: node.now });
    const hear = (reportSeq: number): void => {
      node.hear({ kind: 'alive', nodeId: 'w1', incarnation: 'w1#1', reportSeq });
    };
    for (let reportSeq = 40; reportSeq < 52; reportSeq += 1) {
      hear(reportSeq);
      node.pass(1_000);
    }
    expect(node.events('member.suspected')).toEqual([]);
    for (let i = 0; i < 7; i += 1) {
      hear(51);
      node.pass(1_000);
    }
    expect(node.events('member.left')).toMatchObject([{ nodeId: 'w1', reason: 'expired' }]);
  });

  it('that are rejected coordinators exit', () => {
    const node = new CoordinatorHarness(LogWriter.started('c9'));
    node.readNew((log) => log.write({ kind: 'member.rejected', nodeId: 'c1', incarnation: 'c1#2', reason: 'node id c1 is in use' }));
    expect(node.of('exit')).toMatchObject([{ reason: 'rejected' }]);
  });
});

/** A command that creates a connector. */
function put(name: string): Command {
  const body = { kind: 'connector.put', mode: 'create', name, type: 'source', config: {} } as const;
  return { requestId: `put ${name}`, sentAt: 1_000_000_000, from: 'g1', ...body };
}

/** A leader, runners w1 and w2, and connector `a` with its tasks running. */
function running(tasks: number, runners: readonly string[] = ['w1', 'w2']): CoordinatorHarness {
  const node = CoordinatorHarness.leading();
  for (const nodeId of runners) node.report(nodeId);
  node.create('a', tasks);
  node.pass(100, runners);
  node.answer();
  node.pass(100, runners);
  for (const nodeId of runners) node.report(nodeId);
  return node;
}

describe('tasks', () => {
  it('come from the answer of a runner, with the settings of the connector, and are spread', () => {
    const node = running(2);
    const { connectors, tasks } = node.state.cluster;
    expect(taskConfig(connectors.get('a'), tasks.get('a-1')!)).toEqual({
      'connector.class': 'FileSource',
      'tasks.max': '2',
      part: '1',
    });
    expect([node.owner('a-0'), node.owner('a-1')]).toEqual(['w1', 'w2']);
  });

  it('are asked of the next runner when one has no such plugin or is silent', () => {
    const node = CoordinatorHarness.leading();
    for (const nodeId of ['w1', 'w2']) node.report(nodeId);
    node.create('a');
    const [first] = node.of('ask-task-configs');
    const { connector, configVersion, nodeId } = first!;
    node.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer: { kind: 'timeout' } });
    node.pass(500, ['w1', 'w2']);
    const asked = node.of('ask-task-configs').map((effect) => effect.nodeId);
    expect(new Set(asked)).toEqual(new Set(['w1', 'w2']));
    expect(asked).toHaveLength(2);
  });

  it('fail with the text of the connector, until it is restarted', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.create('a');
    const { connector, configVersion, nodeId } = node.of('ask-task-configs')[0]!;
    const answer = { kind: 'error', error: 'no such file' } as const;
    node.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer });
    node.pass(2_000, ['w1']);
    expect(node.state.cluster.connectors.get('a')?.error).toBe('no such file');
    expect(node.of('ask-task-configs')).toHaveLength(1);
    node.command({ kind: 'connector.restart', name: 'a' });
    node.answer();
    expect(node.state.cluster.connectors.get('a')?.error).toBeUndefined();
    expect(node.owner('a-0')).toBe('w1');
  });

  it('move in two phases, and no other task stops', () => {
    const node = running(4);
    node.report('w3');
    const moved = [...node.state.cluster.tasks.keys()].filter((key) => node.owner(key)?.endsWith('✗'));
    expect(moved).toHaveLength(1);
    const key = moved[0]!;
    const from = node.owner(key)!.slice(0, 2);
    const before = node.state.cluster.head.seq;
    node.report(from, { appliedSeq: 1 });
    expect(node.owner(key)).toBe(`${from}✗`);
    node.report(from);
    node.pass(100);
    expect(node.owner(key)).toBe('w3');
    expect(node.state.cluster.tasks.get(key)?.assignment?.generation).toBeGreaterThan(before);
  });

  it('of a leaving node are reassigned as each is reported stopped', () => {
    const node = running(4);
    const held = [...node.state.cluster.tasks].filter(([key]) => node.owner(key) === 'w2');
    expect(held).toHaveLength(2);
    const [[firstKey, first], [secondKey]] = [held[0]!, held[1]!];
    const { generation } = first.assignment!;
    const task = { id: first.id, generation, state: 'STOPPING', since: 0, committed: false, counters: {} } as const;
    node.report('w2', { leaving: true, tasks: [task] });
    expect([node.owner(firstKey), node.owner(secondKey)]).toEqual(['w2', 'w1']);
    node.report('w2', { leaving: true, tasks: [] });
    expect(node.owner(firstKey)).toBe('w1');
    expect(node.events('member.left')).toMatchObject([{ nodeId: 'w2', reason: 'leaving' }]);
  });

  it('stay assigned when paused, become free when stopped, and come back when resumed', () => {
    const node = running(2);
    node.command({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    expect(node.owner('a-0')).toBe('w1');
    node.command({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    node.report('w1');
    node.report('w2');
    expect([node.owner('a-0'), node.owner('a-1')]).toEqual([undefined, undefined]);
    node.command({ kind: 'connector.target', name: 'a', targetState: 'RUNNING' });
    expect([node.owner('a-0'), node.owner('a-1')]).toEqual(['w1', 'w2']);
  });

  it('of a connector that was created again wait until the old ones are released', () => {
    const node = running(1, ['w1']);
    const old = node.state.cluster.tasks.get('a-0')!.assignment!;
    node.command({ kind: 'connector.delete', name: 'a' });
    node.create('a');
    node.answer();
    expect(node.owner('a-0')).toBe('w1✗');
    node.report('w1');
    expect(node.owner('a-0')).toBe('w1');
    expect(node.state.cluster.tasks.get('a-0')?.assignment?.generation).toBeGreaterThan(old.generation);
  });

  it('that are restarted get a new generation on the same node', () => {
    const node = running(2);
    const old = node.state.cluster.tasks.get('a-1')!.assignment!;
    node.command({ kind: 'tasks.restart', name: 'a', tasks: [{ connector: 'a', index: 1 }] });
    node.report('w2');
    node.pass(100);
    expect(node.owner('a-1')).toBe('w2');
    expect(node.state.cluster.tasks.get('a-1')?.assignment?.generation).toBeGreaterThan(old.generation);
  });

  it('are marked as committed once', () => {
    const node = running(1, ['w1']);
    const { generation } = node.state.cluster.tasks.get('a-0')!.assignment!;
    const id = { connector: 'a', index: 0 };
    const task = { id, generation, state: 'RUNNING', since: 0, committed: true, counters: {} } as const;
    for (let i = 0; i < 3; i += 1) node.report('w1', { tasks: [task] });
    expect(node.events('tasks.committed')).toEqual([{ kind: 'tasks.committed', tasks: [id] }]);
  });
});
