import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { SimpleHeaderConverter } from './simple-header.converter.js';

const converter = new SimpleHeaderConverter();
const written = (value: ConnectValue, schema?: Schema): string | null => {
  const bytes = converter.toBytes(value, schema);
  return bytes === null ? null : Buffer.from(bytes).toString('utf8');
};
const read = (text: string): ConnectValue => converter.fromBytes(Buffer.from(text, 'utf8')).value;

const struct = SchemaBuilder.struct().field('b', SchemaBuilder.string().optional()).field('a', SchemaBuilder.float64().default(1)).build();

describe('SimpleHeaderConverter', () => {
  // What Kafka Connect 4.3.1 writes.
  it.each<[ConnectValue, Schema | undefined, string]>([
    ['käse "x"', schemas.string, 'käse "x"'],
    ['', undefined, ''],
    [true, undefined, 'true'],
    [12, schemas.int8, '12'],
    [9_223_372_036_854_775_807n, schemas.int64, '9223372036854775807'],
    [Decimal.parse('9223372036854775808'), undefined, '9223372036854775808'],
    [1, schemas.float64, '1.0'],
    [-0, schemas.float64, '-0.0'],
    [1e10, schemas.float64, '1.0E10'],
    [1.5e-5, schemas.float64, '1.5E-5'],
    [1_234_567.125, schemas.float64, '1234567.125'],
    [0.001, schemas.float64, '0.001'],
    [NaN, schemas.float64, 'NaN'],
    [Math.fround(0.1), schemas.float32, '0.1'],
    [3.4028234663852886e38, schemas.float32, '3.4028235E38'],
    [1.5, undefined, '1.5'],
    [Buffer.from('ab'), undefined, 'YWI='],
    [[1, 'a"b\\', null, Buffer.from('ab')], undefined, '[1,"a\\"b\\\\",null,"YWI="]'],
    [{ a: { b: [true] } }, undefined, '{"a":{"b":[true]}}'],
    [new Map([[1, 'x']]), undefined, '{1:"x"}'],
    [{ b: null }, struct, '{"b":null,"a":1.0}'],
    [new Date('2019-08-23T14:34:54.346Z'), schemas.timestamp, '2019-08-23T14:34:54.346Z'],
    [new Date('2019-08-23'), schemas.date, '2019-08-23'],
    [new Date(45_296_789), schemas.time, '12:34:56.789Z'],
    [[new Date('2019-08-23')], undefined, '[2019-08-23]'],
  ])('writes %p', (value, schema, text) => {
    expect(written(value, schema)).toBe(text);
  });

  it('writes days before 1970 as a whole', () => {
    expect(written(new Date('1969-12-31'), schemas.date)).toBe('1969-12-31');
    expect(written(new Date('1969-12-31T01:00:00Z'), schemas.timestamp)).toBe('1969-12-31T01:00:00.000Z');
  });

  it.each<[string, ConnectValue]>([
    ['9223372036854775808', Decimal.parse('9223372036854775808')],
    ['0012', 12],
    ['1e3', 1000],
    ['true', true],
    ['', ''],
    ['[1,2]', [1, 2]],
    ['{"a":1}', { a: 1 }],
    ['2019-08-23', new Date('2019-08-23')],
    ['käse', 'käse'],
  ])('reads %j', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it('keeps null, and bytes that are no text', () => {
    expect(written(null)).toBeNull();
    expect(converter.fromBytes(null)).toEqual({ value: null });
    const bytes = Buffer.of(0xff);
    expect(converter.fromBytes(bytes)).toEqual({ value: bytes, schema: schemas.bytes });
  });
});
