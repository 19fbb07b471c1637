import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.js';

describe('backoffMs', () => {
  const limits = { initialMs: 100, maxMs: 1_000 };

  it('doubles to its limit, with jitter down to one half', () => {
    const longest = [1, 2, 3, 4, 5, 1_000].map((attempt) => backoffMs(attempt, limits, 1));
    expect(longest).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(backoffMs(2, limits, 0)).toBe(100);
  });
});
