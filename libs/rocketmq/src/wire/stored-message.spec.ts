import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecompressedTooLargeError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';
import { encodeProperties } from './property-codec.js';
import { decodeStoredMessages, StoredMessage } from './stored-message.js';
import { SYS_FLAG } from './sys-flag.js';

interface Parts {
  readonly magic: number;
  readonly sysFlag: number;
  readonly queueOffset: bigint;
  readonly body: Uint8Array;
  readonly topic: string;
  readonly properties: readonly (readonly [string, string])[];
}

const V1 = 0xda_a3_20_a7;
const V2 = 0xda_a3_20_ab;

/** The layout of MessageDecoder in RocketMQ 5.5, written field by field. */
function store(parts: Parts): Buffer {
  const chunks: Buffer[] = [];
  const int32 = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value | 0, 0);
    chunks.push(bytes);
  };
  const int64 = (value: bigint): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value, 0);
    chunks.push(bytes);
  };
  const int16 = (value: number): void => {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(value, 0);
    chunks.push(bytes);
  };
  const host = (isV6: boolean): void => {
    chunks.push(Buffer.alloc(isV6 ? 16 : 4, 127));
    int32(10_911);
  };
  const topic = Buffer.from(parts.topic);
  const properties = Buffer.from(encodeProperties(parts.properties));
  int32(parts.magic);
  int32(77);
  int32(3);
  int32(5);
  int64(parts.queueOffset);
  int64(1_234_567n);
  int32(parts.sysFlag);
  int64(1_700_000_000_001n);
  host((parts.sysFlag & SYS_FLAG.BORN_HOST_V6) !== 0);
  int64(1_700_000_000_002n);
  host((parts.sysFlag & SYS_FLAG.STORE_HOST_V6) !== 0);
  int32(2);
  int64(0n);
  int32(parts.body.length);
  chunks.push(Buffer.from(parts.body));
  if (parts.magic === V1) chunks.push(Buffer.from([topic.length]));
  else int16(topic.length);
  chunks.push(topic);
  int16(properties.length);
  chunks.push(properties);
  const rest = Buffer.concat(chunks);
  const size = Buffer.alloc(4);
  size.writeInt32BE(rest.length + 4, 0);
  return Buffer.concat([size, rest]);
}

const name = fc.stringMatching(/^[a-zA-Z_]{1,8}$/);
const parts: fc.Arbitrary<Parts> = fc.record({
  magic: fc.constantFrom(V1, V2),
  sysFlag: fc.nat(0x3f),
  queueOffset: fc.bigInt(0n, BigInt(Number.MAX_SAFE_INTEGER)),
  body: fc.uint8Array({ maxLength: 50 }),
  topic: fc.stringMatching(/^[a-zA-Z0-9_-]{1,127}$/),
  properties: fc.array(fc.tuple(name, name), { maxLength: 4 }),
});

function blank(bytes: number): Buffer {
  const padding = Buffer.alloc(bytes);
  padding.writeInt32BE(bytes, 0);
  padding.writeUInt32BE(0xcb_d4_31_94, 4);
  return padding;
}

