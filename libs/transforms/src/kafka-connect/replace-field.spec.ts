import { describe, expect, it } from '@jest/globals';
import { type RawConfig, SchemaBuilder, schemas } from '@sluice/sdk';
import { problemsOf, transformOf, valueAfter } from '../testing/run-transform.js';

const nested = { a: { b: 1, c: 2 }, d: 3, e: { f: 4 } };

describe('ReplaceField', () => {
  it.each<[RawConfig, object]>([
    [{ exclude: 'a', include: 'a,d', renames: 'd:x' }, { x: 3 }],
    [{ blacklist: 'a,e' }, { d: 3 }],
    [{ whitelist: 'd' }, { d: 3 }],
    [{ renames: 'd:a' }, { a: 3, e: { f: 4 } }],
    [{ exclude: 'a.b' }, nested],
    [
      { exclude: 'a.b', 'field.syntax.version': 'V2' },
      { a: { c: 2 }, d: 3, e: { f: 4 } },
    ],
    [
      { include: 'a.b,e', 'field.syntax.version': 'V2' },
      { a: { b: 1 }, e: { f: 4 } },
    ],
    [{ include: 'd.x', 'field.syntax.version': 'V2' }, {}],
    [
      { renames: 'a.b:x,e:y', 'field.syntax.version': 'V2' },
      { a: { x: 1, c: 2 }, d: 3, y: { f: 4 } },
    ],
    [{ include: 'a', exclude: 'a.c', renames: 'a:z', 'field.syntax.version': 'V2' }, { z: { b: 1 } }],
  ])('with %j leaves of a map %j', (settings, expected) => {
    expect(valueAfter('ReplaceField$Value', settings, nested)?.value).toEqual(expected);
    const schema = SchemaBuilder.struct('N')
      .field('a', SchemaBuilder.struct().field('b', schemas.int8).field('c', schemas.int8))
      .field('d', schemas.int8)
      .field('e', SchemaBuilder.struct().field('f', schemas.int8))
      .build();
    if (settings['renames'] === 'd:a') {
      expect(() => valueAfter('ReplaceField$Value', settings, nested, schema)).toThrow('field name duplication a');
      return;
    }
    const replaced = valueAfter('ReplaceField$Value', settings, nested, schema);
    expect(replaced?.value).toEqual(expected);
    expect(replaced?.schema?.fields?.map(({ name }) => name)).toEqual(Object.keys(expected));
  });

  it('swaps names, keeps name, version and doc of a schema, and reads defaults for null', () => {
    const a = SchemaBuilder.int32().optional().default(4).build();
    const schema = SchemaBuilder.struct('N').version(3).doc('D').field('a', a).field('b', schemas.string).optional().build();
    const transform = transformOf('ReplaceField$Value', { renames: 'a:b,b:a' });
    const record = { topic: 't', value: { a: null, b: 'x' }, schema };
    const swapped = transform.apply(record);
    expect(swapped?.value).toEqual({ b: 4, a: 'x' });
    const fields = [
      { name: 'b', schema: a },
      { name: 'a', schema: schemas.string },
    ];
    expect(swapped?.schema).toEqual({ type: 'struct', name: 'N', version: 3, doc: 'D', fields });
    expect(transform.apply(record)?.schema).toBe(swapped?.schema);
    const asIs = { exclude: 'b', 'replace.null.with.default': 'false' };
    expect(valueAfter('ReplaceField$Value', asIs, { a: null, b: 'x' }, schema)?.value).toEqual({ a: null });
  });

  it('leaves a tombstone alone and refuses values without fields', () => {
    const record = { topic: 't', value: null };
    expect(transformOf('ReplaceField$Value', { exclude: 'a' }).apply(record)).toBe(record);
    expect(() => valueAfter('ReplaceField$Value', { exclude: 'a' }, 'x')).toThrow('[field replacement], found: string');
  });

  it.each([
    [{ renames: 'a' }, 'Invalid rename mapping'],
    [{ renames: 'a:b:c' }, 'Invalid rename mapping'],
    [{ renames: 'a:' }, 'Invalid rename mapping'],
    [{ include: 'a', whitelist: 'b' }, 'include is given twice with different values, as include and as whitelist'],
    [{ exclude: '`a', 'field.syntax.version': 'V2' }, 'Incomplete backtick pair'],
  ])('refuses %j', (settings, message) => {
    expect(problemsOf('ReplaceField$Value', settings)).toEqual([expect.stringContaining(message)]);
  });
});

describe('SetSchemaMetadata', () => {
  const schema = SchemaBuilder.struct('N').version(3).field('a', SchemaBuilder.int32().optional().default(4)).optional().build();

  it('sets name and version, and keeps everything else', () => {
    expect(valueAfter('SetSchemaMetadata$Value', { 'schema.name': 'X' }, { a: null }, schema)).toEqual({
      value: { a: 4 },
      schema: { ...schema, name: 'X' },
    });
    const settings = { 'schema.name': 'X', 'schema.version': '9', 'replace.null.with.default': 'false' };
    expect(valueAfter('SetSchemaMetadata$Value', settings, { a: null }, schema)).toEqual({
      value: { a: null },
      schema: { ...schema, name: 'X', version: 9 },
    });
    const array = SchemaBuilder.array(schemas.int8).build();
    expect(valueAfter('SetSchemaMetadata$Value', settings, [1], array)).toEqual({
      value: [1],
      schema: { ...array, name: 'X', version: 9 },
    });
  });

  it('leaves a tombstone alone and refuses a value without schema', () => {
    const record = { topic: 't', value: null };
    expect(transformOf('SetSchemaMetadata$Value', { 'schema.name': 'X' }).apply(record)).toBe(record);
    expect(() => valueAfter('SetSchemaMetadata$Value', { 'schema.name': 'X' }, 'text')).toThrow(
      'Schema required for [updating schema metadata]',
    );
    expect(problemsOf('SetSchemaMetadata$Value', {})).toEqual([expect.stringContaining('Neither schema name nor version configured')]);
  });
});
