import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Pace } from './pace.js';

/** Takes everything that is due at each time; the counts. */
function run(pace: Pace, timesMs: readonly number[]): readonly number[] {
  return timesMs.map((nowMs) => {
    const due = pace.due(nowMs);
    pace.take(due);
    return due;
  });
}

describe('Pace', () => {
  it('does not drift, however irregular the calls, as long as none is 200 ms late', () => {
    const steps = fc.array(fc.double({ min: 0.01, max: 199, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), steps, (rate, gapsMs) => {
        let nowMs = 5;
        const pace = new Pace(rate, nowMs);
        const taken = run(
          pace,
          gapsMs.map((gapMs) => (nowMs += gapMs)),
        ).reduce((sum, count) => sum + count, 0);
        const scheduled = ((nowMs - 5) * rate) / 1000;
        expect(taken).toBeGreaterThan(scheduled - 1.001);
        expect(taken).toBeLessThanOrEqual(scheduled);
      }),
    );
  });

  it('makes up for 200 ms of a longer stall and then keeps the rate', () => {
    const pace = new Pace(1000, 0);
    expect(run(pace, [10, 60_010, 60_010, 60_011, 60_111])).toEqual([10, 200, 0, 1, 100]);
  });

  it('gives a slow rate one record after a stall', () => {
    const pace = new Pace(0.5, 0);
    expect(run(pace, [1999, 2000, 60_000, 61_999, 62_000])).toEqual([0, 1, 1, 0, 1]);
  });

  it('says when the next record is due', () => {
    const pace = new Pace(100, 0);
    expect(pace.untilDueMs(4)).toBe(6);
    expect(pace.untilDueMs(12)).toBe(0);
    pace.take(1);
    expect(pace.untilDueMs(12)).toBe(8);
  });
});
