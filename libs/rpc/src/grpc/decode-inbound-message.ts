import { type MessageQueue } from 'rocketmq-client-nodejs';
import { gunzipSync, inflateSync } from 'node:zlib';
import { type InboundMessage } from '../rpc-link.port.js';
import { type messages, protocol } from './grpc-module.js';

export type RawMessage = NonNullable<ReturnType<InstanceType<typeof messages.ReceiveMessageResponse>['getMessage']>>;

/** Names one delivery of a message; a change of its invisibility gives it another handle. */
export interface Receipt {
  handle: string;
  readonly endpoints: MessageQueue['broker']['endpoints'];
}

const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

/**
 * Never throws: what cannot be decoded arrives without a body and with the reason. The client's MessageView throws for every body that is
 * not gzip although the proxy calls any compression gzip, and one such message costs the whole batch. It also hashes every body on
 * the event loop, which is left out: the broker has checked it, and JSON shows what TCP did not.
 */
export function decodeInboundMessage(raw: RawMessage, endpoints: Receipt['endpoints']): InboundMessage {
  const system = raw.getSystemProperties();
  const receipt: Receipt = { handle: system?.getReceiptHandle() ?? '', endpoints };
  const properties = new Map<string, string>();
  // google-protobuf brings no types of its own.
  const userProperties = raw.getUserPropertiesMap() as unknown as { entries(): Iterable<[string, string]> };
  for (const [key, value] of userProperties.entries()) properties.set(key, value);
  const head = {
    messageId: system?.getMessageId() ?? '',
    tag: system?.getTag() ?? '',
    properties,
    deliveryAttempt: system?.getDeliveryAttempt() ?? 1,
    receipt,
  };
  const bytes = Buffer.from(raw.getBody_asU8());
  if (system?.getBodyEncoding() !== protocol.Encoding.GZIP) return { ...head, body: bytes };
  try {
    return { ...head, body: decompress(bytes) };
  } catch (error) {
    return { ...head, body: undefined, problem: `its body cannot be decompressed (${String(error)})` };
  }
}

/** By magic number: gzip, or the zlib of classic Java producers. Our own messages are never compressed. */
function decompress(bytes: Buffer): Buffer {
  const limit = { maxOutputLength: MAX_INFLATED_BYTES };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, limit);
  if (bytes[0] === 0x78) return inflateSync(bytes, limit);
  throw new Error(`unknown compression, first bytes ${bytes.subarray(0, 4).toString('hex')}`);
}
