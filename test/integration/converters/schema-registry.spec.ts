import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONVERTER_PLUGINS } from '@sluice/converters';
import { type ConnectValue, type Converter, Decimal, isRetriable, type RawConfig, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import type { SchemaAndValue } from '@sluice/sdk';
import { SchemaRegistryProcess } from '../../support/schema-registry.js';

const START_LIMIT_MS = 700_000;
const never = new AbortController().signal;

let registry: SchemaRegistryProcess;

beforeAll(async () => {
  registry = await SchemaRegistryProcess.start();
}, START_LIMIT_MS);

afterAll(async () => {
  await registry.stop();
});

function converterOf(className: string, settings: RawConfig = {}): Converter {
  const plugin = CONVERTER_PLUGINS.find(({ aliases }) => aliases.includes(className));
  if (plugin === undefined) throw new Error(`There is no converter ${className}`);
  return plugin.create({ 'schema.registry.url': registry.url, ...settings }, 'value');
}

async function write(converter: Converter, value: ConnectValue, schema: Schema, topic: string): Promise<Buffer> {
  await converter.prepareToBytes?.([{ value, schema, topic }], never);
  return Buffer.from(converter.toBytes(value, schema, topic) ?? []);
}

async function read(converter: Converter, bytes: Buffer): Promise<SchemaAndValue> {
  await converter.prepareFromBytes?.([{ bytes, topic: 'any' }], never);
  return converter.fromBytes(bytes, 'any');
}

async function ask(path: string, method = 'GET', body?: object): Promise<unknown> {
  const headers = { 'Content-Type': 'application/vnd.schemaregistry.v1+json' };
  const response = await fetch(registry.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return response.json();
}

const AVRO = 'io.confluent.connect.avro.AvroConverter';
const PROTOBUF = 'io.confluent.connect.protobuf.ProtobufConverter';
const JSON_SCHEMA = 'io.confluent.connect.json.JsonSchemaConverter';
const first = SchemaBuilder.struct('shop.Order').field('id', schemas.int64).field('price', SchemaBuilder.decimal(2)).build();
const second = SchemaBuilder.struct('shop.Order')
  .field('id', schemas.int64)
  .field('price', SchemaBuilder.decimal(2))
  .field('note', SchemaBuilder.string().optional())
  .field('count', SchemaBuilder.int64().optional())
  .build();
const incompatible = SchemaBuilder.struct('shop.Order').field('id', schemas.string).build();
const price = new Decimal(1999n, 2);

describe('AvroConverter on a real registry', () => {
  it('reads what it wrote before and after a schema evolved', async () => {
    const writer = converterOf(AVRO);
    await ask('/config/evolves-value', 'PUT', { compatibility: 'BACKWARD' });
    const before = await write(writer, { id: 9_007_199_254_740_993n, price }, first, 'evolves');
    const after = await write(writer, { id: 2n, price, note: 'späť', count: -5n }, second, 'evolves');
    const reader = converterOf(AVRO);
    expect((await read(reader, before)).value).toEqual({ id: 9_007_199_254_740_993n, price });
    expect(await read(reader, after)).toEqual({ value: { id: 2n, price, note: 'späť', count: -5n }, schema: second });
    expect(await ask('/subjects/evolves-value/versions')).toEqual([1, 2]);
    const byLatest = converterOf(AVRO, { 'auto.register.schemas': 'false', 'use.latest.version': 'true' });
    const latest = await write(byLatest, { id: 3n, price }, first, 'evolves');
    expect((await read(reader, latest)).value).toEqual({ id: 3n, price, note: null, count: null });
  });

  it('names the subject of an incompatible schema, and converts other records', async () => {
    const converter = converterOf(AVRO);
    await write(converter, { id: 1n, price }, first, 'strict');
    await ask('/config/strict-value', 'PUT', { compatibility: 'FULL' });
    await expect(write(converter, { id: 'x' }, incompatible, 'strict')).rejects.toThrow(
      'AvroConverter: The schema is incompatible with an earlier one of subject strict-value: ',
    );
    expect(await read(converter, await write(converter, { id: 2n, price }, first, 'strict'))).toMatchObject({ value: { id: 2n, price } });
  });

  it('refuses an unknown id, and a schema that is not registered', async () => {
    await expect(read(converterOf(AVRO), Buffer.from([0, 0x7f, 0, 0, 0, 2]))).rejects.toThrow('AvroConverter: The schema 2130706432: ');
    const lookup = converterOf(AVRO, { 'auto.register.schemas': 'false' });
    await expect(write(lookup, 1, schemas.int32, 'nobody')).rejects.toThrow('The schema is not registered under subject nobody-value: ');
  });

  it('reads schemas that refer to others', async () => {
    const inner = { type: 'record', name: 'Inner', namespace: 'ref', fields: [{ name: 'n', type: 'long' }] };
    await ask('/subjects/ref.Inner/versions', 'POST', { schema: JSON.stringify(inner) });
    const outer = { type: 'record', name: 'Outer', namespace: 'ref', fields: [{ name: 'inner', type: 'ref.Inner' }] };
    const references = [{ name: 'ref.Inner', subject: 'ref.Inner', version: 1 }];
    const { id } = (await ask('/subjects/ref.Outer/versions', 'POST', { schema: JSON.stringify(outer), references })) as { id: number };
    const bytes = Buffer.from([0, 0, 0, 0, 0, 6]);
    bytes.writeInt32BE(id, 1);
    expect((await read(converterOf(AVRO), bytes)).value).toEqual({ inner: { n: 3n } });
  });

  it('waits for a registry that is gone, and converts once it is back', async () => {
    const converter = converterOf(AVRO);
    const bytes = await write(converter, { id: 1n, price }, first, 'outage');
    await registry.kill();
    const error = await write(converter, { id: 1n, price, note: null, count: null }, second, 'outage').catch((each: unknown) => each);
    expect(isRetriable(error)).toBe(true);
    // What is known needs no registry.
    expect(await write(converter, { id: 1n, price }, first, 'outage')).toEqual(bytes);
    await registry.resume();
    const again = await write(converter, { id: 4n, price, note: null, count: null }, second, 'outage');
    expect((await read(converterOf(AVRO), again)).value).toEqual({ id: 4n, price, note: null, count: null });
  });
});

describe('JsonSchemaConverter on a real registry', () => {
  it('reads what it wrote before and after a schema evolved, and refuses one that is incompatible', async () => {
    // An open schema narrows what a property may be when it names one more.
    const converter = converterOf(JSON_SCHEMA, { 'object.additional.properties': 'false' });
    const before = await write(converter, { id: 9_007_199_254_740_993n, price }, first, 'json');
    await ask('/config/json-value', 'PUT', { compatibility: 'BACKWARD' });
    const after = await write(converter, { id: 2n, price, note: 'späť', count: -5n }, second, 'json');
    expect(await read(converterOf(JSON_SCHEMA), before)).toEqual({ value: { id: 9_007_199_254_740_993n, price }, schema: first });
    expect(await read(converterOf(JSON_SCHEMA), after)).toEqual({ value: { id: 2n, price, note: 'späť', count: -5n }, schema: second });
    await expect(write(converter, { id: 'x' }, incompatible, 'json')).rejects.toThrow(
      'JsonSchemaConverter: The schema is incompatible with an earlier one of subject json-value: ',
    );
    await expect(read(converterOf(AVRO), before)).rejects.toThrow('it is of type JSON; AvroConverter converts AVRO');
  });
});

describe('ProtobufConverter on a real registry', () => {
  const at = new Date('2024-02-29T12:34:56.789Z');
  const event = SchemaBuilder.struct('Event').field('id', schemas.int64).field('at', SchemaBuilder.timestamp()).build();
  const wider = SchemaBuilder.struct('Event')
    .field('id', schemas.int64)
    .field('at', SchemaBuilder.timestamp())
    .field('note', SchemaBuilder.string().optional())
    .field('counts', SchemaBuilder.map(schemas.string, schemas.int64))
    .build();
  const other = SchemaBuilder.struct('Event').field('id', schemas.string).field('at', SchemaBuilder.timestamp()).build();

  it('reads what it wrote before and after a schema evolved, and refuses one that is incompatible', async () => {
    const converter = converterOf(PROTOBUF);
    const before = await write(converter, { id: 9_007_199_254_740_993n, at }, event, 'proto');
    await ask('/config/proto-value', 'PUT', { compatibility: 'BACKWARD' });
    const after = await write(converter, { id: 2n, at, note: 'späť', counts: { x: -5n } }, wider, 'proto');
    expect((await read(converterOf(PROTOBUF), before)).value).toEqual({ id: 9_007_199_254_740_993n, at });
    expect((await read(converterOf(PROTOBUF), after)).value).toEqual({ id: 2n, at, note: 'späť', counts: { x: -5n } });
    expect(await ask('/subjects/proto-value/versions')).toEqual([1, 2]);
    await expect(write(converter, { id: 'x', at }, other, 'proto')).rejects.toThrow(
      'ProtobufConverter: The schema is incompatible with an earlier one of subject proto-value: ',
    );
    await expect(read(converterOf(AVRO), before)).rejects.toThrow('it is of type PROTOBUF; AvroConverter converts AVRO');
    const byLatest = converterOf(PROTOBUF, { 'auto.register.schemas': 'false', 'use.latest.version': 'true' });
    const latest = await write(byLatest, { id: 3n, at }, event, 'proto');
    expect((await read(converterOf(PROTOBUF), latest)).value).toEqual({ id: 3n, at, note: null, counts: {} });
  });

  it('keeps decimals and small integers, whose options are in a file of Confluent', async () => {
    const schema = SchemaBuilder.struct('Price').field('price', SchemaBuilder.decimal(2)).field('small', SchemaBuilder.int8()).build();
    const found = await read(converterOf(PROTOBUF), await write(converterOf(PROTOBUF), { price, small: -8 }, schema, 'price'));
    expect(found.value).toEqual({ price, small: -8 });
    expect(found.schema?.fields?.map((field) => field.schema.type)).toEqual(['bytes', 'int8']);
  });

  it('reads schemas that refer to others', async () => {
    const inner = 'syntax = "proto3"; package ref; message Inner { sint32 n = 1; }';
    await ask('/subjects/inner.proto/versions', 'POST', { schema: inner, schemaType: 'PROTOBUF' });
    const schema = 'syntax = "proto3"; package ref; import "inner.proto"; message Outer { Inner inner = 1; }';
    const references = [{ name: 'inner.proto', subject: 'inner.proto', version: 1 }];
    const body = { schema, schemaType: 'PROTOBUF', references };
    const { id } = (await ask('/subjects/outer.proto/versions', 'POST', body)) as { id: number };
    const bytes = Buffer.from([0, 0, 0, 0, 0, 0, 0x0a, 2, 8, 5]);
    bytes.writeInt32BE(id, 1);
    expect((await read(converterOf(PROTOBUF), bytes)).value).toEqual({ inner: { n: -3 } });
  });
});
