import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { JsonConverter } from './json.converter.js';

const defaults = {
  'schemas.enable': true,
  'schema.content': undefined,
  'decimal.format': 'BASE64',
  'replace.null.with.default': true,
  'schemas.cache.size': 1000,
} as const;
const enveloped = new JsonConverter(defaults);
const plain = new JsonConverter({ ...defaults, 'schemas.enable': false });

function write(value: ConnectValue, schema?: Schema, converter = enveloped): string {
  return String(converter.toBytes(value, schema));
}
function read(text: string, converter = enveloped): ReturnType<JsonConverter['fromBytes']> {
  return converter.fromBytes(Buffer.from(text));
}

const decimal = SchemaBuilder.decimal(2).build();
const point = SchemaBuilder.struct('Point').field('x', schemas.int32).field('label', SchemaBuilder.string().optional()).build();
const ints = SchemaBuilder.array(schemas.int32).build();
const intsByInt = SchemaBuilder.map(schemas.int32, schemas.int32).build();
const timestampName = 'org.apache.kafka.connect.data.Timestamp';

/** Texts that the JsonConverter of Kafka Connect 4.3.1 writes. */
const golden: readonly (readonly [string, ConnectValue, Schema, string])[] = [
  ['int8', -128, schemas.int8, '{"schema":{"type":"int8","optional":false},"payload":-128}'],
  ['int16', 32767, schemas.int16, '{"schema":{"type":"int16","optional":false},"payload":32767}'],
  ['int32', 12, schemas.int32, '{"schema":{"type":"int32","optional":false},"payload":12}'],
  ['int64', 4398046511104n, schemas.int64, '{"schema":{"type":"int64","optional":false},"payload":4398046511104}'],
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
  ['array', [1, 2, 3], ints, '{"schema":{"type":"array","items":{"type":"int32","optional":false},"optional":false},"payload":[1,2,3]}'],
  [
    'map with text keys',
    { key1: 12, key2: 15 },
    SchemaBuilder.map(schemas.string, schemas.int32).build(),
    '{"schema":{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":false},"optional":false},' +
      '"payload":{"key1":12,"key2":15}}',
  ],
  [
    'map with other keys',
    new Map([
      [1, 12],
      [2, 15],
    ]),
    intsByInt,
    '{"schema":{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"int32","optional":false},"optional":false},' +
      '"payload":[[1,12],[2,15]]}',
  ],
  [
    'map with keys beyond 2^53',
    new Map([[9007199254740993n, 'x']]),
    SchemaBuilder.map(schemas.int64, schemas.string).build(),
    '{"schema":{"type":"map","keys":{"type":"int64","optional":false},"values":{"type":"string","optional":false},"optional":false},' +
      '"payload":[[9007199254740993,"x"]]}',
  ],
  [
    'map with moments as keys',
    new Map([[new Date(5), true]]),
    SchemaBuilder.map(schemas.timestamp, schemas.boolean).build(),
    `{"schema":{"type":"map","keys":{"type":"int64","optional":false,"name":"${timestampName}","version":1},` +
      '"values":{"type":"boolean","optional":false},"optional":false},"payload":[[5,true]]}',
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
    new Decimal(156n, 2),
    decimal,
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
    expect(read(`{"schema":${schema},"payload":[9007199254740993, 1]}`).value).toEqual([9007199254740993n, 1n]);
    // The double that these digits stand for is 2283265342719556864.
    expect(read(`{"schema":${schema},"payload":[2283265342719556900]}`).value).toEqual([2283265342719556900n]);
  });

  it.each<readonly [string, ConnectValue, Schema, string]>([
    ['128', 128, schemas.int8, 'payload: 128 given; int8 allows whole numbers from -128 to 127'],
    ['1.5', 1.5, schemas.int64, 'payload: 1.5 given; int64 allows bigints of 64 bits, and whole numbers within 2^53'],
    ['2^53 as number', 2 ** 53, schemas.int64, 'payload: 9007199254740992 given; int64 allows bigints'],
    ['2^63', 2n ** 63n, schemas.int64, 'payload: 9223372036854775808 given; int64 allows'],
    ['NaN', NaN, schemas.float64, 'payload: NaN given; JSON allows finite numbers'],
    ['1e39', 1e39, schemas.float32, 'payload: 1e+39 given; float32 allows numbers from -3.4028234663852886e+38'],
    ['a number', 1, schemas.string, 'payload: 1 given; string allows texts'],
    [
      'bad UTF-8',
      Buffer.from([0xff]),
      schemas.string,
      'payload: a value of class Buffer given; string allows texts, and bytes that are UTF-8',
    ],
    ['text', 'eA==', schemas.bytes, 'payload: a string given; bytes allows a Uint8Array'],
    ['a text as Decimal', '1.56', decimal, 'payload: a string given; Decimal allows a Decimal'],
    ['a double as Decimal', 1.56, decimal, 'other numbers have no exact digits'],
    ['a Decimal with more digits', Decimal.parse('1.565'), decimal, 'payload: a decimal with 3 digits after the point given; the scale 2'],
    ['a Date with a time', new Date(1), schemas.date, 'payload: 1970-01-01T00:00:00.001Z given; a Date must have no time of day'],
    ['a late Time', new Date(86_400_000), schemas.time, 'a Time must be on 1970-01-01'],
    ['a date as number', new Date(1), schemas.int64, 'payload: a value of class Date given; int64 allows'],
    ['an array', [1], point, 'payload: a value of class Array given; struct allows an object with fields'],
    ['a missing field', {}, point, 'payload.x: null value for field that is required and has no default value'],
    ['another field', { x: 1, y: 2 }, point, 'payload.y: 2 given; the schema has x, label'],
    ['a wrong item', [1, 'a'], ints, 'payload[1]: a string given; int32 allows'],
    ['a wrong key', new Map([['a', 1]]), intsByInt, 'payload[0]: a string given; int32 allows'],
    ['an object as map', { '1': 1 }, intsByInt, 'payload: a value of class Object given; a map with int32 keys allows a Map'],
    ['a schema without items', [1], { type: 'array' }, 'The schema is invalid: array: no valueSchema given'],
  ])('refuses to write %s', (_, value, schema, message) => {
    expect(() => write(value, schema)).toThrow(ConversionError);
    expect(() => write(value, schema)).toThrow(message);
  });

  it.each([
    ['{"a":1}', 'JsonConverter with schemas.enable requires "schema" and "payload" fields'],
    ['{"schema":null,"payload":1,"more":1}', 'may not contain additional fields'],
    ['[1', 'The bytes are not JSON: '],
    ['', 'The bytes are not JSON: they end too early'],
    ['{"schema":{"type":"int128"},"payload":1}', 'Unknown schema type: int128'],
    ['{"schema":{},"payload":1}', 'Schema must contain "type" field'],
    ['{"schema":{"type":"array"},"payload":[]}', 'Array schema did not specify "items"'],
    ['{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":{}}', 'field name not specified properly'],
    ['{"schema":{"type":"int8"},"payload":null}', 'payload: Invalid null value for required INT8 field'],
    ['{"schema":{"type":"int8"},"payload":200}', 'payload: 200 given; int8 allows whole numbers from -128 to 127'],
    ['{"schema":{"type":"bytes"},"payload":"=="}', 'payload: bytes must be given in base64'],
    [
      '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"},"payload":1.56}',
      'The schema is invalid: org.apache.kafka.connect.data.Decimal: no scale given; a Decimal needs a whole number',
    ],
    ['{"schema":{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"a"}]},"payload":{}}', 'field a given twice'],
    ['{"schema":{"type":"int8","default":200},"payload":1}', 'schema.default: 200 given; int8 allows'],
    [
      `{"schema":{"type":"int64","name":"${timestampName}"},"payload":9007199254740993}`,
      'payload: 9007199254740993 given; Timestamp allows -8640000000000000 to 8640000000000000',
    ],
    [
      '{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date"},"payload":100000001}',
      'payload: 100000001 given; Date allows -100000000 to 100000000',
    ],
  ])('refuses to read %s', (text, message) => {
    expect(() => read(text)).toThrow(ConversionError);
    expect(() => read(text)).toThrow(message);
  });

  it.each(['secret', '{"a":secret}', '{secret:1}', '["secret",]', '"secret\\x"'])('quotes nothing of %s, which is not JSON', (text) => {
    let error: unknown;
    try {
      read(text);
    } catch (thrown) {
      error = thrown;
    }
    const shown = inspect(error, { showHidden: true });
    expect(shown).toContain('The bytes are not JSON: ');
    expect(shown).not.toContain('secret');
  });

  it('refuses values nested too deep with an error of conversion', () => {
    const depth = 200_000;
    let value: ConnectValue = [];
    for (let n = 0; n < depth; n += 1) value = [value];
    expect(() => write(value)).toThrow(ConversionError);
  });

  it.each([
    [{ ...defaults, 'schemas.enable': false }, 500],
    [{ ...defaults, 'schemas.enable': true }, 499],
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

describe('defaults of fields', () => {
  const state = SchemaBuilder.string().optional().default('new').build();
  const schema = SchemaBuilder.struct().field('state', state).build();
  const keeping = new JsonConverter({ ...defaults, 'replace.null.with.default': false });
  const payloadOf = (text: string): unknown => (JSON.parse(text) as { readonly payload: unknown }).payload;

  it('take the place of fields that are left out', () => {
    for (const converter of [enveloped, keeping]) expect(payloadOf(write({}, schema, converter))).toEqual({ state: 'new' });
    const text = write({}, schema).replace('"payload":{"state":"new"}', '"payload":{}');
    for (const converter of [enveloped, keeping]) expect(read(text, converter).value).toEqual({ state: 'new' });
  });

  it('take the place of a null both ways, unless replace.null.with.default is false', () => {
    expect(payloadOf(write({ state: null }, schema))).toEqual({ state: 'new' });
    const text = write({ state: null }, schema, keeping);
    expect(payloadOf(text)).toEqual({ state: null });
    expect(read(text).value).toEqual({ state: 'new' });
    expect(read(text, keeping)).toEqual({ value: { state: null }, schema });
  });

  it('are read as values of their type, and written again', () => {
    const fields = SchemaBuilder.struct()
      .field('id', SchemaBuilder.int64().default(7n))
      .field('price', SchemaBuilder.decimal(2).default(Decimal.parse('1.50')))
      .field('day', SchemaBuilder.date().default(new Date(86_400_000)))
      .build();
    const text = write({}, fields);
    expect(text).toContain('"default":"AJY="');
    expect(read(text)).toEqual({ value: { id: 7n, price: Decimal.parse('1.50'), day: new Date(86_400_000) }, schema: fields });
  });
});

describe('decimals', () => {
  const numeric = new JsonConverter({ ...defaults, 'decimal.format': 'NUMERIC' });
  const schema = SchemaBuilder.struct()
    .field('price', SchemaBuilder.decimal(2).default(new Decimal(150n, 2)))
    .build();
  const price = Decimal.parse('12345678901234567890.10');

  it.each([
    [new Decimal(12n, -3), '1.2E+4'],
    [new Decimal(-15n, 10), '-1.5E-9'],
    [new Decimal(0n, 2), '0.00'],
  ])('are the digits that Kafka Connect writes: %s', (value, text) => {
    const written = write(value, SchemaBuilder.decimal(value.scale).build(), numeric);
    expect(written.endsWith(`"payload":${text}}`)).toBe(true);
    expect(read(written).value).toEqual(value);
  });

  it('are digits where decimal.format is NUMERIC, also in defaults of schemas', () => {
    const text = write({ price }, schema, numeric);
    expect(text).toContain('"payload":{"price":12345678901234567890.10}');
    expect(text).toContain('"default":1.50');
    expect(read(text, numeric)).toEqual({ value: { price }, schema });
  });

  it('are read in both forms, whatever decimal.format is', () => {
    expect(read(write({ price }, schema, numeric), enveloped).value).toEqual({ price });
    expect(read(write({ price }, schema, enveloped), numeric).value).toEqual({ price });
  });

  it('have the scale of the schema', () => {
    expect(write({ price: Decimal.parse('7') }, schema, numeric)).toContain('"price":7.00');
    expect(write({ price: 7n }, schema, numeric)).toContain('"price":7.00');
    expect(() => read(write({ price }, schema, numeric).replace('890.10}', '890.123}'))).toThrow('the scale 2 would lose some');
  });

  it('are digits without a schema', () => {
    expect(write({ price }, undefined, plain)).toBe('{"price":12345678901234567890.10}');
  });
});

describe('logical types of OpenMessaging Connect', () => {
  it.each([
    ['Date', 'int32', '1', new Date(86_400_000)],
    ['Time', 'int32', '5', new Date(5)],
    ['Timestamp', 'int64', '5', new Date(5)],
    ['Decimal', 'bytes', '"AJw="', new Decimal(156n, 2)],
  ])('are read as those of Kafka Connect, which are written: %s', (name, type, payload, value) => {
    const parameters = name === 'Decimal' ? ',"parameters":{"scale":"2"}' : '';
    const text = (prefix: string): string =>
      `{"schema":{"type":"${type}","optional":false,"name":"${prefix}${name}","version":1${parameters}},"payload":${payload}}`;
    const theirs = read(text('io.openmessaging.connector.api.data.logical.'));
    expect(theirs.value).toEqual(value);
    expect(write(theirs.value, theirs.schema)).toBe(text('org.apache.kafka.connect.data.'));
    const own = { ...theirs.schema, name: `io.openmessaging.connector.api.data.logical.${name}` } as Schema;
    expect(write(value, own)).toBe(text('org.apache.kafka.connect.data.'));
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

describe('schemas that were read before', () => {
  const schema = '{"type":"struct","fields":[{"type":"int32","optional":false,"field":"x"}],"optional":false}';
  const envelope = (payload: string, of = schema): string => `{"schema":${of},"payload":${payload}}`;
  const text = '{"type":"string","optional":true}';

  it('are the same objects for later records, whose payloads are their own', () => {
    const converter = new JsonConverter(defaults);
    const [first, second] = [read(envelope('{"x":1}'), converter), read(envelope('{"x":2}'), converter)];
    expect([first.value, second.value]).toEqual([{ x: 1 }, { x: 2 }]);
    expect(second.schema).toBe(first.schema);
    expect(() => read(envelope('{"x":"no"}'), converter)).toThrow('payload.x');
  });

  it('are kept as many as schemas.cache.size says, the last used ones', () => {
    const converter = new JsonConverter({ ...defaults, 'schemas.cache.size': 1 });
    const { schema: first } = read(envelope('{"x":1}'), converter);
    expect(read(envelope('{"x":1}'), converter).schema).toBe(first);
    read(envelope('"a"', text), converter);
    expect(read(envelope('{"x":1}'), converter).schema).not.toBe(first);
    const none = new JsonConverter({ ...defaults, 'schemas.cache.size': 0 });
    expect(read(envelope('"a"', text), none).schema).not.toBe(read(envelope('"a"', text), none).schema);
  });

  it.each([
    ['a further field', `{"schema":${text},"payload":"a","other":1}`],
    ['a field that stands twice', `{"schema":${text},"payload":"a","schema":{"type":"int32"}}`],
    ['no end', `{"schema":${text},"payload":"a"`],
    ['something behind its end', `{"schema":${text},"payload":"a"}}`],
    ['no payload', `{"schema":${text},"payload":}`],
  ])('do not hide an envelope with %s', (_what, wrong) => {
    const converter = new JsonConverter(defaults);
    const errorOf = (given: string, by: JsonConverter): unknown => {
      try {
        return read(given, by);
      } catch (error) {
        return (error as Error).message;
      }
    };
    read(envelope('"a"', text), converter);
    expect(errorOf(wrong, converter)).toEqual(errorOf(wrong, new JsonConverter(defaults)));
  });

  it('are not mixed up with texts in a schema that look like the beginning of a payload', () => {
    const tricky = '{"type":"string","optional":true,"default":"x","doc":"a \\",\\"payload\\":","parameters":{"schema":"s","payload":"p"}}';
    const converter = new JsonConverter(defaults);
    const first = read(envelope('"a"', tricky), converter);
    expect(read(envelope('"b"', tricky), converter)).toEqual({ ...first, value: 'b' });
    expect(read(envelope('null', tricky), converter)).toEqual({ ...first, value: 'x' });
  });

  it('have payloads with envelopes in them', () => {
    const converter = new JsonConverter(defaults);
    for (const value of ['a', 'b']) {
      const inner = JSON.stringify(envelope(JSON.stringify(value), text));
      expect(read(envelope(inner, text), converter).value).toBe(envelope(JSON.stringify(value), text));
    }
  });
});

describe('schema.content', () => {
  const content = '{"type":"struct","fields":[{"field":"id","type":"int64"},{"field":"n","type":"string","default":"x"}]}';
  const converter = new JsonConverter({ ...defaults, 'schema.content': content });

  it('is the schema of values that are read without an envelope', () => {
    expect(read('{"id":9007199254740993,"schema":1}', converter)).toEqual({
      value: { id: 9_007_199_254_740_993n, n: 'x' },
      schema: expect.objectContaining({ type: 'struct' }) as unknown,
    });
    expect(read('{"id":1}', converter).schema).toBe(read('{"id":2}', converter).schema);
    expect(converter.fromBytes(null)).toEqual({ value: null });
    expect(() => read('{"n":"a"}', converter)).toThrow('payload.id: Invalid null value for required INT64 field');
  });

  it('changes nothing that is written, and nothing where values have no schema', () => {
    expect(write(1, schemas.int8, converter)).toBe('{"schema":{"type":"int8","optional":false},"payload":1}');
    const schemaless = new JsonConverter({ ...defaults, 'schemas.enable': false, 'schema.content': content });
    expect(read('{"id":1}', schemaless)).toEqual({ value: { id: 1 } });
  });

  it('is refused where it is no schema', () => {
    expect(() => new JsonConverter({ ...defaults, 'schema.content': '{"type":"int9"}' })).toThrow('Unknown schema type: int9');
    expect(() => new JsonConverter({ ...defaults, 'schema.content': '{' })).toThrow('not JSON');
  });
});
