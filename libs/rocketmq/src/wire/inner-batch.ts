import { MalformedDataError } from '../errors.js';
import { MESSAGE_PROPERTY } from './message-property.js';
import { decodeProperties, findProperties, findProperty } from './property-codec.js';

const AT_FLAG = 12;
const AT_BODY_LENGTH = 16;
const HEAD_BYTES = 20;
const PROPERTIES_LENGTH_BYTES = 2;
const MIN_ENTRY_BYTES = HEAD_BYTES + PROPERTIES_LENGTH_BYTES;

/** What the messages of an inner batch have of the stored message around them. */
interface OuterMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  property(name: string): string | undefined;
}

/** One message of an inner batch: a view on the batch's bytes. The body is as its producer gave it. */
export interface InnerMessage {
  readonly topic: string;
  readonly queueId: number;
  /** The offset of this message in its queue. */
  readonly queueOffset: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  /** The producer's own int32. */
  readonly flag: number;
  readonly body: Buffer;
  /** Of the body; of a logical message's compressed one once it is decompressed. */
  readonly bodyBytes: number;
  /** The properties in the stored form; a view. */
  readonly rawProperties: Buffer;
  /** Of `rawProperties`. */
  readonly propertiesBytes: number;
  property(name: string): string | undefined;
  /** Returns the values of several properties, in the order of `names`: one pass over all of them. */
  select(names: readonly string[]): (string | undefined)[];
  properties(): Map<string, string>;
}

/** Holds places instead of views: a batch has thousands of messages. */
class MessageOfBatch implements InnerMessage {
  readonly #outer: OuterMessage;
  readonly #bytes: Buffer;
  readonly #bodyStart: number;
  readonly #bodyEnd: number;
  readonly #end: number;
  #rawProperties: Buffer | undefined;

  constructor(
    outer: OuterMessage,
    readonly queueOffset: number,
    bytes: Buffer,
    bodyStart: number,
    bodyEnd: number,
    end: number,
  ) {
    this.#outer = outer;
    this.#bytes = bytes;
    this.#bodyStart = bodyStart;
    this.#bodyEnd = bodyEnd;
    this.#end = end;
  }

  get topic(): string {
    return this.#outer.topic;
  }

  get queueId(): number {
    return this.#outer.queueId;
  }

  get bornTimestamp(): number {
    return this.#outer.bornTimestamp;
  }

  get storeTimestamp(): number {
    return this.#outer.storeTimestamp;
  }

  get flag(): number {
    return this.#bytes.readInt32BE(this.#bodyStart - HEAD_BYTES + AT_FLAG);
  }

  get body(): Buffer {
    return this.#bytes.subarray(this.#bodyStart, this.#bodyEnd);
  }

  get bodyBytes(): number {
    return this.#bodyEnd - this.#bodyStart;
  }

  get rawProperties(): Buffer {
    return (this.#rawProperties ??= this.#bytes.subarray(this.#propertiesStart, this.#end));
  }

  get propertiesBytes(): number {
    return this.#end - this.#propertiesStart;
  }

  property(name: string): string | undefined {
    return findProperty(this.#bytes, this.#propertiesStart, this.#end, name);
  }

  select(names: readonly string[]): (string | undefined)[] {
    return findProperties(this.#bytes, this.#propertiesStart, this.#end, names);
  }

  properties(): Map<string, string> {
    return decodeProperties(this.#bytes, this.#propertiesStart, this.#end);
  }

  get #propertiesStart(): number {
    return this.#bodyEnd + PROPERTIES_LENGTH_BYTES;
  }
}

/**
 * Reads the list of `int32 size | int32 magic | int32 crc | int32 flag | int32 bodyLength | body |
 * int16 propertiesLength | properties` that `BatchEncoder` writes; brokers fill in neither magic nor crc.
 * @throws MalformedDataError
 */
export function decodeInnerBatch(outer: OuterMessage, bytes: Buffer): InnerMessage[] {
  const messages: InnerMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    if (left < MIN_ENTRY_BYTES) throw malformed(at, `${left} bytes left`);
    const size = bytes.readInt32BE(at);
    if (size < MIN_ENTRY_BYTES || size > left) throw malformed(at, `size ${size}, ${left} bytes left`);
    const end = at + size;
    const bodyStart = at + HEAD_BYTES;
    const bodyLength = bytes.readInt32BE(at + AT_BODY_LENGTH);
    const bodyEnd = bodyStart + bodyLength;
    if (bodyLength < 0 || bodyEnd + PROPERTIES_LENGTH_BYTES > end) throw malformed(at, `body length ${bodyLength}`);
    const propertiesEnd = bodyEnd + PROPERTIES_LENGTH_BYTES + bytes.readUInt16BE(bodyEnd);
    if (propertiesEnd > end) throw malformed(at, `properties end at ${propertiesEnd}, not at ${end}`);
    messages.push(new MessageOfBatch(outer, outer.queueOffset + messages.length, bytes, bodyStart, bodyEnd, propertiesEnd));
    at = end;
  }
  checkCount(outer, messages.length);
  return messages;
}

/** The broker counted the messages to know how many offsets the batch takes; another number would shift the rest. */
function checkCount(outer: OuterMessage, count: number): void {
  const counted = outer.property(MESSAGE_PROPERTY.innerCount);
  if (counted !== undefined && counted !== String(count)) {
    throw new MalformedDataError('inner batch', `${count} messages, the broker counted ${counted}`);
  }
  if (!Number.isSafeInteger(outer.queueOffset + count)) {
    throw new MalformedDataError('inner batch', `offsets from ${outer.queueOffset} go beyond 2^53`);
  }
}

function malformed(at: number, detail: string): MalformedDataError {
  return new MalformedDataError('inner batch', `at byte ${at}: ${detail}`);
}
