import { describe, expect, it } from '@jest/globals';
import { RateLimit } from './rate-limit.js';

describe('RateLimit', () => {
  it('gives so many permits per second and as many again in the next', () => {
    let nowMs = 10_000;
    const limit = new RateLimit(2, 1_000, () => nowMs);
    expect([limit.tryTake(), limit.tryTake(), limit.tryTake()]).toEqual([true, true, false]);
    nowMs = 10_999;
    expect(limit.tryTake()).toBe(false);
    nowMs = 11_000;
    expect([limit.tryTake(), limit.tryTake(), limit.tryTake()]).toEqual([true, true, false]);
  });
});
