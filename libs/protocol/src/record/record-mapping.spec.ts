import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConnectError, MAX_VALUE_BYTES, type MessageHeader, type RocketMqAttributes } from '@sluice/sdk';
import * as fc from 'fast-check';
import { MessageAttributes } from './message-attributes.js';
import { propertyText } from './property-block.js';
import { MAX_PROPERTIES_BYTES } from './record-limits.js';
import {
  type ConvertedRecord,
  type DecodedRecord,
  type MessageParts,
  messageToRecord,
  type OutgoingParts,
  recordToMessage,
} from './record-mapping.js';
import { isReservedProperty } from './reserved-properties.js';
import { scanStamp } from './source-stamp.js';

type GoldenBytes = { readonly text: string } | { readonly hex: string } | null;
interface GoldenRecord {
  readonly value: GoldenBytes;
  readonly key?: GoldenBytes;
  readonly headers?: readonly { readonly key: string; readonly value: string | { readonly hex: string } | null }[];
  readonly timestamp?: number;
  readonly rocketmq?: RocketMqAttributes;
}
interface GoldenCase {
  readonly title: string;
  readonly record: GoldenRecord;
  readonly stamp?: string;
  readonly body: string;
  readonly properties: string;
}

const golden = JSON.parse(readFileSync(new URL('./record-mapping.golden.json', import.meta.url), 'utf8')) as readonly GoldenCase[];
const origin = { topic: 't', partition: { filename: 'a' }, position: { position: 7 } };

const bytesOf = (bytes: GoldenBytes): Buffer | null =>
  bytes === null ? null : 'text' in bytes ? Buffer.from(bytes.text) : Buffer.from(bytes.hex, 'hex');

function recordOf({ value, key, headers, timestamp }: GoldenRecord): ConvertedRecord {
  return {
    value: bytesOf(value),
    key: key === undefined ? undefined : bytesOf(key),
    headers: (headers ?? []).map((header) => ({
      key: header.key,
      value: typeof header.value === 'object' ? bytesOf(header.value) : header.value,
    })),
    timestamp,
  };
}

const thrownBy = (record: ConvertedRecord): unknown => {
  try {
    return recordToMessage(record, origin);
  } catch (error) {
    return error;
  }
};

/** As a reader gets what was sent. */
const stored = ({ body, properties }: OutgoingParts): MessageParts => ({ body, properties: Buffer.from(properties, 'utf8') });

/** A record as it is read, its key as bytes. */
function readRecord(message: MessageParts): DecodedRecord {
  const { key, ...rest } = messageToRecord(message);
  return { ...rest, key: typeof key === 'string' ? Buffer.from(key, 'utf8') : key };
}

function propertyBlock(entries: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(entries.map(([name, value]) => propertyText(name, value)).join(''));
}

