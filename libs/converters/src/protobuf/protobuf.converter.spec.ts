import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, type RawConfig, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import type { Converter } from '@sluice/sdk';
import { FakeRegistry } from '../testing/fake-registry.js';
import { readPrepared as read, writePrepared as write } from '../testing/registry-questions.js';
import { protobufConverter } from './protobuf.converter.js';

const TAG = 'io.confluent.connect.protobuf.Tag';
const ENUM = 'io.confluent.connect.protobuf.Enum';

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
  return protobufConverter({ 'schema.registry.url': url, ...settings }, 'value');
}

/** A message of a schema that somebody else registered; the bytes are those behind the id, in hex. */
function message(schema: string, hex: string): Buffer {
  const id = registry.add('other', schema, 'PROTOBUF');
  return Buffer.concat([Buffer.from([0, 0, 0, 0, id]), Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
}

/** What is read without the numbers of fields. */
function untagged(schema: Schema | undefined): unknown {
  const text = JSON.stringify(schema, (key, part: unknown) => {
    if (key !== 'parameters') return part;
    const rest = Object.entries(part as object).filter(([name]) => name !== TAG);
    return rest.length === 0 ? undefined : Object.fromEntries(rest);
  });
  return JSON.parse(text);
}

const proto3 = (body: string): string => `syntax = "proto3";\n${body}`;

const order = SchemaBuilder.struct('shop.Order')
  .field('zid', SchemaBuilder.int64())
  .field('small', SchemaBuilder.int8())
  .field('less', SchemaBuilder.int16().optional())
  .field('count', SchemaBuilder.int32())
  .field('price', SchemaBuilder.decimal(2).optional())
  .field('day', SchemaBuilder.date().optional())
  .field('time', SchemaBuilder.time().optional())
  .field('at', SchemaBuilder.timestamp().optional())
  .field('raw', SchemaBuilder.bytes())
  .field('ratio', SchemaBuilder.float64())
  .field('weight', SchemaBuilder.float32())
  .field('isPaid', SchemaBuilder.boolean())
  .field('note', SchemaBuilder.string().optional())
  .field('tags', SchemaBuilder.array(SchemaBuilder.string()))
  .field('counts', SchemaBuilder.map(schemas.string, schemas.int64))
  .field('byId', SchemaBuilder.map(schemas.int64, schemas.string))
  .field('byFlag', SchemaBuilder.map(schemas.boolean, schemas.int32))
  .field('byRatio', SchemaBuilder.map(schemas.float64, SchemaBuilder.array(schemas.int32)))
  .field('buyer', SchemaBuilder.struct('Buyer').field('name', schemas.string).optional())
  .build();
const orderValue = {
  zid: 9_007_199_254_740_993n,
  small: -8,
  less: 300,
  count: -1,
  price: new Decimal(-1250n, 2),
  day: new Date('0099-12-31'),
  time: new Date(86_399_999),
  at: new Date('1969-12-31T23:59:59.999Z'),
  raw: Buffer.from([0, 255]),
  ratio: -0,
  weight: 1.5,
  isPaid: true,
  note: '',
  tags: ['a', 'ä'],
  counts: { x: -1n, __proto__x: 0n, 7: 2n ** 63n - 1n },
  byId: new Map([
    [-7n, 'seven'],
    [12_345_678n, 'eight digits'],
    [-(2n ** 63n), 'least'],
  ]),
  byFlag: new Map([
    [true, 1],
    [false, 0],
  ]),
  byRatio: new Map([[0.5, [1, 2]]]),
  buyer: { name: 'Ann' },
};
const nulls = { less: null, price: null, day: null, time: null, at: null, note: null, buyer: null };

describe('ProtobufConverter', () => {
  it.each(['false', 'true'])('reads each value as it was written, with wrappers: %s', async (wrappers) => {
    const settings = { 'wrapper.for.nullables': wrappers, 'enhanced.protobuf.schema.support': 'true' };
    const bytes = await write(converterOf(settings), orderValue, order);
    const found = await read(converterOf(settings), bytes);
    expect(found.value).toEqual(orderValue);
    expect(Object.is((found.value as typeof orderValue).ratio, -0)).toBe(true);
    const { fields = [], name } = untagged(found.schema) as Schema;
    expect(name).toBe('shop.Order');
    const expected = untagged(order) as Schema;
    const buyer = { type: 'struct', name: 'shop.Order.Buyer', fields: [{ name: 'name', schema: { type: 'string' } }], optional: true };
    expect(fields.slice(0, -1)).toEqual(expected.fields?.slice(0, -1));
    expect(fields.at(-1)).toEqual({ name: 'buyer', schema: buyer });
    const empty = await write(converterOf(settings), { ...orderValue, ...nulls }, order);
    expect((await read(converterOf(settings), empty)).value).toEqual({ ...orderValue, ...nulls });
  });

  it('writes the bytes that the encoding of Protobuf has', async () => {
    const schema = SchemaBuilder.struct('Test')
      .field('a', schemas.int32)
      .field('b', schemas.string)
      .field('c', SchemaBuilder.struct('Inner').field('a', schemas.int32))
      .field('d', SchemaBuilder.array(schemas.int32))
      .field('e', schemas.int64)
      .field('f', SchemaBuilder.map(schemas.string, schemas.int32))
      .field('at', SchemaBuilder.timestamp().optional())
      .field('day', SchemaBuilder.date().optional())
      .field('price', SchemaBuilder.decimal(2).optional())
      .field('zero', schemas.int32)
      .field('known', SchemaBuilder.int32().optional())
      .build();
    const value = {
      a: 150,
      b: 'testing',
      c: { a: 150 },
      d: [3, 270, 86_942],
      e: -2n,
      f: { k: 1 },
      at: new Date('1970-01-01T00:00:01.500Z'),
      day: new Date('2024-02-29'),
      price: new Decimal(-1250n, 2),
      zero: 0,
      known: 0,
    };
    const bytes = await write(converterOf(), value, schema);
    // The first four are the examples of protobuf.dev/programming-guides/encoding; the rest is encoded by hand.
    const parts = [
      '00 00000001 00',
      '08 9601',
      '12 07 74657374696e67',
      '1a 03 089601',
      '22 06 03 8e02 9ea705',
      '28 feffffffffffffffff01',
      '32 05 0a016b 1001',
      '3a 08 0801 10 80cab5ee01',
      '42 07 08e80f 1002 181d',
      '4a 08 0a02fb1e 1004 1802',
      '58 00',
    ];
    expect(bytes.toString('hex')).toBe(parts.join('').replaceAll(' ', ''));
  });

  it('registers what Confluent’s converter registers', async () => {
    const schema = SchemaBuilder.struct('shop.P')
      .field('b', SchemaBuilder.int8())
      .field('a', SchemaBuilder.string().optional())
      .field('price', SchemaBuilder.decimal(2))
      .field('at', SchemaBuilder.timestamp())
      .field('m', SchemaBuilder.map(schemas.int32, schemas.boolean))
      .field('byPart', SchemaBuilder.map(schemas.bytes, schemas.string))
      .field('parts', SchemaBuilder.array(SchemaBuilder.struct('shop.Part').field('n', schemas.int32)))
      .build();
    await write(converterOf(), { b: 1, price: 1, at: new Date(0), m: new Map(), byPart: new Map(), parts: [] }, schema);
    expect(JSON.parse(registry.requests[0]?.body ?? '')).toMatchObject({ schemaType: 'PROTOBUF' });
    expect(registry.textOf('orders-value')).toBe(
      proto3(`
import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/protobuf/timestamp.proto";

message P {
  int32 b = 1 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int8" }] }];
  optional string a = 2;
  confluent.type.Decimal price = 3 [(confluent.field_meta) = { params: [{ key: "scale", value: "2" }] }];
  google.protobuf.Timestamp at = 4;
  map<int32, bool> m = 5;
  repeated ByPartEntry byPart = 6;
  repeated Part parts = 7;
  message ByPartEntry {
    bytes key = 1;
    string value = 2;
  }
  message Part {
    int32 n = 1;
  }
}
`),
    );
    const wrapped = SchemaBuilder.struct('a.b.W').field('n', SchemaBuilder.int64().optional()).build();
    await write(converterOf({ 'wrapper.for.nullables': 'true', 'enhanced.protobuf.schema.support': 'true' }), {}, wrapped);
    expect(registry.textOf('orders-value')).toContain('package a.b;\n\nimport "google/protobuf/wrappers.proto";\n');
    expect(registry.textOf('orders-value')).toContain('  google.protobuf.Int64Value n = 1;\n');
    await write(converterOf({ 'optional.for.nullables': 'false' }), {}, wrapped);
    expect(registry.textOf('orders-value')).toContain('message W {\n  int64 n = 1;\n}');
  });

  it('reads every scalar of others, and refuses what int64 cannot hold', async () => {
    const kinds = ['uint32', 'fixed32', 'sint32', 'sfixed32', 'uint64', 'fixed64', 'sint64', 'sfixed64', 'float', 'double', 'bool'];
    const schema = proto3(`message A { ${kinds.map((kind, n) => `${kind} f${n} = ${n + 1};`).join(' ')} }`);
    const hex = [
      '00',
      '08 ffffffff0f',
      '15 feffffff',
      '18 03',
      '25 ffffffff',
      '28 ffffffffffffffff7f',
      '31 0100000000000000',
      '38 ffffffffffffffffff01',
      '41 feffffffffffffff',
      '4d 0000c03f',
      '51 9a9999999999b93f',
      '58 01',
    ];
    const found = await read(converterOf(), message(schema, hex.join('')));
    expect(found.value).toEqual({
      f0: 4_294_967_295n,
      f1: 4_294_967_294n,
      f2: -2,
      f3: -1,
      f4: 2n ** 63n - 1n,
      f5: 1n,
      f6: -(2n ** 63n),
      f7: -2n,
      f8: 1.5,
      f9: 0.1,
      f10: true,
    });
    expect(found.schema?.fields?.map((field) => field.schema.type)).toEqual([
      'int64',
      'int64',
      'int32',
      'int32',
      'int64',
      'int64',
      'int64',
      'int64',
      'float32',
      'float64',
      'boolean',
    ]);
    await expect(read(converterOf(), message(schema, '00 28 80808080808080808001'))).rejects.toThrow(
      'ProtobufConverter: 9223372036854775808 is beyond what int64 can hold',
    );
    // Nothing is there, so each field has its zero.
    expect(Object.values((await read(converterOf(), message(schema, '00'))).value as object)).toEqual([
      0n,
      0n,
      0,
      0,
      0n,
      0n,
      0n,
      0n,
      0,
      0,
      false,
    ]);
  });

  it('reads enums, oneofs, nested messages and unknown fields, and writes them again', async () => {
    const schema = proto3(`package p;
      message First { message In { int32 n = 1; } }
      message Second {
        enum Color { RED = 0; BLUE = 5; }
        Color color = 1;
        oneof choice { string text = 2; First.In inner = 3; }
        repeated Color more = 4;
        optional Color maybe = 5;
      }`);
    // The place of the message: one number, 1, in zigzag. The field 99 is unknown.
    const bytes = message(schema, '02 02 08 05 12 01 61 1a 02 08 07 22 03 00 05 09 98 06 01');
    const found = await read(converterOf(), bytes);
    expect(found.value).toEqual({
      choice_0: { text: null, inner: { n: 7 } },
      color: 'BLUE',
      more: ['RED', 'BLUE', 'UNKNOWN_ENUM_VALUE_Color_9'],
      maybe: null,
    });
    const color = { type: 'string', name: 'Color', parameters: { [ENUM]: 'Color', [`${ENUM}.RED`]: '0', [`${ENUM}.BLUE`]: '5' } };
    expect(untagged(found.schema)).toEqual({
      type: 'struct',
      name: 'Second',
      fields: [
        {
          name: 'choice_0',
          schema: {
            type: 'struct',
            name: 'io.confluent.connect.protobuf.Union.choice',
            optional: true,
            fields: [
              { name: 'text', schema: { type: 'string', optional: true } },
              {
                name: 'inner',
                schema: { type: 'struct', name: 'In', optional: true, fields: [{ name: 'n', schema: { type: 'int32' } }] },
              },
            ],
          },
        },
        { name: 'color', schema: color },
        { name: 'more', schema: { type: 'array', valueSchema: color } },
        { name: 'maybe', schema: { ...color, optional: true } },
      ],
    });
    const again = { ...(found.value as object), more: ['BLUE'] } as ConnectValue;
    const written = await write(converterOf(), again, found.schema as Schema);
    expect(written.subarray(5).toString('hex')).toBe('0008051a020807220105');
    await expect(write(converterOf(), found.value, found.schema as Schema)).rejects.toThrow(
      'value.more[2]: the value is no symbol of the enum Color',
    );
    const inner = await read(converterOf(), message(schema, '04 00 00 08 03'));
    expect(inner).toMatchObject({ value: { n: 3 }, schema: { name: 'In' } });
    const flat = await read(converterOf({ 'flatten.unions': 'true' }), bytes);
    expect(flat.value).toMatchObject({ color: 'BLUE', text: null, inner: { n: 7 } });
    const unnumbered = await read(converterOf({ 'generate.index.for.unions': 'false' }), bytes);
    expect(unnumbered.value).toMatchObject({ choice: { text: null, inner: { n: 7 } } });
    const structs = await read(
      converterOf({ 'generate.struct.for.nulls': 'true' }),
      message(proto3('message O { message I { int32 n = 1; } I i = 1; }'), '00'),
    );
    expect(structs.value).toEqual({ i: { n: 0 } });
  });

  it('reads proto2, wrappers, and schemas that refer to others', async () => {
    const proto2 = 'syntax = "proto2"; message T { required int32 a = 1; optional int32 b = 2 [default = 9]; optional string c = 3; }';
    expect(await read(converterOf(), message(proto2, '00 08 01'))).toMatchObject({ value: { a: 1, b: 9, c: null } });
    await expect(read(converterOf(), message(proto2, '00'))).rejects.toThrow("ProtobufConverter: missing required 'a'");
    const wrapped = proto3(
      'import "google/protobuf/wrappers.proto"; message W { google.protobuf.UInt32Value n = 1; google.protobuf.StringValue s = 2; }',
    );
    const wrappers = { 'wrapper.for.nullables': 'true' };
    expect((await read(converterOf(wrappers), message(wrapped, '00 0a 02 08 07'))).value).toEqual({ n: 7n, s: null });
    expect((await read(converterOf(), message(wrapped, '00 0a 00'))).value).toEqual({ n: { value: 0n }, s: null });
    const outer = proto3('package o; import "inner.proto"; message Outer { i.Inner inner = 1; }');
    const bytes = message(outer, '00 0a 02 08 2a');
    await expect(read(converterOf(), bytes)).rejects.toThrow('it imports inner.proto, which is none of its references');
    registry.answers.set('GET /schemas/ids/', {
      status: 200,
      body: { schema: outer, schemaType: 'PROTOBUF', references: [{ name: 'inner.proto', subject: 'inner', version: 1 }] },
    });
    registry.answers.set('GET /subjects/inner/versions/1', {
      status: 200,
      body: { schema: 'syntax = "proto2"; package i; message Inner { optional int32 n = 1; }' },
    });
    expect((await read(converterOf(), bytes)).value).toEqual({ inner: { n: 42 } });
  });

  it('writes by the latest schema, of which it may be another message', async () => {
    const latest = proto3('message Other { } message P { int64 n = 7; string more = 8; }');
    registry.add('orders-value', latest, 'PROTOBUF');
    const settings = { 'auto.register.schemas': 'false', 'use.latest.version': 'true' };
    const schema = SchemaBuilder.struct('P').field('n', schemas.int32).build();
    expect((await write(converterOf(settings), { n: 3 }, schema)).toString('hex')).toBe('0000000001' + '0202' + '3803');
    const wider = SchemaBuilder.struct('P').field('n', schemas.int32).field('x', SchemaBuilder.string().optional()).build();
    await expect(write(converterOf(settings), { n: 3 }, wider)).rejects.toThrow('Subject orders-value: The message P has no field x');
    const lenient = converterOf({ ...settings, 'latest.compatibility.strict': 'false' });
    expect((await write(lenient, { n: 3 }, wider)).subarray(5).toString('hex')).toBe('02023803');
    await expect(write(lenient, { n: 3, x: 'secret' }, wider)).rejects.toThrow('value.x: the message P has no such field');
  });

  it.each<[string, Schema, ConnectValue, RawConfig, string]>([
    ['a scalar at the top', schemas.string, 'x', {}, 'Protobuf has messages at the top, so a struct is needed'],
    ['an array of arrays', field(SchemaBuilder.array(SchemaBuilder.array(schemas.int32))), { f: [] }, {}, 'f is an array of type array'],
    ['a null in an array', field(SchemaBuilder.array(SchemaBuilder.string().optional())), { f: [null] }, {}, 'value.f[0]: null given'],
    ['a missing value', field(SchemaBuilder.string()), {}, {}, 'value.f: null value for field that is required'],
    ['half a surrogate pair', field(SchemaBuilder.string()), { f: '\ud800' }, {}, 'value.f: the text holds half of a surrogate pair'],
    [
      'a timestamp after 9999',
      field(SchemaBuilder.timestamp()),
      { f: new Date(253_402_300_800_000) },
      {},
      'outside of the years 1 to 9999',
    ],
    [
      'a name with a dash',
      SchemaBuilder.struct('P').field('a-b', schemas.int32).build(),
      { 'a-b': 1 },
      {},
      'does not allow the name "a-b"',
    ],
    ['a value of another type', field(SchemaBuilder.int32()), { f: 'secret' }, {}, 'value.f: a string given; int32 allows'],
  ])('refuses %s', async (_what, schema, value, settings, reason) => {
    const error = (await write(converterOf(settings), value, schema).catch((each: unknown) => each)) as Error;
    expect(error.message).toContain(`ProtobufConverter: `);
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('secret');
  });

  it('scrubs names on demand, and writes defaults in the place of what is missing', async () => {
    const schema = SchemaBuilder.struct('1 P').field('a-b', SchemaBuilder.int32().default(5).optional()).build();
    const bytes = await write(converterOf({ 'scrub.invalid.names': 'true' }), { 'a-b': null }, schema);
    expect(await read(converterOf(), bytes)).toMatchObject({ value: { a_b: 5 }, schema: { name: 'x1_P' } });
    const kept = { 'scrub.invalid.names': 'true', 'ignore.default.for.nullables': 'true' };
    expect((await read(converterOf(), await write(converterOf(kept), { 'a-b': null }, schema))).value).toEqual({ a_b: null });
  });

  it.each([
    ['nothing behind the id', '', 'The place of the message in its schema is cut off'],
    ['a place that is not there', '02 08', 'The schema has no message at 4'],
    ['too many places', 'd00f', '1000 places of a message given; allowed are 0 to 100'],
    ['bytes that are cut off', '00 0a 05 61', 'index out of range'],
    ['text that is not UTF-8', '00 0a 01 ff', 'ProtobufConverter: '],
  ])('refuses %s', async (_what, hex, reason) => {
    await expect(read(converterOf(), message(proto3('message A { string s = 1; }'), hex))).rejects.toThrow(reason);
  });

  it('refuses messages that hold themselves, decimals that lose digits, and headers', async () => {
    await expect(read(converterOf(), message(proto3('message A { A a = 1; }'), '00'))).rejects.toThrow('The message A holds itself');
    const decimal = proto3('import "confluent/type/decimal.proto"; message D { confluent.type.Decimal d = 1; }');
    await expect(read(converterOf(), message(decimal, '00 0a 05 0a01 7d 1802'))).rejects.toThrow(
      'A decimal of scale 2 loses digits in the scale 0',
    );
    expect(() => protobufConverter({ 'schema.registry.url': url }, 'header')).toThrow('ProtobufConverter converts keys and values');
  });
});

function field(builder: SchemaBuilder): Schema {
  return SchemaBuilder.struct('P').field('f', builder).build();
}
