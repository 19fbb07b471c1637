import { describe, expect, it } from '@jest/globals';
import { ConnectError } from '../errors/connect-error.js';
import { Decimal } from './decimal.js';
import type { Schema } from './schema.js';
import { SchemaBuilder } from './schema-builder.js';
import { schemas } from './schemas.js';
import { requireSchema, validateValue } from './validate-value.js';

describe('SchemaBuilder', () => {
  it('makes the schema that docs/writing-a-connector.md shows, which takes the value there', () => {
    const order = SchemaBuilder.struct('shop.Order')
      .field('id', SchemaBuilder.int64())
      .field('price', SchemaBuilder.decimal(2))
      .field('ordered', SchemaBuilder.timestamp())
      .field('note', SchemaBuilder.string().optional())
      .field('state', SchemaBuilder.string().default('new'))
      .build();
    const value = { id: 7n, price: Decimal.parse('12.50'), ordered: new Date() };
    validateValue(order, value, 'order');
    expect(() => {
      validateValue(order, { ...value, id: 'seven' }, 'order');
    }).toThrow('order.id');
  });

  it('makes plain data', () => {
    const order = SchemaBuilder.struct('shop.Order')
      .version(3)
      .doc('An order')
      .parameter('owner', 'shop')
      .field('id', SchemaBuilder.int64())
      .field('price', SchemaBuilder.decimal(2).default(Decimal.parse('0.00')))
      .field('tags', SchemaBuilder.array(schemas.string).optional())
      .build();
    expect(order).toEqual({
      type: 'struct',
      name: 'shop.Order',
      version: 3,
      doc: 'An order',
      parameters: { owner: 'shop' },
      fields: [
        { name: 'id', schema: schemas.int64 },
        {
          name: 'price',
          schema: {
            type: 'bytes',
            name: 'org.apache.kafka.connect.data.Decimal',
            version: 1,
            parameters: { scale: '2' },
            default: new Decimal(0n, 2),
          },
        },
        { name: 'tags', schema: { type: 'array', valueSchema: schemas.string, optional: true } },
      ],
    });
  });

  it('gives a new builder with each step', () => {
    const text = SchemaBuilder.string();
    text.optional().default('x');
    expect(text.build()).toEqual(schemas.string);
  });

  it.each<readonly [string, () => unknown, string]>([
    [
      'a field twice',
      () => SchemaBuilder.struct('P').field('x', schemas.int8).field('x', schemas.int8).build(),
      'P: the field x given twice; each name is allowed once',
    ],
    ['a field without a name', () => SchemaBuilder.struct('P').field('', schemas.int8).build(), 'P: a field without a name given'],
    ['fields of a text', () => SchemaBuilder.string().field('x', schemas.int8).build(), 'string: fields given; the type string has none'],
    ['an empty name', () => SchemaBuilder.struct('').build(), 'an empty name given'],
    [
      'a version with a fraction',
      () => SchemaBuilder.int8().version(1.5).build(),
      'int8: the version 1.5 given; allowed are whole numbers',
    ],
    [
      'a default of another type',
      () => SchemaBuilder.int8().default('x').build(),
      'int8, default: a string given; int8 allows whole numbers',
    ],
    ['a default beyond the type', () => SchemaBuilder.int8().default(200).build(), 'int8, default: 200 given; int8 allows'],
    ['null as default', () => SchemaBuilder.int8().optional().default(null).build(), 'int8: null given as the default; leave it out'],
    ['a default without a field', () => SchemaBuilder.struct('P').field('x', schemas.int8).default({}).build(), 'P, default.x: null given'],
    ['a fraction as scale', () => SchemaBuilder.decimal(1.5).build(), 'the scale "1.5" given; a Decimal needs a whole number'],
    ['a logical type of another type', () => SchemaBuilder.string().name('org.apache.kafka.connect.data.Date').build(), 'is kept in int32'],
    ['a wrong part', () => SchemaBuilder.array({ type: 'map' }).build(), 'The schema is invalid: array[]: no keySchema given'],
  ])('refuses %s', (_, build, message) => {
    expect(build).toThrow(ConnectError);
    expect(build).toThrow(message);
  });
});

describe('requireSchema', () => {
  it.each<readonly [string, object, string]>([
    ['an unknown type', { type: 'int128' }, 'the type "int128" given; allowed are int8, int16'],
    ['a map without keys', { type: 'map', valueSchema: schemas.int8 }, 'map: no keySchema given; a schema of type map needs one'],
    ['an array without items', { type: 'array' }, 'array: no valueSchema given'],
    ['a struct without fields', { type: 'struct' }, 'struct: no fields given'],
    [
      'a wrong part deep inside',
      { type: 'struct', name: 'P', fields: [{ name: 'a', schema: { type: 'array', valueSchema: { type: 'map' } } }] },
      'P.a[]: no keySchema given',
    ],
  ])('refuses %s', (_, schema, message) => {
    expect(() => {
      requireSchema(schema as Schema);
    }).toThrow(message);
  });

  it('ends with a schema that holds itself', () => {
    const schema = { type: 'array', valueSchema: undefined as unknown };
    schema.valueSchema = schema;
    expect(() => {
      requireSchema(schema as Schema);
    }).toThrow('at most 200 are allowed');
  });
});
