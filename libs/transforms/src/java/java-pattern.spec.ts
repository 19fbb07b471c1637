import { describe, expect, it } from '@jest/globals';
import { JavaPattern, patternErrors } from './java-pattern.js';
import { linearMatcher } from './linear-matcher.js';

/** The texts that a pattern matches as a whole, of some. */
const matched = (pattern: string, ...texts: readonly string[]): readonly string[] =>
  texts.filter((text) => new JavaPattern(pattern).matches(text));

describe('a regular expression of Java', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['ab|a', ['a', 'ab'], ['abc', 'xa']],
    ['^(?!_).*', ['a'], ['_a']],
    ['(?<=a)b|ab', ['ab'], ['b']],
    ['[a-z&&[^aeiou]]+', ['xyz'], ['xaz']],
    ['[a-z&&[def]]', ['e'], ['a']],
    ['[a-d[m-p]]', ['b', 'n'], ['e']],
    ['[^a-d[m-p]]', ['e'], ['b', 'n']],
    ['[]a]+', [']a'], ['b']],
    ['[a\\-z]', ['a', '-', 'z'], ['b']],
    ['[\\w.-]+', ['a.b-c'], ['a b']],
    ['\\Qa.b\\E.*', ['a.bc'], ['axb']],
    ['\\p{Alpha}+\\d*', ['ab1'], ['é']],
    ['\\p{L}+', ['é'], ['1']],
    ['\\p{IsGreek}+', ['αβ'], ['ab']],
    ['(?i)ab[c-f]', ['ABD', 'abF'], ['ABX']],
    ['a(?i)b(?-i)c', ['aBc'], ['ABc', 'aBC']],
    ['(?i:AB)c', ['abc'], ['abC']],
    ['(?i)é', ['é'], ['É']],
    ['(?iu)é', ['é', 'É'], []],
    ['a.b', ['axb'], ['a\nb', 'a\u0085b']],
    ['(?s)a.b', ['a\nb'], []],
    ['(?x) a b # no c', ['ab'], ['a b']],
    ['\\x41\\u0042\\x{43}\\0104', ['ABCD'], []],
    ['\\uD83D\\uDE00', ['😀'], []],
    ['\\h\\s', ['\u00a0 '], [' \u00a0']],
    [']}-\\-\\_\\/', [']}--_/'], []],
  ])('%s matches whole texts as in Java', (pattern, good, bad) => {
    expect(matched(pattern, ...good, ...bad)).toEqual(good);
    expect([...good, ...bad].filter(linearMatcher(new JavaPattern(pattern)))).toEqual(good);
  });

  it.each(['(\\w+\\s?)*!', '(a|aa)+(?:[^b-c]x)?\\Q.\\E', '([\\w.]+)+\\u065e?\\x41'])('%s takes time in proportion to a text', (pattern) => {
    // Backtracking would take longer than the test may.
    expect(linearMatcher(new JavaPattern(pattern))('a'.repeat(5000))).toBe(false);
  });

  it('finds the end before a line terminator, and with (?m) of each line', () => {
    expect(new JavaPattern('a$').find('ba\r\n')?.index).toBe(1);
    expect(new JavaPattern('a$').find('a\nb')).toBeNull();
    expect(new JavaPattern('(?m)^b$').find('a\nb\nc')?.index).toBe(2);
  });

  it.each([
    ['a++', 'the possessive quantifier ++ is not supported'],
    ['a{2}+', 'the possessive quantifier {2}+ is not supported'],
    ['(?>a)', 'the atomic group (?> is not supported'],
    ['(a)\\1', 'the backreference \\1 is not supported'],
    ['(?<x>a)\\k<x>', 'the backreference \\k is not supported'],
    ['\\Ga', 'Illegal/unsupported escape sequence \\G'],
    ['\\p{InThai}', 'the class \\p{InThai} is not supported'],
    ['(?U)a', 'the flag (?U) is not supported'],
    ['{', 'Illegal repetition at index 0; write \\{ for the character'],
    ['[b-a]', 'Illegal character range b-a'],
    ['[a', 'Unclosed character class'],
    ['(a', 'Unterminated group'],
    ['*a', 'Nothing to repeat'],
  ])('%s is refused', (pattern, reason) => {
    expect(patternErrors('regex', pattern)).toEqual([
      { field: 'regex', message: expect.stringContaining(`Invalid value ${pattern} for configuration regex: Must be a valid regular`) },
    ]);
    expect(patternErrors('regex', pattern)[0]?.message).toContain(reason);
  });
});
