import { describe, expect, it } from '@jest/globals';
import type { ConnectValue, MessageHeader, RawConfig, Schema, ValueAndHeaders } from '@sluice/sdk';
import { SchemaBuilder, schemas } from '@sluice/sdk';
import { cloudEventsConverter } from './cloud-event-messages.js';

interface Written {
  readonly body: string | null;
  readonly headers: readonly MessageHeader[];
}

const BINARY = { 'content.mode': 'binary' };
const KAFKA = { ...BINARY, binding: 'kafka' };

function write(value: ConnectValue, schema?: Schema, settings: RawConfig = BINARY, headers: readonly MessageHeader[] = []): Written {
  const written = cloudEventsConverter(settings, 'value').toBytesAndHeaders?.(value, schema, 'orders', headers);
  const bytes = written?.bytes ?? null;
  return { body: bytes === null ? null : Buffer.from(bytes).toString('latin1'), headers: written?.headers ?? [] };
}

function read(body: string | null, headers: readonly MessageHeader[], settings: RawConfig = {}): ValueAndHeaders {
  const bytes = body === null ? null : Buffer.from(body, 'latin1');
  const result = cloudEventsConverter(settings, 'value').fromBytesAndHeaders?.(bytes, 'orders', headers);
  if (result === undefined) throw new Error('The converter reads no headers');
  return result;
}

function headersOf(texts: Readonly<Record<string, MessageHeader['value']>>): readonly MessageHeader[] {
  return Object.entries(texts).map(([key, value]) => ({ key, value }));
}

const event = { specversion: '1.0', id: '7', source: '/shop', type: 'made', time: '2026-01-02T03:04:05Z', subject: 'Größe', traceid: 5 };
const eventHeaders = headersOf({
  CE_specversion: '1.0',
  CE_id: '7',
  CE_source: '/shop',
  CE_type: 'made',
  CE_subject: 'Größe',
  CE_time: '2026-01-02T03:04:05Z',
  CE_traceid: '5',
});
const required = { CE_specversion: '1.0', CE_id: '7', CE_source: '/shop', CE_type: 'made' };
const kafkaRequired = { ce_specversion: '1.0', ce_id: '7', ce_source: '/shop', ce_type: 'made' };
const core = { specversion: '1.0', id: '7', source: '/shop', type: 'made' };

