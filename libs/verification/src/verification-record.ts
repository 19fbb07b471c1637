import * as zlib from 'node:zlib';

/** Where a generated record is in its stream. */
export interface VerificationPlace {
  /** Distinguishes the runs of a generator: numbers are unique within a seed. A whole number from 0. */
  readonly seed: number;
  /** The source partition, from 0. */
  readonly partition: number;
  /** Number within the partition: 0, 1, 2 and so on. */
  readonly seq: number;
  /** When the record was made, in milliseconds since the epoch, UTC. */
  readonly createdMs: number;
}

/**
 * The numbers of a verification record. A load generator makes such records; a reader at the other end finds which are missing, duplicate,
 * out of order or damaged.
 */
export interface VerificationNumbers extends VerificationPlace {
  /** The same as the record's key. */
  readonly key: string;
  /** Number within the key: 0, 1, 2 and so on. */
  readonly keySeq: number;
}

/** `format`: this is no verification record. `checksum`: it is one, but not all bytes are as they were made. */
export type VerificationProblem = 'format' | 'checksum';

export type DecodedVerification =
  { readonly ok: true; readonly numbers: VerificationNumbers } | { readonly ok: false; readonly problem: VerificationProblem };

const FORMAT_VERSION = 1;
const BODY_START = ',"body":"';
const TAIL_START = '","crc":"';
const TAIL_END = '"}';
const CRC_DIGITS = 8;
const TAIL_LENGTH = TAIL_START.length + CRC_DIGITS + TAIL_END.length;
const PLAIN_KEY = /^[ !#-[\]-~]*$/;
const FORMAT_PROBLEM: DecodedVerification = { ok: false, problem: 'format' };
const CHECKSUM_PROBLEM: DecodedVerification = { ok: false, problem: 'checksum' };

/**
 * Encodes a verification record as a value: one line of JSON in ASCII.
 *
 *     {"v":1,"seed":7,"partition":3,"seq":12,"key":"key-45","keySeq":0,"createdMs":1763713027000,"body":"...","crc":"1a2b3c4d"}
 *
 * `crc` is the CRC-32 of all bytes before `","crc"`, in eight hexadecimal digits.
 *
 * @param size bytes of the value; one whose numbers alone take more gets an empty body and is longer
 * @param fillBody writes printable ASCII without quotes and backslashes over the whole buffer that it is given
 */
export function encodeVerificationRecord<N extends VerificationNumbers>(
  numbers: N,
  size: number,
  fillBody: (body: Buffer, numbers: N) => void,
): Buffer {
  const { seed, partition, seq, key, keySeq, createdMs } = numbers;
  const isPlain = PLAIN_KEY.test(key);
  const head =
    `{"v":${FORMAT_VERSION},"seed":${seed},"partition":${partition},"seq":${seq},` +
    `"key":${isPlain ? `"${key}"` : JSON.stringify(key)},"keySeq":${keySeq},"createdMs":${createdMs}${BODY_START}`;
  const headLength = isPlain ? head.length : Buffer.byteLength(head);
  const tailAt = Math.max(headLength, size - TAIL_LENGTH);
  const bytes = Buffer.allocUnsafe(tailAt + TAIL_LENGTH);
  // What is one byte per character is written in half of the time.
  if (isPlain) bytes.write(head, 0, 'latin1');
  else bytes.write(head, 0, 'utf8');
  fillBody(bytes.subarray(headLength, tailAt), numbers);
  const crc = crc32(bytes.subarray(0, tailAt)).toString(16).padStart(CRC_DIGITS, '0');
  bytes.write(TAIL_START + crc + TAIL_END, tailAt, 'latin1');
  return bytes;
}

/** Reads what {@link encodeVerificationRecord} made. The checksum vouches for the body, which is not returned. Never throws. */
export function decodeVerificationRecord(value: Uint8Array): DecodedVerification {
  const bytes: Buffer = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const tailAt = bytes.length - TAIL_LENGTH;
  const crc = tailAt < 0 ? undefined : crcIn(bytes, tailAt);
  if (crc === undefined) return FORMAT_PROBLEM;
  if (crc32(bytes.subarray(0, tailAt)) !== crc) return bytes.includes(BODY_START) ? CHECKSUM_PROBLEM : FORMAT_PROBLEM;
  const numbers = plainHead.read(bytes) ?? parseHead(bytes);
  return numbers === undefined ? FORMAT_PROBLEM : { ok: true, numbers };
}

/** Returns the checksum in a tail; `undefined` where there is none. */
function crcIn(bytes: Buffer, tailAt: number): number | undefined {
  const digitsAt = tailAt + TAIL_START.length;
  const endAt = digitsAt + CRC_DIGITS;
  if (!hasText(bytes, tailAt, TAIL_START) || !hasText(bytes, endAt, TAIL_END)) return undefined;
  let crc = 0;
  for (let at = digitsAt; at < endAt; at += 1) {
    const digit = HEX_DIGITS[bytes[at] ?? 0] ?? -1;
    if (digit < 0) return undefined;
    crc = crc * 16 + digit;
  }
  return crc;
}

/** By byte: the value of the hexadecimal digit, -1 where it is none. */
const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, byte) => '0123456789abcdef'.indexOf(String.fromCharCode(byte)));

