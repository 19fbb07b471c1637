import { MalformedDataError } from '../errors.js';
import { decompressBody } from './compressed-body.js';
import { decodeInnerBatch, type InnerMessage } from './inner-batch.js';
import { MESSAGE_PROPERTY } from './message-property.js';
import { decodeProperties, findProperties, findProperty } from './property-codec.js';
import { SYS_FLAG } from './sys-flag.js';

/** Marks a message, whose topic's name has up to 127 bytes. */
const MAGIC_V1 = 0xda_a3_20_a7;
/** Marks a message of a topic with a longer name. */
const MAGIC_V2 = 0xda_a3_20_ab;
/** Marks the unused end of a commit log file. */
const MAGIC_BLANK = 0xcb_d4_31_94;

/**
 * A stored message (`MessageDecoder` of the servers); what comes behind the sender's address has no fixed place:
 *
 * | at | bytes    | field                                                     |
 * | -- | -------- | --------------------------------------------------------- |
 * | 0  | 4        | size of the whole                                         |
 * | 4  | 4        | magic                                                     |
 * | 8  | 4        | CRC32 of the body                                         |
 * | 12 | 4        | queue id                                                  |
 * | 16 | 4        | flag of the application                                   |
 * | 20 | 8        | offset in the queue                                       |
 * | 28 | 8        | offset in the commit log                                  |
 * | 36 | 4        | system flag, `SYS_FLAG`                                   |
 * | 40 | 8        | when the producer made it                                 |
 * | 48 | 8 or 20  | the sender's address and port                             |
 * |    | 8        | when the broker stored it                                 |
 * |    | 8 or 20  | the broker's address and port                             |
 * |    | 4        | how often consumers sent it back                          |
 * |    | 8        | where its transaction began                               |
 * |    | 4 + n    | length, and the body                                      |
 * |    | 1 + n    | length (2 bytes with the second magic), and the topic     |
 * |    | 2 + n    | length, and the properties                                |
 */
const AT_MAGIC = 4;
const AT_CRC = 8;
const AT_QUEUE_ID = 12;
const AT_FLAG = 16;
const AT_QUEUE_OFFSET = 20;
const AT_COMMIT_LOG_OFFSET = 28;
const AT_SYS_FLAG = 36;
const AT_BORN_TIMESTAMP = 40;
const AT_BORN_HOST = 48;
const HOST_V4_BYTES = 8;
const HOST_V6_BYTES = 20;
/** Store timestamp, reconsume times and prepared transaction offset around the store host. */
const STORE_TIMESTAMP_BYTES = 8;
const AFTER_HOSTS_BYTES = 12;
const MIN_MESSAGE_BYTES = 91;
const PROPERTIES_LENGTH_BYTES = 2;
const BLANK_BYTES = 8;
const TWO_POW_32 = 4_294_967_296;
/** High words up to this one make safe integers. */
const MAX_SAFE_HIGH = 0x1f_ff_ff;
const INNER_BATCH_BITS = SYS_FLAG.NEED_UNWRAP | SYS_FLAG.INNER_BATCH;

/**
 * A lazy view on one message as the broker stores it and a pull returns it. Nothing is copied: a message that is kept
 * keeps the whole pull answer in memory.
 */
export class StoredMessage {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #start: number;
  readonly #bodyStart: number;
  readonly #bodyEnd: number;
  readonly #propertiesStart: number;
  readonly #propertiesEnd: number;
  #rawProperties: Buffer | undefined;
  /** The offset of this message in its queue. */
  readonly queueOffset: number;
  readonly sysFlag: number;

