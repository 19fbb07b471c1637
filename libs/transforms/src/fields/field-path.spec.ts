import { describe, expect, it } from '@jest/globals';
import { SchemaBuilder, schemas } from '@sluice/sdk';
import { fieldAt, parseFieldPath, structValueAt, valueAt } from './field-path.js';

describe('a path to a field', () => {
  it('is one name with V1', () => {
    expect(parseFieldPath('a.`b', 'V1')).toEqual(['a.`b']);
  });

  it.each([
    ['a', ['a']],
    ['a.b.c', ['a', 'b', 'c']],
    ['a.', ['a', '']],
    ['.a', ['', 'a']],
    ['', ['']],
    ['`a.b`.c', ['a.b', 'c']],
    ['a.`b.c`', ['a', 'b.c']],
    ['`a`b`.c', ['a`b', 'c']],
    ['`a\\`.b`.c', ['a`.b', 'c']],
    ['a`b.c', ['a`b', 'c']],
  ])('%s has with V2 the names %p', (path, names) => {
    expect(parseFieldPath(path, 'V2')).toEqual(names);
  });

  it.each(['`a', '`a\\`', 'b.`a.c'])('%s is refused with V2', (path) => {
    expect(() => parseFieldPath(path, 'V2')).toThrow(`Incomplete backtick pair in path: [${path}], consider adding a backslash`);
  });

  it('leads through maps to a value, to null where it ends early, and not through anything else', () => {
    const value = { a: { b: 1, n: null }, s: 'x' };
    expect([valueAt(value, ['a', 'b']), valueAt(value, ['a', 'n', 'x']), valueAt(value, ['q', 'b'])]).toEqual([1, null, null]);
    expect(() => valueAt(value, ['s', 'b'])).toThrow(
      'Only Map objects supported in absence of schema for [nested field access], found: string',
    );
  });

  it('leads through structs, with the default in the place of null if it is to be', () => {
    const inner = SchemaBuilder.struct().field('b', SchemaBuilder.int32().optional().default(5)).build();
    const schema = SchemaBuilder.struct().field('a', inner).field('s', schemas.string).build();
    expect(fieldAt(schema, ['a', 'b'])?.schema.default).toBe(5);
    expect(fieldAt(schema, ['s', 'b'])).toBeUndefined();
    const value = { a: { b: null }, s: 'x' };
    expect([structValueAt(value, schema, ['a', 'b'], true), structValueAt(value, schema, ['a', 'b'], false)]).toEqual([5, null]);
    expect(() => structValueAt(value, schema, ['s', 'b'], true)).toThrow(
      'Only Struct objects supported for [nested field access], found: string',
    );
  });
});
