import { describe, expect, it } from '@jest/globals';
import { StringConverter } from '@sluice/converters';
import { type ConnectValue, type Converter, Decimal, type RecordHeader, SchemaBuilder, schemas } from '@sluice/sdk';
import fc from 'fast-check';
import { createConverters } from './converters/create-converters.js';
import { ConvertingDecoder } from './sink/record-decoder.js';
import { ConvertingEncoder } from './source/record-encoder.js';
import { FakeQueue } from './testing/fake-cluster.js';

const queue = { topic: 't', brokerName: 'b', queueId: 0 };

/** The headers that a sink gets of a record which a source gave with these headers. */
function passHeaders(headers: readonly RecordHeader[], headerConverter: Readonly<Record<string, string>>): readonly RecordHeader[] {
  const converters = createConverters(headerConverter, undefined);
  const record = { topic: 't', value: 'v', headers, partition: {}, position: { position: 1 } };
  const stored = new FakeQueue(queue);
  stored.append([new ConvertingEncoder(converters).encode(record, 'stamp')], 1);
  return new ConvertingDecoder(converters).decode(queue, stored.messages[0]!).headers ?? [];
}

const json = { 'header.converter': 'JsonConverter' };
const plainJson = { ...json, 'header.converter.schemas.enable': 'false' };
/** Two keys only: most records have headers with equal names. */
const key = fc.constantFrom('a', 'b');
const text = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array({ maxLength: 8 }).map((array) => Buffer.from(array));

function headersOf(value: fc.Arbitrary<ConnectValue>): fc.Arbitrary<readonly RecordHeader[]> {
  return fc.array(fc.record({ key, value }), { maxLength: 6 });
}

describe('headers from a source to a sink', () => {
  it('keep their order, equal names and values as texts, bytes and nulls', () => {
    fc.assert(
      fc.property(headersOf(fc.oneof(text, bytes, fc.constant(null))), (headers) => {
        const passed = passHeaders(headers, {}).map(({ key: name, value }) => ({ key: name, value }));
        expect(passed).toEqual(headers);
      }),
    );
  });

  it.each([
    ['with schemas', json],
    ['without', plainJson],
  ])('keep them through JsonConverter %s, texts that look like JSON too', (_, settings) => {
    const number = fc.oneof(fc.maxSafeInteger(), fc.boolean(), fc.constant(2n ** 70n));
    const value = fc.oneof(text, fc.constantFrom('1', 'null', '{}'), bytes, fc.constant(null), number, fc.array(number));
    fc.assert(
      fc.property(headersOf(value), (headers) => {
        expect(passHeaders(headers, settings)).toEqual(headers);
      }),
    );
  });

  it('keep the types of values with schemas', () => {
    const headers: readonly RecordHeader[] = [
      { key: 'a', value: 7n, schema: schemas.int64 },
      { key: 'a', value: new Date(5), schema: schemas.timestamp },
      { key: 'b', value: Decimal.parse('1.50'), schema: SchemaBuilder.decimal(2).build() },
      { key: 'a', value: 'x', schema: schemas.string },
    ];
    expect(passHeaders(headers, json)).toEqual(headers);
  });

  it('are refused, like keys, where a text holds half a surrogate pair', () => {
    const converters = createConverters({}, undefined);
    const encoder = new ConvertingEncoder({ ...converters, key: new StringConverter() });
    const half = 'a\ud800b';
    expect(() => encoder.encode({ topic: 't', value: null, key: half }, 'stamp')).toThrow('UTF-8 cannot hold');
    expect(() => encoder.encode({ topic: 't', value: null, headers: [{ key: 'h', value: half }] }, 'stamp')).toThrow('UTF-8 cannot hold');
  });

  it('are refused where the converter makes no text of them', () => {
    const binary: Converter = { toBytes: () => Buffer.from([0xff]), fromBytes: () => ({ value: null }) };
    const strings = new StringConverter();
    const encoder = new ConvertingEncoder({ key: strings, value: strings, header: binary });
    const record = { topic: 't', value: 'v', headers: [{ key: 'a', value: 1 }], partition: {}, position: {} };
    expect(() => encoder.encode(record, 'stamp')).toThrow('Header "a": the header converter made bytes that are no UTF-8');
  });
});
