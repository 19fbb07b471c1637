import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { DecompressedTooLargeError, MalformedDataError } from '../errors.js';
import { BatchEncoder } from '../wire/batch-encoder.js';
import { decodeStoredMessages, type StoredMessage } from '../wire/stored-message.js';
import { SYS_FLAG } from '../wire/sys-flag.js';
import { logicalMessages, MessageUnreadableError } from './logical-messages.js';

const ZLIB = SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB;
const INNER_BATCH = SYS_FLAG.NEED_UNWRAP | SYS_FLAG.INNER_BATCH;

function stored(offset: number, body: Buffer, sysFlag = 0, properties = 'TAGS\u0001x'): StoredMessage {
  const topic = Buffer.from('t');
  const bytes = Buffer.alloc(91 + body.length + topic.length + properties.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(0xda_a3_20_a7, 4);
  bytes.writeInt32BE(3, 12);
  bytes.writeBigInt64BE(BigInt(offset), 20);
  bytes.writeInt32BE(sysFlag, 36);
  bytes.writeBigInt64BE(1_700n, 40);
  bytes.writeBigInt64BE(1_800n, 56);
  bytes.writeInt32BE(body.length, 84);
  body.copy(bytes, 88);
  const topicAt = 88 + body.length;
  bytes.writeUInt8(topic.length, topicAt);
  topic.copy(bytes, topicAt + 1);
  bytes.writeUInt16BE(properties.length, topicAt + 1 + topic.length);
  bytes.write(properties, topicAt + 3 + topic.length, 'latin1');
  return decodeStoredMessages(bytes)[0]!;
}

function innerBatch(offset: number, bodies: readonly string[]): StoredMessage {
  const encoder = new BatchEncoder();
  for (const body of bodies) encoder.add(Buffer.from(body), '');
  const { bytes } = encoder.finish();
  return stored(offset, bytes, INNER_BATCH, `INNER_NUM\u0001${bodies.length}`);
}

describe('logical messages', () => {
  it('are the stored ones, in the same list, where all are plain', () => {
    const list = [stored(5, Buffer.from('a')), stored(6, Buffer.from('b'))];
    expect(logicalMessages(list, 5)).toBe(list);
  });

  it('are decompressed, with all else of the stored one', () => {
    const text = Buffer.alloc(5_000, 'text ');
    const plain = stored(5, Buffer.from('a'));
    const [first, second] = logicalMessages([plain, stored(6, deflateSync(text), ZLIB)], 5);
    expect(first).toBe(plain);
    expect(second).toMatchObject({
      topic: 't',
      queueId: 3,
      queueOffset: 6,
      bornTimestamp: 1_700,
      storeTimestamp: 1_800,
    });
    expect(second!.bodyBytes).toBe(5_000);
    expect(second!.body.equals(text)).toBe(true);
    expect(second!.body).toBe(second!.body);
    expect(second!.property('TAGS')).toBe('x');
    expect([...second!.properties()]).toEqual([['TAGS', 'x']]);
    expect(second!.rawProperties.toString('latin1')).toBe('TAGS\u0001x');
  });

  it('begin inside an inner batch where the wanted offset is inside', () => {
    const list = [innerBatch(10, ['a', 'b', 'c']), stored(13, Buffer.from('d'))];
    const from = (offset: number): string[] =>
      logicalMessages(list, offset).map((message) => `${message.queueOffset} ${message.body.toString()}`);
    expect(from(10)).toEqual(['10 a', '11 b', '12 c', '13 d']);
    expect(from(12)).toEqual(['12 c', '13 d']);
    expect(from(13)).toEqual(['13 d']);
  });

  it('whose body cannot be read say which they are, and leave the others and their properties readable', () => {
    const broken = stored(6, Buffer.from('not zlib'), ZLIB);
    const list = logicalMessages([stored(5, Buffer.from('a')), broken, stored(7, Buffer.from('c'))], 5);
    expect(list.map((message) => message.queueOffset)).toEqual([5, 6, 7]);
    expect(list[1]!.property('TAGS')).toBe('x');
    expect(list[1]!.bodyBytes).toBe(8);
    const read = (): Buffer => list[1]!.body;
    expect(read).toThrow(MessageUnreadableError);
    expect(read).toThrow('offset 6 of t/3');
    expect(list[2]!.body.toString()).toBe('c');
  });

  it('hold at most what is allowed', () => {
    const [message] = logicalMessages([stored(5, deflateSync(Buffer.alloc(1_000)), ZLIB)], 5, { maxBodyBytes: 999 });
    let error: unknown;
    try {
      expect(message!.body).toBeUndefined();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'MESSAGE_UNREADABLE', topic: 't', queueId: 3, queueOffset: 5 });
    expect((error as MessageUnreadableError).cause).toBeInstanceOf(DecompressedTooLargeError);
  });

  it('of an inner batch that cannot be read are an error that says where', () => {
    const cut = stored(10, Buffer.from('too short'), INNER_BATCH);
    let error: unknown;
    try {
      logicalMessages([cut], 10);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'MESSAGE_UNREADABLE', queueOffset: 10 });
    expect((error as MessageUnreadableError).cause).toBeInstanceOf(MalformedDataError);
  });
});
