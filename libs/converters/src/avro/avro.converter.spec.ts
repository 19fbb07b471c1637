import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Decimal, isRetriable, type RawConfig, SchemaBuilder, schemas } from '@sluice/sdk';
import type { Converter, RecordPart } from '@sluice/sdk';
import { FakeRegistry } from '../testing/fake-registry.js';
import { readPrepared as read, writePrepared as write } from '../testing/registry-questions.js';
import { avroConverter, registryProblems } from './avro.converter.js';

const never = new AbortController().signal;
const NAMESPACE = 'io.confluent.connect.avro';

let registry: FakeRegistry;
let url: string;

beforeEach(async () => {
  registry = new FakeRegistry();
  url = await registry.start();
});

afterEach(async () => {
  await registry.stop();
});

function converterOf(settings: RawConfig = {}, part: RecordPart = 'value'): Converter {
  return avroConverter({ 'schema.registry.url': url, ...settings }, part);
}

const order = SchemaBuilder.struct('shop.Order')
  .field('id', SchemaBuilder.int64())
  .field('small', SchemaBuilder.int8())
  .field('price', SchemaBuilder.decimal(2))
  .field('day', SchemaBuilder.date())
  .field('at', SchemaBuilder.timestamp())
  .field('clock', SchemaBuilder.time())
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
  .build();
