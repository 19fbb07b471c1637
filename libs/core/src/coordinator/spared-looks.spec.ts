import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
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

// Apart from the rules about members, whose mutants need not run it.
describe('what is decided about members', () => {
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
