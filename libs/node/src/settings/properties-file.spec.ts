import { describe, expect, it } from '@jest/globals';
import { parseProperties, SettingsFormatError } from './properties-file.js';

const pairs = (text: string): readonly (readonly [string, string])[] => parseProperties(text).map(({ name, text: value }) => [name, value]);

describe('parseProperties', () => {
  it.each([
    ['a=b', 'a', 'b'],
    ['a: b', 'a', 'b'],
    ['a b', 'a', 'b'],
    ['  a \t = \f b c ', 'a', 'b c '],
    ['a', 'a', ''],
    ['a=', 'a', ''],
    ['a==b', 'a', '=b'],
    ['a\\=b\\:c\\ d=e', 'a=b:c d', 'e'],
    ['a=\\u4f60\\t\\n\\x\\\\', 'a', '你\t\nx\\'],
    ['a=C:\\\\data', 'a', 'C:\\data'],
    ['名=值', '名', '值'],
    ['a=b # no comment', 'a', 'b # no comment'],
  ])('reads %j', (text, name, value) => {
    expect(pairs(text)).toEqual([[name, value]]);
  });

  it('skips comments and empty lines, and knows where each name stands', () => {
    expect(parseProperties('# one\\\n! two\r\n\n  # three\na=1\rb=2\n')).toEqual([
      { name: 'a', text: '1', line: 5 },
      { name: 'b', text: '2', line: 6 },
    ]);
  });

  it('joins lines that a backslash ends, without the blanks before the next, also where it looks like a comment', () => {
    expect(parseProperties('list = a,\\\n   b,\\\n # c\nnext=even\\\\\nodd=x\\\\\\\ny\nlast=x\\')).toEqual([
      { name: 'list', text: 'a,b,# c', line: 1 },
      { name: 'next', text: 'even\\', line: 4 },
      { name: 'odd', text: 'x\\y', line: 5 },
      { name: 'last', text: 'x', line: 7 },
    ]);
  });

  it('names the line of an escape that is none', () => {
    expect(() => parseProperties('a=1\nb=\\u12x4')).toThrow(new SettingsFormatError(2, 'after \\u come four hexadecimal digits'));
  });
});
