import { describe, expect, it } from '@jest/globals';
import { SchemaBuilder, schemas } from '@sluice/sdk';
import { applied, PLACE, problemsOf, transformOf, valueAfter } from '../testing/run-transform.js';

const all = {
  'topic.field': 'topic!',
  'partition.field': 'queue',
  'offset.field': 'offset?',
  'timestamp.field': 'ts',
  'static.field': 'site',
  'static.value': 'eu',
};

describe('InsertField', () => {
  it("adds to a map what a sink's record says of itself, in place of fields that are there", () => {
    const record = { value: { a: 1, site: 'old' }, timestamp: 1_700_000_000_000, ...PLACE };
    expect(applied('InsertField$Value', all, record)).toEqual({
      topic: 't',
      ...record,
      value: { a: 1, topic: 't', queue: 3, offset: 7, ts: 1_700_000_000_000, site: 'eu' },
    });
    expect(record.value).toEqual({ a: 1, site: 'old' });
  });

  it('adds fields to a struct: optional unless the name ends with an exclamation mark', () => {
    const schema = SchemaBuilder.struct('N').version(3).field('a', SchemaBuilder.int32().optional().default(4)).build();
    const transform = transformOf('InsertField$Value', all);
    const record = { topic: 't', value: { a: null }, schema, timestamp: 5, ...PLACE };
    const inserted = transform.apply(record);
    expect(inserted?.value).toEqual({ a: 4, topic: 't', queue: 3, offset: 7n, ts: new Date(5), site: 'eu' });
    expect(inserted?.schema).toMatchObject({ name: 'N', version: 3 });
    expect(inserted?.schema?.fields?.slice(1)).toEqual([
      { name: 'topic', schema: schemas.string },
      { name: 'queue', schema: { ...schemas.int32, optional: true } },
      { name: 'offset', schema: { ...schemas.int64, optional: true } },
      { name: 'ts', schema: { ...schemas.timestamp, optional: true } },
      { name: 'site', schema: { ...schemas.string, optional: true } },
    ]);
    expect(transform.apply(record)?.schema).toBe(inserted?.schema);
    const asIs = applied('InsertField$Value', { ...all, 'replace.null.with.default': 'false' }, record);
    expect(asIs?.value).toMatchObject({ a: null });
  });

  it("leaves out of a source's record what it does not have", () => {
    const settings = { 'partition.field': 'p', 'timestamp.field': 'ts' };
    expect(valueAfter('InsertField$Value', settings, { a: 1 })?.value).toEqual({ a: 1 });
    const schema = SchemaBuilder.struct().field('a', schemas.int8).build();
    expect(valueAfter('InsertField$Value', settings, { a: 1 }, schema)?.value).toEqual({ a: 1, p: null, ts: null });
    expect(() => valueAfter('InsertField$Value', { 'partition.field': 'p!' }, { a: 1 }, schema)).toThrow(
      'the record has nothing for partition.field',
    );
    expect(() => valueAfter('InsertField$Value', { 'offset.field': 'o' }, { a: 1 })).toThrow('only supported for sink connectors');
  });

  it('leaves a tombstone and an absent key alone', () => {
    const record = { topic: 't', value: null };
    expect(['InsertField$Value', 'InsertField$Key'].map((name) => transformOf(name, all).apply(record) === record)).toEqual([true, true]);
  });

  it('leads to new fields by paths, and makes what is missing on the way', () => {
    const settings = { 'topic.field': 'meta.from.topic', 'static.field': 'a.s', 'static.value': 'x', 'field.syntax.version': 'V2' };
    expect(valueAfter('InsertField$Value', settings, { a: null, b: 1 })?.value).toEqual({ a: null, b: 1, meta: { from: { topic: 't' } } });
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.struct().field('q', schemas.int8).optional()).build();
    const inserted = valueAfter('InsertField$Value', settings, { a: { q: 1 } }, schema);
    expect(inserted?.value).toEqual({ a: { q: 1, s: 'x' }, meta: { from: { topic: 't' } } });
    expect(inserted?.schema?.fields?.map(({ name, schema: own }) => [name, own.optional ?? false])).toEqual([
      ['a', true],
      ['meta', false],
    ]);
    expect(valueAfter('InsertField$Value', settings, { a: null }, schema)?.value).toMatchObject({ a: null });
  });

  it('refuses a field that a schema has, values without fields, and settings that insert nothing', () => {
    const schema = SchemaBuilder.struct().field('site', schemas.int8).build();
    expect(() => valueAfter('InsertField$Value', { 'topic.field': 'site' }, { site: 1 }, schema)).toThrow('field name duplication site');
    expect(() => valueAfter('InsertField$Value', { 'topic.field': 'x' }, 'text')).toThrow('[field insertion], found: string');
    const twice = { 'topic.field': 'x', 'static.field': 'x', 'static.value': 'y' };
    expect(() => valueAfter('InsertField$Value', twice, { site: 1 }, schema)).toThrow('field name duplication x');
    expect(valueAfter('InsertField$Value', twice, {})?.value).toEqual({ x: 'y' });
    expect(problemsOf('InsertField$Value', { 'topic.field': '!' })).toEqual([expect.stringContaining('a name is missing')]);
    expect(problemsOf('InsertField$Value', {})).toEqual([expect.stringContaining('No field insertion configured')]);
    expect(problemsOf('InsertField$Value', { 'static.field': 's' })).toEqual(['No value specified for static field s: set static.value']);
  });
});

