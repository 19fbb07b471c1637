import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, SchemaBuilder, schemas } from '@sluice/sdk';
import { applied, problemsOf, transformOf, valueAfter } from '../testing/run-transform.js';

const paths = { field: 'after.id', 'field.syntax.version': 'V2' };

describe('ExtractField', () => {
  it.each<[Record<string, string>, ConnectValue, ConnectValue]>([
    [paths, { after: null }, null],
    [paths, { other: 1 }, null],
    [paths, { after: { id: 5 } }, 5],
    [paths, { 'after.id': 5 }, null],
    [{ field: 'after.id' }, { 'after.id': 5, after: { id: 6 } }, 5],
    [{ field: '`after.id`', 'field.syntax.version': 'v2' }, { 'after.id': 5 }, 5],
    [{ field: 'a.', 'field.syntax.version': 'V2' }, { a: { '': 5 } }, 5],
    [{ field: 'x' }, null, null],
  ])('with %j makes of %j %j', (settings, value, expected) => {
    expect(valueAfter('ExtractField$Value', settings, value)).toEqual({ value: expected });
  });

  it('takes the schema of the field, and its default in the place of null', () => {
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.int32().optional().default(5)).optional().build();
    const own = { type: 'int32', optional: true, default: 5 };
    expect(valueAfter('ExtractField$Value', { field: 'a' }, { a: null }, schema)).toEqual({ value: 5, schema: own });
    expect(valueAfter('ExtractField$Value', { field: 'a' }, null, schema)).toEqual({ value: null, schema: own });
    const asIs = { field: 'a', 'replace.null.with.default': 'false' };
    expect(valueAfter('ExtractField$Value', asIs, { a: null }, schema)?.value).toBeNull();
    expect(() => valueAfter('ExtractField$Value', { field: 'x' }, { a: 1 }, schema)).toThrow('Unknown field: x; the schema has a');
  });

  it('leads through structs', () => {
    const schema = SchemaBuilder.struct().field('after', SchemaBuilder.struct().field('id', schemas.int64).optional()).build();
    expect(valueAfter('ExtractField$Value', paths, { after: { id: 7n } }, schema)).toEqual({ value: 7n, schema: { type: 'int64' } });
    expect(valueAfter('ExtractField$Value', paths, { after: null }, schema)?.value).toBeNull();
  });

  it('works on the key, keeps everything else, and leaves an absent key absent', () => {
    const record = { key: { id: 1 }, value: 'v', timestamp: 5, headers: [{ key: 'h', value: null }], rocketmq: { tag: 'x' } };
    expect(applied('ExtractField$Key', { field: 'id' }, record)).toEqual({ topic: 't', ...record, key: 1 });
    const without = { topic: 't', value: 'v' };
    expect(transformOf('ExtractField$Key', { field: 'id' }).apply(without)).toBe(without);
  });

  it('refuses what has no fields, and a path that it cannot read', () => {
    expect(() => valueAfter('ExtractField$Value', { field: 'a' }, 'text')).toThrow('[field extraction], found: string');
    expect(() => valueAfter('ExtractField$Value', paths, { after: 5 })).toThrow('[nested field access], found: number');
    expect(problemsOf('ExtractField$Value', { ...paths, field: '`a' })).toEqual([expect.stringContaining('Incomplete backtick pair')]);
    expect(problemsOf('ExtractField$Value', {})).toEqual([expect.stringContaining('Missing required configuration "field"')]);
  });
});
