import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LayeredMap } from './layered-map.js';

const keys = fc.constantFrom('a', 'b', 'c', 'd', '__proto__');
const operations = fc.array(fc.tuple(fc.constantFrom('set', 'delete', 'copy'), keys, fc.nat()), { maxLength: 60 });

describe('a layered map', () => {
  it('is like a Map in content and order, and never changes what it was copied from', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const start = new Map([['a', { n: 0 }]]);
        let model = new Map(start);
        let map = new LayeredMap<{ n: number }>(start);
        const frozen: { readonly map: LayeredMap<{ n: number }>; readonly entries: unknown }[] = [];
        for (const [what, key, n] of steps) {
          if (what === 'copy') {
            frozen.push({ map, entries: [...model] });
            map = new LayeredMap(map);
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
        for (const { map: old, entries } of frozen) expect([...old]).toEqual(entries);
        expect([...start]).toEqual([['a', { n: 0 }]]);
        model = new Map(map);
        expect([[...map.keys()], [...map.values()]]).toEqual([[...model.keys()], [...model.values()]]);
      }),
    );
  });

  it('merges many changes at a copy and stays the same', () => {
    const map = new LayeredMap<{ n: number }>(new Map());
    for (let n = 0; n < 1_000; n += 1) map.set(`k${String(n)}`, { n });
    for (let n = 0; n < 1_000; n += 2) map.delete(`k${String(n)}`);
    const copy = new LayeredMap(map);
    copy.set('k1', { n: -1 });
    expect([...copy].slice(1)).toEqual([...map].slice(1));
    expect([copy.size, copy.get('k1'), map.get('k1')]).toEqual([500, { n: -1 }, { n: 1 }]);
  });
});
