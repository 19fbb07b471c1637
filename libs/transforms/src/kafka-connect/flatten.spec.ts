import { describe, expect, it } from '@jest/globals';
import { SchemaBuilder, schemas } from '@sluice/sdk';
import { transformOf, valueAfter } from '../testing/run-transform.js';

describe('Flatten', () => {
  it('moves the fields of nested maps to the top; arrays stay, empty maps vanish', () => {
    const value = { a: { d: '1', b: null, c: '2' }, l: [1, { x: 2 }], e: {}, z: 9 };
    expect(valueAfter('Flatten$Value', {}, value)?.value).toEqual({ 'a.d': '1', 'a.b': null, 'a.c': '2', l: [1, { x: 2 }], z: 9 });
    expect(valueAfter('Flatten$Value', { delimiter: '_' }, { a: { b: { c: 1 } } })?.value).toEqual({ a_b_c: 1 });
  });

  it('makes fields optional where a struct around them is, and gives them its default', () => {
    const inner = SchemaBuilder.struct().field('x', schemas.int32).field('y', SchemaBuilder.string().optional().default('q'));
    const schema = SchemaBuilder.struct('N')
      .version(2)
      .field('a', inner.optional())
      .field('b', inner.optional().default({ x: 5, y: null }))
      .field('l', SchemaBuilder.array(schemas.int8))
      .build();
    const flat = valueAfter('Flatten$Value', {}, { a: null, b: { x: 1, y: null }, l: [1] }, schema);
    expect(flat?.value).toEqual({ 'a.x': null, 'a.y': null, 'b.x': 1, 'b.y': 'q', l: [1] });
    expect(flat?.schema).toMatchObject({ name: 'N', version: 2 });
    expect(flat?.schema?.fields?.map(({ name, schema: own }) => [name, own.optional ?? false, own.default])).toEqual([
      ['a.x', true, undefined],
      ['a.y', true, 'q'],
      ['b.x', true, 5],
      ['b.y', true, 'q'],
      ['l', false, undefined],
    ]);
    const asIs = valueAfter('Flatten$Value', { 'replace.null.with.default': 'false' }, { a: { x: 1, y: null }, b: null, l: [] }, schema);
    expect(asIs?.value).toEqual({ 'a.x': 1, 'a.y': null, 'b.x': null, 'b.y': null, l: [] });
  });

  it('has one schema for all records of a schema', () => {
    const schema = SchemaBuilder.struct().field('a', schemas.int8).build();
    const transform = transformOf('Flatten$Value', {});
    const [first, second] = [1, 2].map((a) => transform.apply({ topic: 't', value: { a }, schema }));
    expect(first?.schema).toBe(second?.schema);
  });

  it('refuses two fields that get one name', () => {
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.struct().field('b', schemas.int8)).field('a.b', schemas.int8).build();
    expect(() => valueAfter('Flatten$Value', {}, { a: { b: 1 }, 'a.b': 2 }, schema)).toThrow('field name duplication a.b');
  });

  it('refuses maps with a schema, values without fields, and endless nesting', () => {
    const schema = SchemaBuilder.struct().field('m', SchemaBuilder.map(schemas.string, schemas.int8)).build();
    expect(() => valueAfter('Flatten$Value', {}, { m: {} }, schema)).toThrow('does not support map for record with schemas (for field m)');
    expect(() => valueAfter('Flatten$Value', {}, 'text')).toThrow('[flattening], found: string');
    let deep = {};
    for (let n = 0; n < 1000; n += 1) deep = { deep };
    expect(() => valueAfter('Flatten$Value', {}, deep)).toThrow('more than 500 levels');
  });

  it('keeps fields whose names JavaScript knows', () => {
    const value = JSON.parse('{"__proto__":5,"a":{"__proto__":{"x":1}},"constructor":{"y":2}}') as Record<string, never>;
    const flat = JSON.stringify(valueAfter('Flatten$Value', { delimiter: '_' }, value)?.value);
    expect(flat).toBe('{"__proto__":5,"a___proto___x":1,"constructor_y":2}');
  });
});
