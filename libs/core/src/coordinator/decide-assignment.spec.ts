import { describe, expect, it } from '@jest/globals';
import { drainStateOf } from '../status/drain-status.js';
import { CoordinatorHarness, UNTIL_GIVING_MS } from '../testing/coordinator-harness.js';
import { LogWriter } from '../testing/log-writer.js';

/** A leader and connector `a` with its tasks spread over the runners. */
function running(tasks: number, runners: readonly string[] = ['w1', 'w2']): CoordinatorHarness {
  const node = CoordinatorHarness.leading({ maxDrainMoves: 2 });
  for (const nodeId of runners) node.report(nodeId);
  node.create('a', tasks);
  node.answer();
  node.pass(100, runners);
  return node;
}

const owners = (node: CoordinatorHarness): readonly (string | undefined)[] =>
  [...node.state.cluster.tasks.keys()].map((key) => node.owner(key));

describe('a draining node', () => {
  it('loses its tasks a few at a time, stays a member, and is drained when it holds none', () => {
    const node = running(8);
    const drain = { kind: 'node.drain', nodeId: 'w2' } as const;
    expect(drainStateOf(node.state.cluster, 'w2')).toBe('active');
    expect(node.command(drain)?.status).toBe('done');
    node.pass(100);
    expect(owners(node).filter((owner) => owner === 'w2✗')).toHaveLength(2);
    expect(owners(node).filter((owner) => owner === 'w2')).toHaveLength(2);
    expect(drainStateOf(node.state.cluster, 'w2')).toBe('draining');
    for (let i = 0; i < 3; i += 1) {
      node.report('w2');
      node.pass(100);
    }
    expect(new Set(owners(node))).toEqual(new Set(['w1']));
    expect(drainStateOf(node.state.cluster, 'w2')).toBe('drained');
    expect(node.state.cluster.members.has('w2')).toBe(true);
    expect(node.command(drain)?.status).toBe('done');
    expect(node.events('drain.started')).toHaveLength(1);
  });

  it('gets no task though it restarts, until it is undrained', () => {
    const node = running(4);
    node.command({ kind: 'node.drain', nodeId: 'w2' });
    node.report('w2', { leaving: true, tasks: [] });
    node.report('w2', { incarnation: 'w2#2', supersedes: 'w2#1' });
    node.pass(1_000, ['w1']);
    expect(new Set(owners(node))).toEqual(new Set(['w1']));
    expect(node.command({ kind: 'node.undrain', nodeId: 'w2' })?.status).toBe('done');
    node.pass(100);
    expect(owners(node)).toContain('w1✗');
  });

  it('keeps what nobody else can run', () => {
    const node = running(2, ['w1']);
    node.command({ kind: 'node.drain', nodeId: 'w1' });
    node.pass(1_000, ['w1']);
    expect(owners(node)).toEqual(['w1', 'w1']);
    node.report('w2');
    expect(owners(node)).toEqual(['w1✗', 'w1✗']);
  });

  it('must be a runner that the cluster knows', () => {
    const node = running(1);
    node.report('g1', { role: 'gateway' });
    const drain = (nodeId: string) => node.command({ kind: 'node.drain', nodeId });
    expect(drain('w9')).toEqual({ status: 'not-found', message: 'Node w9 not found' });
    expect(drain('g1')).toMatchObject({ status: 'invalid', message: expect.stringContaining('g1 is a gateway') });
    expect(node.command({ kind: 'node.undrain', nodeId: 'w9' })?.status).toBe('not-found');
  });
});

describe('a leader that follows another', () => {
  const after = (write: (log: LogWriter) => void): CoordinatorHarness => {
    const log = LogWriter.started('c9');
    log.join('w1');
    log.connector('a', 1);
    write(log);
    const node = new CoordinatorHarness(log, 'c9#1');
    node.wall = log.at;
    node.pass(4_000);
    node.feed({ kind: 'head.reached', sentAt: 4_000 });
    expect(node.state.role).toBe('leader');
    node.report('w1');
    return node;
  };

  it.each<readonly [string, (log: LogWriter) => unknown]>([
    ['was silent', () => undefined],
    ['resigned', (log) => log.write({ kind: 'leader.resigned' })],
  ])('that %s waits until no runner can act any more on what the log may have lost', (_, write) => {
    const node = after(write);
    node.pass(2_900, ['w1']);
    expect(node.owner('a-0')).toBeUndefined();
    node.pass(200, ['w1']);
    expect(node.owner('a-0')).toBe('w1');
  });
});

describe('tasks that run', () => {
  it('are not moved while a runner is suspected; those that are free are assigned', () => {
    const node = running(4);
    node.pass(3_200, ['w2']);
    expect(node.state.cluster.members.get('w1')?.suspectedAt).toBeDefined();
    node.report('w3');
    node.create('b', 2);
    node.answer();
    node.pass(500, ['w2', 'w3']);
    expect(['w2', 'w3']).toEqual(expect.arrayContaining([node.owner('b-0'), node.owner('b-1')]));
    node.report('w4');
    node.pass(500, ['w2', 'w3', 'w4']);
    expect(node.events('tasks.revoked')).toEqual([]);
    node.report('w1');
    node.pass(100);
    expect(node.state.cluster.members.get('w1')?.suspectedAt).toBeUndefined();
    expect(node.events('tasks.revoked')).toMatchObject([{ reason: 'moved' }]);
  });

  it('are not moved before every runner was heard', () => {
    const log = LogWriter.started('c9');
    for (const nodeId of ['w1', 'w2', 'w3']) log.join(nodeId);
    log.connector('a', 4);
    for (let index = 0; index < 4; index += 1) log.assign('a', index, 'w1');
    log.write({ kind: 'leader.resigned' });
    const node = new CoordinatorHarness(log);
    node.wall = log.at;
    node.feed({ kind: 'head.reached', sentAt: 0 });
    node.pass(100);
    expect(node.state.role).toBe('leader');
    for (const nodeId of ['w1', 'w2']) node.report(nodeId);
    node.pass(UNTIL_GIVING_MS, ['w1', 'w2']);
    expect(owners(node)).toEqual(['w1', 'w1', 'w1', 'w1']);
    node.report('w3');
    node.pass(100);
    expect(owners(node).filter((owner) => owner === 'w1✗')).toHaveLength(2);
  });
});

