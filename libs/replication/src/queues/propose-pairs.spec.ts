import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import * as fc from 'fast-check';
import { proposePairs, type QueueProposal } from './propose-pairs.js';

/** `queues('t', {a: 2})` has a:0 and a:1. */
function queues(topic: string, sizes: Readonly<Record<string, number>>): QueueRef[] {
  return Object.entries(sizes).flatMap(([brokerName, count]) =>
    Array.from({ length: count }, (_, queueId) => ({ topic, brokerName, queueId })),
  );
}

function propose(
  source: Readonly<Record<string, number>>,
  target: Readonly<Record<string, number>>,
  inForce: ReadonlyMap<string, string> = new Map(),
): QueueProposal {
  return proposePairs({ source: queues('t', source), target: queues('u', target), targetBrokers: Object.keys(target), inForce });
}

/** `t@a:0` to `u@b:1` as `a:0>b:1`. */
function shown(pairs: ReadonlyMap<string, string>): string {
  return [...pairs]
    .map(([from, to]) => `${from.slice(2)}>${to.slice(2)}`)
    .sort()
    .join(' ');
}

function pairs(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(' ').map((pair) => pair.split('>').map((queue, at) => `${at === 0 ? 't' : 'u'}@${queue}`) as [string, string]));
}

describe('proposePairs', () => {
  it.each([
    ['equal clusters', { a: 2, b: 2 }, { a: 2, b: 2 }, 'a:0>a:0 a:1>a:1 b:0>b:0 b:1>b:1'],
    ['a larger target', { a: 2, b: 1 }, { a: 4, b: 4 }, 'a:0>a:0 a:1>a:1 b:0>b:0'],
    ['brokers of other names', { a: 2, b: 2 }, { x: 4, y: 4 }, 'a:0>x:0 a:1>x:1 b:0>y:0 b:1>y:1'],
    ['some brokers of equal names', { a: 1, b: 1 }, { b: 2, c: 2 }, 'a:0>c:0 b:0>b:0'],
    ['more brokers than the target has', { a: 2, b: 2 }, { x: 4 }, 'a:0>x:0 a:1>x:1 b:0>x:2 b:1>x:3'],
    ['one broker for two', { a: 3 }, { x: 2, y: 2 }, 'a:0>x:0 a:1>x:1 a:2>y:0'],
    ['no queue', {}, { x: 2 }, ''],
  ])('%s', (_case, source, target, expected) => {
    expect(shown(propose(source, target).add)).toBe(expected);
  });

  it('keeps pairs in force, and adds what has grown', () => {
    const { add, unplaced } = propose({ a: 4 }, { x: 5 }, pairs('a:0>x:3 a:1>x:1'));
    expect(shown(add)).toBe('a:2>x:2 a:3>x:0');
    expect(unplaced).toEqual([]);
  });

  it('stays with the broker that the pairs of a broker lead to', () => {
    expect(shown(propose({ a: 3, b: 1 }, { a: 4, b: 4 }, pairs('a:0>b:0 a:1>b:1')).add)).toBe('a:2>a:2 b:0>b:2');
    expect(shown(propose({ m: 3, n: 1 }, { x: 4, y: 4 }, pairs('m:0>y:0 m:1>y:1')).add)).toBe('m:2>y:2 n:0>x:0');
  });

  it('gives no queue of another topic away, nor one that is taken', () => {
    const others = new Map([
      ['other@a:0', 'u@x:0'],
      ['other@a:1', 'v@x:1'],
    ]);
    expect(shown(propose({ a: 1 }, { x: 2 }, others).add)).toBe('a:0>x:1');
  });

  it('says which queues have no place, and how many the target needs', () => {
    const { add, unplaced, needed } = propose({ a: 4, b: 3 }, { a: 2, b: 2 });
    expect(shown(add)).toBe('a:0>a:0 a:1>a:1 b:0>b:0 b:1>b:1');
    expect(unplaced.map(queueKey)).toEqual(['t@a:2', 't@a:3', 't@b:2']);
    expect(needed).toEqual(
      new Map([
        ['a', 4],
        ['b', 3],
      ]),
    );
  });

  it('says what a topic needs that is not there yet', () => {
    const proposal = proposePairs({ source: queues('t', { a: 2, b: 2 }), target: [], targetBrokers: ['y', 'x'], inForce: new Map() });
    expect(proposal.needed).toEqual(
      new Map([
        ['x', 2],
        ['y', 2],
      ]),
    );
  });

  it('shows pairs whose queue of the target is gone, and what brings it back', () => {
    const { add, targetGone, needed } = propose({ a: 2 }, { x: 1 }, pairs('a:0>x:0 a:1>x:2'));
    expect(shown(add)).toBe('');
    expect(shown(targetGone)).toBe('a:1>x:2');
    expect(needed).toEqual(new Map([['x', 3]]));
  });

  it('keeps the place of a source broker that is unavailable', () => {
    expect(shown(propose({ b: 1 }, { x: 2 }, pairs('a:0>x:0')).add)).toBe('b:0>x:1');
  });

  const sizes = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'x'), fc.integer({ min: 1, max: 5 }), { maxKeys: 3, noNullPrototype: true });
  const grown = fc.tuple(sizes, sizes, sizes, sizes);

  function total(of: Readonly<Record<string, number>>): number {
    return Object.values(of).reduce((sum, count) => sum + count, 0);
  }

  function joined(one: Readonly<Record<string, number>>, two: Readonly<Record<string, number>>): Record<string, number> {
    return Object.fromEntries([...Object.keys(one), ...Object.keys(two)].map((name) => [name, Math.max(one[name] ?? 0, two[name] ?? 0)]));
  }

  it('gives each queue one place of its own, and all have one if and only if there is room', () => {
    fc.assert(
      fc.property(sizes, sizes, (source, target) => {
        const { add, unplaced } = propose(source, target);
        expect(new Set(add.values()).size).toBe(add.size);
        expect(add.size).toBe(Math.min(total(source), total(target)));
        expect(unplaced).toHaveLength(total(source) - add.size);
      }),
    );
  });

  it('only ever adds while both sides grow or lose brokers', () => {
    fc.assert(
      fc.property(grown, ([source, target, moreSource, moreTarget]) => {
        const first = propose(source, target).add;
        for (const [later, there] of [
          [joined(source, moreSource), joined(target, moreTarget)],
          [moreSource, moreTarget],
        ] as const) {
          const next = propose(later, there, first);
          expect([...next.add.keys()].filter((key) => first.has(key))).toEqual([]);
          const all = [...first.values(), ...next.add.values()];
          expect(new Set(all).size).toBe(all.length);
        }
      }),
    );
  });

  it('does not depend on the order of what it gets', () => {
    fc.assert(
      fc.property(grown, fc.infiniteStream(fc.nat()), ([source, target, moreSource], numbers) => {
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((item) => ({ item, at: numbers.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        const inForce = propose(source, target).add;
        const from = queues('t', joined(source, moreSource));
        const to = queues('u', target);
        const brokers = Object.keys(target);
        const plain = proposePairs({ source: from, target: to, targetBrokers: brokers, inForce });
        const mixed = proposePairs({
          source: shuffled(from),
          target: shuffled(to),
          targetBrokers: shuffled(brokers),
          inForce: new Map(shuffled([...inForce])),
        });
        expect(shown(mixed.add)).toBe(shown(plain.add));
        expect(mixed.unplaced).toEqual(plain.unplaced);
        expect(new Map([...mixed.needed].sort())).toEqual(new Map([...plain.needed].sort()));
      }),
    );
  });

  it('places all when the topic has grown as it says', () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, (source, target, later) => {
        const inForce = propose(source, target).add;
        const wanted = joined(source, later);
        const { needed } = propose(wanted, target, inForce);
        const room = joined(target, Object.fromEntries(needed));
        if (Object.keys(target).length > 0) expect(propose(wanted, room, inForce).unplaced).toEqual([]);
      }),
    );
  });
});
