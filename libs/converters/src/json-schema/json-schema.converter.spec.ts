import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Decimal, type RawConfig, SchemaBuilder, schemas } from '@sluice/sdk';
import type { Converter } from '@sluice/sdk';
import { FakeRegistry } from '../testing/fake-registry.js';
import { readPrepared as read, writePrepared as write } from '../testing/registry-questions.js';
import { jsonSchemaConverter } from './json-schema.converter.js';

let registry: FakeRegistry;
let url: string;

beforeEach(async () => {
  registry = new FakeRegistry();
  url = await registry.start();
});

afterEach(async () => {
  await registry.stop();
});

function converterOf(settings: RawConfig = {}): Converter {
  return jsonSchemaConverter({ 'schema.registry.url': url, ...settings }, 'value');
}

/** A message of a schema that somebody else registered. */
function message(schema: object, payload: string): Buffer {
  const id = registry.add('other', JSON.stringify(schema), 'JSON');
  return Buffer.concat([Buffer.from([0, 0, 0, 0, id]), Buffer.from(payload)]);
}

const order = SchemaBuilder.struct('shop.Order')
  .field('zid', SchemaBuilder.int64())
  .field('small', SchemaBuilder.int8())
  .field('price', SchemaBuilder.decimal(2))
  .field('day', SchemaBuilder.date())
  .field('at', SchemaBuilder.timestamp())
  .field('raw', SchemaBuilder.bytes())
  .field('ratio', SchemaBuilder.float64())
  .field('weight', SchemaBuilder.float32())
  .field('isPaid', SchemaBuilder.boolean())
  .field('note', SchemaBuilder.string().optional())
  .field('state', SchemaBuilder.string().default('new'))
  .field('tags', SchemaBuilder.array(SchemaBuilder.string().optional()))
  .field('counts', SchemaBuilder.map(schemas.string, schemas.int64))
  .field('byId', SchemaBuilder.map(schemas.int32, schemas.string))
  .field('buyer', SchemaBuilder.struct('shop.Buyer').field('name', schemas.string).optional())
  .doc('An order.')
  .build();
const orderValue = {
  zid: 9_007_199_254_740_993n,
  small: -8,
  price: new Decimal(-1250n, 2),
  day: new Date('1969-12-31'),
  at: new Date('2020-01-02T03:04:05.006Z'),
  raw: Buffer.from([0, 255]),
  ratio: 0.1,
  weight: 1.5,
  isPaid: true,
  note: null,
  state: 'paid',
  tags: ['a', null],
  counts: { x: -1n },
  byId: new Map([[7, 'seven']]),
  buyer: { name: 'Ann' },
};

