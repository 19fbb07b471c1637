import * as zlib from 'node:zlib';

/**
 * The numbers of a verification record. A load generator makes such records; a reader at the other end finds which are missing, duplicate,
 * out of order or damaged.
 */
export interface VerificationNumbers {
  /** Distinguishes the runs of a generator: numbers are unique within a seed. A whole number from 0. */
  readonly seed: number;
  /** The source partition, from 0. */
  readonly partition: number;
  /** Number within the partition: 0, 1, 2 and so on. */
  readonly seq: number;
  /** The same as the record's key. */
  readonly key: string;
  /** Number within the key: 0, 1, 2 and so on. */
  readonly keySeq: number;
  /** When the record was made, in milliseconds since the epoch, UTC. */
  readonly createdMs: number;
}

/** `format`: this is no verification record. `checksum`: it is one, but not all bytes are as they were made. */
export type VerificationProblem = 'format' | 'checksum';

export type DecodedVerification =
  { readonly ok: true; readonly numbers: VerificationNumbers } | { readonly ok: false; readonly problem: VerificationProblem };

const FORMAT_VERSION = 1;
const BODY_START = ',"body":"';
const tailLength = '","crc":"00000000"}'.length;
const TAIL_PATTERN = /^","crc":"([0-9a-f]{8})"\}$/;

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
export function encodeVerificationRecord(numbers: VerificationNumbers, size: number, fillBody: (body: Buffer) => void): Buffer {
  const { seed, partition, seq, key, keySeq, createdMs } = numbers;
  const head =
    `{"v":${FORMAT_VERSION},"seed":${seed},"partition":${partition},"seq":${seq},` +
    `"key":${JSON.stringify(key)},"keySeq":${keySeq},"createdMs":${createdMs}${BODY_START}`;
  const headLength = Buffer.byteLength(head);
  const bodyLength = Math.max(0, size - headLength - tailLength);
  const bytes = Buffer.allocUnsafe(headLength + bodyLength + tailLength);
  bytes.write(head, 0, 'utf8');
  fillBody(bytes.subarray(headLength, headLength + bodyLength));
  const tailStart = headLength + bodyLength;
  const crc = crc32(bytes.subarray(0, tailStart)).toString(16).padStart(8, '0');
  bytes.write(`","crc":"${crc}"}`, tailStart, 'latin1');
  return bytes;
}

/** Reads what {@link encodeVerificationRecord} made. The checksum vouches for the body, which is not returned. Never throws. */
export function decodeVerificationRecord(value: Uint8Array): DecodedVerification {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const tailStart = bytes.length - tailLength;
  if (tailStart < 0) return { ok: false, problem: 'format' };
  const crc = TAIL_PATTERN.exec(bytes.toString('latin1', tailStart))?.[1];
  const headLength = bytes.indexOf(BODY_START);
  if (crc === undefined || headLength < 0) return { ok: false, problem: 'format' };
  if (crc32(bytes.subarray(0, tailStart)) !== parseInt(crc, 16)) return { ok: false, problem: 'checksum' };
  const numbers = parseHead(bytes.toString('utf8', 0, headLength));
  return numbers === undefined ? { ok: false, problem: 'format' } : { ok: true, numbers };
}

function parseHead(head: string): VerificationNumbers | undefined {
  let parsed: Partial<Record<keyof VerificationNumbers | 'v', unknown>>;
  try {
    parsed = JSON.parse(`${head}}`) as typeof parsed;
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

function isCount(value: unknown): value is number {
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
