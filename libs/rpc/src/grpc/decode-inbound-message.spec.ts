import { describe, expect, it } from '@jest/globals';
import { deflateSync, gzipSync } from 'node:zlib';
import { Endpoints } from 'rocketmq-client-nodejs';
import { decodeInboundMessage } from './decode-inbound-message.js';
import { messages, protocol } from './grpc-module.js';

const endpoints = new Endpoints('127.0.0.1:8081');

function raw(
  body: Buffer,
  encoding: (typeof protocol.Encoding)['GZIP' | 'IDENTITY'],
): Parameters<typeof decodeInboundMessage>[0] {
  const system = new protocol.SystemProperties()
    .setMessageId('id')
    .setTag('n')
    .setReceiptHandle('handle')
    .setDeliveryAttempt(2)
    .setBodyEncoding(encoding);
  const message = new protocol.Message().setSystemProperties(system).setBody(body);
  const response = new messages.ReceiveMessageResponse().setMessage(message);
  const read = response.getMessage();
  if (read === undefined) throw new Error('the message is gone');
  return read;
}

describe('decodeInboundMessage', () => {
  it('reads ids, tag, attempt and a plain body', () => {
    const message = decodeInboundMessage(raw(Buffer.from('{}'), protocol.Encoding.IDENTITY), endpoints);
    expect(message).toMatchObject({ messageId: 'id', tag: 'n', deliveryAttempt: 2, receipt: { handle: 'handle' } });
    expect(message.body?.toString()).toBe('{}');
  });

  it('tells gzip from zlib by the first bytes, whatever the label says', () => {
    for (const compressed of [gzipSync('{"a":1}'), deflateSync('{"a":1}')]) {
      expect(decodeInboundMessage(raw(compressed, protocol.Encoding.GZIP), endpoints).body?.toString()).toBe('{"a":1}');
    }
  });

  it('does not throw for a body that it cannot decompress', () => {
    const message = decodeInboundMessage(raw(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), protocol.Encoding.GZIP), endpoints);
    expect(message.body).toBeUndefined();
    expect(message.problem).toContain('unknown compression, first bytes 28b52ffd');
  });
});
