import { describe, expect, it } from '@jest/globals';
import { CoordinatorHarness, UNTIL_GIVING_MS } from '../testing/coordinator-harness.js';
import { LogWriter } from '../testing/log-writer.js';

describe('what is decided about members', () => {
  it('clears a leader whom the one before suspected during its suspension', () => {
    const log = LogWriter.started('c9');
    const self = { nodeId: 'c1', incarnation: 'c1#2' };
    log.write({ kind: 'member.joined', member: { ...self, role: 'coordinator', capacity: 1, plugins: [] } });
    log.write({ kind: 'member.suspected', ...self }, { kind: 'leader.resigned' });
    const harness = new CoordinatorHarness(log);
    harness.feed({ kind: 'head.reached', sentAt: 0 });
    expect(harness.state.cluster.members.get('c1')).toMatchObject({ suspectedAt: expect.any(Number) });
    harness.pass(UNTIL_GIVING_MS);
    expect(harness.events('member.cleared')).toEqual([{ kind: 'member.cleared', ...self }]);
    expect(harness.state.cluster.members.get('c1')?.suspectedAt).toBeUndefined();
    harness.pass(10_000);
    expect(harness.events('member.cleared')).toHaveLength(1);
  });

  it('suspects whom it never heard, though all others report', () => {
    const log = LogWriter.started('c9');
    const silent = { nodeId: 'w0', incarnation: 'w0#1' };
    log.write({ kind: 'member.joined', member: { ...silent, role: 'source-runner', capacity: 1, plugins: [] } });
    log.write({ kind: 'leader.resigned' });
    const node = new CoordinatorHarness(log);
    node.feed({ kind: 'head.reached', sentAt: 0 });
    node.report('w1');
    node.pass(UNTIL_GIVING_MS + 30_000, ['w1']);
    expect(node.events('member.suspected')).toEqual([{ kind: 'member.suspected', ...silent }]);
    expect(node.events('member.left')).toEqual([expect.objectContaining(silent)]);
  });

  it('expires nobody by the probes of other coordinators: they prove nothing', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    node.isProbing = false;
    for (let second = 0; second < 30; second += 1) {
      node.pass(1_000);
      node.hear({ kind: 'probe', probe: { incarnation: 'c2#1', sentAt: node.now } });
    }
    expect(node.events('member.left')).toEqual([]);
  });

  it('follows from all messages of an answer, whatever the last one says', () => {
    const node = CoordinatorHarness.leading();
    node.report('w1');
    const appends = node.of('append').length;
    const signs = ['w2', 'w3', 'w1'].map((nodeId) => ({ kind: 'report' as const, report: node.reportOf(nodeId) }));
    node.hear(...signs, { kind: 'alive', nodeId: 'w4', incarnation: 'w4#1', reportSeq: 9 });
    expect([...node.state.cluster.members.keys()]).toEqual(expect.arrayContaining(['w1', 'w2', 'w3']));
    expect(node.of('append')).toHaveLength(appends + 1);
    expect([...node.state.reports.values()].map(({ lastAt }) => lastAt)).toEqual([node.now, node.now, node.now]);
    expect(node.state.heard.get('w4@w4#1')).toMatchObject({ reportSeq: 9, lastAt: node.now });
  });
});
