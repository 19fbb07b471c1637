import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { step } from './step.js';

type Action = (harness: CoordinatorHarness) => void;

const node = fc.constantFrom('a', 'b', 'c');
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: node.map(
      (id): Action =>
        (harness) =>
          void harness.report(id),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ id: node, leaving: fc.boolean(), isSecond: fc.boolean() }).map(
      ({ id, leaving, isSecond }): Action =>
        (harness) =>
          void harness.report(id, {
            leaving,
            ...(isSecond ? { incarnation: `${id}#2`, supersedes: `${id}#1` } : {}),
          }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 30 }).map(
      (tenths): Action =>
        (harness) =>
          void harness.pass(100 * tenths),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (is): Action =>
        (harness) =>
          void (harness.isProbing = is),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (is): Action =>
        (harness) =>
          void (harness.isStoring = is),
    ),
  },
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
