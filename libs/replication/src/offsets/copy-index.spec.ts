import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { queueEvents, WrittenQueue } from '../testing/written-queue.js';
import { CopyIndex } from './copy-index.js';

const ALL = Number.POSITIVE_INFINITY;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe('CopyIndex', () => {
  it('knows what reading the whole queue shows, whenever it looks and however little it may read', async () => {
    await fc.assert(
      fc.asyncProperty(queueEvents, fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 9 }), async (events, first, readCount) => {
        const queue = new WrittenQueue(first);
        const index = new CopyIndex({ readCount });
        for (const event of events) {
          // What retention takes before anybody looks cannot tell that a copy behind it is void.
          if (event.kind === 'retention') await index.advance(queue, queue.bounds, ALL);
          queue.happen(event);
          if (event.kind === 'look') await index.advance(queue, queue.bounds, event.maxReads);
        }
        expect(await index.advance(queue, queue.bounds, ALL)).toBe(true);
        expect(index.end).toBe(queue.bounds.max);
        const copies = queue.validCopies();
        const sources = range(Math.max(0, first - 2), queue.sourceNext + 1);
        expect(sources.map((source) => index.firstCopyBeyond(source))).toEqual(
          sources.map((source) => copies.find(({ next }) => next > source)?.offset),
        );
        const others = queue.others();
        const offsets = range(queue.bounds.min, queue.bounds.max);
        expect(offsets.map((offset) => [index.firstOther(offset), index.copiedNextBefore(offset)])).toEqual(
          offsets.map((offset) => [others.find((other) => other >= offset), copies.findLast((copy) => copy.offset < offset)?.next]),
        );
        const [from, to] = [queue.bounds.min + 3, queue.bounds.max - 3];
        if (from < to) expect(index.countOthers(from, to)).toBe(others.filter((other) => other >= from && other < to).length);
      }),
      { numRuns: 300 },
    );
  });

  it('never goes beyond a copy that is not consumed, also where retention has taken what nobody looked at', async () => {
    await fc.assert(
      fc.asyncProperty(queueEvents, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (events, readCount, isComplete) => {
        const queue = new WrittenQueue();
        const index = new CopyIndex({ readCount });
        for (const event of events) {
          queue.happen(event);
          if (event.kind === 'look') await index.advance(queue, queue.bounds, event.maxReads);
        }
        await index.advance(queue, queue.bounds, isComplete ? ALL : 2);
        const copies = queue.validCopies();
        const tooFar = range(0, queue.sourceNext).filter((source) => {
          const unconsumed = copies.find(({ next }) => next > source)?.offset ?? ALL;
          const reached = index.firstCopyBeyond(source) ?? index.copiesEnd ?? index.from;
          // Retention may have taken all that is known: the queue begins at its minimum.
          return Math.max(reached, queue.bounds.min) > Math.max(unconsumed, queue.bounds.min);
        });
        expect(tooFar).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('reads a long queue of copies a few times, and once where nothing is new', async () => {
    const queue = new WrittenQueue(100);
    queue.happen({ kind: 'copies', count: 40_000 });
    queue.happen({ kind: 'doubt', count: 10, successor: true });
    queue.happen({ kind: 'copies', count: 60_000 });
    const index = new CopyIndex();
    await index.advance(queue, queue.bounds, ALL);
    expect(queue.reads).toBeLessThan(50);
    expect(index.firstCopyBeyond(100)).toBe(0);
    expect(index.firstCopyBeyond(39_100)).toBe(39_000);
    expect(index.firstCopyBeyond(41_000)).toBe(40_901);
    queue.reads = 0;
    await index.advance(queue, queue.bounds, ALL);
    expect(queue.reads).toBe(1);
    queue.happen({ kind: 'copies', count: 5_000 });
    queue.reads = 0;
    await index.advance(queue, queue.bounds, ALL);
    expect(queue.reads).toBeLessThanOrEqual(3);
    expect(index.firstCopyBeyond(104_900)).toBe(104_801);
  });

  it('keeps away from a batch that a deposed owner wrote late, wherever it stands', async () => {
    for (const before of [0, 5, 40, 700]) {
      const queue = new WrittenQueue();
      queue.happen({ kind: 'copies', count: 7 });
      queue.happen({ kind: 'doubt', count: 3, successor: true });
      queue.happen({ kind: 'copies', count: before });
      queue.happen({ kind: 'late' });
      queue.happen({ kind: 'copies', count: 50 });
      const index = new CopyIndex();
      await index.advance(queue, queue.bounds, ALL);
      // Of source offset 8 there are two copies. Behind the second one, those that follow the first are missing.
      expect(index.firstCopyBeyond(8)).toBe(9);
      expect(index.firstCopyBeyond(9 + before)).toBe(before === 0 ? 10 : 10 + before);
    }
  });

  it('begins again in a queue that was created again, shorter or longer', async () => {
    for (const count of [3, 5, 40]) {
      const index = new CopyIndex();
      const old = new WrittenQueue();
      old.happen({ kind: 'copies', count: 5 });
      await index.advance(old, old.bounds, ALL);
      const fresh = new WrittenQueue(1_000);
      fresh.happen({ kind: 'others', count: 1 });
      fresh.happen({ kind: 'copies', count });
      await index.advance(fresh, fresh.bounds, ALL);
      expect(index.firstCopyBeyond(0)).toBe(1);
      expect(index.copiedNext).toBe(1_000 + count);
    }
  });

  it('takes the copies of a source topic that was created again for other messages', async () => {
    const queue = new WrittenQueue(500);
    queue.happen({ kind: 'copies', count: 20 });
    queue.happen({ kind: 'gap', count: -520 });
    queue.happen({ kind: 'copies', count: 10 });
    const index = new CopyIndex();
    await index.advance(queue, queue.bounds, ALL);
    expect(index.firstCopyBeyond(0)).toBe(20);
    expect(index.firstCopyBeyond(15)).toBeUndefined();
    expect(index.countOthers(0, 30)).toBe(20);
  });

  it('forgets the oldest where the queue is too varied, and says up to where', async () => {
    const queue = new WrittenQueue();
    for (let i = 0; i < 100; i += 1) {
      queue.happen({ kind: 'copies', count: 1 });
      queue.happen({ kind: 'others', count: 1 });
    }
    const index = new CopyIndex({ maxStretches: 20 });
    await index.advance(queue, queue.bounds, ALL);
    const { end, next } = index.forgotten;
    expect(end).toBeGreaterThan(175);
    expect(next).toBe(Math.ceil(end / 2));
    expect(index.firstCopyBeyond(next)).toBe(2 * next);
    queue.happen({ kind: 'retention', count: end });
    await index.advance(queue, queue.bounds, ALL);
    expect(index.forgotten).toEqual({ end: 0, next: 0 });
  });

  it('says where the copies ended that retention has removed', async () => {
    const queue = new WrittenQueue(10);
    queue.happen({ kind: 'copies', count: 30 });
    const index = new CopyIndex();
    await index.advance(queue, queue.bounds, ALL);
    expect(index.expiredNext).toBe(0);
    queue.happen({ kind: 'retention', count: 12 });
    await index.advance(queue, queue.bounds, ALL);
    expect(index.expiredNext).toBe(22);
    expect(index.firstCopyBeyond(0)).toBe(12);
    expect(index.firstCopyBeyond(22)).toBe(12);
  });
});
