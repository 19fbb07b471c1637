import { describe, expect, it } from '@jest/globals';
import type { CopyEvent } from './sink-stream.js';
import { judgeCopies } from './judge-copies.js';

const MAX_LATE = 3;
const barrier = (generation: number): CopyEvent => ({ kind: 'barrier', generation });
const copy = (generation: number, seq: number): CopyEvent => ({
  kind: 'stamp',
  generation,
  progress: { seq, position: { offset: seq } },
});
const mark = (generation: number, seq: number, offset: number): CopyEvent => ({
  kind: 'mark',
  generation,
  progress: { seq, position: { offset } },
});

describe('what a stream has in its queue', () => {
  it('is its last copy, proven by the barrier of its generation', () => {
    const judged = judgeCopies([barrier(5), copy(5, 1), copy(5, 2)], MAX_LATE);
    expect(judged).toEqual({ progress: { seq: 2, position: { offset: 2 } }, isProven: true, newest: 5, late: 0, repeated: 0 });
  });

  it('is unknown without copies, behind a barrier too', () => {
    expect(judgeCopies([], MAX_LATE)).toMatchObject({ progress: undefined, isProven: false, newest: 0 });
    expect(judgeCopies([barrier(5)], MAX_LATE)).toMatchObject({ progress: undefined, isProven: false, newest: 5 });
  });

  it('leaves out, and counts, what an earlier generation sent behind a later barrier', () => {
    const events = [barrier(5), copy(5, 1), barrier(7), copy(5, 2), copy(5, 3)];
    expect(judgeCopies(events, MAX_LATE)).toMatchObject({ progress: { seq: 1 }, isProven: true, newest: 7, late: 2 });
    expect(judgeCopies([...events, copy(7, 2)], MAX_LATE)).toMatchObject({ progress: { seq: 2 }, late: 2 });
  });

  it('is not proven by so few copies that a task without the queue could have sent them', () => {
    const few = [copy(5, 10), copy(5, 11), copy(5, 12)];
    expect(judgeCopies(few, MAX_LATE).isProven).toBe(false);
    expect(judgeCopies([...few, copy(5, 13)], MAX_LATE).isProven).toBe(true);
    expect(judgeCopies([barrier(4), ...few], MAX_LATE).isProven).toBe(false);
  });

  it('counts copies that were sent a second time', () => {
    const judged = judgeCopies([barrier(5), copy(5, 1), copy(5, 2), copy(5, 1), copy(5, 2)], MAX_LATE);
    expect(judged).toMatchObject({ progress: { seq: 2 }, repeated: 2, late: 0 });
  });

  it('goes by a mark, which may take it back, and numbers copies on', () => {
    const events = [barrier(5), copy(5, 1), copy(5, 2), mark(5, 2, 0)];
    expect(judgeCopies(events, MAX_LATE)).toMatchObject({ progress: { seq: 2, position: { offset: 0 } }, isProven: true });
    const judged = judgeCopies([...events, { ...copy(5, 3), progress: { seq: 3, position: { offset: 1 } } }], MAX_LATE);
    expect(judged).toMatchObject({ progress: { seq: 3, position: { offset: 1 } }, repeated: 0 });
    expect(judgeCopies([barrier(7), mark(5, 9, 9)], MAX_LATE).progress).toBeUndefined();
  });
});
