import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { InboundMessage, OutboundMessage } from './rpc-link.port.js';
import { decodeRpcMessage, encodeRpcMessage, type RpcCall } from './rpc-message.js';

const LIMIT = 3 * 1024 * 1024;

const call: RpcCall = {
  kind: 'request',
  correlationId: 'id-1',
  deadlineMs: 1_700_000_000_000,
  pattern: 'plugins.list',
  replyTo: 'gateway-1',
  metadata: { traceparent: '00-1' },
  data: { kind: 'source' },
};

function received({ tag, properties, body }: OutboundMessage, changes: Partial<InboundMessage> = {}): InboundMessage {
  return { messageId: 'm', tag, properties, body, deliveryAttempt: 1, receipt: undefined, ...changes };
}

function without(message: OutboundMessage, property: string): InboundMessage {
  return received(message, { properties: new Map([...message.properties].filter(([name]) => name !== property)) });
}

describe('rpc message', () => {
  it('has this form on the wire', () => {
    const message = encodeRpcMessage(call, 'runner-1', LIMIT);
    expect(message.tag).toBe('runner-1');
    expect(Object.fromEntries(message.properties)).toEqual({
      'rpc-version': '1',
      'rpc-kind': 'request',
      'rpc-correlation-id': 'id-1',
      'rpc-deadline': '1700000000000',
      'rpc-pattern': 'plugins.list',
      'rpc-reply-to': 'gateway-1',
      'rpc-metadata': '{"traceparent":"00-1"}',
    });
    expect(message.body.toString()).toBe('{"data":{"kind":"source"}}');
  });

  it('reads back what it wrote, for any JSON data and any metadata, and never writes a control character', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (value, metadata) => {
        const data: unknown = JSON.parse(JSON.stringify(value));
        const message = encodeRpcMessage({ ...call, data, metadata }, 'n', LIMIT);
        for (const property of message.properties.values()) {
          // eslint-disable-next-line no-control-regex -- finding control characters is the point
          expect(property).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
        const read = decodeRpcMessage(received(message)) as RpcCall;
        expect(read.data).toEqual(data);
        expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
      }),
      { numRuns: 200 },
    );
  });

  it('never has an empty body, and carries undefined as undefined', () => {
    const message = encodeRpcMessage({ ...call, data: undefined }, 'n', LIMIT);
    expect(message.body.toString()).toBe('{}');
    expect((decodeRpcMessage(received(message)) as RpcCall).data).toBeUndefined();
  });

  it('carries an error reply with code, message and details', () => {
    const error = { code: 'CONNECT_CONFIG_INVALID', message: 'no', details: [1], retriable: false };
    const reply = { kind: 'reply', correlationId: 'id-1', deadlineMs: 5, outcome: { kind: 'error', error } } as const;
    expect(decodeRpcMessage(received(encodeRpcMessage(reply, 'n', LIMIT)))).toEqual(reply);
  });

  it('refuses what cannot travel, naming the pattern and the limit', () => {
    expect(() => encodeRpcMessage({ ...call, pattern: 'a\nb' }, 'n', LIMIT)).toThrow(
      'Pattern "a\\nb" is empty or holds control characters',
    );
    expect(() => encodeRpcMessage({ ...call, data: 1n }, 'n', LIMIT)).toThrow("The request 'plugins.list' is not representable as JSON");
    expect(() => encodeRpcMessage({ ...call, data: 'x'.repeat(100) }, 'n', 100)).toThrow(
      "The request 'plugins.list' has 111 bytes; at most 100 are allowed",
    );
    expect(() => encodeRpcMessage({ ...call, metadata: { big: 'x'.repeat(13_000) } }, 'n', LIMIT)).toThrow(/at most 12288 are allowed/);
  });

  it('says what is missing in a message of somebody else', () => {
    const message = encodeRpcMessage(call, 'n', LIMIT);
    expect(() => decodeRpcMessage(without(message, 'rpc-version'))).toThrow("its version is 'missing', expected '1'");
    expect(() => decodeRpcMessage(without(message, 'rpc-pattern'))).toThrow('property rpc-pattern is missing');
    expect(() => decodeRpcMessage(without(message, 'rpc-reply-to'))).toThrow('property rpc-reply-to is missing');
    expect(() => decodeRpcMessage(received(message, { body: Buffer.from('{') }))).toThrow('its body is not JSON');
    expect(() => decodeRpcMessage(received(message, { body: Buffer.from('7') }))).toThrow('its body is not a JSON object');
    expect(() => decodeRpcMessage(received(message, { body: undefined, problem: 'zstd' }))).toThrow('Message cannot be read: zstd');
  });
});