  /**
   * @param start where the message begins in `bytes`
   * @param view of all `bytes`, for many messages in them
   * @param offsetDelta how far the offsets of a static topic's queue are ahead of those that brokers store
   * @throws MalformedDataError when the bytes are cut, lie about a length, or hold an offset beyond 2^53
   */
  constructor(bytes: Buffer, start: number, view: DataView = viewOf(bytes), offsetDelta = 0) {
    const left = bytes.length - start;
    if (left < MIN_MESSAGE_BYTES) throw malformed(start, `${left} bytes left`);
    const size = view.getInt32(start);
    if (size < MIN_MESSAGE_BYTES || size > left) {
      throw malformed(start, `size ${size}, ${left} bytes left`);
    }
    const end = start + size;
    const magic = view.getUint32(start + AT_MAGIC);
    if (magic !== MAGIC_V1 && magic !== MAGIC_V2) throw malformed(start, `magic 0x${magic.toString(16)}`);
    if (!isSafeInt64(view, start + AT_QUEUE_OFFSET)) throw malformed(start, 'queue offset beyond 2^53');
    if (!isSafeInt64(view, start + AT_COMMIT_LOG_OFFSET)) throw malformed(start, 'commit log offset beyond 2^53');

    const sysFlag = view.getInt32(start + AT_SYS_FLAG);
    const bodyLengthAt =
      start +
      AT_BORN_HOST +
      ((sysFlag & SYS_FLAG.BORN_HOST_V6) === 0 ? HOST_V4_BYTES : HOST_V6_BYTES) +
      STORE_TIMESTAMP_BYTES +
      ((sysFlag & SYS_FLAG.STORE_HOST_V6) === 0 ? HOST_V4_BYTES : HOST_V6_BYTES) +
      AFTER_HOSTS_BYTES;
    const bodyStart = bodyLengthAt + 4;
    if (bodyStart > end) throw malformed(start, 'cut before the body');
    const bodyLength = view.getInt32(bodyLengthAt);
    const topicLengthAt = bodyStart + bodyLength;
    const topicStart = topicLengthAt + (magic === MAGIC_V1 ? 1 : 2);
    if (bodyLength < 0 || topicStart > end) throw malformed(start, `body length ${bodyLength}`);
    const topicLength = magic === MAGIC_V1 ? view.getUint8(topicLengthAt) : view.getUint16(topicLengthAt);
    const topicEnd = topicStart + topicLength;
    if (topicEnd + PROPERTIES_LENGTH_BYTES > end) throw malformed(start, `topic length ${topicLength}`);
    const propertiesLength = view.getUint16(topicEnd);
    const propertiesStart = topicEnd + PROPERTIES_LENGTH_BYTES;
    const propertiesEnd = propertiesStart + propertiesLength;
    if (propertiesEnd > end) throw malformed(start, `properties length ${propertiesLength}`);

    this.#bytes = bytes;
    this.#view = view;
    this.#start = start;
    this.#bodyStart = bodyStart;
    this.#bodyEnd = topicLengthAt;
    this.#propertiesStart = propertiesStart;
    this.#propertiesEnd = propertiesEnd;
    this.queueOffset = readInt64(view, start + AT_QUEUE_OFFSET) + offsetDelta;
    this.sysFlag = sysFlag;
  }

  /** The bytes that the message takes in the commit log, all fields included. */
  get storedBytes(): number {
    return this.#view.getInt32(this.#start);
  }

  /** The body as it is stored, compressed or not; a view. */
  get body(): Buffer {
    return this.#bytes.subarray(this.#bodyStart, this.#bodyEnd);
  }

  get bodyBytes(): number {
    return this.#bodyEnd - this.#bodyStart;
  }

  /** java.util.zip.CRC32 of the body & 0x7fffffff, as the broker computed it. */
  get bodyCrc(): number {
    return this.#view.getInt32(this.#start + AT_CRC);
  }

  get topic(): string {
    const lengthBytes = this.#view.getUint32(this.#start + AT_MAGIC) === MAGIC_V1 ? 1 : 2;
    return this.#bytes.toString('utf8', this.#bodyEnd + lengthBytes, this.#propertiesStart - PROPERTIES_LENGTH_BYTES);
  }

  get queueId(): number {
    return this.#view.getInt32(this.#start + AT_QUEUE_ID);
  }

  /** The producer's own int32. */
  get flag(): number {
    return this.#view.getInt32(this.#start + AT_FLAG);
  }

