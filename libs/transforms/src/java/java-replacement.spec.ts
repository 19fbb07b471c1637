import { describe, expect, it } from '@jest/globals';
import { JavaPattern } from './java-pattern.js';
import { JavaReplacement } from './java-replacement.js';

const replacing = (pattern: string, replacement: string): JavaReplacement => new JavaReplacement(replacement, new JavaPattern(pattern));

describe('a replacement of Java', () => {
  it.each([
    ['(.*)-(.*)', '$2_$1', 'a-b', 'b_a'],
    ['(?<x>a+)', '[${x}]', 'baac', 'b[aa]c'],
    ['a', '\\$1\\\\', 'ab', '$1\\b'],
    // As many digits as there is a group for.
    ['(a)', '$12', 'a', 'a2'],
    ['(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)', '$10', 'abcdefghij', 'j'],
    ['(a)|(b)', '<$2>', 'a', '<>'],
    ['a', '$0$0', 'a', 'aa'],
    // The first match, which is not the whole text that matches.
    ['t*?', 'x', 't', 'xt'],
  ])('replaces the first match of %s by %s', (pattern, replacement, text, expected) => {
    expect(replacing(pattern, replacement).replaceFirst(text)).toBe(expected);
  });

  it('replaces all matches, also empty ones', () => {
    expect(replacing('[aeiou]', '<$0>').replaceAll('banana')).toBe('b<a>n<a>n<a>');
    expect(replacing('x*', '-').replaceAll('ab')).toBe('-a-b-');
  });

  it.each([
    ['$2', 'No group 2; the pattern has 1'],
    ['${y}', 'No group with name {y}'],
    ['a$', 'Illegal group reference: a number or {name} must follow $'],
    ['a\\', 'character to be escaped is missing'],
  ])('refuses %s', (replacement, reason) => {
    expect(() => replacing('(a)', replacement)).toThrow(reason);
  });
});
