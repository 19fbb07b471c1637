import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LatencyHistogram } from './latency-histogram.js';

function filled(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

const durations = fc.array(fc.oneof(fc.nat(40), fc.nat(10_000), fc.nat(2 ** 31 - 1)), { minLength: 1, maxLength: 300 });

describe('LatencyHistogram', () => {
  it('gives percentiles that are not too low and at most a sixteenth too high, and the exact maximum', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const sorted = [...values].sort((left, right) => left - right);
        const summary = filled(values).summary!;
        for (const [share, given] of [
          [0.5, summary.p50],
          [0.99, summary.p99],
        ] as const) {
          const exact = sorted[Math.ceil(sorted.length * share) - 1]!;
          expect(given).toBeGreaterThanOrEqual(exact);
          expect(given).toBeLessThanOrEqual(exact * (1 + 1 / 16));
        }
        expect(summary.max).toBe(sorted.at(-1));
      }),
    );
  });

  it('adds up over places and breaks', () => {
    fc.assert(
      fc.property(durations, durations, (left, right) => {
        const states = [filled(left).state, filled(right).state];
        const restored = LatencyHistogram.restore(...(JSON.parse(JSON.stringify(states)) as typeof states));
        expect(restored.summary).toEqual(filled([...left, ...right]).summary);
      }),
    );
  });

  it('knows nothing without values, and counts what lies before its creation as 0', () => {
    expect(new LatencyHistogram().summary).toBeUndefined();
    expect(filled([-5]).summary).toEqual({ p50: 0, p99: 0, max: 0 });
    expect(filled([Number.MAX_SAFE_INTEGER]).summary?.max).toBe(Number.MAX_SAFE_INTEGER);
  });
});
