import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecompressedTooLargeError, MalformedDataError } from '../errors.js';
import { BatchEncoder } from './batch-encoder.js';
import { decodeInnerBatch } from './inner-batch.js';
import { StoredMessage } from './stored-message.js';

const golden = JSON.parse(readFileSync(new URL('./wire-bytes.golden.json', import.meta.url), 'utf8')) as {
  readonly innerBatch: string;
};
const stored = Buffer.from(golden.innerBatch, 'hex');
const AT_SYS_FLAG = 36;
const AT_BODY_LENGTH = 84;

/** The golden message with another body and further bits in its flag. */
function withBody(body: Buffer, bits: number): StoredMessage {
  const before = stored.subarray(0, AT_BODY_LENGTH + 4);
  const oldLength = stored.readInt32BE(AT_BODY_LENGTH);
  const bytes = Buffer.concat([before, body, stored.subarray(AT_BODY_LENGTH + 4 + oldLength)]);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(stored.readInt32BE(AT_SYS_FLAG) | bits, AT_SYS_FLAG);
  bytes.writeInt32BE(body.length, AT_BODY_LENGTH);
  return new StoredMessage(bytes, 0);
}

function outerOf(innerNum: string | undefined): Parameters<typeof decodeInnerBatch>[0] {
  return { topic: 't', queueId: 1, queueOffset: 50, bornTimestamp: 1, storeTimestamp: 2, property: () => innerNum };
}

describe('inner batches', () => {
  it('of RocketMQ are unwrapped into messages with offsets of their own', () => {
    const outer = new StoredMessage(stored, 0);
    expect(outer.isInnerBatch).toBe(true);
    const messages = outer.unwrapInnerBatch();
    expect(messages).toHaveLength(3);
    for (const [index, message] of messages.entries()) {
      expect(message).toMatchObject({
        topic: 'inner',
        queueId: 2,
        queueOffset: 100 + index,
        flag: index * 10,
        bornTimestamp: 1_700_000_000_001,
        storeTimestamp: 1_700_000_000_002,
      });
      expect(message.body.toString()).toBe(`body ${index}`);
      expect(message.property('KEYS')).toBe(`key${index}`);
      expect(message.properties()).toEqual(
        new Map([
          ['KEYS', `key${index}`],
          ['WAIT', 'true'],
          ['TAGS', `tag${index}`],
        ]),
      );
    }
  });

  it('are decompressed first', () => {
    const outer = withBody(deflateSync(new StoredMessage(stored, 0).body), 0x301);
    expect(outer.unwrapInnerBatch().map((message) => message.body.toString())).toEqual(['body 0', 'body 1', 'body 2']);
    expect(() => outer.unwrapInnerBatch(100)).toThrow(DecompressedTooLargeError);
  });

  it('with another number of messages than the broker counted are refused', () => {
    const two = stored.subarray(AT_BODY_LENGTH + 4, AT_BODY_LENGTH + 4 + 2 * 0x3a);
    expect(() => withBody(two, 0).unwrapInnerBatch()).toThrow(MalformedDataError);
    expect(() => withBody(two, 0).unwrapInnerBatch()).toThrow('2 messages, the broker counted 3');
  });

  it('hold what the batch encoder wrote', () => {
    const message = fc.tuple(
      fc.uint8Array({ maxLength: 40 }),
      fc.stringMatching(/^[a-z]{1,6}$/).map((value) => `name\u0001${value}`),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), (all) => {
        const encoder = new BatchEncoder();
        for (const [body, properties] of all) encoder.add(body, properties);
        const messages = decodeInnerBatch(outerOf(String(all.length)), encoder.finish().bytes);
        expect(messages.map(({ queueOffset }) => queueOffset)).toEqual(all.map((_, index) => 50 + index));
        expect(messages.map(({ body }) => body.toString('hex'))).toEqual(all.map(([body]) => Buffer.from(body).toString('hex')));
        expect(messages.map(({ rawProperties }) => rawProperties.toString())).toEqual(all.map(([, text]) => text));
        for (const { rawProperties, propertiesBytes } of messages) expect(propertiesBytes).toBe(rawProperties.length);
      }),
    );
  });

  it('of changed, cut or random bytes are messages inside of them or a typed error', () => {
    const { body } = new StoredMessage(stored, 0);
    const changed = fc
      .tuple(fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(body.length))
      .map(([changes, end]) => {
        const bytes = Buffer.from(body);
        for (const [at, value] of changes) bytes[at] = value;
        return end % 4 === 0 ? bytes.subarray(0, end) : bytes;
      });
    const random = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(changed, random), (bytes) => {
        try {
          const messages = decodeInnerBatch(outerOf(undefined), bytes);
          const held = messages.reduce((sum, { body: part, rawProperties }) => sum + part.length + rawProperties.length, 0);
          expect(held).toBeLessThanOrEqual(bytes.length);
          for (const message of messages) message.properties();
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedDataError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