function hasText(bytes: Buffer, from: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (bytes[from + at] !== text.charCodeAt(at)) return false;
  return true;
}

const [SPACE, QUOTE, ZERO, NINE, BACKSLASH, DELETE] = [0x20, 0x22, 0x30, 0x39, 0x5c, 0x7f];
/** Numbers of so many digits are exact in any case. */
const MAX_EXACT_DIGITS = 15;

/** Reads the numbers of a head that has the form in which the encoder writes most: a verifier spends much of its time here. */
class PlainHead {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Places that have another form. */
  #others = 0;

  /** Returns `undefined` where the head has another form. */
  read(bytes: Buffer): VerificationNumbers | undefined {
    this.#bytes = bytes;
    this.#at = 0;
    this.#others = 0;
    this.#skip(`{"v":${FORMAT_VERSION},"seed":`);
    const seed = this.#number();
    this.#skip(',"partition":');
    const partition = this.#number();
    this.#skip(',"seq":');
    const seq = this.#number();
    this.#skip(',"key":"');
    const key = this.#text();
    this.#skip('","keySeq":');
    const keySeq = this.#number();
    this.#skip(',"createdMs":');
    const createdMs = this.#number();
    this.#skip(BODY_START);
    return this.#others === 0 ? { seed, partition, seq, key, keySeq, createdMs } : undefined;
  }

  #skip(text: string): void {
    if (!hasText(this.#bytes, this.#at, text)) this.#others += 1;
    this.#at += text.length;
  }

  #number(): number {
    const from = this.#at;
    let value = 0;
    for (let byte = this.#bytes[this.#at] ?? 0; byte >= ZERO && byte <= NINE; byte = this.#bytes[(this.#at += 1)] ?? 0) {
      value = value * 10 + byte - ZERO;
    }
    const digits = this.#at - from;
    const hasLeadingZero = digits > 1 && this.#bytes[from] === ZERO;
    if (digits === 0 || digits > MAX_EXACT_DIGITS || hasLeadingZero) this.#others += 1;
    return value;
  }

  #text(): string {
    const from = this.#at;
    let byte = this.#bytes[from] ?? 0;
    while (byte >= SPACE && byte < DELETE && byte !== QUOTE && byte !== BACKSLASH) byte = this.#bytes[(this.#at += 1)] ?? 0;
    return this.#bytes.toString('latin1', from, this.#at);
  }
}

const plainHead = new PlainHead();

function parseHead(bytes: Buffer): VerificationNumbers | undefined {
  const headLength = bytes.indexOf(BODY_START);
  if (headLength < 0) return undefined;
  let parsed: Partial<Record<keyof VerificationNumbers | 'v', unknown>>;
  try {
    parsed = JSON.parse(`${bytes.toString('utf8', 0, headLength)}}`) as typeof parsed;
  } catch {
    return undefined;
  }
  const { v, seed, partition, seq, key, keySeq, createdMs } = parsed;
  const isCurrent = v === FORMAT_VERSION && typeof key === 'string';
  if (!isCurrent || !isCount(seed) || !isCount(partition) || !isCount(seq) || !isCount(keySeq) || !isCount(createdMs)) {
    return undefined;
  }
  return { seed, partition, seq, key, keySeq, createdMs };
}

/** Returns whether a value is a whole number from 0. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The polynomial of CRC-32/ISO-HDLC with its bits reversed, as in gzip, PNG and `java.util.zip.CRC32`. */
const POLYNOMIAL = 0xedb88320;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** Node 20.15 and later have it: twenty times as quick. */
const native = (zlib as { readonly crc32?: (bytes: Uint8Array) => number }).crc32;

/** Computes the CRC-32 of bytes as an unsigned number. */
export function crc32(bytes: Uint8Array): number {
  return native === undefined ? portableCrc32(bytes) : native(bytes);
}

/** Does the same where Node has no CRC-32 of its own. */
export function portableCrc32(bytes: Uint8Array): number {
  let crc = -1;
  // An index loop: iterators cost several times as much, and every byte of a load passes here.
  for (let at = 0; at < bytes.length; at += 1) crc = (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