  get commitLogOffset(): number {
    return readInt64(this.#view, this.#start + AT_COMMIT_LOG_OFFSET);
  }

  /** When the producer says that it made the message, ms since the epoch; unchecked. */
  get bornTimestamp(): number {
    return readInt64(this.#view, this.#start + AT_BORN_TIMESTAMP);
  }

  /** When the broker stored the message, ms since the epoch. */
  get storeTimestamp(): number {
    const hostBytes = (this.sysFlag & SYS_FLAG.BORN_HOST_V6) === 0 ? HOST_V4_BYTES : HOST_V6_BYTES;
    return readInt64(this.#view, this.#start + AT_BORN_HOST + hostBytes);
  }

  get reconsumeTimes(): number {
    return this.#view.getInt32(this.#bodyStart - 4 - AFTER_HOSTS_BYTES);
  }

  get isCompressed(): boolean {
    return (this.sysFlag & SYS_FLAG.COMPRESSED) !== 0;
  }

  /** Whether the body is a list of messages in the batch format (queues of type BatchCQ): both bits are set. */
  get isInnerBatch(): boolean {
    return (this.sysFlag & INNER_BATCH_BITS) === INNER_BATCH_BITS;
  }

  /**
   * Returns the body as its producer made it: `body` itself when it is not compressed, else a new buffer.
   * @param maxBytes limit of the decompressed size, default 64 MiB
   * @throws DecompressedTooLargeError, UnsupportedCompressionError, MalformedDataError, InvalidArgumentError
   */
  decompressedBody(maxBytes?: number): Buffer {
    return decompressBody(this.body, this.sysFlag, maxBytes);
  }

  /**
   * Returns the messages of an inner batch, decompressed if need be; message i has offset `queueOffset + i`. A pull from an
   * offset inside the batch returns the whole batch: the caller skips what is below. Empty for any other message.
   * @param maxBytes limit of the decompressed size of the batch, default 64 MiB
   * @throws MalformedDataError also when the number of messages is not the one that the broker counted; the errors of
   * `decompressedBody`
   */
  unwrapInnerBatch(maxBytes?: number): InnerMessage[] {
    return this.isInnerBatch ? decodeInnerBatch(this, this.decompressedBody(maxBytes)) : [];
  }

  /** Space-separated message keys. */
  get keys(): string | undefined {
    return this.property(MESSAGE_PROPERTY.keys);
  }

  get tags(): string | undefined {
    return this.property(MESSAGE_PROPERTY.tag);
  }

  property(name: string): string | undefined {
    return findProperty(this.#bytes, this.#propertiesStart, this.#propertiesEnd, name);
  }

  /** Returns the values of several properties, in the order of `names`: one pass over all of them. */
  select(names: readonly string[]): (string | undefined)[] {
    return findProperties(this.#bytes, this.#propertiesStart, this.#propertiesEnd, names);
  }

  properties(): Map<string, string> {
    return decodeProperties(this.#bytes, this.#propertiesStart, this.#propertiesEnd);
  }

  /** The properties as they are stored; always the same view: who reads a message asks for it several times. */
  get rawProperties(): Buffer {
    return (this.#rawProperties ??= this.#bytes.subarray(this.#propertiesStart, this.#propertiesEnd));
  }

  get propertiesBytes(): number {
    return this.#propertiesEnd - this.#propertiesStart;
  }
}

/**
 * Returns views on the messages of a pull answer, which stand back to back. Padding at the end of a commit log file is skipped.
 * @param offsetDelta how far the offsets of a static topic's queue are ahead of those that brokers store
 * @throws MalformedDataError
 */
export function decodeStoredMessages(bytes: Buffer, offsetDelta = 0): StoredMessage[] {
  const view = viewOf(bytes);
  const messages: StoredMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < BLANK_BYTES) throw malformed(at, `${bytes.length - at} bytes left`);
    const size = view.getInt32(at);
    if (view.getUint32(at + AT_MAGIC) === MAGIC_BLANK) {
      if (size < BLANK_BYTES || size > bytes.length - at) throw malformed(at, `padding of ${size} bytes`);
    } else {
      messages.push(new StoredMessage(bytes, at, view, offsetDelta));
    }
    at += size;
  }
  return messages;
}

/** Reads integers without the checks of their arguments that a Buffer's methods make each time. */
function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Returns whether the big-endian int64 at `at` is in [0, 2^53). */
function isSafeInt64(bytes: DataView, at: number): boolean {
  return bytes.getUint32(at) <= MAX_SAFE_HIGH;
}

/** Returns the big-endian int64 at `at` as a number: exact within ±2^53, rounded beyond. */
function readInt64(bytes: DataView, at: number): number {
  return bytes.getInt32(at) * TWO_POW_32 + bytes.getUint32(at + 4);
}

function malformed(at: number, detail: string): MalformedDataError {
  return new MalformedDataError('stored message', `at byte ${at}: ${detail}`);
}
