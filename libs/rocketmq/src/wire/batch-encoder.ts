import { isUint8Array } from 'node:util/types';
import { InvalidArgumentError, MessageTooLargeError } from '../errors.js';

const HEAD_BYTES = 20;
const FLAG_AT = 12;
const BODY_LENGTH_AT = 16;
const PROPERTIES_LENGTH_BYTES = 2;
const ENTRY_BYTES = HEAD_BYTES + PROPERTIES_LENGTH_BYTES;
export const MAX_PROPERTIES_BYTES = 32_767;
/** What the broker stores per message beside body, topic and properties; its size limit counts the stored form. */
const STORED_OVERHEAD_BYTES = 91;
const MAX_TOPIC_BYTES = 127;
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const FIRST_CAPACITY_BYTES = 16 * 1024;
/** Kept free in front of a batch for the head of its request: a head is some 400 bytes long. */
const HEAD_ROOM_BYTES = 1024;

/** Returns what the broker counts against its size limit for one message: all lengths in bytes. */
export function storedMessageBytes(topicBytes: number, bodyBytes: number, propertiesBytes: number): number {
  return STORED_OVERHEAD_BYTES + topicBytes + bodyBytes + propertiesBytes;
}

/**
 * Refuses what JavaScript callers may give instead of bytes: a copy of a string or of wider numbers would be other bytes.
 * @throws InvalidArgumentError
 */
export function checkBody(body: Uint8Array): void {
  if (isUint8Array(body)) return;
  const kind = Object.prototype.toString.call(body).slice('[object '.length, -1);
  throw new InvalidArgumentError(`body: expected a Buffer or another Uint8Array, got ${kind}`);
}

/** The body of a SEND_BATCH_MESSAGE request. The bytes are the encoder's until its `reset`. */
export interface EncodedBatch {
  readonly bytes: Buffer;
  readonly count: number;
  /**
   * Gives the memory of `bytes` with so much room in front of them, so that head and body of a request are one piece. Undefined
   * where there is no such room, and from the second call on: the first request may still be on its way.
   */
  readonly claimHeadRoom?: ((headBytes: number) => Buffer | undefined) | undefined;
  /** When the messages were made, ms since the epoch. Default: when they are sent. */
  readonly bornAt?: number | undefined;
  /** Bits of `SYS_FLAG` of each message, such as those that say how its body is compressed. Default 0. */
  readonly sysFlag?: number | undefined;
}

/** A message of a batch, as it is encoded. */
export interface EncodedMessage {
  readonly body: Buffer;
  readonly properties: Buffer;
  /** `Message.flag`. */
  readonly flag: number;
}

export interface BatchEncoderOptions {
  /** The broker's `maxMessageSize`; it limits the sum over the batch of what is stored. Default 4 MiB. */
  readonly maxBytes?: number;
  /** UTF-8 length of the topic's name, which is stored with each message. Default: the longest allowed. */
  readonly topicBytes?: number;
}

/**
 * Encodes messages of one queue into the body of a SEND_BATCH_MESSAGE request, one after the other into one growing buffer:
 * `int32 size | int32 0 | int32 0 | int32 flag | int32 bodyLength | body | int16 propertiesLength | properties`.
 *
 * `finish` seals the batch. `reset` starts the next one in the same memory and may be called only once the send of the
 * last one has settled (see `SendOutcomeUnknownError.settled`).
 */
