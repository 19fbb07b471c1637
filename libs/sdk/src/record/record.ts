import type { ConnectValue } from '../schema/connect-value.js';
import type { Schema } from '../schema/schema.js';

/** One header of a record. Keys may repeat; order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: ConnectValue;
  readonly schema?: Schema;
}

/** A queue that a source names: a queue of a broker, or a place among the topic's queues. Places go by broker name, then number, from 0. */
export type NamedQueue = number | Pick<QueueRef, 'brokerName' | 'queueId'>;

/**
 * What RocketMQ itself keeps with a message. A sink reads them; looking one up costs something only then. A source may set tag, keys
 * and sharding key, and name the queue.
 */
export interface RocketMqAttributes {
  /** One word by which consumers filter. */
  readonly tag?: string | undefined;
  /**
   * Words by which RocketMQ's tools find the message. Where a source gives none, Sluice takes the record's key if it is one word; an empty
   * array leaves it out.
   */
  readonly keys?: readonly string[] | undefined;
  /** Messages with the same one stay in order for consumers of the Proxy. It does not choose the queue. */
  readonly shardingKey?: string | undefined;
  /** The queue that a source's record goes to, with `queue.by=record` only. A sink's record has its queue in `queue`, and none here. */
  readonly queue?: NamedQueue | undefined;
  /** The step of the broker's delay levels that held the message up, where the broker still knows it. */
  readonly delayLevel?: number | undefined;
  /** When the message was due, in milliseconds since the epoch, where the broker still knows it. */
  readonly deliverAt?: number | undefined;
  /** When the producer made the message, in milliseconds since the epoch. */
  readonly bornAt?: number | undefined;
}

/** A message exactly as a broker stores it: nothing converts it, and no header is made of its properties. */
export interface RawRecord {
  /** As it is stored: compressed where `sysFlag` says so. */
  readonly body: Uint8Array;
  /** The block of properties, as it is stored. A source's record has no stamp of Sluice in it. */
  readonly properties: Uint8Array;
  /** `Message.flag`, an int32 for applications. */
  readonly flag: number;
  /** RocketMQ's bits of the message. Of a source's record those count that say how the body is compressed. */
  readonly sysFlag: number;
  /** When the producer made the message, in milliseconds since the epoch; a source leaves it out where the time of the send will do. */
  readonly bornAt?: number | undefined;
  /** When its broker stored the message, in milliseconds since the epoch. A sink's record has it; of a source's it says nothing. */
  readonly storedAt?: number | undefined;
}

/**
 * One unit of data on its way through Sluice.
 *
 * A text value may be given as its UTF-8 bytes with a string schema: converters that pass bytes on then never decode it.
 * A `null` value is a tombstone; an absent key is `undefined`, which is not the same as a `null` key.
 */
export interface ConnectRecord {
  readonly topic: string;
  readonly key?: ConnectValue;
  readonly keySchema?: Schema;
  readonly value: ConnectValue;
  readonly schema?: Schema;
  readonly headers?: readonly RecordHeader[];
  /** Milliseconds since the epoch, UTC. */
  readonly timestamp?: number;
  readonly rocketmq?: RocketMqAttributes;
  /** The message itself, of connectors with `records: 'raw'` only; its key and headers are absent then, and its value is null. */
  readonly raw?: RawRecord;
}

/**
 * What partitions and positions hold: JSON, and bigints. Numbers must be finite, and whole ones within 2^53: a connector gives greater ones as
 * bigint. A bigint comes back as a bigint, a number as a number.
 */
export type PositionValue =
  string | number | boolean | bigint | null | readonly PositionValue[] | { readonly [field: string]: PositionValue };

/** Names a part of the source that is read in order, for example one file. Small, stable between runs. */
export type SourcePartition = Readonly<Record<string, PositionValue>>;

/** Where reading resumes after a record, in the source's own terms, for example the byte after a line. At most 8 KiB as JSON. */
export type SourcePosition = Readonly<Record<string, PositionValue>>;

/** A record that a source task hands to the runtime. */
export interface SourceRecord extends ConnectRecord {
  readonly partition: SourcePartition;
  /** The position *after* this record: a task started there produces the next record. */
  readonly position: SourcePosition;
}

/** One queue of a topic on one broker. The RocketMQ client has the same type, but authors of connectors get this package alone. */
export interface QueueRef {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

/** A record that the runtime hands to a sink task, with where it was read. */
export interface SinkRecord extends ConnectRecord {
  readonly queue: QueueRef;
  readonly offset: number;
}

/** Returns the text form of a queue, unique within a cluster: `topic@broker:queueId`. */
export function queueKey(queue: QueueRef): string {
  return `${queue.topic}@${queue.brokerName}:${queue.queueId}`;
}
