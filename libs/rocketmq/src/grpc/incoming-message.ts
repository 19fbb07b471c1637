import { gunzipSync } from 'node:zlib';
import { isRocketMqError, MalformedDataError, type RocketMqError } from '../errors.js';
import type { ReceivedMessage } from '../messaging/message-port.js';
import { userProperties } from '../messaging/system-properties.js';
import { decompressBody } from '../wire/compressed-body.js';
import { SYS_FLAG } from '../wire/sys-flag.js';
import { mapOf, millisecondsOf, protocol } from './protobuf.js';
import type { ProtoMessage } from './outgoing-message.js';

/** `ckOffset popTime invisibleMs reviveQueue topicType brokerName queueId queueOffset commitLogOffset` */
const HANDLE_BROKER_NAME = 5;

/** Names one delivery; `extend` gives it another handle. */
export interface GrpcDelivery {
  receiptHandle: string;
  readonly address: string;
  readonly receiver: object;
}

type Received = Omit<ReceivedMessage, 'handle'> & { readonly handle: GrpcDelivery };

/** Never throws for a body that cannot be read: the messages that came with it are not to suffer. */
export function decodeMessage(
  raw: ProtoMessage,
  topic: string,
  delivery: Omit<GrpcDelivery, 'receiptHandle'>,
  maxBodyBytes: number,
): Received {
  const system = raw.getSystemProperties() ?? new protocol.SystemProperties();
  const receiptHandle = system.getReceiptHandle() ?? '';
  const stored = bufferOf(raw.getBody_asU8());
  const isCompressed = system.getBodyEncoding() === protocol.Encoding.GZIP;
  const group = system.getMessageGroup();
  const properties = [...mapOf(raw.getUserPropertiesMap()).entries()];
  return {
    topic,
    brokerName: receiptHandle.split(' ')[HANDLE_BROKER_NAME] ?? '',
    queueId: system.getQueueId(),
    queueOffset: system.getQueueOffset() ?? 0,
    messageId: system.getMessageId(),
    ...(isCompressed ? readCompressed(stored, maxBodyBytes) : { body: stored, bodyError: undefined }),
    tag: system.hasTag() ? system.getTag() : undefined,
    keys: system.getKeysList(),
    properties: userProperties(properties),
    messageGroup: group === undefined || group === '' ? undefined : group,
    bornTimestamp: millisecondsOf(system.getBornTimestamp()) ?? 0,
    storeTimestamp: millisecondsOf(system.getStoreTimestamp()),
    deliveryAttempt: Math.max(1, system.getDeliveryAttempt() ?? 1),
    handle: { ...delivery, receiptHandle },
  };
}

/** The Proxy calls any compressed body GZIP and passes it on as it is stored: the first bytes say how it is compressed. */
function readCompressed(stored: Buffer, maxBytes: number): Pick<ReceivedMessage, 'body' | 'bodyError'> {
  try {
    const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
    const body = isGzip ? gunzipSync(stored, { maxOutputLength: maxBytes }) : decompressBody(stored, SYS_FLAG.COMPRESSED, maxBytes);
    return { body, bodyError: undefined };
  } catch (error) {
    return { body: undefined, bodyError: typed(error, maxBytes) };
  }
}

function typed(error: unknown, maxBytes: number): RocketMqError {
  if (isRocketMqError(error)) return error;
  return new MalformedDataError('compressed body', `not gzip, or of more than ${maxBytes} bytes`, error);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