export class BatchEncoder {
  readonly #maxBytes: number;
  readonly #topicBytes: number;
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY_BYTES);
  #view = viewOf(this.#buffer);
  #end = HEAD_ROOM_BYTES;
  #storedBytes = 0;
  #count = 0;
  #isSealed = false;

  constructor(options: BatchEncoderOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.#topicBytes = options.topicBytes ?? MAX_TOPIC_BYTES;
  }

  /** Encoded so far. */
  get bytes(): number {
    return this.#end - HEAD_ROOM_BYTES;
  }

  /** Bytes of memory that it has, for batches of at most that size without growing. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Messages so far. */
  get count(): number {
    return this.#count;
  }

  /** Returns whether `add` of the same would stay within the broker's limit. */
  fits(body: Uint8Array, properties: Uint8Array | string): boolean {
    const isText = typeof properties === 'string';
    // A UTF-16 unit takes three bytes at most: most of the time nobody has to count.
    const atMost = isText ? properties.length * 3 : properties.length;
    if (this.#storedBytes + this.#storedSize(body.length, atMost) <= this.#maxBytes) return true;
    return isText && this.#storedBytes + this.#storedSize(body.length, Buffer.byteLength(properties)) <= this.#maxBytes;
  }

  /**
   * @returns the bytes of body and properties
   * @param properties as `encodeProperties` makes them, or their UTF-8 bytes; may be empty
   * @param flag `Message.flag`, an int32 for applications
   * @throws InvalidArgumentError for a body of another type; the batch is unchanged then
   * @throws MessageTooLargeError when the batch would go over the broker's limit, or the properties over 32,767 bytes; the
   * batch is unchanged then
   */
  add(body: Uint8Array, properties: Uint8Array | string, flag = 0): number {
    if (this.#isSealed) throw new InvalidArgumentError('add after finish: reset the encoder first');
    checkBody(body);
    const bodyBytes = body.length;
    this.#check(bodyBytes, properties.length);
    const start = this.#end;
    const propertiesAt = start + ENTRY_BYTES + bodyBytes;
    // A UTF-16 unit takes three bytes at most.
    const buffer = this.#reserve(propertiesAt + properties.length * (typeof properties === 'string' ? 3 : 1));
    let propertiesBytes = properties.length;
    if (propertiesBytes > 0) {
      if (typeof properties === 'string') propertiesBytes = buffer.write(properties, propertiesAt, 'utf8');
      else buffer.set(properties, propertiesAt);
    }
    if (propertiesBytes > properties.length) this.#check(bodyBytes, propertiesBytes);
    const size = ENTRY_BYTES + bodyBytes + propertiesBytes;
    const view = this.#view;
    view.setInt32(start, size);
    view.setInt32(start + 4, 0);
    view.setInt32(start + 8, 0);
    view.setInt32(start + FLAG_AT, flag);
    view.setInt32(start + BODY_LENGTH_AT, bodyBytes);
    buffer.set(body, start + HEAD_BYTES);
    view.setInt16(propertiesAt - PROPERTIES_LENGTH_BYTES, propertiesBytes);
    this.#end = start + size;
    this.#storedBytes += this.#storedSize(bodyBytes, propertiesBytes);
    this.#count += 1;
    return bodyBytes + propertiesBytes;
  }

  /** Reads the messages that were added, in their order: views on the encoder's memory, which are its own until `reset`. */
  messages(): readonly EncodedMessage[] {
    const messages: EncodedMessage[] = [];
    for (let at = HEAD_ROOM_BYTES; at < this.#end; at += this.#view.getInt32(at)) {
      const bodyEnd = at + HEAD_BYTES + this.#view.getInt32(at + BODY_LENGTH_AT);
      const end = at + this.#view.getInt32(at);
      messages.push({
        body: this.#buffer.subarray(at + HEAD_BYTES, bodyEnd),
        properties: this.#buffer.subarray(bodyEnd + PROPERTIES_LENGTH_BYTES, end),
        flag: this.#view.getInt32(at + FLAG_AT),
      });
    }
    return messages;
  }

  /**
   * @param head what the broker stores for each message of the batch alike
   * @throws InvalidArgumentError for an empty batch
   */
  finish(head: Pick<EncodedBatch, 'bornAt' | 'sysFlag'> = {}): EncodedBatch {
    if (this.#count === 0) throw new InvalidArgumentError('a batch needs at least one message');
    this.#isSealed = true;
    const buffer = this.#buffer;
    const end = this.#end;
    let isClaimed = false;
    return {
      bornAt: head.bornAt,
      sysFlag: head.sysFlag,
      bytes: buffer.subarray(HEAD_ROOM_BYTES, end),
      count: this.#count,
      claimHeadRoom: (headBytes) => {
        if (isClaimed || headBytes > HEAD_ROOM_BYTES) return undefined;
        isClaimed = true;
        return buffer.subarray(HEAD_ROOM_BYTES - headBytes, end);
      },
    };
  }

  /** Forgets all messages and keeps the memory. */
  reset(): void {
    this.#end = HEAD_ROOM_BYTES;
    this.#storedBytes = 0;
    this.#count = 0;
    this.#isSealed = false;
  }

  #check(bodyBytes: number, propertiesBytes: number): void {
    if (propertiesBytes > MAX_PROPERTIES_BYTES) {
      throw new MessageTooLargeError('message properties', propertiesBytes, MAX_PROPERTIES_BYTES);
    }
    const storedBytes = this.#storedBytes + this.#storedSize(bodyBytes, propertiesBytes);
    if (storedBytes > this.#maxBytes) {
      throw new MessageTooLargeError(`batch of ${this.#count + 1} messages`, storedBytes, this.#maxBytes);
    }
  }

  #storedSize(bodyBytes: number, propertiesBytes: number): number {
    return storedMessageBytes(this.#topicBytes, bodyBytes, propertiesBytes);
  }

  #reserve(bytes: number): Buffer {
    if (bytes > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(bytes, this.#buffer.length * 2));
      this.#buffer.copy(grown, HEAD_ROOM_BYTES, HEAD_ROOM_BYTES, this.#end);
      this.#buffer = grown;
      this.#view = viewOf(grown);
    }
    return this.#buffer;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