describe('events in the binary mode', () => {
  it('have their attributes in headers behind those of the record, and their data as the value', () => {
    const own = headersOf({ shop: 'berlin', bytes: Buffer.of(1) });
    expect(write({ ...event, datacontenttype: 'application/json', data: { n: 2n ** 60n } }, undefined, BINARY, own)).toEqual({
      body: '{"n":1152921504606846976}',
      headers: [...own, ...eventHeaders.slice(0, 4), { key: 'CE_contenttype', value: 'application/json' }, ...eventHeaders.slice(4)],
    });
    const { headers } = write({ ...event, datacontenttype: 'text/plain', data: 'x' }, undefined, KAFKA);
    expect(headers.map(({ key }) => key)).toEqual([
      'ce_specversion',
      'ce_id',
      'ce_source',
      'ce_type',
      'content-type',
      'ce_subject',
      'ce_time',
      'ce_traceid',
    ]);
  });

  it('are made of values that are none', () => {
    const { body, headers } = write('say "hi"', schemas.string);
    expect(body).toBe('"say \\"hi\\""');
    expect(headers).toEqual(
      headersOf({
        ...required,
        CE_id: expect.any(String) as never,
        CE_source: '/topics/orders',
        CE_type: 'sluice.record',
        CE_contenttype: 'application/json',
      }),
    );
    const settings = { ...BINARY, datacontenttype: 'text/plain', type: 't', source: 's', dataschema: 'urn:x:1' };
    expect(write(Buffer.from('Größe'), schemas.string, settings)).toMatchObject({ body: Buffer.from('Größe').toString('latin1') });
    expect(write(Buffer.of(0, 255), schemas.bytes)).toMatchObject({ body: '\u0000\u00ff' });
    expect(write(null, schemas.string, BINARY, [...eventHeaders, { key: 'a', value: 'b' }])).toEqual({
      body: null,
      headers: [{ key: 'a', value: 'b' }],
    });
  });

  it.each([
    ['JSON', { ...core, datacontenttype: 'application/json', data: { n: 9_007_199_254_740_993n, list: [null] } }],
    ['text', { ...core, datacontenttype: 'text/plain; charset="UTF-8"', data: 'Größe' }],
    ['an empty text', { ...core, datacontenttype: 'text/plain', data: '' }],
    ['XML', { ...core, datacontenttype: 'application/atom+xml', data: '<a/>' }],
    ['bytes', { ...core, datacontenttype: 'application/octet-stream', data: Buffer.of(0, 255) }],
    ['bytes without a content type', { ...core, data: Buffer.of(0, 1) }],
    ['no data', { ...core, datacontenttype: 'application/json' }],
  ])('come back with %s, in both bindings', (_what, value) => {
    for (const settings of [BINARY, KAFKA]) {
      const own = headersOf({ shop: 'berlin' });
      const { body, headers } = write(value, undefined, settings, own);
      expect(read(body, headers)).toEqual({ value, headers: own });
    }
  });

  it('come back with texts in the place of numbers and booleans, and a content type that the format implied', () => {
    const { body, headers } = write({ ...core, data: [1], count: 5, flag: true, none: null });
    expect(read(body, headers).value).toEqual({ ...core, datacontenttype: 'application/json', data: [1], count: '5', flag: 'true' });
    expect(read(null, write({ ...core, data: null }).headers).value).toEqual(core);
  });

  it('come back with the schema of their data on demand', () => {
    const schema = SchemaBuilder.struct('N').field('n', schemas.int64).build();
    const settings = { ...BINARY, 'json.schemas.enable': 'true', type: 'made', source: '/shop' };
    const { body, headers } = write({ n: 1n }, schema, settings);
    const found = read(body, headers, settings);
    expect(found.value).toMatchObject({ type: 'made', data: { n: 1n } });
    expect(found.schema?.fields?.at(-1)).toEqual({ name: 'data', schema });
    expect(write(found.value, found.schema, settings)).toEqual({ body, headers });
  });

  it('take the place of all that headers said about an event before', () => {
    const stale = headersOf({ ...kafkaRequired, ...required, CE_traceid: 'old', 'content-type': 'text/html', a: 'b' });
    expect(write(core, undefined, BINARY, stale).headers).toEqual(headersOf({ 'content-type': 'text/html', a: 'b', ...required }));
    expect(write(core, undefined, KAFKA, stale).headers).toEqual(headersOf({ a: 'b', ...kafkaRequired }));
    // The header that is left says nothing about it.
    expect(read(null, write(core, undefined, BINARY, headersOf({ 'content-type': 'application/cloudevents+json' })).headers)).toMatchObject(
      {
        value: core,
      },
    );
  });

  it('are refused where headers cannot hold them, by name', () => {
    const refused: readonly [ConnectValue, string][] = [
      [{ ...core, subject: 'a\nb' }, 'The attribute subject has a control character'],
      [{ ...core, subject: 'a\ud800' }, 'The attribute subject has a control character, or another'],
      [{ ...core, subject: '\ufdd0' }, 'The attribute subject has a control character, or another'],
      [{ ...core, ext: '' }, 'The attribute ext is an empty text, which no header can hold'],
      [{ ...core, 'my-ext': 'x' }, 'The attribute "my-ext" is not of lower-case letters and digits alone'],
      [{ ...core, contenttype: 'x' }, 'The extension contenttype has the name that headers have for datacontenttype'],
      [{ ...core, datacontenttype: 'text/plain', data: { a: 1 } }, 'The data is neither text nor bytes, as the datacontenttype text/plain'],
      [{ ...core, datacontenttype: 'text/plain; charset=latin1', data: 'x' }, 'written in UTF-8; the datacontenttype says latin1'],
      [{ ...core, datacontenttype: 'text/plain', data: '\ud800' }, 'half a surrogate pair'],
      [{ ...core, data: Buffer.of(0) }, 'one byte of 0, which means no data with binding=rocketmq'],
    ];
    for (const [value, reason] of refused) expect(() => write(value)).toThrow(reason);
    expect(write({ ...core, data: Buffer.of(0) }, undefined, KAFKA).body).toBe('\u0000');
  });
});

