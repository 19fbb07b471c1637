import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidArgumentError } from '../errors.js';
import { decodeProperties, encodeProperties, findProperties, findProperty } from './property-codec.js';

// eslint-disable-next-line no-control-regex -- the format's separators
const SEPARATORS = /[\u0001\u0002]/;
const text = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((value) => !SEPARATORS.test(value));

function find(stored: string, name: string): string | undefined {
  const bytes = Buffer.from(`..${stored}..`);
  return findProperty(bytes, 2, bytes.length - 2, name);
}

describe('property codec', () => {
  it('finds and decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), text, (entries, other) => {
        const expected = new Map(entries);
        const bytes = Buffer.from(encodeProperties(entries));
        expect(decodeProperties(bytes, 0, bytes.length)).toEqual(expected);
        for (const name of [...expected.keys(), other]) {
          expect(findProperty(bytes, 0, bytes.length, name)).toBe(expected.get(name));
        }
      }),
    );
  });

  it('finds the same as it decodes in any bytes', () => {
    const alphabet = fc.constantFrom('a', 'b', 'ab', '\u0001', '\u0002', 'é');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 30 }), fc.constantFrom('a', 'b', 'ab', 'ba', 'é', 'aé', ''), (parts, name) => {
        const bytes = Buffer.from(parts.join(''));
        const decoded = decodeProperties(bytes, 0, bytes.length).get(name);
        expect(findProperty(bytes, 0, bytes.length, name)).toBe(decoded);
        const both = findProperties(bytes, 0, bytes.length, ['b', name, name]);
        expect(both).toEqual([decodeProperties(bytes, 0, bytes.length).get('b'), decoded, decoded]);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['KEYS\u0001k\u0002TAGS\u0001t', 'TAGS', 't'],
    ['KEYS\u0001k\u0002TAGS\u0001t\u0002', 'TAGS', 't'],
    ['a\u00011\u0002a\u00012', 'a', '2'],
    ['a\u00011\u0002a\u0001', 'a', '1'],
    ['ab\u00011', 'a', undefined],
    ['a\u00011', 'ab', undefined],
    ['a', 'a', undefined],
    ['', 'a', undefined],
    ['a\u0001x\u0001y', 'a', 'x\u0001y'],
  ])('reads %j: %s is %s', (stored, name, value) => {
    expect(find(stored, name)).toBe(value);
  });

  it('never reads beyond the end of the properties', () => {
    const bytes = Buffer.from('a\u00011\u0002b\u00012');
    expect(findProperty(bytes, 0, 5, 'b')).toBeUndefined();
    expect(findProperty(bytes, 0, 3, 'a')).toBe('1');
  });

  it.each([[['', 'v']], [['n', '']], [['n\u0001', 'v']], [['n', 'v\u0002']]] as const)('refuses %j', (entry) => {
    expect(() => encodeProperties([entry])).toThrow(InvalidArgumentError);
  });

  it.each(['\ud800', 'a\udc00b', '\ud800\ud800\udc00'])('refuses half of a surrogate pair: %j', (half) => {
    expect(() => encodeProperties([['name', half]])).toThrow(InvalidArgumentError);
    expect(() => encodeProperties([[half, 'value']])).toThrow(InvalidArgumentError);
    expect(encodeProperties([['name', '\ud83d\ude00']])).toBe('name\u0001\ud83d\ude00');
  });
});
