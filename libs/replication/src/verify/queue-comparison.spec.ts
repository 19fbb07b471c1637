import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fingerprintOf, type Fingerprint } from './fingerprint.js';
import type { FindingKind, Findings } from './findings.js';
import { type ComparisonLimits, comparisonStart, type ComparisonState, QueueComparison } from './queue-comparison.js';

const print = (body: string, flag = 0, properties: Record<string, string> = { KEYS: 'k' }): Fingerprint =>
  fingerprintOf({ body: Buffer.from(body), flag, properties: new Map(Object.entries(properties)) });

/** What the flow's copies were made into, of a source with so many messages. */
interface Faults {
  /** Whether the source has a message at each offset, has one that the flow leaves out, or has none. */
  readonly source: readonly ('message' | 'left-out' | 'hole')[];
  /** Copies in the target's order: source offset, and whether the body was changed. */
  readonly copies: readonly { readonly offset: number; readonly isChanged: boolean }[];
}

const bodyOf = (offset: number): string => `body ${offset}`;

/** Feeds a comparison as a caller does. @param resumeAfter copies after which it is written and read again */
function compare({ source, copies }: Faults, limits?: ComparisonLimits, resumeAfter = Infinity): QueueComparison {
  let comparison = QueueComparison.begin({ from: 0, unknown: undefined }, 10, limits);
  const feed = (upTo: number): void => {
    for (let offset = comparison.sourceNext; upTo < source.length && offset <= upTo; offset += 1) {
      if (source[offset] === 'message') comparison.addSource(offset, print(bodyOf(offset)));
      else if (source[offset] === 'left-out') comparison.leaveOut(offset);
    }
  };
  for (const [index, { offset, isChanged }] of copies.entries()) {
    feed(offset);
    comparison.addCopy(offset, print(isChanged ? 'changed' : bodyOf(offset)));
    if (index !== resumeAfter) continue;
    comparison = QueueComparison.resume(JSON.parse(JSON.stringify(comparison.state())) as ComparisonState, limits);
  }
  for (let offset = comparison.sourceNext; offset < source.length; offset += 1) {
    if (source[offset] === 'message') comparison.addRest(offset);
  }
  return comparison;
}

const offsetsOf = (findings: Findings, kind: FindingKind): number[] =>
  (findings.state()[kind]?.offsets ?? []).flatMap(({ from, last }) => Array.from({ length: last - from + 1 }, (_, index) => from + index));

/** What is wrong with the copies, found by looking at all of them again and again. */
function expected({ source, copies }: Faults, isComplete: boolean): Record<string, number[]> {
  const first = (offset: number): number => copies.findIndex((copy) => copy.offset === offset);
  const isReal = (offset: number): boolean => source[offset] === 'message';
  const end = Math.max(0, ...copies.filter(({ offset }) => isReal(offset)).map(({ offset }) => offset + 1));
  const firsts = copies.filter(({ offset }, index) => isReal(offset) && first(offset) === index);
  return {
    missing: [...source.keys()].filter((offset) => isReal(offset) && (isComplete || offset < end) && first(offset) < 0),
    duplicate: copies.filter(({ offset }, index) => isReal(offset) && first(offset) !== index).map(({ offset }) => offset),
    'out-of-order': firsts
      .filter(({ offset }, index) => firsts.slice(0, index).some((before) => before.offset > offset))
      .map(({ offset }) => offset),
    different: firsts.filter(({ isChanged }) => isChanged).map(({ offset }) => offset),
    invented: copies.filter(({ offset }) => !isReal(offset)).map(({ offset }) => offset),
  };
}

const faults = fc
  .tuple(
    fc.array(fc.constantFrom('message', 'message', 'message', 'message', 'left-out', 'hole'), { maxLength: 60 }),
    fc.array(fc.record({ kind: fc.constantFrom('lose', 'double', 'move', 'change', 'invent'), at: fc.nat(70), to: fc.nat(70) }), {
      maxLength: 12,
    }),
    fc.nat(60),
  )
  .map(([source, steps, end]): Faults => {
    let copies = [...source.keys()]
      .filter((offset) => source[offset] === 'message' && offset <= end)
      .map((offset) => ({ offset, isChanged: false }));
    for (const { kind, at, to } of steps) {
      const copy = copies[at];
      if (kind === 'invent') copies = copies.toSpliced(at, 0, { offset: to, isChanged: false });
      if (copy === undefined) continue;
      if (kind === 'lose') copies = copies.toSpliced(at, 1);
      if (kind === 'double') copies = copies.toSpliced(to, 0, copy);
      if (kind === 'move') copies = copies.toSpliced(at, 1).toSpliced(to, 0, copy);
      if (kind === 'change') copies = copies.toSpliced(at, 1, { ...copy, isChanged: true });
    }
    return { source: source, copies };
  });

