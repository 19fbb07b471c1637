import { describe, expect, it } from '@jest/globals';
import { type RateLimits, SharedRate } from './shared-rate.js';

/** A rate of records, and the same as another thread has it. */
function recordsAt(records: number | undefined, more: Partial<RateLimits> = {}) {
  const time = { nowMs: 0 };
  const rate = new SharedRate(() => time.nowMs);
  rate.set({ records, bytes: undefined, ...more });
  return { time, rate, other: new SharedRate(() => time.nowMs, rate.memory) };
}

/** Takes one after another, those in turn that may, until `untilMs`; returns how many records each took. */
function takenUntil(time: { nowMs: number }, untilMs: number, takers: readonly SharedRate[], bytes = 0): readonly number[] {
  const taken = takers.map(() => 0);
  for (let turn = 0; ;) {
    if (turn > 1_000_000) throw new Error('nothing is limited');
    const waitMs = takers[turn % takers.length]?.waitMs() ?? 0;
    if (waitMs > 0) {
      if (time.nowMs + waitMs > untilMs) return taken;
      time.nowMs += waitMs;
      continue;
    }
    const taker = turn++ % takers.length;
    takers[taker]?.take(bytes);
    taken[taker]! += 1;
  }
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

describe('a rate that tasks share', () => {
  it.each([0.5, 7, 100, 10_000])('grants %d records in a second, and saves up a tenth of one', (records) => {
    const { time, rate } = recordsAt(records);
    const [count] = takenUntil(time, 60_000, [rate]);
    expect(count).toBeGreaterThanOrEqual(records * 60 - 1);
    expect(count).toBeLessThanOrEqual(records * 60 + Math.max(1, records / 10) + 1);
  });

  it('grants so many bytes, whatever the records have', () => {
    const { time, rate } = recordsAt(undefined, { bytes: 3_000 });
    expect(sumOf(takenUntil(time, 60_000, [rate], 5_000)) * 5_000).toBeLessThanOrEqual(180_000 + 300 + 5_000);
    expect(time.nowMs).toBeGreaterThan(55_000);
  });

  it('is divided by what each takes, and never grants more than the limit', () => {
    const { time, rate, other } = recordsAt(100);
    // Alone, one has all of it.
    expect(sumOf(takenUntil(time, 10_000, [other]))).toBeGreaterThanOrEqual(999);
    const both = takenUntil(time, 20_000, [rate, other]);
    expect(sumOf(both)).toBeLessThanOrEqual(1_011);
    expect(Math.min(...both)).toBeGreaterThanOrEqual(400);
  });

  it('is limited otherwise from then on, where what was taken before is owed at the new rate', () => {
    const { time, rate, other } = recordsAt(0.01);
    expect(rate.take(0)).toBe(false);
    expect(rate.take(0)).toBe(false);
    expect(other.waitMs()).toBe(100_000);
    rate.set({ records: 1_000, bytes: undefined });
    expect(other.limits).toEqual({ records: 1_000, bytes: undefined });
    expect(other.waitMs()).toBe(1);
    expect(sumOf(takenUntil(time, 10_000, [other]))).toBeGreaterThanOrEqual(9_990);
    rate.set({ records: 10, bytes: undefined });
    const fromMs = time.nowMs;
    expect(sumOf(takenUntil(time, fromMs + 10_000, [other, rate]))).toBeLessThanOrEqual(101);
  });

  it('is no limit until one is set, and once it is removed', () => {
    const { rate, other } = recordsAt(undefined);
    expect(other.isLimited).toBe(false);
    expect(other.take(1_000_000)).toBe(true);
    rate.set({ records: undefined, bytes: 1 });
    expect(other.isLimited).toBe(true);
    expect(other.limits).toEqual({ records: undefined, bytes: 1 });
    other.take(50);
    expect(rate.waitMs()).toBe(49_000);
    rate.set({ records: undefined, bytes: undefined });
    expect(other.isLimited).toBe(false);
    expect(other.waitMs()).toBe(0);
  });

  it('counts what was taken while another limit is added', () => {
    const { time, rate } = recordsAt(100);
    for (let n = 0; n < 9; n++) expect(rate.take(1_000)).toBe(true);
    rate.set({ records: 100, bytes: 1_000_000 });
    expect(rate.waitMs()).toBe(0);
    expect(rate.take(1_000)).toBe(false);
    expect(sumOf(takenUntil(time, 10_000, [rate], 10))).toBeLessThanOrEqual(1_001);
  });
});