describe('entries that assigned tasks and are missing in the log: runners may have read them', () => {
  const lost = (outcome: 'unknown' | 'stored') => {
    const node = CoordinatorHarness.leading();
    for (const nodeId of ['w1', 'w2']) node.report(nodeId);
    node.create('a');
    node.isStoring = false;
    node.answer();
    const assigning = node.of('append').at(-1)!;
    expect(assigning.events.map(({ kind }) => kind)).toContain('tasks.assigned');
    node.pass(1_000, ['w1', 'w2']);
    node.isStoring = true;
    const { appendId, after, events } = assigning;
    const lastOffset = after.offset + events.length;
    node.feed({ kind: 'append.settled', appendId, outcome, ...(outcome === 'stored' ? { lastOffset } : {}) });
    return { node, lastOffset, lastSeq: after.seq + events.length };
  };
  const givesAnew = (node: CoordinatorHarness, lastSeq: number): void => {
    expect(node.state.cluster.epoch).toBe(2);
    expect(node.state.role).toBe('leader');
    expect(node.command({ kind: 'node.drain', nodeId: 'w2' })?.status).toBe('done');
    node.answer();
    node.pass(2_800, ['w1', 'w2']);
    expect(node.owner('a-0')).toBeUndefined();
    node.pass(300, ['w1', 'w2']);
    expect(node.owner('a-0')).toBe('w1');
    expect(node.state.cluster.tasks.get('a-0')?.assignment?.generation).toBeGreaterThan(lastSeq);
  };

  it('are decided again under another claim, with other numbers, a lease after a pull has shown the gap', () => {
    const { node, lastSeq } = lost('unknown');
    node.feed({ kind: 'head.reached', sentAt: node.now });
    expect(node.state.cluster.epoch).toBe(1);
    node.pass(1_000, ['w1', 'w2']);
    node.feed({ kind: 'head.reached', sentAt: node.now });
    givesAnew(node, lastSeq);
  });

  it('are so too where other messages stand in their place', () => {
    const { node, lastSeq, lastOffset } = lost('stored');
    node.feed({ kind: 'head.reached', sentAt: node.now + 1 });
    expect(node.state.cluster.epoch).toBe(1);
    node.isStoring = false;
    node.read([], lastOffset + 1);
    const claim = node.of('append').at(-1)!;
    node.isStoring = true;
    node.store({ ...claim, after: { ...claim.after, offset: lastOffset } });
    givesAnew(node, lastSeq);
  });
});

describe('a connector that is split again', () => {
  it('makes no task of another one move', () => {
    const node = running(4);
    node.create('b', 4);
    node.answer();
    node.pass(100, ['w1', 'w2']);
    const before = [...node.state.cluster.tasks.values()].filter(({ id }) => id.connector === 'a');
    node.command({ kind: 'tasks.restart', name: 'b', tasks: [0, 1, 2].map((index) => ({ connector: 'b', index })) });
    node.command({ kind: 'connector.restart', name: 'b' });
    for (let i = 0; i < 3; i += 1) node.pass(100, ['w1', 'w2']);
    for (const nodeId of ['w1', 'w2']) node.report(nodeId);
    expect(node.owner('b-0')).toBeUndefined();
    expect([...node.state.cluster.tasks.values()].filter(({ id }) => id.connector === 'a')).toEqual(before);
    node.answer();
    expect(node.events('tasks.revoked')).toHaveLength(1);
    expect(owners(node).filter((owner) => owner === 'w1')).toHaveLength(4);
  });
});

describe('the assignment strategy', () => {
  it('is the one that the log says', () => {
    const node = running(8, ['w1', 'w2', 'w3']);
    const before = owners(node);
    node.command({ kind: 'settings.put', settings: { 'assignment.strategy': 'consistent-hash' } });
    node.pass(100, ['w1', 'w2', 'w3']);
    expect(node.events('tasks.revoked').length).toBeGreaterThan(0);
    expect(owners(node)).not.toEqual(before);
  });

  it('is looked at again after rebalance.interval.ms', () => {
    const node = running(2);
    node.command({ kind: 'settings.put', settings: { 'rebalance.interval.ms': '2000' } });
    node.pass(1_000, ['w1', 'w2']);
    const planned = node.state.planned;
    node.pass(900, ['w1', 'w2']);
    expect(node.state.planned).toBe(planned);
    node.pass(1_500, ['w1', 'w2']);
    expect(node.state.planned?.at).toBeGreaterThan(planned!.at);
  });
});

describe('labels', () => {
  it('of nodes come from their reports, and placement asks for them', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1', { labels: { zone: 'a' } });
    node.report('w2', { labels: { zone: 'b' } });
    const config = { 'connector.class': 'FileSource', 'tasks.max': '2', 'placement.zone': 'b' };
    node.command({ kind: 'connector.put', mode: 'create', name: 'a', type: 'source', config });
    node.answer();
    expect(owners(node)).toEqual(['w2', 'w2']);
    expect(node.state.cluster.members.get('w1')?.labels).toEqual({ zone: 'a' });
  });
});
