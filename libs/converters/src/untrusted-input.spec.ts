import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConnectValue, type Converter, Decimal, type RawConfig, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { avroConverter, registryProblems } from './avro/avro.converter.js';
import { CONVERTER_PLUGINS } from './converter-plugins.js';
import { jsonSchemaConverter } from './json-schema/json-schema.converter.js';
import { linearPattern } from './json-schema/linear-pattern.js';
import { withSchemaId } from './registry/wire-format.js';
import { FakeRegistry } from './testing/fake-registry.js';

const never = new AbortController().signal;
let registry: FakeRegistry;
let url: string;

beforeEach(async () => {
  registry = new FakeRegistry();
  url = await registry.start();
});
afterEach(async () => {
  await registry.stop();
});

const avro = (settings: RawConfig = {}): Converter => avroConverter({ 'schema.registry.url': url, ...settings }, 'value');
const json = (settings: RawConfig = {}): Converter => jsonSchemaConverter({ 'schema.registry.url': url, ...settings }, 'value');

async function write(converter: Converter, value: ConnectValue, schema: Schema, topic = 't'): Promise<Buffer> {
  await converter.prepareToBytes?.([{ value, schema, topic }], never);
  return Buffer.from(converter.toBytes(value, schema, topic) ?? []);
}

async function read(converter: Converter, bytes: Buffer): Promise<ConnectValue> {
  await converter.prepareFromBytes?.([{ bytes, topic: 't' }], never);
  return converter.fromBytes(bytes, 't').value;
}

/** Returns the time of the processor: the machine may be busy. */
function msOf(call: () => unknown): number {
  const before = process.cpuUsage();
  try {
    call();
  } catch {
    // Its time is measured, whatever it throws.
  }
  return process.cpuUsage(before).user / 1000;
}

/** Avro's long. */
function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value) * 2n;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

describe('bytes from a topic', () => {
  it('does not believe an Avro array that claims more items than there are bytes', async () => {
    const id = registry.add('t-value', '{"type":"array","items":"int"}');
    const converter = avro();
    const bytes = withSchemaId(id, zigzag(20_000_000));
    await converter.prepareFromBytes?.([{ bytes, topic: 't' }], never);
    const took = msOf(() => converter.fromBytes(bytes, 't'));
    expect(took).toBeLessThan(100);
  });

  it.each<[string, string, Buffer, string]>([
    ['a map with more entries than bytes', '{"type":"map","values":"int"}', zigzag(1e9), 'truncated buffer'],
    [
      'items without bytes',
      '{"type":"array","items":{"type":"record","name":"E","fields":[]}}',
      zigzag(1e9),
      'more than 100000 items without bytes',
    ],
    [
      'an array in a field',
      '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"int"}}]}',
      zigzag(1e9),
      'truncated buffer',
    ],
  ])('refuses %s', async (_, schema, payload, message) => {
    const id = registry.add('t-value', schema);
    await expect(read(avro(), withSchemaId(id, payload))).rejects.toThrow(
      `AvroConverter: ${message === 'truncated buffer' ? '' : 'The value has '}${message}`,
    );
  });

  it('reads the blocks of an array, also those with their size', async () => {
    const id = registry.add('t-value', '{"type":"array","items":"int"}');
    expect(await read(avro(), withSchemaId(id, Buffer.from([2, 2, 3, 4, 4, 6, 0])))).toEqual([1, 2, 3]);
  });

  it.each<[string, string, boolean]>([
    ['^a.b$', 'a\u2028b', false],
    ['^\\s$', '\u00a0', true],
    ['^[\\sx]+$', 'x\u3000', true],
    ['^[[a]$', '[', true],
    ['^\\u0041\\/\\d{2}$', 'A/12', true],
    ['^\\S+$', 'a b', false],
  ])('matches the pattern %s as ECMAScript does', (pattern, text, fits) => {
    expect(new RegExp(pattern, 'u').test(text)).toBe(fits);
    expect(linearPattern(pattern, 'u').test(text)).toBe(fits);
  });

  it.each(['(?=a)b', '(a)\\1', '(?<!a)b', '[\\S]'])('refuses the pattern %s by name', (pattern) => {
    expect(() => linearPattern(pattern, 'u')).toThrow(`the pattern ${JSON.stringify(pattern)} is not supported`);
  });

  it('reads an Avro map with the key __proto__', async () => {
    const converter = avro();
    const value = JSON.parse('{"__proto__":1,"b":2}') as ConnectValue;
    const bytes = await write(converter, value, SchemaBuilder.map(schemas.string, schemas.int32).build());
    expect(Object.keys((await read(converter, bytes)) as object)).toEqual(['__proto__', 'b']);
  });

  it('is not held up by a branch with a pattern that takes long', async () => {
    const id = registry.add('t-value', '{"oneOf":[{"type":"string","pattern":"^(a+)+$"},{"type":"integer"}]}', 'JSON');
    const converter = json();
    const bytes = withSchemaId(id, Buffer.from(`"${'a'.repeat(27)}!"`));
    await converter.prepareFromBytes?.([{ bytes, topic: 't' }], never);
    const took = msOf(() => converter.fromBytes(bytes, 't'));
    expect(took).toBeLessThan(200);
  });

  it('refuses a JSON Schema that doubles with each definition', async () => {
    const levels = 16;
    const definitions = Object.fromEntries(
      Array.from({ length: levels }, (_, n) => [
        `d${n}`,
        n === levels - 1
          ? { type: 'string' }
          : { type: 'object', properties: { a: { $ref: `#/definitions/d${n + 1}` }, b: { $ref: `#/definitions/d${n + 1}` } } },
      ]),
    );
    const id = registry.add('t-value', JSON.stringify({ $ref: '#/definitions/d0', definitions }), 'JSON');
    const converter = json();
    await expect(read(converter, withSchemaId(id, Buffer.from('{}')))).rejects.toThrow('The schema has more than 10000 parts');
  });
});

