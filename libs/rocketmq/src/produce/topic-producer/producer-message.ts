import { InvalidArgumentError, MessageTooLargeError } from '../../errors.js';
import type { QueueRef } from '../../routing/topic-route.js';
import { checkBody, MAX_PROPERTIES_BYTES, storedMessageBytes } from '../../wire/batch-encoder.js';
import { compressBody, type CompressionType } from '../../wire/compressed-body.js';
import { MESSAGE_PROPERTY } from '../../wire/message-property.js';
import { encodeProperties } from '../../wire/property-codec.js';
import { checkStamps, type EncodedMessage } from '../producer.js';
import { slotOf } from './queue-choice.js';
import type { UniqueIds } from './unique-ids.js';

/** At most one of `queue` and `shardingKey`, and one of `delayLevel` and `deliverAt`. */
export interface ProducerMessage {
  /** Must stay unchanged until the send has settled. */
  readonly body: Uint8Array;
  /** Index keys, without white space. */
  readonly keys?: string | readonly string[] | undefined;
  readonly tag?: string | undefined;
  /** A `UNIQ_KEY` among them is the message's id. Default: a new one, as the Java client makes them. */
  readonly properties?: Iterable<readonly [string, string]> | undefined;
  /** The queue to store it in. */
  readonly queue?: QueueRef | undefined;
  /** Messages of one key go to one queue, as long as the topic's writable queues stay the same. Stored as `__SHARDINGKEY`. */
  readonly shardingKey?: string | undefined;
  /** 1 to 18 with the brokers' default `messageDelayLevel`. */
  readonly delayLevel?: number | undefined;
  /** When consumers may see it, ms since the epoch; brokers of 5.0 and later. */
  readonly deliverAt?: number | Date | undefined;
  /** `Message.flag`, an int32 for applications. Default 0. */
  readonly flag?: number | undefined;
  /** When it was made, ms since the epoch. A batch has one born time: messages of different ones go apart. Default: when it is sent. */
  readonly bornAt?: number | Date | undefined;
}

export interface PrepareLimits {
  readonly topic: string;
  readonly topicBytes: number;
  /** Limit of a body. */
  readonly maxMessageBytes: number;
  /** A message whose stored size is beyond it goes alone. */
  readonly maxBatchBytes: number;
  readonly compression: CompressionOptions | undefined;
  readonly ids: Pick<UniqueIds, 'next'>;
}

export interface CompressionOptions {
  /** Consumers before RocketMQ 5.0 read `zlib` only; writing `zstd` needs Node 22.15. */
  readonly type: CompressionType;
  /** Longer bodies are compressed. */
  readonly overBytes: number;
}

/** A message as it goes to the wire. */
export interface PreparedMessage extends EncodedMessage {
  /** What a broker adds for it to the size of a batch. */
  readonly storedBytes: number;
  /** It cannot be part of a batch: brokers neither delay nor decompress messages of a batch one by one. */
  readonly isSingle: boolean;
  readonly isDelayed: boolean;
  readonly queue: QueueRef | undefined;
  /** Of its sharding key. */
  readonly slot: number | undefined;
  /** `UNIQ_KEY`. */
  readonly messageId: string;
}

/** Fields of their own here; a property of such a name would have the broker treat a batch as something that it is not. */
const RESERVED: ReadonlySet<string> = new Set([
  MESSAGE_PROPERTY.delayLevel,
  MESSAGE_PROPERTY.deliverAt,
  MESSAGE_PROPERTY.deliverAfterMs,
  MESSAGE_PROPERTY.deliverAfterSeconds,
  MESSAGE_PROPERTY.isTransactional,
  MESSAGE_PROPERTY.shardingKey,
  MESSAGE_PROPERTY.keys,
  MESSAGE_PROPERTY.tag,
]);
const MAX_DELAY_LEVEL = 18;
const ID_PROPERTY = MESSAGE_PROPERTY.messageId;

