import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decodeMessage } from './incoming-message.js';
import { mapOf, protocol, timestampOf } from './protobuf.js';

const delivery = { address: 'proxy:8081', receiver: {} };
const MAX_BYTES = 100_000;
const HANDLE = '0 1795249295640 10000 0 0 broker-g 1 7 264';

function raw(body: Buffer, isCompressed: boolean): InstanceType<typeof protocol.Message> {
  const system = new protocol.SystemProperties()
    .setMessageId('id')
    .setTag('tag')
    .setKeysList(['a', 'b'])
    .setReceiptHandle(HANDLE)
    .setQueueId(1)
    .setQueueOffset(7)
    .setDeliveryAttempt(2)
    .setMessageGroup('group')
    .setBornTimestamp(timestampOf(1_795_249_294_048))
    .setStoreTimestamp(timestampOf(1_795_249_294_117))
    .setBodyEncoding(isCompressed ? protocol.Encoding.GZIP : protocol.Encoding.IDENTITY);
  const message = new protocol.Message().setSystemProperties(system).setBody(body);
  const properties = mapOf(message.getUserPropertiesMap());
  properties.set('mine', '1');
  properties.set('__SHARDINGKEY', 'group');
  properties.set('TRACE_CONTEXT', 'trace');
  return message;
}

describe('decodeMessage', () => {
  it('reads where the message is, what it carries, and drops the names that are RocketMQ its own', () => {
    const message = decodeMessage(raw(Buffer.from('plain'), false), 'topic', delivery, MAX_BYTES);
    expect(message).toMatchObject({
      topic: 'topic',
      brokerName: 'broker-g',
      queueId: 1,
      queueOffset: 7,
      messageId: 'id',
      tag: 'tag',
      keys: ['a', 'b'],
      messageGroup: 'group',
      bornTimestamp: 1_795_249_294_048,
      storeTimestamp: 1_795_249_294_117,
      deliveryAttempt: 2,
      handle: { ...delivery, receiptHandle: HANDLE },
    });
    expect(message.body?.toString()).toBe('plain');
    expect([...message.properties]).toEqual([['mine', '1']]);
  });

  it('says undefined for what is not set', () => {
    const system = new protocol.SystemProperties().setMessageId('id');
    const message = decodeMessage(new protocol.Message().setSystemProperties(system), 'topic', delivery, MAX_BYTES);
    expect(message).toMatchObject({ tag: undefined, keys: [], messageGroup: undefined, storeTimestamp: undefined });
    expect(message).toMatchObject({ deliveryAttempt: 1, bornTimestamp: 0 });
  });

  it.each([
    ['gzip', gzipSync],
    ['zlib', deflateSync],
  ])('decompresses %s, though the Proxy calls everything gzip', (_, compress) => {
    const body = Buffer.alloc(10_000, 'text ');
    expect(decodeMessage(raw(compress(body), true), 'topic', delivery, MAX_BYTES).body?.equals(body)).toBe(true);
  });

  it.each([
    ['no compression', 'not compressed'],
    ['cut gzip', gzipSync('x'.repeat(1_000)).subarray(0, 12)],
  ])('never throws for a body that it cannot decompress: %s', (_, bytes) => {
    const message = decodeMessage(raw(Buffer.from(bytes), true), 'topic', delivery, MAX_BYTES);
    expect(message.body).toBeUndefined();
    expect(message.bodyError).toMatchObject({ code: 'MALFORMED_DATA', retriable: false });
    expect(message.messageId).toBe('id');
  });

  it.each([
    ['gzip', gzipSync],
    ['zlib', deflateSync],
  ])('inflates no body of %s beyond the limit', (_, compress) => {
    const message = decodeMessage(raw(compress(Buffer.alloc(MAX_BYTES + 1)), true), 'topic', delivery, MAX_BYTES);
    expect(message.body).toBeUndefined();
    expect(message.bodyError?.message).toContain('100000 bytes');
  });

  it('leaves an uncompressed body alone that only looks compressed', () => {
    const body = gzipSync('x');
    expect(decodeMessage(raw(body, false), 'topic', delivery, MAX_BYTES).body?.equals(body)).toBe(true);
  });
});