describe('values that change', () => {
  it.each<[string, string, Schema, ConnectValue]>([
    ['Avro', 'AvroConverter', schemas.string, 'a\ud800b'],
    ['SimpleHeader', 'SimpleHeaderConverter', schemas.string, 'a\ud800b'],
  ])('%s does not replace half a surrogate pair', async (_, name, schema, value) => {
    const plugin = CONVERTER_PLUGINS.find((each) => each.name === name);
    const converter = plugin!.create({ 'schema.registry.url': url }, name === 'SimpleHeaderConverter' ? 'header' : 'value');
    let found: ConnectValue;
    try {
      found = await read(converter, await write(converter, value, schema));
    } catch {
      found = 'refused';
    }
    expect(['refused', value]).toContain(found);
  });

  it.each<[string, string, ConnectValue, Schema, string]>([
    [
      'a decimal by a latest schema of another scale',
      '{"type":"bytes","logicalType":"decimal","precision":10,"scale":4}',
      new Decimal(150n, 2),
      SchemaBuilder.decimal(2).build(),
      "the latest schema has decimal with scale 4 where the record's has decimal with scale 2",
    ],
    [
      'a timestamp by a latest schema in microseconds',
      '{"type":"long","logicalType":"timestamp-micros"}',
      new Date(1_700_000_000_000),
      SchemaBuilder.timestamp().build(),
      "the latest schema has timestamp-micros where the record's has timestamp-millis",
    ],
    [
      'a part by a latest schema of another unit',
      '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":["null",{"type":"long","logicalType":"timestamp-micros"}]}]}',
      { a: new Date(1) },
      SchemaBuilder.struct('n.R').field('a', SchemaBuilder.timestamp().optional()).build(),
      'value.a: the latest schema has timestamp-micros',
    ],
  ])('refuses %s', async (_, latest, value, schema, message) => {
    registry.add('t-value', latest);
    const converter = avro({ 'auto.register.schemas': 'false', 'use.latest.version': 'true' });
    await expect(write(converter, value, schema)).rejects.toThrow(message);
  });

  it('refuses a whole number with digits behind the point that a double loses', () => {
    const plugin = CONVERTER_PLUGINS.find(({ name }) => name === 'JsonConverter');
    const converter = plugin!.create({}, 'value');
    const payload = Buffer.from('{"schema":{"type":"int64"},"payload":9007199254740990.5}');
    expect(() => converter.fromBytes(payload, 't')).toThrow();
  });

  it('knows that a reference of a referenced schema points into that one', async () => {
    // The fake registry knows no references: answers of its own.
    registry.answers.set('GET /schemas/ids/77', {
      status: 200,
      body: {
        schemaType: 'JSON',
        schema: JSON.stringify({
          type: 'object',
          properties: { o: { $ref: 'other.json' } },
          definitions: { A: { type: 'integer' } },
        }),
        references: [{ name: 'other.json', subject: 'other', version: 1 }],
      },
    });
    registry.answers.set('GET /subjects/other/versions/1', {
      status: 200,
      body: {
        schema: JSON.stringify({
          type: 'object',
          properties: { x: { $ref: '#/definitions/A' } },
          definitions: { A: { type: 'string' } },
        }),
      },
    });
    expect(await read(json(), withSchemaId(77, Buffer.from('{"o":{"x":"text"}}')))).toEqual({ o: { x: 'text' } });
  });

  it('does not lose properties that allOf names', async () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } }, allOf: [{ properties: { b: { type: 'integer' } } }] };
    const id = registry.add('t-value', JSON.stringify(schema), 'JSON');
    let found: ConnectValue;
    try {
      found = await read(json(), withSchemaId(id, Buffer.from('{"a":1,"b":2}')));
    } catch {
      found = 'refused';
    }
    expect([{ a: 1n, b: 2n }, 'refused']).toContainEqual(found);
  });
});

