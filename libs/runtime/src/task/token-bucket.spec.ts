import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

/** Takes as much as is granted, in amounts of `amount`, for `forMs`; returns the sum. */
function takenIn(bucket: TokenBucket, forMs: number, amount: number): number {
  let [nowMs, sum] = [0, 0];
  for (;;) {
    nowMs += bucket.waitMs(nowMs);
    if (nowMs > forMs) return sum;
    if (bucket.waitMs(nowMs) > 0) continue;
    do sum += amount;
    while (bucket.take(amount));
  }
}

describe('a token bucket', () => {
  it.each([
    [0.5, 1],
    [7, 1],
    [100, 1],
    [100_000, 1],
    [1_000, 64],
    [1_000, 5_000],
  ])('grants %d in a second, in amounts of %d', (perSecond, amount) => {
    const sum = takenIn(new TokenBucket(perSecond, 0), 60_000, amount);
    const burst = Math.max(1, perSecond / 10) + amount;
    expect(sum).toBeGreaterThanOrEqual(perSecond * 60 - amount);
    expect(sum).toBeLessThanOrEqual(perSecond * 60 + burst);
  });

  it('saves up a tenth of a second, however long nothing is taken', () => {
    const bucket = new TokenBucket(1_000, 0);
    expect(bucket.waitMs(3_600_000)).toBe(0);
    let taken = 1;
    while (bucket.take(1)) taken++;
    expect(taken).toBe(100);
    expect(bucket.waitMs(3_600_000)).toBe(1);
  });

  it('waits until what was taken too much is paid', () => {
    const bucket = new TokenBucket(100, 1_000);
    expect(bucket.take(60)).toBe(false);
    expect(bucket.waitMs(1_000)).toBe(500);
    expect(bucket.waitMs(1_400)).toBe(100);
    expect(bucket.waitMs(1_500)).toBe(1);
    expect(bucket.waitMs(1_501)).toBe(0);
  });
});
