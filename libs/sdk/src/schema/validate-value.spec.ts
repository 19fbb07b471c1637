import { describe, expect, it } from '@jest/globals';
import { ConnectError } from '../errors/connect-error.js';
import { JsonNumber } from '../json/json-number.js';
import type { ConnectValue } from './connect-value.js';
import { Decimal } from './decimal.js';
import { scalarOf } from './scalar-value.js';
import type { Schema } from './schema.js';
import { SchemaBuilder } from './schema-builder.js';
import { schemas } from './schemas.js';
import { validateValue } from './validate-value.js';

const struct = SchemaBuilder.struct('P').field('x', schemas.int8).field('y', SchemaBuilder.int8().default(1)).build();
const nested = SchemaBuilder.array(SchemaBuilder.map(schemas.string, struct)).build();
const byLong = SchemaBuilder.map(schemas.int64, schemas.string).build();
const byText = SchemaBuilder.map(schemas.string, schemas.int8).build();

describe('scalarOf', () => {
  it.each<readonly [Schema, ConnectValue, ConnectValue]>([
    [schemas.int8, -128, -128],
    [schemas.int32, 7n, 7],
    [schemas.int64, 7, 7n],
    [schemas.int64, -(2n ** 63n), -(2n ** 63n)],
    [schemas.float64, new JsonNumber('1.50'), 1.5],
    [schemas.float64, NaN, NaN],
    [schemas.float32, 3.4028235e38, 3.4028235e38],
    [schemas.string, Buffer.from('ü'), 'ü'],
    [schemas.timestamp, 5n, new Date(5)],
    [schemas.date, 1, new Date(86_400_000)],
    [SchemaBuilder.decimal(2).build(), Decimal.parse('1.5'), new Decimal(150n, 2)],
    [SchemaBuilder.decimal(2).build(), new JsonNumber('1e3'), new Decimal(100_000n, 2)],
    [SchemaBuilder.decimal(2).build(), 7, new Decimal(700n, 2)],
  ])('gives for %j the one form of %p: %p', (schema, value, expected) => {
    expect(scalarOf(schema, value, 'value')).toStrictEqual(expected);
  });
});

describe('validateValue', () => {
  it('accepts values of the schema', () => {
    validateValue(nested, [{ a: { x: 1 } }, { b: { x: 1, y: 2 } }]);
    validateValue(byLong, new Map([[1n, 'a']]));
    validateValue(SchemaBuilder.string().optional().build(), null);
    validateValue(SchemaBuilder.string().default('x').build(), undefined);
  });

  it.each<readonly [string, Schema, ConnectValue | undefined, string]>([
    ['a number beyond the type', schemas.int16, 40_000, 'value: 40000 given; int16 allows whole numbers from -32768 to 32767'],
    ['a number that is not exact', schemas.int64, 2 ** 60, 'value: 1152921504606847000 given; int64 allows bigints of 64 bits'],
    ['null', schemas.string, null, 'value: null given; string is required and has no default'],
    ['nothing', schemas.string, undefined, 'value: null given; string is required and has no default'],
    ['null in place of a default', struct, { x: 1, y: null }, 'value.y: null given; int8 is required'],
    ['a wrong field deep inside', nested, [{}, { a: { x: 300 } }], 'value[1].a.x: 300 given; int8 allows'],
    ['a missing field', nested, [{ a: {} }], 'value[0].a.x: null given; int8 is required and has no default'],
    ['a field that is unknown', struct, { x: 1, z: 'secret' }, 'value.z: a string given; the schema has x, y'],
    ['an array as struct', struct, [], 'value: a value of class Array given; struct allows an object with fields'],
    ['an object as array', nested, {}, 'value: a value of class Object given; array allows arrays'],
    [
      'an object for keys that are no strings',
      byLong,
      { 1: 'a' },
      'value: a value of class Object given; a map with int64 keys allows a Map',
    ],
    ['a Map for keys that are strings', byText, new Map([['a', 1]]), 'value: a value of class Map given; a map with string keys allows'],
    ['a wrong key', byLong, new Map([['a', 'a']]), 'value{key}: a string given; int64 allows'],
    ['a time of day as Date', schemas.date, new Date(1), 'value: 1970-01-01T00:00:00.001Z given; a Date must have no time of day'],
    ['a day as Time', schemas.time, 86_400_000, 'value: 86400000 given; Time allows 0 to 86399999'],
    ['a text as Timestamp', schemas.timestamp, '2026', 'value: a string given; org.apache.kafka.connect.data.Timestamp allows a Date'],
    ['a number beyond a float', schemas.float32, 3.5e38, 'value: 3.5e+38 given; float32 allows numbers from'],
    ['a JsonNumber beyond a double', schemas.float64, new JsonNumber('1e400'), 'value: 1e400 given; float64 allows what a double can hold'],
  ])('refuses %s', (_, schema, value, message) => {
    const validate = (): void => {
      validateValue(schema, value);
    };
    expect(validate).toThrow(ConnectError);
    expect(validate).toThrow(message);
  });

  it('uses the path that the caller gives', () => {
    expect(() => {
      validateValue(schemas.int8, 'x', 'key');
    }).toThrow('key: a string given');
  });
});