describe('the registry', () => {
  const schema = (): Schema => SchemaBuilder.struct('R').field('a', schemas.int32).build();

  it('asks for the latest schema once, where each record has a schema object of its own', async () => {
    registry.add('t-value', '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}');
    const converter = avro({ 'auto.register.schemas': 'false', 'use.latest.version': 'true' });
    const values = Array.from({ length: 50 }, (_, a) => ({ value: { a }, schema: schema(), topic: 't' }));
    await converter.prepareToBytes?.(values, never);
    expect(registry.requests.filter(({ line }) => line.includes('latest')).length).toBe(1);
  });

  it('asks once in a batch for a schema that is refused', async () => {
    registry.answers.set('POST /subjects', { status: 409, body: { error_code: 409, message: 'incompatible' } });
    const converter = avro();
    const one = schema();
    await converter.prepareToBytes?.(
      Array.from({ length: 50 }, (_, a) => ({ value: { a }, schema: one, topic: 't' })),
      never,
    );
    expect(registry.requests.length).toBe(1);
  });

  it('keeps the schemas of a queue while another queue prepares', async () => {
    const ids = [1, 2, 3, 4].map((n) => registry.add('t-value', `{"type":"record","name":"R${n}","fields":[{"name":"a","type":"int"}]}`));
    const converter = avro({ 'max.schemas.per.subject': '2' });
    const message = (n: number): { bytes: Buffer; topic: string } => ({ bytes: withSchemaId(ids[n]!, Buffer.from([2])), topic: 't' });
    await converter.prepareFromBytes?.([message(0)], never);
    // Queue A knows schema 0 and asks for 1 and 3; meanwhile queue B asks for 2.
    const a = converter.prepareFromBytes!([message(0), message(1), message(3)], never).then(() => {
      return [converter.fromBytes(message(0).bytes, 't').value, converter.fromBytes(message(1).bytes, 't').value];
    });
    const b = converter.prepareFromBytes!([message(2)], never);
    const [found] = await Promise.allSettled([a, b]);
    expect(found).toEqual({ status: 'fulfilled', value: [{ a: 1 }, { a: 1 }] });
  });

  it('keeps what a batch prepared where a schema has many topics', async () => {
    const converter = avro({ 'value.subject.name.strategy': 'RecordNameStrategy' });
    const one = schema();
    const first = { value: { a: 1 }, schema: one, topic: 'first' };
    await converter.prepareToBytes?.([first], never);
    await converter.prepareToBytes?.(
      Array.from({ length: 10_000 }, (_, n) => ({ value: { a: 1 }, schema: one, topic: `t${n}` })),
      never,
    );
    await converter.prepareToBytes?.([first, { ...first, topic: 'last' }], never);
    expect(() => converter.toBytes({ a: 1 }, one, 'first')).not.toThrow();
  });

  it.each<[string, { status: number; body?: object; headers?: Record<string, string> }]>([
    ['an answer without a schema', { status: 200, body: {} }],
    ['a 404 that is not of a registry', { status: 404, body: { error: 'no route' } }],
    ['a 405', { status: 405 }],
  ])('does not blame a record for %s', async (_, answer) => {
    registry.answers.set('GET /schemas', answer);
    const converter = avro();
    const bytes = withSchemaId(1, Buffer.from([2]));
    // Blamed on the record, it is skipped with errors.tolerance=all.
    await expect(converter.prepareFromBytes!([{ bytes, topic: 't' }], never)).rejects.toThrow();
  });

  it('blames a schema with a wrong default on its records, and does not fail the task', async () => {
    const text =
      '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":""}]}';
    const id = registry.add('t-value', text);
    const converter = avro();
    const bytes = withSchemaId(id, Buffer.from([2, 1]));
    await expect(converter.prepareFromBytes!([{ bytes, topic: 't' }], never)).resolves.toBeUndefined();
  });

  it.each<[string, RawConfig]>([
    ['no address of HTTP', { 'schema.registry.url': 'ftp://registry' }],
    ['a user without its source', { 'basic.auth.user.info': 'a:b' }],
    ['a source without its user', { 'basic.auth.credentials.source': 'USER_INFO' }],
    ['a broken escape', { 'schema.registry.url': 'http://u:p%zz@registry' }],
  ])('finds %s when settings are checked', (_, settings) => {
    expect(registryProblems({ 'schema.registry.url': url, ...settings })).not.toEqual([]);
  });

  it('names a broken escape as an error of the settings', () => {
    expect(() => avro({ 'schema.registry.url': 'http://u:p%zz@registry' })).toThrow(/schema\.registry\.url/);
  });
});
