import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
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
  it('is the same at every step, whether or not a look is spared that would find nothing', () => {
    let spared = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 60 }), (actions) => {
        const harness = CoordinatorHarness.leading({ reportQueues: 2 });
        const feed = harness.feed.bind(harness);
        harness.feed = (body) => {
          const input = { ...body, now: harness.now, wall: harness.wall };
          const { calm } = harness.state;
          const next = step(harness.state, input);
          expect(next.effects).toEqual(step({ ...harness.state, calm: undefined }, input).effects);
          if (calm !== undefined && next.state.calm === calm) spared += 1;
          return feed(body);
        };
        for (const act of actions) act(harness);
      }),
      { numRuns: 60 },
    );
    expect(spared).toBeGreaterThan(300);
  });
});