describe('HoistField', () => {
  it.each(['text', null, { a: 1 }])('puts %j into a field', (value) => {
    expect(valueAfter('HoistField$Value', { field: 'f' }, value)).toEqual({ value: { f: value } });
  });

  it('puts the schema into one too, and an absent key in as null', () => {
    const schema = SchemaBuilder.int32().optional().build();
    const hoisted = valueAfter('HoistField$Value', { field: 'f' }, null, schema);
    expect(hoisted).toEqual({ value: { f: null }, schema: { type: 'struct', fields: [{ name: 'f', schema }] } });
    expect(applied('HoistField$Key', { field: 'f' }, { value: 1 })).toEqual({ topic: 't', value: 1, key: { f: null } });
  });
});

describe('ValueToKey', () => {
  it('makes the key of fields of the value, null where one is missing', () => {
    expect(applied('ValueToKey', { fields: 'a,zz' }, { value: { a: 1, b: 2 }, key: 'old', keySchema: schemas.string })).toEqual({
      topic: 't',
      value: { a: 1, b: 2 },
      key: { a: 1, zz: null },
    });
  });

  it('makes the schema of the key, with defaults in the place of null', () => {
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.int64().optional().default(3n)).optional().build();
    const keyed = applied('ValueToKey', { fields: 'a,a' }, { value: { a: null }, schema });
    expect(keyed).toMatchObject({ key: { a: 3n }, value: { a: null }, schema });
    expect(keyed?.keySchema).toEqual({ type: 'struct', fields: schema.fields });
    const asIs = applied('ValueToKey', { fields: 'a', 'replace.null.with.default': 'false' }, { value: { a: null }, schema });
    expect(asIs?.key).toEqual({ a: null });
  });

  it('takes the last name of a path, and refuses two that end alike', () => {
    const settings = { fields: 'a.id,b', 'field.syntax.version': 'V2' };
    expect(applied('ValueToKey', settings, { value: { a: { id: 1 }, b: 2 } })?.key).toEqual({ id: 1, b: 2 });
    expect(problemsOf('ValueToKey', { ...settings, fields: 'a.id,b.id' })).toEqual([expect.stringContaining('two paths end with id')]);
  });

  it('refuses null, and unknown fields of a schema', () => {
    expect(() => applied('ValueToKey', { fields: 'a' }, { value: null })).toThrow('[copying fields from value to key], found: null');
    const schema = SchemaBuilder.struct().field('a', schemas.int8).build();
    expect(() => applied('ValueToKey', { fields: 'zz' }, { value: { a: 1 }, schema })).toThrow('Field does not exist: zz');
  });
});