describe('StoredMessage', () => {
  it('reads every field of both versions with IPv4 and IPv6 hosts', () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 5 }), (all) => {
        const messages = decodeStoredMessages(Buffer.concat(all.map(store)));
        expect(messages).toHaveLength(all.length);
        for (const [index, expected] of all.entries()) {
          const message = messages[index]!;
          expect(message.queueOffset).toBe(Number(expected.queueOffset));
          expect(message.sysFlag).toBe(expected.sysFlag);
          expect(message.body.equals(Buffer.from(expected.body))).toBe(true);
          expect(message.bodyBytes).toBe(expected.body.length);
          expect(message.topic).toBe(expected.topic);
          expect(message.properties()).toEqual(new Map(expected.properties));
          for (const [key, value] of new Map(expected.properties)) expect(message.property(key)).toBe(value);
          expect(message.rawProperties.toString()).toBe(encodeProperties(expected.properties));
          expect(message.propertiesBytes).toBe(message.rawProperties.length);
          expect(message).toMatchObject({
            bodyCrc: 77,
            queueId: 3,
            flag: 5,
            commitLogOffset: 1_234_567,
            bornTimestamp: 1_700_000_000_001,
            storeTimestamp: 1_700_000_000_002,
            reconsumeTimes: 2,
          });
        }
      }),
    );
  });

  const plain: Parts = {
    magic: V1,
    sysFlag: 0,
    queueOffset: 9n,
    body: Buffer.from('body'),
    topic: 't',
    properties: [
      ['KEYS', 'k1 k2'],
      ['TAGS', 'tag'],
    ],
  };

  it('names keys and tags and the kinds of body', () => {
    const bytes = Buffer.concat([
      store(plain),
      store({ ...plain, properties: [], sysFlag: SYS_FLAG.COMPRESSED }),
      store({ ...plain, sysFlag: SYS_FLAG.INNER_BATCH | SYS_FLAG.NEED_UNWRAP }),
      store({ ...plain, sysFlag: SYS_FLAG.INNER_BATCH }),
    ]);
    const [first, second, third, fourth] = decodeStoredMessages(bytes);
    expect(first).toMatchObject({ keys: 'k1 k2', tags: 'tag', isCompressed: false, isInnerBatch: false });
    expect(second).toMatchObject({ keys: undefined, tags: undefined, isCompressed: true });
    expect(third).toMatchObject({ isInnerBatch: true });
    expect(fourth).toMatchObject({ isInnerBatch: false });
    expect(fourth?.unwrapInnerBatch()).toEqual([]);
  });

  it('gives the body as a view', () => {
    const bytes = store(plain);
    const message = new StoredMessage(bytes, 0);
    bytes.write('B', bytes.indexOf('body'));
    expect(message.body.toString()).toBe('Body');
  });

  it('skips the padding between commit log files', () => {
    const bytes = Buffer.concat([store(plain), blank(8), blank(40), store({ ...plain, queueOffset: 10n })]);
    expect(decodeStoredMessages(bytes).map((message) => message.queueOffset)).toEqual([9, 10]);
  });

  it('gives the offsets of a static topic, which are ahead of the stored ones', () => {
    const bytes = Buffer.concat([store(plain), store({ ...plain, queueOffset: 10n })]);
    expect(decodeStoredMessages(bytes, 10_000).map((message) => message.queueOffset)).toEqual([10_009, 10_010]);
  });

  it('refuses offsets that a number cannot hold', () => {
    expect(() => new StoredMessage(store({ ...plain, queueOffset: 2n ** 53n }), 0)).toThrow(MalformedDataError);
    expect(() => new StoredMessage(store({ ...plain, queueOffset: -1n }), 0)).toThrow(MalformedDataError);
  });

  it('refuses every truncation of a pull answer', () => {
    const bytes = Buffer.concat([store(plain), store({ ...plain, magic: V2 })]);
    const first = store(plain).length;
    for (let end = 1; end < bytes.length; end += 1) {
      if (end === first) continue;
      expect(() => decodeStoredMessages(bytes.subarray(0, end))).toThrow(MalformedDataError);
    }
  });

  it('answers changed bytes with messages that stay inside the answer or a typed error', () => {
    const change = fc.tuple(fc.nat(300), fc.nat(255));
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 3 }), fc.array(change, { minLength: 1, maxLength: 8 }), (all, changes) => {
        const bytes = Buffer.concat(all.map(store));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        try {
          for (const message of decodeStoredMessages(bytes)) {
            expect(message.bodyBytes + message.rawProperties.length).toBeLessThan(bytes.length);
            message.property('KEYS');
            message.properties();
            expect(Number.isSafeInteger(message.queueOffset)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedDataError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('decompresses and unwraps any body within the limit or refuses it with a typed error', () => {
    const magic = fc.constantFrom('', '04224d18', '28b52ffd', '789c', '0000001700000000');
    const bodies = fc
      .tuple(magic, fc.uint8Array({ maxLength: 60 }))
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'hex'), rest]));
    fc.assert(
      fc.property(bodies, fc.nat(0x7_ff), (body, sysFlag) => {
        const message = new StoredMessage(store({ ...plain, body, sysFlag }), 0);
        for (const read of [
          () => message.decompressedBody(1_000).length,
          () => message.unwrapInnerBatch(1_000).reduce((sum, inner) => sum + inner.body.length, 0),
        ]) {
          try {
            expect(read()).toBeLessThanOrEqual(1_000);
          } catch (error) {
            if (error instanceof DecompressedTooLargeError || error instanceof UnsupportedCompressionError) continue;
            expect(error).toBeInstanceOf(MalformedDataError);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