/** @throws InvalidArgumentError, MessageTooLargeError */
export function prepareMessage(message: ProducerMessage, limits: PrepareLimits): PreparedMessage {
  const { queue, shardingKey } = message;
  if (queue !== undefined && queue.topic !== limits.topic) {
    throw new InvalidArgumentError(`queue.topic '${queue.topic}': the producer's topic is '${limits.topic}'`);
  }
  if (queue !== undefined && shardingKey !== undefined) {
    throw new InvalidArgumentError('queue and shardingKey: at most one of them chooses the queue');
  }
  checkBody(message.body);
  if (message.body.length > limits.maxMessageBytes) {
    throw new MessageTooLargeError('message body', message.body.length, limits.maxMessageBytes);
  }
  const isDelayed = message.delayLevel !== undefined || message.deliverAt !== undefined;
  const flag = message.flag;
  const bornAt = message.bornAt === undefined ? undefined : Number(message.bornAt);
  checkStamps({ flag, bornAt });
  const { properties, messageId } = propertiesOf(message, limits.ids);
  const propertiesBytes = Buffer.byteLength(properties);
  if (propertiesBytes > MAX_PROPERTIES_BYTES) {
    throw new MessageTooLargeError('message properties', propertiesBytes, MAX_PROPERTIES_BYTES);
  }
  const { compression } = limits;
  const { body, sysFlag } =
    compression !== undefined && message.body.length > compression.overBytes
      ? compressBody(message.body, compression.type)
      : { body: message.body, sysFlag: 0 };
  const storedBytes = storedMessageBytes(limits.topicBytes, body.length, propertiesBytes);
  const isSingle = isDelayed || sysFlag !== 0 || storedBytes > limits.maxBatchBytes;
  if (isSingle && body.length === 0) {
    throw new InvalidArgumentError('body: brokers take an empty one in batches only, and delayed messages go alone');
  }
  const slot = shardingKey === undefined ? undefined : slotOf(shardingKey);
  return { body, properties, sysFlag, flag, bornAt, storedBytes, isSingle, isDelayed, queue, slot, messageId };
}

function propertiesOf(message: ProducerMessage, ids: Pick<UniqueIds, 'next'>): { readonly properties: string; readonly messageId: string } {
  const { keys, tag, properties, shardingKey, delayLevel, deliverAt } = message;
  const entries: (readonly [string, string])[] = [];
  let messageId: string | undefined;
  if (properties !== undefined) {
    for (const entry of properties) {
      if (RESERVED.has(entry[0])) {
        throw new InvalidArgumentError(`property '${entry[0]}': the message has a field of its own for it, or none`);
      }
      if (entry[0] === ID_PROPERTY) messageId = entry[1];
      entries.push(entry);
    }
  }
  if (keys !== undefined && keys.length > 0) entries.push([MESSAGE_PROPERTY.keys, keysOf(keys)]);
  if (tag !== undefined) entries.push([MESSAGE_PROPERTY.tag, checkedTag(tag)]);
  if (shardingKey !== undefined) entries.push([MESSAGE_PROPERTY.shardingKey, shardingKey]);
  if (delayLevel !== undefined) entries.push([MESSAGE_PROPERTY.delayLevel, delayLevelOf(delayLevel, deliverAt)]);
  if (deliverAt !== undefined) entries.push([MESSAGE_PROPERTY.deliverAt, timeOf(deliverAt)]);
  const given = entries.length === 0 ? '' : encodeProperties(entries);
  if (messageId !== undefined) return { properties: given, messageId };
  messageId = ids.next();
  const own = `${ID_PROPERTY}\u0001${messageId}`;
  return { properties: given === '' ? own : `${given}\u0002${own}`, messageId };
}

function keysOf(keys: string | readonly string[]): string {
  const list = typeof keys === 'string' ? [keys] : keys;
  for (const key of list) {
    if (key === '' || /\s/.test(key)) throw new InvalidArgumentError(`keys: '${key}' is empty or holds white space`);
  }
  return list.join(' ');
}

function checkedTag(tag: string): string {
  if (tag === '' || tag.includes('|')) throw new InvalidArgumentError(`tag '${tag}': must not be empty or hold '|'`);
  return tag;
}

function delayLevelOf(level: number, deliverAt: number | Date | undefined): string {
  if (deliverAt !== undefined) throw new InvalidArgumentError('delayLevel and deliverAt: at most one of them is allowed');
  if (!Number.isInteger(level) || level < 1 || level > MAX_DELAY_LEVEL) {
    throw new InvalidArgumentError(`delayLevel ${level}: expected an integer from 1 to ${MAX_DELAY_LEVEL}`);
  }
  return String(level);
}

function timeOf(deliverAt: number | Date): string {
  const time = Number(deliverAt);
  if (!Number.isSafeInteger(time) || time < 0) {
    throw new InvalidArgumentError(`deliverAt ${String(deliverAt)}: expected ms since the epoch or a valid Date`);
  }
  return String(time);
}
