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
    if (window.span !== count) missed += 1;
    window.onFound(offset, asked, { nextOffset: offset + count, maxOffset: BEHIND, stored: count });
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

  it('keeps asking for as much after a single answer that is much shorter', () => {
    const window = new PullWindow(512);
    run(window, () => 32, 1_000);
    run(window, () => 1, 1);
    const after = run(window, () => 32, 100);
    expect(after.messages).toBeGreaterThan(100 * 31);
    expect(after.missed).toBeLessThan(3);
  });

  it('follows a limit that falls within two answers', () => {
    const window = new PullWindow(512);
    run(window, () => 512, 100);
    const later = run(window, () => 8, 100);
    expect(window.asked).toBe(8);
    expect(later.missed).toBeLessThan(10);
  });

  it('misses few answers where their lengths differ a little', () => {
    const window = new PullWindow(512);
    let pull = 0;
    const { missed, messages } = run(window, () => 230 + (pull++ % 5), 2_000);
    expect(missed).toBeLessThan(100);
    expect(messages).toBeGreaterThan(2_000 * 225);
  });

  it('keeps asking for as much when an answer is short because the queue ends', () => {
    const window = new PullWindow(64);
    window.onFound(0, 64, { nextOffset: 2, maxOffset: 2, stored: 2 });
    expect(window.asked).toBe(64);
  });

  describe('of a topic of inner batches', () => {
    /** Pulls whole batches as a broker gives them: the first one always, further ones while they fit. */
    function runBatches(window: PullWindow, sizeOf: (batch: number) => number, pulls: number): (number | undefined)[] {
      const outcomes: (number | undefined)[] = [];
      let [offset, batch] = [0, 0];
      for (let pull = 0; pull < pulls; pull += 1) {
        const { asked, span } = window;
        let [covered, stored] = [0, 0];
        while (stored === 0 || covered + sizeOf(batch) <= asked) {
          covered += sizeOf(batch);
          stored += 1;
          batch += 1;
        }
        outcomes.push(span === undefined ? undefined : covered - span);
        window.onFound(offset, asked, { nextOffset: offset + covered, maxOffset: BEHIND, stored });
        offset += covered;
      }
      return outcomes;
    }

    it.each([
      ['larger than a pull may ask for', 1_000],
      ['as large as they can be', 32_767],
      ['smaller than a pull asks for', 300],
      ['of which several fit an answer', 70],
    ])('expects what the last answers covered: batches %s', (_which, size) => {
      const window = new PullWindow(512);
      const [first, second, ...others] = runBatches(window, () => size, 100);
      expect([first, second]).toEqual([(size < 512 ? Math.floor(512 / size) * size : size) - 512, undefined]);
      expect(others).toEqual(others.map(() => 0));
      expect(window.asked).toBe(512);
    });

    it('expects nothing while batches differ, and little once it was wrong often', () => {
      const window = new PullWindow(512);
      const different = runBatches(window, (batch) => 600 + batch, 50);
      expect(different.slice(1)).toEqual(different.slice(1).map(() => undefined));
      const pairs = runBatches(window, (batch) => 600 + (Math.floor(batch / 3) % 7), 1_000);
      expect(pairs.filter((missed) => missed !== undefined && missed !== 0).length).toBeLessThan(10);
      const equal = runBatches(window, () => 1_000, 100);
      expect(equal.slice(-30)).toEqual(equal.slice(-30).map(() => 0));
    });

    it('asks as before once only single messages come, not for a few of them', () => {
      const window = new PullWindow(512);
      runBatches(window, () => 1_000, 10);
      run(window, () => 32, 3);
      expect(window.asked).toBe(512);
      const later = run(window, () => 32, 100);
      expect(window.asked).toBe(32);
      expect(later.missed).toBeLessThan(5);
    });

    it('asks for less where an answer is longer than the client reads, and keeps to that', () => {
      const window = new PullWindow(512);
      runBatches(window, () => 70, 10);
      expect(window.onTooLarge(512)).toBe(true);
      runBatches(window, () => 70, 10);
      expect(window.asked).toBe(256);
    });
  });
});