const orderValue = {
  id: 9_007_199_254_740_993n,
  small: -8,
  price: new Decimal(-1250n, 2),
  day: new Date('1969-12-31'),
  at: new Date('2020-01-02T03:04:05.006Z'),
  clock: new Date(45_296_789),
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

describe('AvroConverter', () => {
  it('reads each value as it was written, with the schema of the record', async () => {
    const converter = converterOf();
    const bytes = await write(converter, orderValue, order);
    expect(bytes.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 1]));
    const found = await read(converterOf(), bytes);
    expect(found.value).toEqual(orderValue);
    expect(found.schema).toEqual(order);
  });

  it('writes the bytes of the Avro specification', async () => {
    const schema = SchemaBuilder.struct('P').field('n', schemas.int64).field('s', SchemaBuilder.string().optional()).build();
    const bytes = await write(converterOf(), { n: -64n, s: 'foo' }, schema);
    // A long in zigzag, the branch of the union, the length of the text.
    expect(bytes.toString('hex')).toBe(`00000000017f0206${Buffer.from('foo').toString('hex')}`);
  });

  it('registers what Confluent’s converter registers', async () => {
    const schema = SchemaBuilder.struct('shop.Small')
      .field('a', SchemaBuilder.int8())
      .field('day', SchemaBuilder.date().optional())
      .field('s', SchemaBuilder.string().optional().default('x'))
      .field('m', SchemaBuilder.map(schemas.int32, schemas.string))
      .version(2)
      .build();
    await write(converterOf(), { a: 1, day: null, s: 'y', m: new Map() }, schema);
    expect(JSON.parse(registry.textOf('orders-value'))).toEqual({
      type: 'record',
      name: 'Small',
      namespace: 'shop',
      fields: [
        { name: 'a', type: { type: 'int', 'connect.type': 'int8' } },
        {
          name: 'day',
          type: ['null', { type: 'int', 'connect.version': 1, 'connect.name': 'org.apache.kafka.connect.data.Date', logicalType: 'date' }],
          default: null,
        },
        { name: 's', type: [{ type: 'string', 'connect.default': 'x' }, 'null'], default: 'x' },
        {
          name: 'm',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'MapEntry',
              namespace: NAMESPACE,
              fields: [
                { name: 'key', type: 'int' },
                { name: 'value', type: 'string' },
              ],
            },
          },
        },
      ],
      'connect.version': 2,
      'connect.name': 'shop.Small',
    });
  });

  it('takes plain schemas, and null is no message', async () => {
    const converter = converterOf();
    expect((await write(converter, 12, schemas.int32)).subarray(5)).toEqual(Buffer.of(24));
    expect(registry.textOf('orders-value')).toBe('"int"');
    expect(converter.toBytes(null, schemas.int32, 'orders')).toBeNull();
    expect(converter.fromBytes(null, 'orders')).toEqual({ value: null });
  });

  it('reads unions, enums, fixed bytes and other logical types of schemas that others wrote', async () => {
    const avro = {
      type: 'record',
      name: 'E',
      namespace: 'x',
      fields: [
        { name: 'u', type: ['null', 'int', { type: 'record', name: 'R', fields: [{ name: 'l', type: 'long' }] }] },
        { name: 'e', type: { type: 'enum', name: 'Color', symbols: ['RED', 'BLUE'] } },
        { name: 'f', type: { type: 'fixed', name: 'F', size: 2 } },
        { name: 'micros', type: { type: 'long', logicalType: 'timestamp-micros' }, default: 5 },
        { name: 'again', type: 'R' },
      ],
    };
    const id = registry.add('e', JSON.stringify(avro));
    // The union's third branch with l=-1, BLUE, two bytes, 1, and l=2.
    const bytes = Buffer.from([0, 0, 0, 0, id, 4, 1, 2, 0xab, 0xcd, 2, 4]);
    const { value, schema } = await read(converterOf(), bytes);
    expect(value).toEqual({ u: { int: null, R: { l: -1n } }, e: 'BLUE', f: Buffer.from('abcd', 'hex'), micros: 1n, again: { l: 2n } });
    expect(schema?.fields?.[0]?.schema.name).toBe(`${NAMESPACE}.Union`);
    expect(schema?.fields?.[1]?.schema.parameters).toEqual({
      [`${NAMESPACE}.Enum`]: 'x.Color',
      [`${NAMESPACE}.Enum.RED`]: 'RED',
      [`${NAMESPACE}.Enum.BLUE`]: 'BLUE',
    });
    expect(schema?.fields?.[3]?.schema).toEqual({ type: 'int64', default: 5n });
  });

  it('writes unions and enums again with enhanced.avro.schema.support', async () => {
    const avro = {
      type: 'record',
      name: 'E',
      namespace: 'x',
      fields: [
        { name: 'u', type: ['int', { type: 'record', name: 'R', fields: [] }] },
        { name: 'e', type: { type: 'enum', name: 'Color', symbols: ['RED', 'BLUE'] } },
      ],
    };
    const id = registry.add('e', JSON.stringify(avro));
    const converter = converterOf({ 'enhanced.avro.schema.support': 'true' });
    const { value, schema = order } = await read(converter, Buffer.from([0, 0, 0, 0, id, 0, 8, 0]));
    expect(value).toEqual({ u: { int: 4, 'x.R': null }, e: 'RED' });
    expect((await write(converter, value, schema)).subarray(5)).toEqual(Buffer.from([0, 8, 0]));
    expect(registry.textOf('orders-value')).toContain('"type":"enum","namespace":"x","name":"Color","symbols":["RED","BLUE"]');
  });

  it('names subjects by topic, by record or by both, of keys and of values', async () => {
    const strategy = 'io.confluent.kafka.serializers.subject.TopicRecordNameStrategy';
    await write(converterOf({}, 'key'), orderValue, order);
    await write(converterOf({ 'value.subject.name.strategy': 'RecordNameStrategy' }), orderValue, order);
    await write(converterOf({ 'key.subject.name.strategy': strategy }, 'key'), orderValue, order);
    expect(registry.requests.map(({ line }) => line)).toEqual([
      'POST /subjects/orders-key/versions',
      'POST /subjects/shop.Order/versions',
      'POST /subjects/orders-shop.Order/versions',
    ]);
    await expect(write(converterOf({ 'value.subject.name.strategy': 'RecordNameStrategy' }), 1, schemas.int32)).rejects.toThrow(
      'AvroConverter: The subject is named by the record, and the schema is of no record',
    );
  });

  it('asks once for each schema, also for one that looks like another', async () => {
    const converter = converterOf({ 'normalize.schemas': 'true' });
    const copy = { ...order };
    for (const schema of [order, order, copy]) await write(converter, orderValue, schema);
    const bytes = await write(converter, orderValue, order);
    for (let n = 0; n < 3; n += 1) await read(converter, bytes);
    expect(registry.requests.map(({ line }) => line)).toEqual([
      'POST /subjects/orders-value/versions?normalize=true',
      'GET /schemas/ids/1',
    ]);
  });

  it('scrubs names on demand alone', async () => {
    const schema = SchemaBuilder.struct('my-shop.Order Line').field('1st', schemas.int32).field('ok', schemas.int32).build();
    await expect(write(converterOf(), { '1st': 1, ok: 2 }, schema)).rejects.toThrow('"my-shop" is no name of Avro');
    await write(converterOf({ 'scrub.invalid.names': 'true' }), { '1st': 1, ok: 2 }, schema);
    expect(registry.textOf('orders-value')).toContain('"namespace":"my_shop","name":"Order_20Line","fields":[{"name":"x1st"');
  });

  it('looks schemas up where it must not register them', async () => {
    const converter = converterOf({ 'auto.register.schemas': 'false' });
    await expect(write(converter, 1, schemas.int32)).rejects.toThrow(
      'AvroConverter: The schema is not registered under subject orders-value: Schema not found (error 40403)',
    );
    registry.add('orders-value', '"int"');
    expect((await write(converter, 1, schemas.int32))[4]).toBe(1);
  });

  it('writes by the latest schema where it can read the record’s, or on demand what fits', async () => {
    const settings = { 'auto.register.schemas': 'false', 'use.latest.version': 'true' };
    const own = SchemaBuilder.struct('R').field('a', schemas.int32).build();
    const later = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'int' },
        { name: 'b', type: 'int', default: 3 },
      ],
    };
    registry.add('orders-value', JSON.stringify(later));
    expect((await write(converterOf(settings), { a: 1 }, own)).subarray(5)).toEqual(Buffer.of(2, 6));
    registry.add('orders-value', JSON.stringify({ ...later, fields: [{ name: 'c', type: 'string' }] }));
    await expect(write(converterOf(settings), { a: 1 }, own)).rejects.toThrow(
      'Subject orders-value: the latest schema cannot read the record',
    );
    await expect(write(converterOf({ ...settings, 'latest.compatibility.strict': 'false' }), { a: 77_001 }, own)).rejects.toThrow(
      'AvroConverter: The latest schema does not fit at c',
    );
    expect(registryProblems({ 'use.latest.version': 'true' })).toEqual([
      { field: 'use.latest.version', message: 'use.latest.version=true needs auto.register.schemas=false.' },
    ]);
    expect(registryProblems(settings)).toEqual([]);
  });
});

