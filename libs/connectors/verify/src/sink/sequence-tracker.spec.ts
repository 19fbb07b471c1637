import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type Arrival, countOf, gapsOf, mergeSequences, type SequenceState, SequenceTracker } from './sequence-tracker.js';

const numbers = fc.array(fc.nat(60), { maxLength: 120 });

/** The same as the tracker, with a set of all numbers. */
function model(given: readonly number[]): readonly Arrival[] {
  const seen = new Set<number>();
  return given.map((number) => {
    const highest = Math.max(-1, ...seen);
    const isDuplicate = seen.has(number);
    const isFirst = seen.size === 0;
    seen.add(number);
    if (isDuplicate) return 'duplicate';
    if (isFirst || number === highest + 1) return 'next';
    return number > highest ? 'ahead' : 'late';
  });
}

function tracked(given: readonly number[], maxRanges = 1000): SequenceTracker {
  const tracker = new SequenceTracker(maxRanges);
  for (const number of given) tracker.add(number);
  return tracker;
}

describe('SequenceTracker', () => {
  it('says of any number what a set of all numbers says', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        const tracker = new SequenceTracker(1000);
        expect(given.map((number) => tracker.add(number))).toEqual(model(given));
      }),
      { numRuns: 500 },
    );
  });

  it('holds exactly the numbers that were added, in ranges that do not touch', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        const { ranges, givenUp } = tracked(given).state;
        const expected = [...new Set(given)].sort((left, right) => left - right);
        expect(ranges.flatMap(([first, last]) => [...Array(last - first + 1).keys()].map((n) => first + n))).toEqual(expected);
        ranges.slice(1).forEach(([first], index) => {
          expect(first).toBeGreaterThan((ranges[index]?.[1] ?? 0) + 1);
        });
        expect(givenUp).toBeUndefined();
      }),
    );
  });

  it('resumes from its state as if there had been no break', () => {
    fc.assert(
      fc.property(numbers, fc.nat(120), fc.integer({ min: 1, max: 6 }), (given, cut, maxRanges) => {
        const tracker = tracked(given.slice(0, cut), maxRanges);
        const restored = new SequenceTracker(maxRanges, JSON.parse(JSON.stringify(tracker.state)) as SequenceState);
        const rest = given.slice(cut);
        expect(rest.map((number) => restored.add(number))).toEqual(rest.map((number) => tracker.add(number)));
        expect(restored.state).toEqual(tracker.state);
      }),
    );
  });

  it('never has more ranges than allowed, counts what it gave up, and never calls a new number a duplicate', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 5 }), (given, maxRanges) => {
        const tracker = new SequenceTracker(maxRanges);
        const seen = new Set<number>();
        for (const number of given) {
          const arrival = tracker.add(number);
          if (arrival === 'duplicate') expect(seen.has(number)).toBe(true);
          if (arrival === 'late' || arrival === 'ahead' || arrival === 'next') expect(seen.has(number)).toBe(false);
          if (arrival !== 'undecided') seen.add(number);
          expect(tracker.state.ranges.length).toBeLessThanOrEqual(maxRanges);
        }
        const { ranges, givenUp = 0 } = tracker.state;
        expect(countOf(ranges) - givenUp).toBe(seen.size);
      }),
    );
  });

  it('distinguishes the five arrivals', () => {
    const tracker = new SequenceTracker(2);
    const arrivals = [5, 6, 9, 8, 8, 20, 7, 1].map((number) => tracker.add(number));
    expect(arrivals).toEqual(['next', 'next', 'ahead', 'late', 'duplicate', 'ahead', 'undecided', 'undecided']);
    expect(tracker.state).toEqual({
      ranges: [
        [5, 9],
        [20, 20],
      ],
      givenUp: 1,
      givenUpTo: 7,
    });
  });
});

describe('mergeSequences', () => {
  it('holds what any place has seen, and counts what more than one has', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 4 }), (places) => {
        const merged = mergeSequences(places.map((given) => tracked(given).state));
        const distinct = places.map((given) => new Set(given));
        const all = new Set(places.flat());
        expect(countOf(merged.ranges)).toBe(all.size);
        expect(merged.duplicates).toBe(distinct.reduce((sum, { size }) => sum + size, 0) - all.size);
        const end = 70;
        const missing = gapsOf(merged.ranges, end).flatMap(([first, last]) => [...Array(last - first + 1).keys()].map((n) => first + n));
        expect(missing).toEqual([...Array(end).keys()].filter((number) => !all.has(number)));
      }),
    );
  });
});