describe('JsonSchemaConverter', () => {
  it.each(['BASE64', 'NUMERIC'])('reads each value as it was written, with decimals as %s', async (format) => {
    const bytes = await write(converterOf({ 'decimal.format': format }), orderValue, order);
    expect(bytes.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 1]));
    expect(bytes.toString('utf8')).toContain(format === 'NUMERIC' ? '"price":-12.50' : '"price":"+x4="');
    expect(bytes.toString('utf8')).toContain('"zid":9007199254740993,');
    const found = await read(converterOf(), bytes);
    expect(found.value).toEqual(orderValue);
    expect(found.schema).toEqual(order);
  });

  it('registers what Confluent’s converter registers', async () => {
    const schema = SchemaBuilder.struct('P')
      .field('b', SchemaBuilder.int8())
      .field('a', SchemaBuilder.string().optional())
      .field('m', SchemaBuilder.map(schemas.int32, schemas.boolean))
      .version(3)
      .build();
    const settings = { 'object.additional.properties': 'false', 'use.optional.for.nonrequired': 'true' };
    await write(converterOf(settings), { b: 1, a: 'x', m: new Map() }, schema);
    expect(JSON.parse(registry.requests[0]?.body ?? '')).toMatchObject({ schemaType: 'JSON' });
    expect(JSON.parse(registry.textOf('orders-value'))).toEqual({
      type: 'object',
      title: 'P',
      'connect.version': 3,
      properties: {
        b: { type: 'integer', 'connect.type': 'int8', 'connect.index': 0 },
        a: { oneOf: [{ type: 'null' }, { type: 'string' }], 'connect.index': 1 },
        m: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              key: { type: 'integer', 'connect.type': 'int32', 'connect.index': 0 },
              value: { type: 'boolean', 'connect.index': 1 },
            },
          },
          'connect.type': 'map',
          'connect.index': 2,
        },
      },
      required: ['b', 'm'],
      additionalProperties: false,
    });
  });

  it('reads schemas of others: references, unions, enums, types in a list', async () => {
    const schema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: {
        who: { $ref: '#/definitions/Person' },
        either: { oneOf: [{ type: 'null' }, { type: 'integer' }, { $ref: '#/definitions/Person' }] },
        color: { type: 'string', enum: ['RED', 'BLUE'] },
        maybe: { type: ['string', 'null'] },
        amount: { type: 'number' },
      },
      required: ['who'],
      definitions: { Person: { type: 'object', title: 'Person', properties: { name: { type: 'string' } }, required: ['name'] } },
    };
    const payload = '{"who":{"name":"Ann"},"either":{"name":"Bob"},"color":"RED","maybe":null,"amount":1.5}';
    const converter = converterOf({ 'use.optional.for.nonrequired': 'true' });
    const found = await read(converter, message(schema, payload));
    const union = { 'io.confluent.connect.json.OneOf.field.0': null, 'io.confluent.connect.json.OneOf.field.1': { name: 'Bob' } };
    expect(found.value).toEqual({ who: { name: 'Ann' }, either: union, color: 'RED', maybe: null, amount: 1.5 });
    expect(found.schema?.fields?.map(({ schema: { optional = false } }) => optional)).toEqual([false, true, true, true, true]);
    const again = await write(converter, found.value, found.schema ?? order);
    expect(again.subarray(5).toString('utf8')).toBe(payload);
    expect((await read(converter, message(schema, '{"who":{"name":"A"},"either":7}'))).value).toMatchObject({
      either: { 'io.confluent.connect.json.OneOf.field.0': 7n },
    });
  });

  it('checks values by their schema on demand alone, and shows no value', async () => {
    const schema = { type: 'object', properties: { pin: { type: 'string', maxLength: 3 } } };
    const bytes = message(schema, '{"pin":"s3cret"}');
    expect((await read(converterOf(), bytes)).value).toEqual({ pin: 's3cret' });
    await expect(read(converterOf({ 'json.fail.invalid.schema': 'true' }), bytes)).rejects.toThrow(
      'JsonSchemaConverter: The value does not fit the JSON Schema at /pin/: must NOT have more than 3 characters',
    );
  });

  it('writes by the latest schema of the subject where the value fits it', async () => {
    const settings = { 'auto.register.schemas': 'false', 'use.latest.version': 'true' };
    const own = SchemaBuilder.struct('P').field('n', schemas.int32).build();
    registry.add('orders-value', JSON.stringify({ type: 'object', properties: { n: { type: 'integer', maximum: 5 } } }), 'JSON');
    expect((await write(converterOf(settings), { n: 5 }, own)).subarray(5).toString('utf8')).toBe('{"n":5}');
    await expect(write(converterOf(settings), { n: 6 }, own)).rejects.toThrow('at /n/: must be <= 5');
    expect(await write(converterOf({ ...settings, 'latest.compatibility.strict': 'false' }), { n: 6 }, own)).toHaveLength(12);
  });

  it.each([
    [{ type: 'object', properties: { a: {} } }, 'it has no type'],
    [{ type: 'array' }, 'Array schema did not specify the items type'],
    [{ enum: [1, 2] }, 'an enum of other values than strings'],
    [{ $ref: '#/definitions/Nope' }, 'There is no schema #/definitions/Nope'],
    [{ type: 'object', properties: { next: { $ref: '#' } } }, 'The schema holds itself'],
    [
      { $schema: 'http://json-schema.org/draft-04/schema#', oneOf: [{ type: 'string' }, { type: 'integer' }] },
      'draft-04/schema# is not supported',
    ],
  ])('refuses %j', async (schema, reason) => {
    await expect(read(converterOf(), message(schema, '1'))).rejects.toThrow(reason);
  });

  it('refuses bytes that are no JSON, or that do not fit, as an error of the record', async () => {
    await expect(read(converterOf(), message({ type: 'integer' }, '{'))).rejects.toThrow('JsonSchemaConverter: ');
    await expect(read(converterOf(), message({ type: 'integer' }, '"x"'))).rejects.toThrow('JsonSchemaConverter: value: a string given');
  });
});
