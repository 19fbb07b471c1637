import { describe, expect, it } from '@jest/globals';
import { someOf } from './some-of.js';

describe('someOf', () => {
  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'a, b'],
    [['a', 'b', 'c', 'd'], 'a, b and 2 more'],
  ])('names at most two of %j', (names, text) => {
    expect(someOf(names, 2)).toBe(text);
  });
});