describe('what is wrong with one record', () => {
  it('is an error of that record alone: an incompatible schema, with its subject', async () => {
    const converter = converterOf();
    registry.answers.set('POST /subjects/bad-value', { status: 409, body: { error_code: 409, message: 'READER_FIELD_MISSING /fields/1' } });
    await converter.prepareToBytes?.(
      [
        { value: 1, schema: schemas.int32, topic: 'bad' },
        { value: 1, schema: schemas.int32, topic: 'good' },
      ],
      never,
    );
    expect(() => converter.toBytes(1, schemas.int32, 'bad')).toThrow(
      'AvroConverter: The schema is incompatible with an earlier one of subject bad-value: READER_FIELD_MISSING /fields/1 (error 409)',
    );
    expect(converter.toBytes(1, schemas.int32, 'good')).toEqual(Buffer.from([0, 0, 0, 0, 1, 2]));
    registry.answers.clear();
    expect(await write(converter, 1, schemas.int32, 'bad')).toHaveLength(6);
  });

  it('is an unknown id, bytes without one, and bytes that are cut or too long', async () => {
    const converter = converterOf();
    registry.add('x', '"long"');
    await expect(read(converter, Buffer.from([0, 0, 0, 0, 9, 2]))).rejects.toThrow(
      'AvroConverter: The schema 9: Schema not found (error 40403)',
    );
    await expect(read(converter, Buffer.from('text'))).rejects.toThrow('4 bytes given');
    await expect(read(converter, Buffer.from('a text'))).rejects.toThrow('Unknown magic byte 97');
    await expect(read(converter, Buffer.from([0, 0, 0, 0, 1, 0x80]))).rejects.toThrow('AvroConverter: truncated buffer');
    await expect(read(converter, Buffer.from([0, 0, 0, 0, 1, 2, 2]))).rejects.toThrow('AvroConverter: trailing data');
    registry.add('p', 'syntax = "proto3";', 'PROTOBUF');
    await expect(read(converter, Buffer.from([0, 0, 0, 0, 2, 0]))).rejects.toThrow('it is of type PROTOBUF; AvroConverter converts AVRO');
  });

  it('is a value that does not fit, one without a schema, and two schemas of one name', async () => {
    const converter = converterOf();
    await expect(write(converter, { ...orderValue, price: null }, order)).rejects.toThrow(
      'value.price: null value for field that is required',
    );
    expect(() => converter.toBytes('text', undefined, 'orders')).toThrow('AvroConverter: The value has no schema; one is needed');
    const twice = SchemaBuilder.struct('A')
      .field('a', SchemaBuilder.struct('X').field('n', schemas.int32))
      .field('b', SchemaBuilder.struct('X').field('n', schemas.int64))
      .build();
    await expect(write(converter, { a: { n: 1 }, b: { n: 1n } }, twice)).rejects.toThrow('Two different schemas are called X');
  });
});

