import { describe, expect, it } from '@jest/globals';
import { headerOf, type StateHeader } from '../model/cluster-state.js';
import { LogWriter } from '../testing/log-writer.js';
import { claimSeq, restoredSeq } from './claim-seq.js';

const YEAR_MS = 365 * 86_400_000;
const { createdAt, head } = LogWriter.started().state;

/** A log whose head has a number. */
function logAt(seq: number): StateHeader {
  return { ...headerOf(LogWriter.started().state), head: { ...head, seq } };
}

function claim(header: StateHeader, ageMs: number, salt: number, reportedSeqs: readonly number[] = []): number {
  return claimSeq(header, { wall: createdAt + ageMs, reportedSeqs, salt });
}

describe('the number of a claim', () => {
  it.each([
    ['as old as the log', 90_000],
    ['by a clock that was a year ahead', YEAR_MS],
    ['by a clock that was 90 s ahead', 180_000],
    ['of a log that was restored', restoredSeq(logAt(100), createdAt + 60_000)],
  ])('is given once, also where an earlier claim and its entries are lost: behind a head %s', (_, seq) => {
    const header = logAt(seq);
    const entries = 3_000;
    for (const [earlier, later] of [
      [0, 0.9],
      [0.9, 0],
    ] as const) {
      const lost = claim(header, 90_000, earlier);
      expect(lost).toBeGreaterThan(seq);
      expect(claim(header, 95_000, later)).toBeGreaterThan(lost + entries);
      // Who has read some of what was lost reports it.
      expect(claim(header, 95_000, later, [lost + entries])).toBeGreaterThan(lost + entries);
    }
  });

  it('leaps no cycle where claims follow each other at once: what follows them later is still higher', () => {
    const first = claim(logAt(restoredSeq(logAt(100), createdAt + 60_000)), 60_100, 0.9);
    const second = claim(logAt(first + 10), 60_300, 0.5);
    expect(second).toBeGreaterThan(first + 10);
    expect(claim(logAt(first + 10), 63_400, 0)).toBeGreaterThan(second);
  });

  it('grows no faster than time once it has passed a head that was ahead', () => {
    const first = claim(logAt(YEAR_MS), 90_000, 0);
    expect(claim(logAt(first + 10), 100_000, 0) - first).toBe(10_000);
  });
});

describe('the number that a restored log continues after', () => {
  it.each([
    ['100', 100],
    ['a year', YEAR_MS],
    ['that of a restore', restoredSeq(logAt(100), createdAt + 60_000)],
  ])('is higher for a later restore of the same files, whose head is %s', (_, seq) => {
    const first = restoredSeq(logAt(seq), createdAt + 90_000);
    expect(first).toBeGreaterThan(seq + YEAR_MS);
    expect(restoredSeq(logAt(seq), createdAt + 95_000) - first).toBe(5_000);
    expect(restoredSeq(logAt(seq), createdAt + YEAR_MS / 2)).toBeGreaterThan(first);
    expect(Number.isSafeInteger(first)).toBe(true);
  });
});
