import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, type RawConfig, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { cloudEventsConverter } from './cloud-event-messages.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function write(value: ConnectValue, schema?: Schema, settings: RawConfig = {}): string {
  return Buffer.from(cloudEventsConverter(settings, 'value').toBytes(value, schema, 'orders') ?? []).toString('utf8');
}

/** Returns what is written, with a short id in the place of the one that is made. */
function written(value: ConnectValue, schema?: Schema, settings: RawConfig = {}): string {
  const text = write(value, schema, settings);
  const { id } = JSON.parse(text) as { readonly id: string };
  expect(id).toMatch(UUID);
  return text.replace(id, 'ID');
}

function read(text: string, settings: RawConfig = {}): { readonly value: ConnectValue; readonly schema?: Schema } {
  return cloudEventsConverter(settings, 'value').fromBytes(Buffer.from(text), 'orders');
}

const order = SchemaBuilder.struct('shop.Order')
  .field('id', schemas.int64)
  .field('price', SchemaBuilder.decimal(2))
  .field('note', SchemaBuilder.string().optional())
  .build();
const orderValue = { id: 9_007_199_254_740_993n, price: new Decimal(1999n, 2), note: null };
const envelope =
  '{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"n"}],"optional":false,"name":"N"},"payload":{"n":9007199254740993}}';

