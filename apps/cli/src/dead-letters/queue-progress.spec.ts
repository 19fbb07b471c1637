import { describe, expect, it } from '@jest/globals';
import { decodeDoneEntry, encodeDoneEntry, QueueProgress } from './queue-progress.js';

describe('the progress of a redrive in one queue', () => {
  it('moves over what was redriven and what holds no record', () => {
    const progress = new QueueProgress(5, []);
    progress.done(5);
    progress.pass(6);
    progress.done(9);
    expect(progress.committable).toBe(10);
    expect(progress.unsaved).toEqual([]);
  });

  it('stays before a letter that is left, and names what was redriven behind it', () => {
    const progress = new QueueProgress(0, []);
    progress.done(0);
    progress.hold(1);
    progress.done(2);
    progress.done(3);
    progress.hold(4);
    progress.done(5);
    expect(progress.committable).toBe(1);
    expect(progress.unsaved).toEqual([
      [2, 3],
      [5, 5],
    ]);
    progress.saved();
    progress.done(6);
    expect(progress.unsaved).toEqual([[6, 6]]);
  });

  it('knows in the next run what was redriven, and moves over it when nothing before it is left', () => {
    const entries = [
      { queueId: 0, ranges: [[2, 3]], storedAt: 900 },
      { queueId: 0, ranges: [[5, 5]], storedAt: 950 },
    ] as const;
    const progress = new QueueProgress(1, entries);
    expect([1, 2, 3, 4, 5].filter((offset) => progress.isDone(offset, 800))).toEqual([2, 3, 5]);
    progress.done(1);
    progress.pass(2);
    progress.pass(3);
    progress.hold(4);
    progress.pass(5);
    expect(progress.committable).toBe(4);
    expect(progress.unsaved).toEqual([]);
  });

  it('takes a letter that is younger than the note for another one: the topic was created again', () => {
    const progress = new QueueProgress(0, [{ queueId: 0, ranges: [[2, 2]], storedAt: 900 }]);
    expect(progress.isDone(2, 900)).toBe(true);
    expect(progress.isDone(2, 901)).toBe(false);
  });

  it('is read again however many letters were redriven behind one that a filter leaves', () => {
    const first = new QueueProgress(0, []);
    first.hold(0);
    for (let offset = 1; offset <= 1_000_001; offset += 1) first.done(offset);
    const entry = decodeDoneEntry(encodeDoneEntry(0, first.unsaved), 900);
    if (entry === undefined) throw new Error('no entry');
    const endless = { queueId: 0, ranges: [[1_000_003, Number.MAX_SAFE_INTEGER]], storedAt: 900 } as const;
    const next = new QueueProgress(0, [entry, endless]);
    const offsets = [0, 1, 1_000_001, 1_000_002, 1_000_003, Number.MAX_SAFE_INTEGER];
    expect(offsets.map((offset) => next.isDone(offset, 900))).toEqual([false, true, true, false, true, true]);
  });

  it('takes the latest of the notes of a letter, in whatever order letters are asked for', () => {
    const progress = new QueueProgress(0, [
      { queueId: 0, ranges: [[1, 9]], storedAt: 900 },
      {
        queueId: 0,
        ranges: [
          [3, 4],
          [7, 7],
        ],
        storedAt: 2000,
      },
      { queueId: 0, ranges: [[4, 5]], storedAt: 1500 },
    ]);
    const done = (storedAt: number): number[] => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter((offset) => progress.isDone(offset, storedAt));
    expect([done(2000), done(1500), done(900)]).toEqual([
      [3, 4, 7],
      [3, 4, 5, 7],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    ]);
    expect([7, 4, 4, 1].map((offset) => progress.isDone(offset, 2000))).toEqual([true, true, true, false]);
  });
});

describe('an entry of redriven letters', () => {
  it('is read as it was written', () => {
    const bytes = encodeDoneEntry(3, [
      [2, 3],
      [5, 5],
    ]);
    expect(decodeDoneEntry(bytes, 900)).toEqual({
      queueId: 3,
      ranges: [
        [2, 3],
        [5, 5],
      ],
      storedAt: 900,
    });
  });

  it.each([
    'none',
    'null',
    '{"version":2,"queue":3,"done":[]}',
    '{"version":1,"queue":-1,"done":[]}',
    '{"version":1,"queue":3,"done":[[3,2]]}',
    '{"version":1,"queue":3,"done":[[1]]}',
    '{"version":1,"queue":3}',
  ])('is not read from %s', (text) => {
    expect(decodeDoneEntry(Buffer.from(text), 900)).toBeUndefined();
  });
});
