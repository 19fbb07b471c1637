import { describe, expect, it } from '@jest/globals';
import { checkRatios, median, missedRatios } from './ratio-check.js';

describe('checkRatios', () => {
  it('passes from 0.8 of the goal on', () => {
    expect(missedRatios([{ name: 'send', ratio: 0.8, goal: 1 }])).toEqual([]);
    expect(missedRatios([{ name: 'send', ratio: 1.6, goal: 2 }])).toEqual([]);
  });

  it('names each ratio below', () => {
    const low = { name: 'send', ratio: 0.79, goal: 1 };
    const none = { name: 'pull', ratio: NaN, goal: 1 };
    expect(missedRatios([low, { name: 'copy', ratio: 2, goal: 2 }, none])).toEqual([low, none]);
    expect(() => {
      checkRatios([low]);
    }).toThrow('send is 0.79, allowed is 0.80 or more');
  });
});

describe('median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('is not defined without values', () => {
    expect(() => median([])).toThrow('no values');
  });
});