describe('the registry', () => {
  it('is asked again where it gives no answer', async () => {
    const converter = converterOf({ 'http.read.timeout.ms': '200' });
    for (const answer of [{ status: 503 }, { status: 429 }, 'hang'] as const) {
      registry.answers.set('POST', answer);
      const error = await write(converter, 1, schemas.int32).catch((each: unknown) => each);
      expect(isRetriable(error)).toBe(true);
      expect((error as Error).message).toContain('The schema registry gave no answer to POST /subjects/orders-value/versions: ' + url);
    }
    registry.answers.clear();
    expect(await write(converter, 1, schemas.int32)).toHaveLength(6);
  });

  it('has several addresses, of which the next one is asked', async () => {
    const converter = converterOf({ 'schema.registry.url': `http://127.0.0.1:1, ${url}/` });
    expect(await write(converter, 1, schemas.int32)).toHaveLength(6);
  });

  it('gets credentials, which no error has', async () => {
    const basic = converterOf({ 'basic.auth.credentials.source': 'USER_INFO', 'basic.auth.user.info': 'ann:s3cret' });
    const inUrl = converterOf({ 'schema.registry.url': url.replace('//', '//ann:s3cret@') });
    const bearer = converterOf({ 'bearer.auth.credentials.source': 'STATIC_TOKEN', 'bearer.auth.token': 's3cret' });
    for (const each of [basic, inUrl, bearer]) await write(each, 1, schemas.int32);
    const expected = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`;
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([expected, expected, 'Bearer s3cret']);
    registry.answers.set('POST', { status: 401, body: { message: 'Unauthorized' } });
    const refused = await write(inUrl, 'x', schemas.string).catch((each: unknown) => each);
    expect((refused as Error).message).toBe(`The schema registry ${url} refused the credentials, or has no right for them (401)`);
    expect(isRetriable(refused)).toBe(false);
    registry.answers.set('POST', { status: 503 });
    expect(await write(inUrl, 'x', schemas.string).catch((each: unknown) => String(each))).not.toContain('s3cret');
  });

  it('must not send credentials elsewhere', async () => {
    registry.answers.set('POST', { status: 307, headers: { Location: 'http://127.0.0.1:1/' } });
    await expect(write(converterOf(), 1, schemas.int32)).rejects.toThrow('answered with a redirect (307); give its own address');
  });

  it('is not waited for once the task stops', async () => {
    registry.answers.set('POST', 'hang');
    const stop = new AbortController();
    const pending = converterOf().prepareToBytes?.([{ value: 1, schema: schemas.int32, topic: 't' }], stop.signal);
    setImmediate(() => {
      stop.abort(new Error('stopped'));
    });
    await expect(pending).rejects.toThrow('stopped');
  });
});

describe('settings of the registry', () => {
  it.each<[RawConfig, string]>([
    [{ 'schema.registry.url': 'localhost:8081' }, 'an address with http:// or https:// is needed'],
    [{ 'schema.registry.url': '' }, 'schema.registry.url'],
    [{ 'basic.auth.user.info': 'a:b' }, 'it needs basic.auth.credentials.source=USER_INFO'],
    [{ 'basic.auth.credentials.source': 'USER_INFO' }, 'user:password is needed'],
    [{ 'bearer.auth.credentials.source': 'STATIC_TOKEN' }, 'bearer.auth.credentials.source needs one'],
    [{ 'value.subject.name.strategy': 'com.acme.Mine' }, 'com.acme.Mine'],
  ])('are refused: %j', (settings, message) => {
    expect(() => converterOf(settings)).toThrow(message);
  });

  it('serve keys and values, not headers', () => {
    expect(() => converterOf({}, 'header')).toThrow('AvroConverter converts keys and values; headers are texts.');
  });
});
