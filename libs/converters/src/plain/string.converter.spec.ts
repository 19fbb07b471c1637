import { describe, expect, it } from '@jest/globals';
import { schemas } from '@sluice/sdk';
import { ByteArrayConverter } from './byte-array.converter.js';
import { ConversionError } from '../conversion-error.js';
import { StringConverter } from './string.converter.js';

const strings = new StringConverter();
const bytes = new ByteArrayConverter();

describe('StringConverter', () => {
  it('passes bytes on without a copy', () => {
    const value = Buffer.from('käse');
    expect(strings.toBytes(value)).toBe(value);
  });

  it.each([
    ['käse', 'käse'],
    [12, '12'],
    [9_007_199_254_740_993n, '9007199254740993'],
    [true, 'true'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [{ a: [1, 2n, null] }, '{"a":[1,2,null]}'],
  ])('writes %p as text', (value, text) => {
    expect(String(strings.toBytes(value))).toBe(text);
  });

  it('reads text with an optional string schema', () => {
    expect(strings.fromBytes(Buffer.from('käse'))).toEqual({
      value: 'käse',
      schema: { type: 'string', optional: true },
    });
  });

  it('keeps null', () => {
    expect(strings.toBytes(null)).toBeNull();
    expect(strings.fromBytes(null).value).toBeNull();
  });

  it('refuses bytes that are no text, and dates that are none', () => {
    expect(() => strings.fromBytes(Buffer.from([0xff]))).toThrow(
      new ConversionError('StringConverter', 'The bytes are not UTF-8; ByteArrayConverter takes any bytes'),
    );
    expect(() => strings.toBytes(new Date(NaN))).toThrow(ConversionError);
  });
});

describe('ByteArrayConverter', () => {
  it.each([undefined, schemas.bytes, schemas.string])('passes bytes of schema %p both ways untouched', (schema) => {
    const value = Buffer.from([0, 0xff]);
    expect(bytes.toBytes(value, schema)).toBe(value);
    expect(bytes.fromBytes(value)).toEqual({ value, schema: { type: 'bytes', optional: true } });
    expect(bytes.fromBytes(value).value).toBe(value);
  });

  it('keeps null', () => {
    expect(bytes.toBytes(null, undefined)).toBeNull();
    expect(bytes.fromBytes(null).value).toBeNull();
  });

  it('refuses what is no bytes, naming what it was given', () => {
    expect(() => bytes.toBytes('text', undefined)).toThrow(
      'ByteArrayConverter: It is not compatible with objects of type string; bytes are needed',
    );
    expect(() => bytes.toBytes(1, schemas.int32)).toThrow('Invalid schema type for ByteArrayConverter: INT32');
  });
});