describe('CloudEventsConverter', () => {
  it('writes each value as the data of an event', () => {
    expect(written(orderValue, order, { 'json.decimal.format': 'NUMERIC' })).toBe(
      '{"specversion":"1.0","id":"ID","source":"/topics/orders","type":"shop.Order","datacontenttype":"application/json",' +
        '"data":{"id":9007199254740993,"price":19.99,"note":null}}',
    );
    const settings = { source: '/shops/1', type: 'com.acme.made', datacontenttype: 'text/plain', dataschema: 'urn:x:1' };
    expect(written('say "hi"', schemas.string, settings)).toBe(
      '{"specversion":"1.0","id":"ID","source":"/shops/1","type":"com.acme.made","datacontenttype":"text/plain","dataschema":"urn:x:1",' +
        '"data":"say \\"hi\\""}',
    );
    expect(written(Buffer.from([0, 255]), schemas.bytes)).toBe(
      '{"specversion":"1.0","id":"ID","source":"/topics/orders","type":"sluice.record","datacontenttype":"application/octet-stream",' +
        '"data_base64":"AP8="}',
    );
    expect(written(Buffer.from('line'), schemas.string)).toContain('"datacontenttype":"application/json","data":"line"}');
    expect(written(Buffer.from('<a/>'), schemas.string, { datacontenttype: 'text/xml' })).toContain(
      '"datacontenttype":"text/xml","data":"<a/>"}',
    );
    expect(written(true)).toContain('"data":true}');
    expect(JSON.parse(write(1))).not.toEqual(JSON.parse(write(1)));
    expect(cloudEventsConverter({}, 'value').toBytes(null, order, 'orders')).toBeNull();
    expect(cloudEventsConverter({}, 'value').fromBytes(null, 'orders')).toEqual({ value: null });
  });

  it('reads the attributes of an event with its data, digit for digit', () => {
    // The example of the specification's JSON format, with a number beyond 2^53.
    const event =
      '{"specversion":"1.0","type":"com.github.pull_request.opened","source":"https://github.com/cloudevents/spec/pull","subject":"123",' +
      '"id":"A234-1234-1234","time":"2018-04-05T17:31:00Z","comexampleextension1":"value","comexampleothervalue":5,"flag":true,' +
      '"unsetextension":null,"datacontenttype":"application/json","data":{"n":9007199254740993}}';
    const found = read(event);
    expect(found).toEqual({
      value: {
        specversion: '1.0',
        type: 'com.github.pull_request.opened',
        source: 'https://github.com/cloudevents/spec/pull',
        subject: '123',
        id: 'A234-1234-1234',
        time: '2018-04-05T17:31:00Z',
        comexampleextension1: 'value',
        comexampleothervalue: 5,
        flag: true,
        datacontenttype: 'application/json',
        data: { n: 9_007_199_254_740_993n },
      },
    });
    // It is written again as the event that it is, whatever the settings say.
    expect(read(write(found.value, undefined, { source: '/other', type: 'other' }))).toEqual(found);
  });

  it('reads data of each form', () => {
    const start = '{"specversion":"1.0","id":"1","source":"s","type":"t"';
    const core = { specversion: '1.0', id: '1', source: 's', type: 't' };
    expect(read(`${start}}`).value).toEqual(core);
    expect(read(`${start},"data":null}`).value).toEqual({ ...core, data: null });
    expect(read(`${start},"data":"x"}`).value).toEqual({ ...core, data: 'x' });
    expect(read(`${start},"datacontenttype":"text/xml","data":"<a/>"}`).value).toMatchObject({ data: '<a/>' });
    const binary = read(`${start},"data_base64":"AP8="}`);
    expect(binary.value).toEqual({ ...core, data: Buffer.from([0, 255]) });
    expect(write(binary.value)).toBe(`${start},"data_base64":"AP8="}`);
  });

  it('reads and writes data with its schema on demand', () => {
    const settings = { 'json.schemas.enable': 'true' };
    const event = `{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"application/vnd.acme+json; v=1","ext":7,"data":${envelope}}`;
    const converter = cloudEventsConverter(settings, 'value');
    const found = converter.fromBytes(Buffer.from(event), 'orders');
    const text = { type: 'string' };
    const optional = { type: 'string', optional: true };
    expect(found.value).toEqual({
      specversion: '1.0',
      id: '1',
      source: 's',
      type: 't',
      datacontenttype: 'application/vnd.acme+json; v=1',
      ext: 7,
      data: { n: 9_007_199_254_740_993n },
    });
    expect(found.schema).toEqual({
      type: 'struct',
      name: 'io.cloudevents.CloudEvent',
      fields: [
        ...['specversion', 'id', 'source', 'type'].map((name) => ({ name, schema: text })),
        ...['datacontenttype', 'dataschema', 'subject', 'time'].map((name) => ({ name, schema: optional })),
        { name: 'ext', schema: { type: 'int32', optional: true } },
        { name: 'data', schema: SchemaBuilder.struct('N').field('n', schemas.int64).build() },
      ],
    });
    // What comes after asks for schemas by their identity.
    expect(converter.fromBytes(Buffer.from(event), 'orders').schema).toBe(found.schema);
    expect(write(found.value, found.schema, settings)).toBe(event);
    expect(written(orderValue, order, settings)).toContain('"data":{"schema":{"type":"struct"');
    expect(() => read('{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"n":1}}', settings)).toThrow(
      'The data is no object of schema and payload; json.schemas.enable=false reads it',
    );
  });

  it.each([
    ['text that is no JSON', 'secret', 'CloudEventsConverter: JsonConverter: The bytes are not JSON'],
    ['a batch', '[]', 'The bytes are no event: an object of JSON is needed'],
    ['no id', '{"specversion":"1.0","source":"s","type":"t"}', 'The event has no text in id, which CloudEvents requires'],
    ['an empty source', '{"specversion":"1.0","id":"1","source":"","type":"t"}', 'The event has no text in source'],
    ['an older version', '{"specversion":"0.3","id":"1","source":"s","type":"t"}', 'The event is not of specversion 1.0'],
    [
      'a name that is not allowed',
      '{"specversion":"1.0","id":"1","source":"s","type":"t","aB":1}',
      'The attribute "aB" is not of lower-case',
    ],
    [
      'an object as attribute',
      '{"specversion":"1.0","id":"1","source":"s","type":"t","a":{}}',
      'The attribute a is no text, boolean or whole',
    ],
    [
      'a wide number',
      '{"specversion":"1.0","id":"1","source":"s","type":"t","a":2147483648}',
      'The attribute a is no text, boolean or whole',
    ],
    ['a number as subject', '{"specversion":"1.0","id":"1","source":"s","type":"t","subject":1}', 'The attribute subject is no text'],
    ['two forms of data', '{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":""}', 'both data and data_base64'],
    [
      'data that is no base64',
      '{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"a"}',
      'data_base64 is no text in base64',
    ],
  ])('refuses %s', (_what, text, reason) => {
    expect(() => read(text)).toThrow(reason);
  });

  it('refuses data that its content type cannot hold, headers, and settings by name', () => {
    expect(() => write({ a: 1 }, undefined, { datacontenttype: 'text/plain' })).toThrow('The data is neither text nor bytes, as');
    expect(() => cloudEventsConverter({}, 'header')).toThrow('CloudEventsConverter converts keys and values; an event is no header.');
    expect(() => cloudEventsConverter({ 'serializer.type': 'avro' }, 'value')).toThrow('serializer.type');
    expect(() => cloudEventsConverter({ 'data.serializer.type': 'avro' }, 'value')).toThrow('data.serializer.type');
    expect(() => cloudEventsConverter({ dataschema: 'no uri' }, 'value')).toThrow('dataschema');
  });
});