describe('recordToMessage and messageToRecord', () => {
  it('keeps a stamp of any characters, also beside nothing else', () => {
    const stamp = 'a.b.c.1.2.{"file":"für 日本"}';
    for (const more of [{}, { key: 'k' }]) {
      const { properties } = stored(recordToMessage({ value: Buffer.from('v'), ...more }, origin, stamp));
      expect(scanStamp(properties)).toBe(stamp);
    }
  });

  it.each(golden)('has kept its bytes: $title', ({ record, stamp, body, properties }) => {
    const { rocketmq } = record;
    const message = stored(recordToMessage({ ...recordOf(record), rocketmq }, origin, stamp));
    expect({ body: message.body.toString('hex'), properties: message.properties.toString('hex') }).toEqual({
      body,
      properties: Buffer.from(properties, 'utf8').toString('hex'),
    });
    expect(readRecord(message)).toEqual(recordOf(record));
    const { tag, keys, shardingKey } = new MessageAttributes(message.properties, 0);
    expect({ tag, shardingKey }).toEqual({ tag: rocketmq?.tag, shardingKey: rocketmq?.shardingKey });
    if (rocketmq?.keys !== undefined) expect(keys).toEqual(rocketmq.keys);
  });

  it('passes a plain value on without copying it', () => {
    const value = Buffer.from('line');
    const { body, properties } = recordToMessage({ value }, origin);
    expect(body).toBe(value);
    expect(properties).toHaveLength(0);
    expect(messageToRecord(stored({ body, properties })).value).toBe(value);
  });

  it('gives any record back as it was, also after a broker changed the order of properties', () => {
    const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constant('~x'));
    const key = fc.oneof(text, fc.constantFrom('KEYS', 'TTL', 'sluice-null', 'sluice-h.t.x', 'connect-ext-a', 'a,b', ''));
    const header: fc.Arbitrary<MessageHeader> = fc.record({ key, value: fc.oneof(text, bytes, fc.constant(null)) });
    const record = fc.record({
      key: fc.oneof(
        bytes,
        text.map((value) => Buffer.from(value)),
        fc.constant(null),
        fc.constant(undefined),
      ),
      value: fc.oneof(bytes, fc.constant(null)),
      headers: fc.array(header, { maxLength: 6 }),
      timestamp: fc.option(fc.maxSafeInteger(), { nil: undefined }),
    });
    const word = fc.stringMatching(/^[\w.:-]{1,9}$/);
    const attributes = fc.option(
      fc.record({ tag: word, keys: fc.array(word, { maxLength: 3 }), shardingKey: word }, { requiredKeys: [] }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(record, attributes, fc.boolean(), (given, rocketmq, isReversed) => {
        const message = recordToMessage({ ...given, rocketmq }, origin, 'stamp');
        const pieces = message.properties.split('\u0002').slice(0, -1);
        const properties = Buffer.from((isReversed ? pieces.reverse() : pieces).join('\u0002'));
        expect(readRecord({ body: message.body, properties })).toEqual(given);
        const { tag, keys, shardingKey } = new MessageAttributes(properties, 0);
        expect({ tag, shardingKey }).toEqual({ tag: rocketmq?.tag, shardingKey: rocketmq?.shardingKey });
        if (rocketmq?.keys !== undefined) expect(keys).toEqual(rocketmq.keys);
        expect(new Set(pieces.map((piece) => piece.split('\u0001')[0])).size).toBe(pieces.length);
      }),
      { numRuns: 500 },
    );
  });

  it('never lets a header take the name of a property that brokers act on', () => {
    const names = ['KEYS', 'DELAY', 'UNIQ_KEY', 'TIMER_DELIVER_MS', '__SHARDINGKEY', '__RMQ.TRANSIENT.TOPIC_SYS_FLAG'];
    expect(names.every(isReservedProperty)).toBe(true);
    const headers = names.map((key) => ({ key, value: '1' }));
    const text = recordToMessage({ value: null, headers }, origin).properties;
    expect(text.split('\u0002').filter((piece) => isReservedProperty(piece.split('\u0001')[0] ?? ''))).toEqual([]);
  });

  it('reads messages of Apache RocketMQ Connect and of plain producers', () => {
    const properties = propertyBlock([
      ['UNIQ_KEY', '0A'],
      ['WAIT', 'true'],
      ['KEYS', 'k1'],
      ['TAGS', 'a'],
      ['connect-ext-source', 'jdbc'],
      ['connect.timestamp', '1700000000000'],
      ['own', 'x'],
    ]);
    expect(readRecord({ body: Buffer.from('v'), properties })).toEqual({
      key: Buffer.from('k1'),
      value: Buffer.from('v'),
      headers: [
        { key: 'source', value: 'jdbc' },
        { key: 'own', value: 'x' },
      ],
      timestamp: 1_700_000_000_000,
    });
    const attributes = new MessageAttributes(properties, 5);
    expect([attributes.tag, attributes.keys, attributes.shardingKey, attributes.bornAt]).toEqual(['a', ['k1'], undefined, 5]);
  });

  it.each([
    ['0', 0],
    ['-86400000', -86_400_000],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740992', undefined],
    ['-', undefined],
    ['1e3', undefined],
    ['1.0', undefined],
    [' 1', undefined],
    ['+1', undefined],
    ['١', undefined],
  ])('reads the timestamp %j as %j', (text, timestamp) => {
    const properties = propertyBlock([['sluice-ts', text]]);
    expect(readRecord({ body: Buffer.from('v'), properties }).timestamp).toBe(timestamp);
  });

  it('reads what a broker left of a delay, and nothing that is no number', () => {
    const read = (...entries: (readonly [string, string])[]): MessageAttributes => new MessageAttributes(propertyBlock(entries), 0);
    const { delayLevel, deliverAt } = read(['DELAY', '3'], ['TIMER_DELIVER_MS', '1700000000000']);
    expect([delayLevel, deliverAt]).toEqual([3, 1_700_000_000_000]);
    const wrong = read(['DELAY', 'x'], ['TIMER_DELIVER_MS', '-1'], ['KEYS', ' a  b ']);
    expect([wrong.delayLevel, wrong.deliverAt, wrong.keys, wrong.tag]).toEqual([undefined, undefined, ['a', 'b'], undefined]);
    expect(read().keys).toEqual([]);
  });

  it('names the record and the limit when the value is too large', () => {
    expect(recordToMessage({ value: Buffer.alloc(MAX_VALUE_BYTES) }, origin).body).toHaveLength(MAX_VALUE_BYTES);
    const error = thrownBy({ value: Buffer.alloc(MAX_VALUE_BYTES + 1) });
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({
      code: 'CONNECT_RECORD_TOO_LARGE',
      retriable: false,
      message:
        'The record for topic t from {"filename":"a"} before {"position":7} cannot be sent: ' +
        `its value has ${MAX_VALUE_BYTES + 1} bytes, at most ${MAX_VALUE_BYTES} fit into a message.`,
    });
  });

  it('names a record whose position has a bigint', () => {
    const [partition, position] = [{ id: 2n ** 60n }, { position: 7n }];
    const make = (): unknown => recordToMessage({ value: null, rocketmq: { tag: 'a|b' } }, { topic: 't', partition, position });
    expect(make).toThrow('The record for topic t from {"id":"1152921504606846976n"} before {"position":"7n"} cannot');
  });

  it('refuses headers that no broker would store', () => {
    const error = thrownBy({ value: null, headers: [{ key: 'a', value: 'x'.repeat(MAX_PROPERTIES_BYTES) }] });
    expect(error).toMatchObject({ code: 'CONNECT_RECORD_TOO_LARGE' });
  });

  it.each([
    ['a key of a header', { value: null, headers: [{ key: '\ud800', value: 'x' }] }, 'is not well-formed Unicode'],
    ['a tag', { value: null, rocketmq: { tag: 'a|b' } }, 'its tag is "a|b"'],
    ['a key with a space', { value: null, rocketmq: { keys: ['a', 'b c'] } }, 'one of its keys is "b c", a key has 1 to 255 characters'],
    ['an empty key', { value: null, rocketmq: { keys: [''] } }, 'one of its keys is ""'],
    ['a sharding key', { value: null, rocketmq: { shardingKey: 'a\n' } }, 'its sharding key is "a\\n", a sharding key is a text'],
    ['a delay level', { value: null, rocketmq: { delayLevel: 3 } }, 'its delayLevel is 3, a source cannot delay records: RocketMQ would'],
    ['a time of delivery', { value: null, rocketmq: { deliverAt: 5 } }, 'its deliverAt is 5, a source cannot delay records'],
    ['a born time', { value: null, rocketmq: { bornAt: 5 } }, "its bornAt is 5, RocketMQ's client sets it"],
    ['a timestamp', { value: null, timestamp: 1.5 }, 'its timestamp is 1.5'],
  ])('refuses %s that cannot be kept', (_what, record, reason) => {
    const error = thrownBy(record);
    expect(error).toMatchObject({ code: 'CONNECT_RECORD_INVALID' });
    expect((error as Error).message).toContain(reason);
  });
});
