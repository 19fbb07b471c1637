import { describe, expect, it } from '@jest/globals';
import { arraySchema, type ConnectValue, decimalSchema, mapSchema, optionalSchema, type Schema, schemas, structSchema } from '@sluice/sdk';
import { ConversionError } from './conversion-error.js';
import { JsonConverter } from './json.converter.js';

const enveloped = new JsonConverter({ 'schemas.enable': true });
const plain = new JsonConverter({ 'schemas.enable': false });

function write(value: ConnectValue, schema?: Schema, converter = enveloped): string {
  return String(converter.toBytes(value, schema));
}
function read(text: string, converter = enveloped): ReturnType<JsonConverter['fromBytes']> {
  return converter.fromBytes(Buffer.from(text));
}

const point = structSchema('Point', { x: schemas.int32, label: optionalSchema(schemas.string) });
const timestampName = 'org.apache.kafka.connect.data.Timestamp';

/** Texts as Kafka Connect's JsonConverter writes them. */
const golden: readonly (readonly [string, ConnectValue, Schema, string])[] = [
  ['int8', -128, schemas.int8, '{"schema":{"type":"int8","optional":false},"payload":-128}'],
  ['int16', 32767, schemas.int16, '{"schema":{"type":"int16","optional":false},"payload":32767}'],
  ['int32', 12, schemas.int32, '{"schema":{"type":"int32","optional":false},"payload":12}'],
  ['int64', 4398046511104, schemas.int64, '{"schema":{"type":"int64","optional":false},"payload":4398046511104}'],
  [
    'int64 beyond 2^53',
    -9223372036854775808n,
    schemas.int64,
    '{"schema":{"type":"int64","optional":false},"payload":-9223372036854775808}',
  ],
  ['float', 12.5, schemas.float32, '{"schema":{"type":"float","optional":false},"payload":12.5}'],
  ['double', 12.34, schemas.float64, '{"schema":{"type":"double","optional":false},"payload":12.34}'],
  ['boolean', true, schemas.boolean, '{"schema":{"type":"boolean","optional":false},"payload":true}'],
  ['string', 'a"ü', schemas.string, '{"schema":{"type":"string","optional":false},"payload":"a\\"ü"}'],
  ['bytes', Buffer.from('test-string'), schemas.bytes, '{"schema":{"type":"bytes","optional":false},"payload":"dGVzdC1zdHJpbmc="}'],
  [
    'array',
    [1, 2, 3],
    arraySchema(schemas.int32),
    '{"schema":{"type":"array","items":{"type":"int32","optional":false},"optional":false},"payload":[1,2,3]}',
  ],
  [
    'map with text keys',
    { key1: 12, key2: 15 },
    mapSchema(schemas.string, schemas.int32),
    '{"schema":{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false},' +
      '"payload":{"key1":12,"key2":15}}',
  ],
  [
    'map with other keys',
    { '1': 12, '2': 15 },
    mapSchema(schemas.int32, schemas.int32),
    '{"schema":{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"int32","optional":false},"optional":false},' +
      '"payload":[[1,12],[2,15]]}',
  ],
  [
    'struct',
    { x: 1, label: null },
    point,
    '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"x"},{"type":"string","optional":true,"field":"label"}],' +
      '"optional":false,"name":"Point"},"payload":{"x":1,"label":null}}',
  ],
  [
    'Timestamp',
    new Date(4000000000),
    schemas.timestamp,
    `{"schema":{"type":"int64","optional":false,"name":"${timestampName}","version":1},"payload":4000000000}`,
  ],
  [
    'Date',
    new Date(10_000 * 86_400_000),
    schemas.date,
    '{"schema":{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1},"payload":10000}',
  ],
  [
    'Time',
    new Date(14_400_000),
    schemas.time,
    '{"schema":{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time","version":1},"payload":14400000}',
  ],
  [
    'Decimal',
    Buffer.from([0, 0x9c]),
    decimalSchema(2),
    '{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},' +
      '"payload":"AJw="}',
  ],
];

