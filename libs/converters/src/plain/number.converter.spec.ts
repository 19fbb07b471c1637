import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, type Schema, schemas } from '@sluice/sdk';
import { BooleanConverter } from './boolean.converter.js';
import { NUMBER_FORMATS, NumberConverter } from './number.converter.js';

const short = new NumberConverter(NUMBER_FORMATS.short);
const integer = new NumberConverter(NUMBER_FORMATS.integer);
const long = new NumberConverter(NUMBER_FORMATS.long);
const float = new NumberConverter(NUMBER_FORMATS.float);
const double = new NumberConverter(NUMBER_FORMATS.double);
const booleans = new BooleanConverter();

// What Kafka's serializers write.
const BYTES: readonly (readonly [string, NumberConverter, ConnectValue, Schema, string])[] = [
  ['ShortConverter', short, -2, schemas.int16, 'fffe'],
  ['IntegerConverter', integer, 2_147_483_647, schemas.int32, '7fffffff'],
  ['IntegerConverter', integer, -2_147_483_648, schemas.int32, '80000000'],
  ['LongConverter', long, 9_007_199_254_740_993n, schemas.int64, '0020000000000001'],
  ['FloatConverter', float, 1.5, schemas.float32, '3fc00000'],
  ['DoubleConverter', double, 0.1, schemas.float64, '3fb999999999999a'],
];

describe('NumberConverter', () => {
  it.each(BYTES)('%s writes and reads %p %p', (_name, converter, value, schema, hex) => {
    for (const given of [schema, undefined]) expect(Buffer.from(converter.toBytes(value, given) ?? []).toString('hex')).toBe(hex);
    expect(converter.fromBytes(Buffer.from(hex, 'hex'))).toEqual({ value, schema: { ...schema, optional: true } });
  });

  it('keeps null, also without a schema', () => {
    expect(integer.toBytes(null, undefined)).toBeNull();
    expect(integer.fromBytes(null)).toEqual({ value: null, schema: { type: 'int32', optional: true } });
  });

  it.each([
    ['a value of another schema', integer, 1, schemas.int64, 'Failed to serialize to integer (was INT64)'],
    ['a number that is too large', integer, 2 ** 31, undefined, 'integer: the value: 2147483648 given'],
    ['a fraction', short, 1.5, undefined, 'short: the value: 1.5 given'],
    ['a text', long, '1', undefined, 'Failed to serialize to long: the value: a string given'],
    ['a date', long, new Date(0), undefined, 'a value of class Date given'],
    ['digits that a float has not', float, 0.1, undefined, 'Failed to serialize to float: 0.1 has more digits'],
  ] as const)('refuses %s', (_what, converter, value, schema, message) => {
    expect(() => converter.toBytes(value, schema)).toThrow(message);
  });

  it('rounds a number whose schema says float, as JSON with that schema has it', () => {
    expect(float.toBytes(0.1, schemas.float32)).toEqual(Buffer.from('3dcccccd', 'hex'));
  });

  it.each([
    ['short', short, 4, 2],
    ['integer', integer, 3, 4],
    ['long', long, 0, 8],
    ['float', float, 5, 4],
    ['double', double, 4, 8],
  ] as const)('names both lengths where the bytes are no %s', (noun, converter, given, size) => {
    expect(() => converter.fromBytes(Buffer.alloc(given))).toThrow(`Failed to deserialize ${noun}: ${given} bytes given; it has ${size}`);
  });
});

describe('BooleanConverter', () => {
  it.each([
    [true, 1],
    [false, 0],
  ])('writes and reads %p', (value, byte) => {
    expect(booleans.toBytes(value, schemas.boolean)).toEqual(Buffer.of(byte));
    expect(booleans.fromBytes(Buffer.of(byte))).toEqual({ value, schema: { type: 'boolean', optional: true } });
  });

  it('keeps null', () => {
    expect(booleans.toBytes(null, undefined)).toBeNull();
    expect(booleans.fromBytes(null).value).toBeNull();
  });

  it('refuses what is no boolean, both ways', () => {
    expect(() => booleans.toBytes(true, schemas.string)).toThrow('Invalid schema type for BooleanConverter: STRING');
    expect(() => booleans.toBytes('true', undefined)).toThrow('BooleanConverter is not compatible with objects of type string');
    expect(() => booleans.fromBytes(Buffer.of(2))).toThrow('the byte 2 given; allowed are 0 and 1');
    expect(() => booleans.fromBytes(Buffer.of(1, 1))).toThrow('2 bytes given; it has 1');
  });
});
