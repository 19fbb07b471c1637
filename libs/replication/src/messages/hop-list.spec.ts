import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { addHop, formatHops, identityProblem, MAX_HOPS, parseHops } from './hop-list.js';

const identity = fc.stringMatching(/^[a-zA-Z0-9_-]{1,127}$/);

describe('lists of hops', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(identity, { minLength: 1, maxLength: MAX_HOPS }), (hops) => {
        expect(parseHops(formatHops(hops))).toEqual(hops);
      }),
    );
  });

  it('are read from nothing but what is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', ',', ' ', 'ä') }), (text) => {
        const hops = parseHops(text);
        if (hops !== undefined) expect(formatHops(hops)).toBe(text);
      }),
    );
    expect(['', 'a,', ',a', 'a,a', 'a b', 'ä', 'x'.repeat(128)].map(parseHops)).toEqual(Array.from({ length: 7 }));
  });

  it('grow by clusters that they do not have, up to a limit', () => {
    expect(addHop([], 'a')).toEqual(['a']);
    expect(addHop(['a', 'b'], 'a')).toEqual(['a', 'b']);
    const full = Array.from({ length: MAX_HOPS }, (_, at) => `c${at}`);
    expect(addHop(full, 'c0')).toEqual(full);
    expect(addHop(full, 'x')).toBeUndefined();
    expect(parseHops([...full, 'x'].join(','))).toBeUndefined();
  });

  it('say which identities they take', () => {
    expect(identityProblem('sluice-identity-1a2b')).toBeUndefined();
    expect(identityProblem('a,b')).toBe(
      'Cluster identity "a,b" cannot be in a list of hops; allowed are 1 to 127 letters, digits, "_" and "-"',
    );
  });
});
