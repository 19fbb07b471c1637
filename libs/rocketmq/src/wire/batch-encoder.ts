import { InvalidArgumentError, MessageTooLargeError } from '../errors.js';

const HEAD_BYTES = 20;
const PROPERTIES_LENGTH_BYTES = 2;
const ENTRY_BYTES = HEAD_BYTES + PROPERTIES_LENGTH_BYTES;
export const MAX_PROPERTIES_BYTES = 32_767;
/** What the broker stores per message beside body, topic and properties; its size limit counts the stored form. */
const STORED_OVERHEAD_BYTES = 91;
const MAX_TOPIC_BYTES = 127;
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const FIRST_CAPACITY_BYTES = 16 * 1024;

/** What the broker counts against its size limit for one message: all lengths in bytes. */
export function storedMessageBytes(topicBytes: number, bodyBytes: number, propertiesBytes: number): number {
  return STORED_OVERHEAD_BYTES + topicBytes + bodyBytes + propertiesBytes;
}

/** The body of a SEND_BATCH_MESSAGE request. The bytes are the encoder's until its `reset`. */
export interface EncodedBatch {
  readonly bytes: Buffer;
  readonly count: number;
}

export interface BatchEncoderOptions {
  /** The broker's `maxMessageSize`; it limits the sum over the batch of what is stored. Default 4 MiB. */
  readonly maxBytes?: number;
  /** UTF-8 length of the topic's name, which is stored with each message. Default: the longest allowed. */
  readonly topicBytes?: number;
}

/**
 * Encodes messages of one queue into the body of request 320, one after the other into one growing buffer:
 * `int32 size | int32 0 | int32 0 | int32 flag 0 | int32 bodyLength | body | int16 propertiesLength | properties`.
 *
 * `finish` seals the batch. `reset` starts the next one in the same memory and may be called only once the send of the
 * last one has settled (see `SendOutcomeUnknownError.settled`).
 */
export class BatchEncoder {
  readonly #maxBytes: number;
  readonly #topicBytes: number;
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY_BYTES);
  #bytes = 0;
  #storedBytes = 0;
  #count = 0;
  #isSealed = false;

  constructor(options: BatchEncoderOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.#topicBytes = options.topicBytes ?? MAX_TOPIC_BYTES;
  }

  /** Encoded so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether `add` of the same would stay within the broker's limit. */
  fits(body: Uint8Array, properties: Uint8Array | string): boolean {
    const propertiesBytes = typeof properties === 'string' ? Buffer.byteLength(properties) : properties.length;
    return this.#storedBytes + this.#storedSize(body.length, propertiesBytes) <= this.#maxBytes;
  }

  /**
   * @param properties as `encodeProperties` makes them, or their UTF-8 bytes; may be empty
   * @throws MessageTooLargeError when the batch would go over the broker's limit, or the properties over 32,767 bytes;
   * the batch is unchanged then
   */
  add(body: Uint8Array, properties: Uint8Array | string): void {
    if (this.#isSealed) throw new InvalidArgumentError('add after finish: reset the encoder first');
    const propertiesBytes = typeof properties === 'string' ? Buffer.byteLength(properties) : properties.length;
    if (propertiesBytes > MAX_PROPERTIES_BYTES) {
      throw new MessageTooLargeError('message properties', propertiesBytes, MAX_PROPERTIES_BYTES);
    }
    const storedBytes = this.#storedBytes + this.#storedSize(body.length, propertiesBytes);
    if (storedBytes > this.#maxBytes) {
      throw new MessageTooLargeError(`batch of ${String(this.#count + 1)} messages`, storedBytes, this.#maxBytes);
    }
    const size = ENTRY_BYTES + body.length + propertiesBytes;
    const start = this.#bytes;
    const buffer = this.#reserve(start + size);
    buffer.writeInt32BE(size, start);
    buffer.writeInt32BE(0, start + 4);
    buffer.writeInt32BE(0, start + 8);
    buffer.writeInt32BE(0, start + 12);
    buffer.writeInt32BE(body.length, start + 16);
    buffer.set(body, start + HEAD_BYTES);
    const propertiesAt = start + HEAD_BYTES + body.length;
    buffer.writeInt16BE(propertiesBytes, propertiesAt);
    if (typeof properties === 'string') buffer.write(properties, propertiesAt + PROPERTIES_LENGTH_BYTES, 'utf8');
    else buffer.set(properties, propertiesAt + PROPERTIES_LENGTH_BYTES);
    this.#bytes = start + size;
    this.#storedBytes = storedBytes;
    this.#count += 1;
  }

  /** @throws InvalidArgumentError for an empty batch */
  finish(): EncodedBatch {
    if (this.#count === 0) throw new InvalidArgumentError('a batch needs at least one message');
    this.#isSealed = true;
    return { bytes: this.#buffer.subarray(0, this.#bytes), count: this.#count };
  }

  /** Forgets all messages and keeps the memory. */
  reset(): void {
    this.#bytes = 0;
    this.#storedBytes = 0;
    this.#count = 0;
    this.#isSealed = false;
  }

  #storedSize(bodyBytes: number, propertiesBytes: number): number {
    return storedMessageBytes(this.#topicBytes, bodyBytes, propertiesBytes);
  }

  #reserve(bytes: number): Buffer {
    if (bytes > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(bytes, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.#bytes);
      this.#buffer = grown;
    }
    return this.#buffer;
  }
}
