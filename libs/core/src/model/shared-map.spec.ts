import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SharedMap } from './shared-map.js';

const keys = fc.constantFrom('a', 'b', 'c', 'd', '__proto__');
const operations = fc.array(fc.tuple(fc.constantFrom('set', 'delete', 'copy', 'branch'), keys, fc.nat()), {
  maxLength: 60,
});

interface Item {
  readonly n: number;
}

describe('a shared map', () => {
  it('is like a Map in content and order, and never changes what it was copied from', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const start = new Map([['a', { n: 0 }]]);
        let model = new Map<string, Item>(start);
        let map = new SharedMap<Item>(start);
        const frozen: { readonly map: SharedMap<Item>; readonly entries: readonly [string, Item][] }[] = [];
        for (const [what, key, n] of steps) {
          if (what === 'copy' || what === 'branch') {
            frozen.push({ map, entries: [...model] });
            // A branch leaves the last version for one before it.
            const from = frozen[what === 'copy' ? frozen.length - 1 : n % frozen.length]!;
            map = new SharedMap(from.map);
            model = new Map(from.entries);
          } else if (what === 'set') {
            map.set(key, { n });
            model.set(key, { n });
          } else {
            map.delete(key);
            model.delete(key);
          }
          expect([...map]).toEqual([...model]);
          expect(map.size).toBe(model.size);
          expect([map.has(key), map.get(key)]).toEqual([model.has(key), model.get(key)]);
        }
        for (const { map: old, entries } of frozen) {
          expect([...old]).toEqual(entries);
          const keysOfBoth = new Set([...old.keys(), ...map.keys()]);
          const differing = [...keysOfBoth].filter((key) => old.get(key) !== map.get(key));
          expect(new Set(SharedMap.changedKeys(old, map))).toEqual(new Set(differing));
        }
        expect([...start]).toEqual([['a', { n: 0 }]]);
        model = new Map(map);
        expect([[...map.keys()], [...map.values()]]).toEqual([[...model.keys()], [...model.values()]]);
      }),
    );
  });

  it('finds which keys of two versions differ', () => {
    const map = new SharedMap<Item>(new Map(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, { n }])));
    const copy = new SharedMap(map);
    copy.set('k5000', { n: -1 });
    copy.delete('k9');
    copy.set('new', { n: 0 });
    expect(SharedMap.changedKeys(map, copy)).toEqual(['k9', 'k5000', 'new']);
  });

  it('stays the same where most of it is deleted and the rest gets new places', () => {
    const map = new SharedMap<{ n: number }>(new Map());
    for (let n = 0; n < 1_000; n += 1) map.set(`k${n}`, { n });
    for (let n = 0; n < 1_000; n += 1) if (n % 10 !== 1) map.delete(`k${n}`);
    const copy = new SharedMap(map);
    copy.set('k1', { n: -1 });
    expect([...copy].slice(1)).toEqual([...map].slice(1));
    expect([copy.size, copy.get('k1'), map.get('k1')]).toEqual([100, { n: -1 }, { n: 1 }]);
  });
});