describe('JsonConverter with schemas', () => {
  it.each(golden)('writes and reads %s', (_, value, schema, text) => {
    expect(write(value, schema)).toBe(text);
    expect(read(text)).toEqual({ value, schema });
  });

  it('writes values without a schema with a null schema', () => {
    expect(write({ a: 1n, b: [new Date(5), Buffer.from('x')] })).toBe('{"schema":null,"payload":{"a":1,"b":[5,"eA=="]}}');
    expect(read('{"schema":null,"payload":[1]}')).toEqual({ value: [1] });
  });

  it('takes text in bytes and dates as numbers', () => {
    expect(write(Buffer.from('ü'), schemas.string)).toContain('"payload":"ü"');
    expect(write(7, schemas.timestamp)).toContain('"payload":7');
  });

  it('keeps null both ways', () => {
    expect(enveloped.toBytes(null, schemas.int32)).toBeNull();
    expect(enveloped.fromBytes(null)).toEqual({ value: null });
    const schema = '{"type":"string","optional":true}';
    expect(read(`{"schema":${schema},"payload":null}`)).toEqual({
      value: null,
      schema: { type: 'string', optional: true },
    });
  });

  it('takes defaults of the schema for what the payload leaves out, and writes them again', () => {
    const text =
      '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"default":7,"field":"x"}],"optional":false},"payload":{}}';
    const { value, schema } = read(text);
    expect(value).toEqual({ x: 7 });
    expect(write({ x: 8 }, schema)).toBe(text.replace('{}}', '{"x":8}}'));
  });

  it('keeps all digits inside of structs, arrays and defaults', () => {
    const schema = '{"type":"array","items":{"type":"int64"}}';
    expect(read(`{"schema":${schema},"payload":[9007199254740993, 1]}`).value).toEqual([9007199254740993n, 1]);
  });

  it.each<readonly [string, ConnectValue, Schema, string]>([
    ['128', 128, schemas.int8, 'payload: 128 is no whole number that fits int8'],
    ['1.5', 1.5, schemas.int64, 'payload: 1.5 is no whole number that fits int64'],
    ['2^63', 2n ** 63n, schemas.int64, 'payload: 9223372036854775808 is no whole number that fits int64'],
    ['NaN', NaN, schemas.float64, 'payload: NaN given; JSON allows finite numbers'],
    ['a number', 1, schemas.string, 'payload: a number does not fit the schema type string'],
    ['bad UTF-8', Buffer.from([0xff]), schemas.string, 'does not fit the schema type string'],
    ['text', 'eA==', schemas.bytes, 'payload: a string does not fit the schema type bytes'],
    ['a text as Decimal', '1.56', decimalSchema(2), 'a Decimal must be given as the big-endian bytes of its unscaled value'],
    ['a Date with a time', new Date(1), schemas.date, 'a Date must have no time of day, given 1970-01-01T00:00:00.001Z'],
    ['a late Time', new Date(86_400_000), schemas.time, 'a Time must be on 1970-01-01'],
    ['a date as number', new Date(1), schemas.int64, 'a date needs a schema of a logical type'],
    ['an array', [1], point, 'payload: a value of class Array is no object with fields'],
    ['a missing field', {}, point, 'payload.x: null value for field that is required and has no default value'],
    ['another field', { x: 1, y: 2 }, point, 'payload.y: the schema of the struct has no such field'],
    ['a wrong item', [1, 'a'], arraySchema(schemas.int32), 'payload[1]: a string is no whole number that fits int32'],
    ['a wrong key', { a: 1 }, mapSchema(schemas.int32, schemas.int32), 'the key "a" cannot be written as int32'],
  ])('refuses to write %s', (_, value, schema, message) => {
    expect(() => write(value, schema)).toThrow(ConversionError);
    expect(() => write(value, schema)).toThrow(message);
  });

  it.each([
    ['{"a":1}', 'JsonConverter with schemas.enable requires "schema" and "payload" fields'],
    ['{"schema":null,"payload":1,"more":1}', 'may not contain additional fields'],
    ['[1', 'The bytes are not JSON'],
    ['', 'The bytes are not JSON'],
    ['{"schema":{"type":"int128"},"payload":1}', 'Unknown schema type: int128'],
    ['{"schema":{},"payload":1}', 'Schema must contain "type" field'],
    ['{"schema":{"type":"array"},"payload":[]}', 'Array schema did not specify "items"'],
    ['{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":{}}', 'field name not specified properly'],
    ['{"schema":{"type":"int8"},"payload":null}', 'payload: Invalid null value for required INT8 field'],
    ['{"schema":{"type":"int8"},"payload":200}', 'payload: the value does not fit the schema type int8'],
    ['{"schema":{"type":"bytes"},"payload":"=="}', 'payload: bytes must be given in base64'],
    ['{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"},"payload":1.56}', 'a Decimal can only be read in base64'],
    [
      `{"schema":{"type":"int64","name":"${timestampName}"},"payload":9007199254740993}`,
      'payload: 9007199254740993 is not a date; allowed are -8640000000000000 to 8640000000000000',
    ],
    [
      '{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date"},"payload":100000001}',
      'payload: 100000001 is not a date; allowed are -100000000 to 100000000',
    ],
  ])('refuses to read %s', (text, message) => {
    expect(() => read(text)).toThrow(ConversionError);
    expect(() => read(text)).toThrow(message);
  });

  it('refuses values nested too deep with an error of conversion', () => {
    const depth = 200_000;
    let value: ConnectValue = [];
    for (let n = 0; n < depth; n += 1) value = [value];
    expect(() => write(value)).toThrow(ConversionError);
  });

  it.each([
    [{ 'schemas.enable': false }, 500],
    [{ 'schemas.enable': true }, 499],
  ])('writes with %j what it can read: %i levels, and no more', (settings, levels) => {
    const nested = (depth: number): ConnectValue => {
      let value: ConnectValue = [Buffer.alloc(2000)];
      for (let level = 1; level < depth; level += 1) value = [value];
      return value;
    };
    const converter = new JsonConverter(settings);
    const written = converter.toBytes(nested(levels), undefined);
    expect(converter.fromBytes(Buffer.from(written ?? [])).value).toHaveLength(1);
    expect(() => converter.toBytes(nested(levels + 1), undefined)).toThrow('at most 500 are allowed');
  });

  it.each(['', '1.50'])('reads lists and objects in 500 levels and refuses more, around "%s"', (inner) => {
    const nested = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}[${inner}]${'}]'.repeat(depth / 2)}`;
    expect(read(nested(498), plain).value).toHaveLength(1);
    for (const depth of [500, 2000, 200_000]) {
      expect(() => read(nested(depth), plain)).toThrow(ConversionError);
      expect(() => read(`{"schema":null,"payload":${nested(depth)}}`)).toThrow(ConversionError);
    }
    expect(() => read(nested(500), plain)).toThrow('at most 500 are allowed');
  });

  it('reads a field called __proto__ as a field', () => {
    const { value } = read('{"schema":{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}},"payload":{"__proto__":1}}');
    expect(Object.entries(value ?? {})).toEqual([['__proto__', 1]]);
  });
});

describe('JsonConverter without schemas', () => {
  it('writes and reads plain JSON with all digits', () => {
    const text = '{"id":9007199254740993,"name":"12345678901234567890","e":1e+30,"nothing":null}';
    const value = { id: 9007199254740993n, name: '12345678901234567890', e: 1e30, nothing: null };
    expect(write(value, undefined, plain)).toBe(text);
    expect(read(text, plain)).toEqual({ value });
  });

  it('writes by the schema where there is one', () => {
    expect(write(new Date(86_400_000), schemas.date, plain)).toBe('1');
  });

  it('keeps integers beyond any type as integers', () => {
    expect(read('[-123456789012345678901234567890]', plain).value).toEqual([-123456789012345678901234567890n]);
  });
});
