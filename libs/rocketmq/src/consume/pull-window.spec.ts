import { describe, expect, it } from '@jest/globals';
import { PullWindow } from './pull-window.js';

const BEHIND = 1_000_000_000;

/** Pulls one after the other from a broker with a limit; gives the share of answers that were not as predicted. */
function run(window: PullWindow, cap: () => number, pulls: number): { missed: number; messages: number } {
  let offset = 0;
  let missed = 0;
  for (let pull = 0; pull < pulls; pull += 1) {
    const { asked } = window;
    const count = Math.min(asked, cap());
    if (!window.onFound(offset, asked, { nextOffset: offset + count, maxOffset: BEHIND })) missed += 1;
    offset += count;
  }
  return { missed, messages: offset };
}

describe('PullWindow', () => {
  it('finds the limit of a broker and rarely misses it then', () => {
    const window = new PullWindow(512);
    run(window, () => 32, 1_000);
    expect(window.asked).toBeGreaterThanOrEqual(16);
    const later = run(window, () => 32, 5_000);
    expect(later.missed).toBeLessThan(25);
    expect(later.messages).toBeGreaterThan(5_000 * 31);
  });

  it('grows again after a single short answer', () => {
    const window = new PullWindow(512);
    run(window, () => 32, 1_000);
    run(window, () => 1, 1);
    const after = run(window, () => 32, 100);
    expect(after.messages).toBeGreaterThan(100 * 16);
  });

  it('keeps asking for as much when an answer is short because the queue ends', () => {
    const window = new PullWindow(64);
    expect(window.onFound(0, 64, { nextOffset: 2, maxOffset: 2 })).toBe(false);
    expect(window.asked).toBe(64);
  });
});
