import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { SpanList } from '../testing/span-list.js';
import { Tracer } from './tracer.js';

const context = (isSampled: boolean): { traceId: string; spanId: string; isSampled: boolean } => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  isSampled,
});

/** Numbers in [0, 1), the same in each run: the generator of Park and Miller. */
function randomNumbers(): () => number {
  let state = 42;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function tracerOf(ratio: number, maxPerSecond = 1_000_000): { tracer: Tracer; list: SpanList; clock: ManualClock } {
  const list = new SpanList();
  const clock = new ManualClock();
  const times = { nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs(), random: randomNumbers() };
  return { tracer: new Tracer({ ratio, maxPerSecond }, list, times), list, clock };
}

describe('the choice of records that are traced', () => {
  it.each([0.5, 0.1, 0.01])('takes a share of %d of those without a context, with gaps of all lengths', (ratio) => {
    const { tracer } = tracerOf(ratio);
    const count = 200_000;
    const gaps = new Set<number>();
    let chosen = 0;
    let last = -1;
    for (let at = 0; at < count; at++) {
      if (!tracer.chooses(undefined)) continue;
      chosen++;
      gaps.add(at - last);
      last = at;
    }
    // Four standard deviations of the binomial distribution.
    expect(Math.abs(chosen - count * ratio)).toBeLessThan(4 * Math.sqrt(count * ratio * (1 - ratio)));
    expect(gaps.has(1)).toBe(true);
    expect(Math.max(...gaps)).toBeGreaterThan(2 / ratio);
  });

  it('takes all of them, or none', () => {
    const chosenOf = (ratio: number): number => {
      const { tracer } = tracerOf(ratio);
      return Array.from({ length: 1000 }, () => tracer.chooses(undefined)).filter(Boolean).length;
    };
    expect(chosenOf(1)).toBe(1000);
    expect(chosenOf(0)).toBe(0);
  });

  it('follows what a context says, whatever the share is', () => {
    expect(tracerOf(0).tracer.chooses(context(true))).toBe(true);
    expect(tracerOf(1).tracer.chooses(context(false))).toBe(false);
  });

  it('counts an invalid context, and treats it as none', () => {
    const { tracer, list } = tracerOf(1);
    expect(tracer.chooses('invalid')).toBe(true);
    expect(list.counts.invalidContexts).toBe(1);
    expect(tracerOf(0).tracer.chooses('invalid')).toBe(false);
  });

  it('stops at the most of a second, counts the others, and resumes with time', async () => {
    const { tracer, list, clock } = tracerOf(1, 10);
    const chosenOf = (count: number): number =>
      Array.from({ length: count }, (_, at) => tracer.chooses(at % 2 === 0 ? undefined : context(true))).filter(Boolean).length;
    expect(chosenOf(50)).toBe(10);
    expect(list.counts.limitedRecords).toBe(40);
    await clock.advance(500);
    expect(chosenOf(50)).toBe(5);
    await clock.advance(60_000);
    expect(chosenOf(50)).toBe(10);
  });
});
