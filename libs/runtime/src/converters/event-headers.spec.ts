import { describe, expect, it } from '@jest/globals';
import { type ConnectRecord, ConnectErrorCode, type RawConfig, type SinkRecord } from '@sluice/sdk';
import { PartFailure } from './part-failure.js';
import { createConverters } from './create-converters.js';
import { ConvertingDecoder } from '../sink/record-decoder.js';
import { ConvertingEncoder } from '../source/record-encoder.js';
import { FakeQueue } from '../testing/fake-cluster.js';

const EVENTS = { 'value.converter': 'CloudEvents', 'value.converter.content.mode': 'binary' };
const event = { specversion: '1.0', id: '7', source: '/shop', type: 'made', datacontenttype: 'application/json', data: { n: 1 } };

function encode(record: Omit<ConnectRecord, 'topic'>, config: RawConfig): { readonly body: Buffer; readonly properties: string } {
  return new ConvertingEncoder(createConverters(config)).encode({ topic: 't', ...record }, 'stamp');
}

function pass(record: Omit<ConnectRecord, 'topic'>, config: RawConfig): SinkRecord {
  const queue = new FakeQueue({ topic: 't', brokerName: 'b', queueId: 0 });
  queue.append([encode(record, config)], 1);
  return new ConvertingDecoder(createConverters(config)).decode(queue.ref, queue.messages[0]!);
}

describe('events in the binary mode', () => {
  it('are messages whose properties hold their attributes', () => {
    const { body, properties } = encode({ value: event }, EVENTS);
    expect(body.toString()).toBe('{"n":1}');
    for (const property of ['CE_specversion\u00011.0', 'CE_id\u00017', 'CE_source\u0001/shop', 'CE_contenttype\u0001application/json'])
      expect(properties.split('\u0002')).toContain(property);
    expect(encode({ value: event, headers: [] }, { ...EVENTS, 'value.converter.binding': 'kafka' }).properties).toContain(
      'ce_id\u00017\u0002',
    );
  });

  it('leave the headers of the record to the converter of headers, in both directions', () => {
    const headers = [{ key: 'count', value: 5 }];
    // Attributes are texts, which are no JSON: that converter must not see them.
    const record = pass({ key: 'k', value: event, headers }, { ...EVENTS, 'header.converter': 'JsonConverter' });
    expect(record).toMatchObject({ key: 'k', value: event, headers });
    expect(pass({ value: event }, EVENTS).headers).toBeUndefined();
    expect(pass({ value: null, headers }, { ...EVENTS, 'header.converter': 'JsonConverter' })).toMatchObject({ value: null, headers });
  });

  it('are refused where the properties of a message cannot hold them', () => {
    const tooLong = { ...event, subject: 'x'.repeat(32_000) };
    expect(() => encode({ value: tooLong }, EVENTS)).toThrow(expect.objectContaining({ code: ConnectErrorCode.recordTooLarge }));
    expect(() => encode({ value: tooLong }, EVENTS)).toThrow(/its key and headers take 32\d{3} bytes as properties, at most 32000 fit/);
    expect(() => encode({ value: { ...event, subject: '\n' } }, EVENTS)).toThrow(PartFailure);
    expect(() =>
      pass({ value: 'x', headers: [{ key: 'CE_specversion', value: '9' }] }, { 'value.converter': 'StringConverter' }),
    ).not.toThrow();
    const decoder = new ConvertingDecoder(createConverters(EVENTS));
    const rawProperties = Buffer.from('CE_specversion\u00019\u0002');
    const propertiesBytes = rawProperties.length;
    const message = { body: Buffer.of(1), bodyBytes: 1, propertiesBytes, queueOffset: 0, bornTimestamp: 1, storeTimestamp: 1 };
    expect(() => decoder.decode({ topic: 't', brokerName: 'b', queueId: 0 }, { ...message, rawProperties })).toThrow(PartFailure);
  });

  it('are for values alone', () => {
    const config = { 'key.converter': 'CloudEvents', 'key.converter.content.mode': 'binary' };
    expect(() => createConverters(config)).toThrow('key.converter: content.mode=binary has the attributes in headers');
    expect(() => createConverters({ 'header.converter': 'CloudEvents' })).toThrow('an event is no header');
    expect(() => createConverters({ ...EVENTS, 'value.converter.binding': 'http' })).toThrow('value.converter.binding');
  });
});
