import { crc32, isCount, type VerificationPlace, type VerificationProblem } from './verification-record.js';

/** The header of records whose values are no verification records. */
export const VERIFICATION_HEADER = 'datagen-verification';

const FORMAT = /^((\d{1,16})\/(\d{1,16})\/(\d{1,16})\/(\d{1,16}))\/([0-9a-f]{8})$/;

/**
 * Encodes the place of a record as the text of a header: `seed/partition/seq/createdMs/crc`. `crc` is the CRC-32 of what stands before its
 * slash, in eight hexadecimal digits.
 */
export function encodeVerificationHeader({ seed, partition, seq, createdMs }: VerificationPlace): string {
  const text = `${seed}/${partition}/${seq}/${createdMs}`;
  return `${text}/${checksum(text)}`;
}

/** Reads what {@link encodeVerificationHeader} made. It vouches for the numbers, not for the value. Never throws. */
export function decodeVerificationHeader(
  text: string,
): { readonly ok: true; readonly place: VerificationPlace } | { readonly ok: false; readonly problem: VerificationProblem } {
  const match = FORMAT.exec(text);
  if (match === null) return { ok: false, problem: 'format' };
  if (checksum(match[1] ?? '') !== match[6]) return { ok: false, problem: 'checksum' };
  const [seed, partition, seq, createdMs] = match.slice(2, 6).map(Number);
  if (!isCount(seed) || !isCount(partition) || !isCount(seq) || !isCount(createdMs)) return { ok: false, problem: 'format' };
  return { ok: true, place: { seed, partition, seq, createdMs } };
}

function checksum(text: string): string {
  return crc32(Buffer.from(text, 'latin1')).toString(16).padStart(8, '0');
}
