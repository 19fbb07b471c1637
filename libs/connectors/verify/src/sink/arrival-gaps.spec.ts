import { describe, expect, it } from '@jest/globals';
import { ArrivalGaps, MAX_ARRIVAL_GAPS } from './arrival-gaps.js';

describe('the longest gaps between arrivals', () => {
  it('are listed in the order of time', () => {
    const gaps = new ArrivalGaps();
    gaps.add(100, 150);
    gaps.add(150, 900);
    gaps.add(900, 910);
    expect(gaps.state).toEqual([
      { fromMs: 100, toMs: 150 },
      { fromMs: 150, toMs: 900 },
      { fromMs: 900, toMs: 910 },
    ]);
  });

  it('push the shortest out where there is no more room', () => {
    const gaps = new ArrivalGaps();
    for (let number = 1; number <= MAX_ARRIVAL_GAPS; number += 1) gaps.add(number * 1000, number * 1000 + number);
    gaps.add(500_000, 500_001);
    expect(gaps.state).toHaveLength(MAX_ARRIVAL_GAPS);
    expect(gaps.state[0]).toEqual({ fromMs: 1000, toMs: 1001 });
    gaps.add(600_000, 600_002);
    expect(gaps.state).toHaveLength(MAX_ARRIVAL_GAPS);
    expect(gaps.state[0]).toEqual({ fromMs: 2000, toMs: 2002 });
    expect(gaps.state.at(-1)).toEqual({ fromMs: 600_000, toMs: 600_002 });
  });

  it('resume from what was stored, and two arrivals at once are no gap', () => {
    const stored = [{ fromMs: 1, toMs: 9 }];
    const gaps = new ArrivalGaps(stored);
    gaps.add(9, 9);
    expect(gaps.state).toEqual(stored);
  });
});
