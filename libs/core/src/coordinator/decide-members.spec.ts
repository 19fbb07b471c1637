import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CoordinatorHarness, UNTIL_GIVING_MS } from '../testing/coordinator-harness.js';
import { LogWriter } from '../testing/log-writer.js';
import type { CoordinatorState } from './state.js';
import { step } from './step.js';

type Action = (harness: CoordinatorHarness) => void;

const node = fc.constantFrom('a', 'b', 'c');
const reported = node.map((id): Action => (harness) => {
  harness.report(id);
});
const oddlyReported = fc
  .record({ id: node, leaving: fc.boolean(), isSecond: fc.boolean() })
  .map(({ id, leaving, isSecond }): Action => (harness) => {
    const second = isSecond ? { incarnation: `${id}#2`, supersedes: `${id}#1` } : {};
    harness.report(id, { leaving, ...second });
  });
const passed = fc.integer({ min: 1, max: 30 }).map((tenths): Action => (harness) => {
  harness.pass(100 * tenths);
});
const probing = fc.boolean().map((is): Action => (harness) => {
  harness.isProbing = is;
});
const storing = fc.boolean().map((is): Action => (harness) => {
  harness.isStoring = is;
});
const action = fc.oneof(
  { weight: 6, arbitrary: reported },
  { weight: 1, arbitrary: oddlyReported },
  { weight: 4, arbitrary: passed },
  { weight: 1, arbitrary: probing },
  { weight: 1, arbitrary: storing },
);

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

  it('is the same at every step, whether or not a look is spared that would find nothing', () => {
    let spared = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 60 }), (actions) => {
        const harness = CoordinatorHarness.leading({ reportQueues: 2 });
        const feed = harness.feed.bind(harness);
        harness.feed = (body) => {
          const input = { ...body, now: harness.now, wall: harness.wall };
          const { settledMembers: last } = harness.state;
          // A step changes the reports in place.
          const stateNow = (): CoordinatorState => ({ ...harness.state, reports: new Map(harness.state.reports) });
          const next = step(stateNow(), input);
          expect(next.effects).toEqual(step({ ...stateNow(), settledMembers: undefined }, input).effects);
          if (last !== undefined && next.state.settledMembers === last) spared += 1;
          return feed(body);
        };
        for (const act of actions) act(harness);
      }),
      { numRuns: 60 },
    );
    expect(spared).toBeGreaterThan(300);
  });
});
