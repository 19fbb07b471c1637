import { describe, expect, it } from '@jest/globals';
import type { ConnectValue } from './connect-value.js';
import { Decimal } from './decimal.js';
import { parseLiteral } from './parse-literal.js';
import type { Schema } from './schema.js';
import { SchemaBuilder } from './schema-builder.js';
import { schemas } from './schemas.js';
import { validateValue } from './validate-value.js';

const decimal = (text: string): Decimal => Decimal.parse(text);
const listOf = (items: Schema): Schema => SchemaBuilder.array(items).build();
const mapOf = (keys: Schema, values: Schema): Schema => SchemaBuilder.map(keys, values).build();
const timestamp = new Date('2019-08-23T14:34:54.346Z');

// What Kafka Connect 4.3.1 makes of the same texts.
const SCALARS: readonly (readonly [string, ConnectValue, Schema])[] = [
  ['9223372036854775807', 9_223_372_036_854_775_807n, schemas.int64],
  ['-9223372036854775808', -9_223_372_036_854_775_808n, schemas.int64],
  ['9223372036854775808', decimal('9223372036854775808'), SchemaBuilder.decimal(0).build()],
  ['-9223372036854775809', decimal('-9223372036854775809'), SchemaBuilder.decimal(0).build()],
  ['1e400', new Decimal(1n, -400), SchemaBuilder.decimal(-400).build()],
  ['0012', 12, schemas.int8],
  ['1e3', 1000, schemas.int16],
  ['+12', 12, schemas.int8],
  ['-0.0', 0, schemas.int8],
  [' 127 ', 127, schemas.int8],
  ['128', 128, schemas.int16],
  ['-32769', -32_769, schemas.int32],
  ['2147483648', 2_147_483_648n, schemas.int64],
  ['1.0', 1, schemas.int8],
  ['1.50', 1.5, schemas.float32],
  ['+.5', 0.5, schemas.float32],
  ['0.1', Math.fround(0.1), schemas.float32],
  ['1e39', 1e39, schemas.float64],
  ['true', true, schemas.boolean],
  [' false', false, schemas.boolean],
  ['12:34:56.789Z', new Date(45_296_789), schemas.time],
  ['2019-08-23', new Date('2019-08-23'), schemas.date],
  ['2019-08-23T14:34:54.346Z', timestamp, schemas.timestamp],
  ['2019-08-23T14\\:34\\:54.346Z', timestamp, schemas.timestamp],
];

const STRINGS = [
  ...[
    '',
    '   ',
    'abc',
    'TRUE',
    'true}',
    '"abc"',
    '.5',
    '1d',
    '0x10',
    '++1',
    '-',
    '1 2',
    '1e2147483648',
    '2019-8-23',
    '2019-08-23T14:34:54Z',
  ],
  ...['[a]', '[,1]', '[1,,2]', '[1 2]', '[1,2', '[1,null]', '{a:1}', '{null:1}', '{"a":1', '{"a":null,"b":1}', '["a'],
];

const CONTAINERS: readonly (readonly [string, ConnectValue, Schema | undefined])[] = [
  ['[1, 300,\t70000]', [1, 300, 70_000], listOf(schemas.int32)],
  ['[1,3000000000]', [1n, 3_000_000_000n], listOf(schemas.int64)],
  ['[1,1.5]', [1, 1.5], listOf(schemas.float32)],
  ['[1,]', [1], listOf(schemas.int8)],
  ['["a, b","a\\"b"]', ['a, b', 'a\\"b'], listOf(schemas.string)],
  ['["true"]', ['true'], listOf(schemas.string)],
  ['[2019-08-23T14:34:54.346Z,"2019-08-23T14:34:54.346Z"]', [timestamp, timestamp], listOf(schemas.timestamp)],
  ['[[],[1]]', [[], [1]], listOf(listOf(schemas.int8))],
  ['{"a":1 "b":300}', { a: 1, b: 300 }, mapOf(schemas.string, schemas.int16)],
  ['{"a":[1,2]}', { a: [1, 2] }, mapOf(schemas.string, listOf(schemas.int8))],
  ['{1:2}', new Map([[1, 2]]), mapOf(schemas.int8, schemas.int8)],
  ['{"__proto__":1}', Object.fromEntries([['__proto__', 1]]), mapOf(schemas.string, schemas.int8)],
  // Kafka Connect gives these a list or a map of nothing.
  ['[]', [], undefined],
  ['[null]', [null], undefined],
  ['[1,"a"]', [1, 'a'], undefined],
  ['[[1,"a"],[1]]', [[1, 'a'], [1]], undefined],
  ['{}', {}, undefined],
  ['{"a":null}', { a: null }, undefined],
];

describe('parseLiteral', () => {
  it.each(SCALARS)('reads %s', (text, value, schema) => {
    expect(parseLiteral(text)).toEqual({ value, schema });
  });

  it.each(['null', ' null '])('reads %j as null without a schema', (text) => {
    expect(parseLiteral(text)).toEqual({ value: null });
  });

  it.each(STRINGS)('leaves %j a string', (text) => {
    expect(parseLiteral(text)).toEqual({ value: text, schema: schemas.string });
  });

  it.each(CONTAINERS)('reads %s', (text, value, schema) => {
    const found = parseLiteral(text);
    expect(found.value).toEqual(value);
    expect(found.schema).toEqual(schema);
    if (found.schema !== undefined) validateValue(found.schema, found.value);
  });

  it.each(['1:2', '1,2,3', '[1]x', '[1]]', '{"a":1}}', '2019-13-45', '2019-02-31', '24:00:00.000Z'])(
    'leaves %j a string, of which Kafka Connect drops or changes a part',
    (text) => {
      expect(parseLiteral(text)).toEqual({ value: text, schema: schemas.string });
    },
  );

  it('keeps spaces at the end of a quoted string, and a number that a float would make zero', () => {
    expect(parseLiteral('["a: "]').value).toEqual(['a: ']);
    expect(parseLiteral('1e-46')).toEqual({ value: 1e-46, schema: schemas.float64 });
    expect(parseLiteral('1e-400').value).toEqual(new Decimal(1n, 400));
  });

  it('gives decimals of a list the largest scale', () => {
    expect(parseLiteral('[12345678901234567890,1e400]').value).toEqual([decimal('12345678901234567890'), new Decimal(10n ** 400n, 0)]);
  });

  it('takes a text in too many levels as a string, at once', () => {
    const deep = '['.repeat(30_000);
    expect(parseLiteral(deep)).toEqual({ value: deep, schema: schemas.string });
  });

  it.each([
    ['digits before a letter', `${'1'.repeat(60_000)}x`],
    ['digits', '1'.repeat(60_000)],
    ['blanks inside', `a${' '.repeat(60_000)}b`],
    ['blanks in a list', `[a${' '.repeat(60_000)}b`],
  ])('takes a text of many %s as a string, in time in proportion to it', (_, text) => {
    const before = process.cpuUsage();
    expect(parseLiteral(text)).toEqual({ value: text, schema: schemas.string });
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(200);
  });
});
