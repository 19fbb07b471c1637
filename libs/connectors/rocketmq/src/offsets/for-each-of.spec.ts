import { describe, expect, it } from '@jest/globals';
import { forEachOf } from './for-each-of.js';

describe('forEachOf', () => {
  it('acts on each item once, no more of them at a time than the limit', async () => {
    let [running, most] = [0, 0];
    const seen: number[] = [];
    await forEachOf([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      seen.push(item);
      running -= 1;
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('begins no other item after an error, and waits for those that run', async () => {
    const ended: number[] = [];
    const act = async (item: number): Promise<void> => {
      if (item === 1) throw new Error('first');
      await Promise.resolve();
      ended.push(item);
      throw new Error('later');
    };
    await expect(forEachOf([1, 2, 3, 4], 2, act)).rejects.toThrow('first');
    expect(ended).toEqual([2]);
  });
});
