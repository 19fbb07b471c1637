import { ConnectErrorCode, type ConnectError, type RawRecord } from '@sluice/sdk';
import { asBuffer } from '../bytes/as-buffer.js';
import { propertyNeedle, propertyText } from './property-block.js';
import { tooLarge, unsendable, type RecordOrigin } from './record-mapping.js';
import { maxBodyBytes, MAX_RAW_PROPERTIES_BYTES } from './record-limits.js';
import { SluiceProperty } from './reserved-properties.js';

/** What a request says of a message, and so of all messages of a batch alike. */
export interface MessageHead {
  /** How the body is compressed, in bits of RocketMQ's `sysFlag`; 0 where it is not. */
  readonly sysFlag: number;
  /** When the producer made the message, in milliseconds since the epoch; the time of the send where it is `undefined`. */
  readonly bornAt: number | undefined;
}

/** What of a raw record goes onto the wire. */
export interface RawParts {
  readonly body: Buffer;
  /** The block of properties, with the stamp as its last one. */
  readonly properties: Buffer;
  readonly flag: number;
  readonly head: MessageHead;
}

/** That the body is compressed, and how: `COMPRESSED_FLAG` and the three bits of the type of RocketMQ's `MessageSysFlag`. */
export const COMPRESSION_BITS = 1 | (7 << 8);

const SEPARATOR = 2;
const OWN = [SluiceProperty.stamp, SluiceProperty.barrier].map((name) => Buffer.from(propertyNeedle(name)));

/**
 * Turns a raw record into body and properties of a message. Body, flag, compression and time stay as they are, and so does every byte of the
 * properties but for stamps and barriers of Sluice. The stamp becomes the last property.
 *
 * @param last the head of the record before, which serves again where it is the same
 * @throws ConnectError if a part of the record is not valid, or it is too large for a message
 */
export function rawToMessage(raw: RawRecord, origin: RecordOrigin, stamp: string, last?: MessageHead): RawParts {
  const { body, properties, flag } = raw;
  if (!(body instanceof Uint8Array)) throw invalid(origin, 'its body must be bytes');
  if (!(properties instanceof Uint8Array)) throw invalid(origin, 'its properties must be a block of bytes');
  if (flag !== (flag | 0)) throw invalid(origin, `its flag is ${flag}; it must be a whole number of 32 bits, with a sign`);
  if (body.length > maxBodyBytes) {
    throw tooLarge(origin, `its body has ${body.length} bytes, at most ${maxBodyBytes} fit into a message.`);
  }
  return { body: asBuffer(body), properties: stamped(asBuffer(properties), stamp, origin), flag, head: headOf(raw, origin, last) };
}

/** Returns whether two messages may be in one batch. */
export function isSameHead(one: MessageHead | undefined, other: MessageHead | undefined): boolean {
  if (one === other) return true;
  return one !== undefined && other !== undefined && one.sysFlag === other.sysFlag && one.bornAt === other.bornAt;
}

function headOf({ sysFlag, bornAt }: RawRecord, origin: RecordOrigin, last: MessageHead | undefined): MessageHead {
  if (!Number.isInteger(sysFlag)) throw invalid(origin, `its sysFlag is ${sysFlag}; it must be a whole number`);
  if (bornAt !== undefined && !Number.isSafeInteger(bornAt)) {
    throw invalid(origin, `its time is ${bornAt}; it must be a whole number of milliseconds since the epoch`);
  }
  const bits = sysFlag & COMPRESSION_BITS;
  return last !== undefined && last.sysFlag === bits && last.bornAt === bornAt ? last : { sysFlag: bits, bornAt };
}

function stamped(given: Buffer, stamp: string, origin: RecordOrigin): Buffer {
  let block = given;
  for (const needle of OWN) if (block.includes(needle)) block = withoutProperty(block, needle);
  const text = propertyText(SluiceProperty.stamp, stamp);
  // The last separator of a block may be left out.
  const textAt = block.length > 0 && block[block.length - 1] !== SEPARATOR ? block.length + 1 : block.length;
  const bytes = textAt + Buffer.byteLength(text);
  if (bytes > MAX_RAW_PROPERTIES_BYTES) {
    throw tooLarge(origin, `its properties and the stamp take ${bytes} bytes, at most ${MAX_RAW_PROPERTIES_BYTES} fit into a message.`);
  }
  const all = Buffer.allocUnsafe(bytes);
  block.copy(all);
  if (textAt > block.length) all[block.length] = SEPARATOR;
  all.write(text, textAt);
  return all;
}

/** Returns a block without each property of one name, also where a copy has several. */
function withoutProperty(block: Buffer, needle: Buffer): Buffer {
  const kept: Buffer[] = [];
  let start = 0;
  for (let at = block.indexOf(needle); at >= 0;) {
    // It may be the end of another name.
    if (at > 0 && block[at - 1] !== SEPARATOR) {
      at = block.indexOf(needle, at + 1);
      continue;
    }
    kept.push(block.subarray(start, at));
    const end = block.indexOf(SEPARATOR, at);
    start = end < 0 ? block.length : end + 1;
    at = block.indexOf(needle, start);
  }
  return Buffer.concat([...kept, block.subarray(start)]);
}

function invalid(origin: RecordOrigin, reason: string): ConnectError {
  return unsendable(ConnectErrorCode.recordInvalid, origin, `${reason}.`);
}