describe('messages of other writers', () => {
  it.each([
    ['RocketMQ', { ...required, CE_contenttype: 'application/json' }, '{"a":1}'],
    ['the draft of its binding', { ...required, CE_contentType: 'application/json' }, '{"a":1}'],
    ['RocketMQ with the name of the attribute', { ...required, CE_datacontenttype: 'application/json' }, '{"a":1}'],
    ['Kafka', { ...kafkaRequired, 'content-type': 'application/json' }, '{"a":1}'],
    ['Kafka with another case', { ...kafkaRequired, 'Content-Type': 'application/json' }, '{"a":1}'],
    [
      'Kafka with the content type twice',
      { ce_datacontenttype: 'text/plain', ...kafkaRequired, 'content-type': 'application/json' },
      '{"a":1}',
    ],
    [
      'Kafka with bytes',
      Object.fromEntries(
        Object.entries({ ...kafkaRequired, 'content-type': 'application/json' }).map(([key, text]) => [key, Buffer.from(text)]),
      ),
      '{"a":1}',
    ],
  ])('are read from %s', (_who, headers, body) => {
    for (const settings of [BINARY, KAFKA, {}]) {
      expect(read(body, headersOf({ ...headers, own: 'x', none: null }), settings)).toEqual({
        value: { ...core, datacontenttype: 'application/json', data: { a: 1 } },
        headers: headersOf({ own: 'x', none: null }),
      });
    }
  });

  it('are structured where the content type says so, or no header says anything', () => {
    const text = JSON.stringify({ ...core, data: 1 });
    for (const [key, headers] of [
      ['CE_contenttype', required],
      ['content-type', kafkaRequired],
    ] as const) {
      const all = headersOf({ ...headers, [key]: 'application/cloudevents+json; charset=UTF-8', own: 'x' });
      expect(read(text, all, BINARY)).toEqual({ value: { ...core, data: 1 }, headers: headersOf({ own: 'x' }) });
    }
    expect(read(text, headersOf({ 'content-type': 'application/json' }), BINARY)).toEqual({
      value: { ...core, data: 1 },
      headers: headersOf({ 'content-type': 'application/json' }),
    });
    expect(read(null, [], BINARY)).toEqual({ value: null, headers: [] });
    expect(write(core, undefined, {}, headersOf({ a: 'b', CE_id: 'old' })).headers).toEqual(
      headersOf({ a: 'b', CE_contenttype: 'application/cloudevents+json; charset=UTF-8' }),
    );
  });

  it('have no data where the body is one byte of 0, as the sdk of CloudEvents for RocketMQ writes it', () => {
    expect(read('\u0000', headersOf(required)).value).toEqual(core);
    expect(read('', headersOf({ ...required, CE_contenttype: 'application/json' })).value).toEqual({
      ...core,
      datacontenttype: 'application/json',
    });
    expect(read('\u0000', headersOf(kafkaRequired)).value).toEqual({ ...core, data: Buffer.of(0) });
    expect(read('\u00fc', headersOf({ ...required, CE_contenttype: 'text/plain; charset=latin1' })).value).toMatchObject({
      data: Buffer.of(0xfc),
    });
  });

  it.each([
    ['an attribute that is missing', { CE_specversion: '1.0', CE_id: '7', CE_source: '/shop' }, 'The event has no text in type'],
    ['a null', { ...required, CE_id: null }, 'The event has no text in id'],
    ['an older version', { ...required, CE_specversion: '0.3' }, 'The event is not of specversion 1.0'],
    ['a name that is not allowed', { ...required, CE_aB: 'x' }, 'The attribute "aB" is not of lower-case letters'],
    ['bytes that are no text', { ...required, CE_id: Buffer.of(0xff) }, 'The header of the attribute "id" is no text in UTF-8'],
    ['another format', { CE_contenttype: 'application/cloudevents+avro' }, 'The event is of application/cloudevents+avro; application/cl'],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, 'The event is of application/cloudevents-batch+json'],
    ['JSON that is none', { ...required, CE_contenttype: 'application/json' }, 'The bytes are not JSON'],
    ['text that is none', { ...required, CE_contenttype: 'text/plain' }, 'The data is no text in UTF-8, as the datacontenttype text/plain'],
  ])('are refused with %s', (_what, headers, reason) => {
    expect(() => read('\u00ff{', headersOf(headers))).toThrow(`CloudEventsConverter: `);
    expect(() => read(reason.includes('JSON') && reason.includes('bytes') ? '{' : '\u00ff', headersOf(headers))).toThrow(reason);
  });

  it('are refused where an attribute is there twice with different values', () => {
    const twice = [...headersOf(required), { key: 'CE_id', value: '8' }];
    expect(() => read(null, twice)).toThrow('The headers have the attribute id twice, with different values');
    expect(read(null, [...headersOf(required), { key: 'CE_id', value: '7' }]).value).toEqual(core);
  });
});

it('leaves keys in the structured mode', () => {
  const key = cloudEventsConverter({}, 'key');
  expect('toBytesAndHeaders' in key || 'fromBytesAndHeaders' in key).toBe(false);
});

describe('an event whose data is in base64', () => {
  const event = { specversion: '1.0', id: '7', source: '/shop', type: 'made' };

  it.each(['structured', 'binary'])('keeps its data in the %s mode', (mode) => {
    const converter = cloudEventsConverter({ 'content.mode': mode }, 'value');
    const written = converter.toBytesAndHeaders?.({ ...event, data_base64: 'AAEC' }, undefined, 'orders', []);
    const read = converter.fromBytesAndHeaders?.(Buffer.from(written?.bytes ?? []), 'orders', written?.headers ?? []);
    expect(read?.value).toEqual({ ...event, data: Buffer.from([0, 1, 2]) });
  });

  it.each(['CE_data', 'CE_data_base64'])('is refused where a header %s has it', (key) => {
    const headers = [...Object.entries(event).map(([name, value]) => ({ key: `CE_${name}`, value })), { key, value: 'AAEC' }];
    const converter = cloudEventsConverter({}, 'value');
    expect(() => converter.fromBytesAndHeaders?.(Buffer.from('{}'), 'orders', headers)).toThrow(
      `The header ${key} stands for data, which only the body holds`,
    );
  });
});