describe('the comparison of a queue with its copies', () => {
  it('names each offset that was lost, duplicated, moved, changed or made up, and no other', () => {
    fc.assert(
      fc.property(faults, fc.boolean(), fc.nat(60), (given, isComplete, resumeAfter) => {
        const { findings } = compare(given, undefined, resumeAfter).result(isComplete);
        for (const [kind, offsets] of Object.entries(expected(given, isComplete))) {
          const found = offsetsOf(findings, kind as FindingKind);
          expect({ kind, offsets: found.sort((one, other) => one - other) }).toEqual({
            kind,
            offsets: offsets.sort((one, other) => one - other),
          });
        }
        expect(findings.hasUnknowns).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('gives both sides of a range equal digests exactly where nothing in it differs', () => {
    fc.assert(
      fc.property(faults, (given) => {
        const comparison = compare(given);
        const { ranges } = comparison.result(false);
        const wrong = new Set(Object.values(expected(given, false)).flatMap((offsets) => offsets.map((offset) => Math.floor(offset / 10))));
        for (const { from, to, source, target } of ranges) {
          if (to > comparison.copiedEnd) continue;
          // Two swaps of messages of different ranges leave the order in each as it is.
          if (!wrong.has(from / 10)) expect(target).toEqual(source);
          else if (source.count !== target.count) expect(target.hash).not.toBe(source.hash);
        }
        const different = expected(given, false)['different'] ?? [];
        for (const offset of different) {
          const range = ranges.find(({ from }) => from === Math.floor(offset / 10) * 10);
          expect(range?.target.hash).not.toBe(range?.source.hash);
        }
      }),
    );
  });

  it('never takes for equal what is beyond its limits', () => {
    fc.assert(
      fc.property(faults, fc.integer({ min: 1, max: 8 }), (given, maxHeld) => {
        const { findings } = compare(given, { maxHeld, maxPages: 1 }).result(false);
        const wanted = expected(given, false);
        expect(offsetsOf(findings, 'missing')).toEqual(wanted['missing']);
        expect(offsetsOf(findings, 'duplicate').length).toBe(wanted['duplicate']?.length);
        const undecided = new Set(offsetsOf(findings, 'unreadable'));
        const different = new Set(offsetsOf(findings, 'different'));
        for (const offset of wanted['different'] ?? []) expect(undecided.has(offset) || different.has(offset)).toBe(true);
      }),
    );
  });

  it('forgets offsets far behind, and says so of copies of them', () => {
    const comparison = QueueComparison.begin({ from: 0, unknown: undefined }, 1000, { maxHeld: 10, maxPages: 2 });
    const one = print('a');
    comparison.addSource(5, one);
    comparison.addSource(6, one);
    comparison.addCopy(6, one);
    comparison.addSource(70_000, one);
    comparison.addSource(140_000, one);
    comparison.addCopy(140_000, one);
    comparison.addCopy(5, one);
    comparison.addCopy(6, one);
    expect(comparison.result(false).findings.state()).toEqual({
      missing: {
        count: 2,
        offsets: [
          { from: 5, last: 5 },
          { from: 70_000, last: 70_000 },
        ],
        unlisted: 0,
      },
      'copied-late': { count: 2, offsets: [{ from: 5, last: 6 }], unlisted: 0 },
    });
    expect(comparison.state().held).toHaveLength(1);
  });

  it('names the parts that differ', () => {
    const comparison = QueueComparison.begin({ from: 3, unknown: undefined }, 1000);
    comparison.addSource(3, print('a', 1, { KEYS: 'k', TAGS: 't', own: '1' }));
    comparison.addCopy(3, print('b', 2, { KEYS: 'k', own: '2', more: '3' }));
    expect(comparison.result(true).findings.state().different?.offsets).toEqual([
      { from: 3, last: 3, detail: 'body, flag, TAGS, more, own' },
    ]);
  });

  it('counts what retention took on either side as unknown', () => {
    const comparison = QueueComparison.begin({ from: 10, unknown: { from: 7, why: 'removed-at-target' } }, 1000);
    comparison.addCopy(9, print('a'));
    comparison.addRemovedAtSource(10, 15);
    comparison.addSource(15, print('a'));
    comparison.addCopy(15, print('a'));
    comparison.addRemovedAtTarget(4, 6);
    comparison.addUnreadableCopy(8);
    const { findings, compared } = comparison.result(true);
    expect([compared, findings.hasDifferences]).toEqual([1, false]);
    expect(findings.state()).toMatchObject({
      'removed-at-target': {
        count: 5,
        offsets: [
          { from: 7, last: 9 },
          { from: 16, last: 17, detail: 'target offset 4' },
        ],
      },
      'removed-at-source': { count: 6 },
      unreadable: { count: 1, offsets: [{ detail: 'target offset 8' }] },
    });
  });
});

describe('the start of a comparison', () => {
  it.each([
    ['no copy', { sourceFrom: 5, firstCopy: undefined, isTargetCut: false }, 5, undefined],
    ['a copy of the first message', { sourceFrom: 5, firstCopy: { sourceOffset: 5, seq: 1 }, isTargetCut: false }, 5, undefined],
    ['a source that lost more', { sourceFrom: 5, firstCopy: { sourceOffset: 2, seq: 1 }, isTargetCut: true }, 5, undefined],
    ['a flow that began later', { sourceFrom: 5, firstCopy: { sourceOffset: 8, seq: 1 }, isTargetCut: false }, 8, 'before-first-copy'],
    ['a target that lost copies', { sourceFrom: 5, firstCopy: { sourceOffset: 8, seq: 4 }, isTargetCut: true }, 8, 'removed-at-target'],
    [
      'copies that are gone, though none were removed',
      { sourceFrom: 5, firstCopy: { sourceOffset: 8, seq: 4 }, isTargetCut: false },
      5,
      undefined,
    ],
  ] as const)('with %s', (_, beginnings, from, why) => {
    const start = comparisonStart(beginnings);
    expect([start.from, start.unknown?.why]).toEqual([from, why]);
  });
});
