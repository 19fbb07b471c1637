import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { queueEvents, WrittenQueue } from '../testing/written-queue.js';
import { CopyIndex } from './copy-index.js';
import { decideOffset, translateOffset, type TranslationInput } from './translate-offset.js';

const ALL = Number.POSITIVE_INFINITY;

async function indexOf(queue: WrittenQueue): Promise<CopyIndex> {
  const index = new CopyIndex();
  await index.advance(queue, queue.bounds, ALL);
  return index;
}

function input(queue: WrittenQueue, sourceOffset: number, more: Partial<TranslationInput> = {}): TranslationInput {
  const defaults = { sourceMin: 0, targetOffset: undefined, others: 'hold' as const, consumedElsewhere: upTo(0) };
  return { ...defaults, sourceOffset, bounds: queue.bounds, ...more };
}

/** All messages before an offset were consumed elsewhere. */
function upTo(end: number): TranslationInput['consumedElsewhere'] {
  return (offset) => Math.max(offset, end);
}

describe('translateOffset', () => {
  it('skips nothing: no copy that is not consumed, and no other message that is not proven to be', async () => {
    const groups = fc.record({
      sourceOffset: fc.nat(250),
      targetOffset: fc.option(fc.nat(250), { nil: undefined }),
      consumedElsewhere: fc.nat(250),
      others: fc.constantFrom('hold' as const, 'skip' as const),
    });
    await fc.assert(
      fc.asyncProperty(queueEvents, groups, async (events, group) => {
        const queue = new WrittenQueue();
        for (const event of events) if (event.kind !== 'retention') queue.happen(event);
        const found = translateOffset(
          await indexOf(queue),
          input(queue, group.sourceOffset, { ...group, consumedElsewhere: upTo(group.consumedElsewhere) }),
        );
        if (found.kind !== 'translated') throw new Error(found.reason);
        const copies = queue.validCopies();
        const consumed = Math.max(group.targetOffset ?? 0, group.consumedElsewhere);
        const firstCopy = copies.find(({ next }) => next > group.sourceOffset)?.offset;
        const firstOther = group.others === 'skip' ? undefined : queue.others().find((offset) => offset >= consumed);
        const exact = firstCopy ?? (copies.length === 0 ? 0 : copies.at(-1)!.offset + 1);
        expect(found.offset).toBe(Math.min(exact, firstOther ?? ALL));
        expect(found.offset).toBeLessThanOrEqual(queue.bounds.max);
      }),
      { numRuns: 500 },
    );
  });

  it('finds the beginning for a group at 100 of a source queue that begins at 100', async () => {
    const queue = new WrittenQueue(100);
    queue.happen({ kind: 'copies', count: 50 });
    const index = await indexOf(queue);
    expect(translateOffset(index, input(queue, 100, { sourceMin: 100 }))).toMatchObject({ offset: 0, ahead: 0 });
    expect(translateOffset(index, input(queue, 0, { sourceMin: 100 }))).toMatchObject({ offset: 0, ahead: 0 });
    expect(translateOffset(index, input(queue, 117, { sourceMin: 100 }))).toMatchObject({ offset: 17, ahead: 0 });
  });

  it('gives a group that is ahead of the copies their end, and says by how much', async () => {
    const queue = new WrittenQueue();
    queue.happen({ kind: 'copies', count: 50 });
    const index = await indexOf(queue);
    expect(translateOffset(index, input(queue, 50))).toMatchObject({ offset: 50, ahead: 0 });
    expect(translateOffset(index, input(queue, 80))).toMatchObject({ offset: 50, ahead: 30 });
    queue.happen({ kind: 'others', count: 4 });
    await index.advance(queue, queue.bounds, ALL);
    expect(translateOffset(index, input(queue, 80))).toMatchObject({ offset: 50, ahead: 30 });
  });

  it('gives a group the beginning of a queue without copies', async () => {
    const queue = new WrittenQueue();
    expect(translateOffset(await indexOf(queue), input(queue, 0))).toMatchObject({ offset: 0, ahead: 0 });
    expect(translateOffset(await indexOf(queue), input(queue, 120, { sourceMin: 100 }))).toMatchObject({ offset: 0, ahead: 20 });
  });

  it('holds before messages of the target until the group has consumed them, there or through the other direction', async () => {
    const queue = new WrittenQueue();
    queue.happen({ kind: 'copies', count: 10 });
    queue.happen({ kind: 'others', count: 3 });
    queue.happen({ kind: 'copies', count: 10 });
    const index = await indexOf(queue);
    expect(translateOffset(index, input(queue, 15))).toMatchObject({ offset: 10, heldFrom: 18 });
    expect(translateOffset(index, input(queue, 15, { targetOffset: 12 }))).toMatchObject({ offset: 12, heldFrom: 18 });
    expect(translateOffset(index, input(queue, 15, { targetOffset: 13 }))).toMatchObject({ offset: 18 });
    expect(translateOffset(index, input(queue, 15, { consumedElsewhere: upTo(13) }))).toMatchObject({ offset: 18 });
    expect(translateOffset(index, input(queue, 15, { others: 'skip', targetOffset: 11 }))).toMatchObject({ offset: 18, skipped: 2 });
  });

  it('holds before messages that the other direction has passed over, though it has copied later ones', async () => {
    const queue = new WrittenQueue();
    queue.happen({ kind: 'others', count: 20 });
    queue.happen({ kind: 'copies', count: 10 });
    // The other direction has begun at offset 10 of this queue, and has passed over 15 and 16.
    const back = new WrittenQueue(10);
    back.happen({ kind: 'copies', count: 5 });
    back.happen({ kind: 'gap', count: 2 });
    back.happen({ kind: 'copies', count: 3 });
    back.happen({ kind: 'others', count: 10 });
    const [index, reverse] = [await indexOf(queue), await indexOf(back)];
    const at = (sourceOffset: number, targetOffset?: number): unknown =>
      translateOffset(
        index,
        input(queue, sourceOffset, { targetOffset, consumedElsewhere: (offset) => reverse.firstNotCopied(offset, sourceOffset) }),
      );
    expect(at(8)).toMatchObject({ offset: 0, heldFrom: 28 });
    expect(at(8, 10)).toMatchObject({ offset: 15, heldFrom: 28 });
    expect(at(8, 17)).toMatchObject({ offset: 28 });
    expect(at(4, 10)).toMatchObject({ offset: 14, heldFrom: 24 });
  });

  it('counts copies that the group still needs and that retention has removed', async () => {
    const queue = new WrittenQueue();
    queue.happen({ kind: 'copies', count: 30 });
    const index = await indexOf(queue);
    queue.happen({ kind: 'retention', count: 20 });
    await index.advance(queue, queue.bounds, ALL);
    expect(translateOffset(index, input(queue, 5))).toMatchObject({ offset: 20, expired: 15 });
    expect(translateOffset(index, input(queue, 25))).toMatchObject({ offset: 25, expired: 0 });
  });

  it('knows nothing of a group behind what had to be forgotten', async () => {
    const queue = new WrittenQueue();
    for (let i = 0; i < 40; i += 1) {
      queue.happen({ kind: 'copies', count: 1 });
      queue.happen({ kind: 'others', count: 1 });
    }
    const index = new CopyIndex({ maxStretches: 30 });
    await index.advance(queue, queue.bounds, ALL);
    const { end, next } = index.forgotten;
    const reason = expect.stringMatching(/before offset \d+ is too varied/);
    expect(translateOffset(index, input(queue, next - 1, { others: 'skip' }))).toEqual({ kind: 'unknown', reason });
    expect(translateOffset(index, input(queue, next, { others: 'skip' }))).toMatchObject({ offset: 2 * next });
    expect(translateOffset(index, input(queue, next, { targetOffset: end - 1 }))).toEqual({ kind: 'unknown', reason });
    expect(translateOffset(index, input(queue, next + 2, { targetOffset: end }))).toMatchObject({ heldFrom: 2 * next + 4 });
  });
});

describe('decideOffset', () => {
  const at = (offset: number): Parameters<typeof decideOffset>[0] => ({ kind: 'translated', offset, ahead: 0, skipped: 0, expired: 0 });

  it('writes forwards only, for groups that nobody is in', () => {
    expect(decideOffset(at(7), 5, 'inactive')).toEqual({ write: true, offset: 7 });
    expect(decideOffset(at(7), 5, 'active')).toEqual({ write: false, reason: 'active' });
    expect(decideOffset(at(7), 5, 'unknown')).toEqual({ write: false, reason: 'activity-unknown' });
    expect(decideOffset(at(7), 7, 'inactive')).toEqual({ write: false, reason: 'up-to-date' });
    expect(decideOffset(at(7), 8, 'inactive')).toEqual({ write: false, reason: 'target-ahead' });
    expect(decideOffset({ kind: 'unknown', reason: '' }, undefined, 'inactive')).toEqual({ write: false, reason: 'untranslated' });
  });

  it('gives a group without an offset one, 0 included', () => {
    expect(decideOffset(at(0), undefined, 'inactive')).toEqual({ write: true, offset: 0 });
    expect(decideOffset(at(0), 0, 'inactive')).toEqual({ write: false, reason: 'up-to-date' });
  });
});
