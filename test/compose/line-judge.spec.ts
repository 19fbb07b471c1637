import { describe, expect, it } from '@jest/globals';
import { judgeLines } from './line-judge.js';

const written = new Map([
  ['a', 3],
  ['b', 2],
]);
const sound = { missing: 0, duplicates: 0, outOfOrder: 0, foreign: 0 };

describe('judgeLines', () => {
  it('finds nothing where all lines of each source came once and in order', () => {
    const verdict = judgeLines('a 0\nb 0\na 1\na 2\nb 1\n', written);
    expect(verdict).toEqual({ ...sound, arrived: written, examples: [] });
  });

  it.each([
    ['a line that is missing in between', 'a 0\na 2\nb 0\nb 1\n', { missing: 1 }, '1 of a are missing'],
    ['last lines that are missing', 'a 0\na 1\na 2\n', { missing: 2 }, '2 of b are missing'],
    ['a line that came again at once', 'a 0\na 0\na 1\na 2\nb 0\nb 1\n', { duplicates: 1 }, 'duplicates in line 2: a 0'],
    ['a line that came again later', 'a 0\na 1\na 2\na 0\nb 0\nb 1\n', { duplicates: 1 }, 'duplicates in line 4: a 0'],
    ['a late line', 'a 0\na 2\na 1\nb 0\nb 1\n', { outOfOrder: 1 }, 'outOfOrder in line 3: a 1'],
    ['a line of nobody', 'a 0\na 1\na 2\nb 0\nb 1\nc 0\n', { foreign: 1 }, 'foreign in line 6: c 0'],
    ['a number that was not written', 'a 0\na 1\na 2\na 3\nb 0\nb 1\n', { foreign: 1 }, 'foreign in line 4: a 3'],
    ['a mixed up line', 'a 0\na 1\na 2\nb 0\nb 1\nb 1a 2\n', { foreign: 1 }, 'foreign in line 6: b 1a 2'],
  ])('finds %s', (_, text, counts, example) => {
    expect(judgeLines(text, written)).toMatchObject({ ...sound, ...counts, examples: [example] });
  });

  it('does not count a last line without its newline', () => {
    expect(judgeLines('a 0\na 1\na 2\nb 0\nb 1', written)).toMatchObject({ missing: 1 });
  });
});
