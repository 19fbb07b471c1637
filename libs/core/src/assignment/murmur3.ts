const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
/** Called a million times per ring: looking the global up each time would cost more than the call. */
const { imul } = Math;

/**
 * Hashes a text with MurmurHash3, the 32-bit variant for x86, to a whole number from 0 to 2^32 - 1. It reads the text's
 * UTF-16 code units as little-endian bytes. Every bit of the input changes each bit of the result with a chance of
 * about one half. So alike names such as `w1` and `w2` spread over the whole ring.
 *
 * Source of the algorithm: Austin Appleby, SMHasher (public domain).
 */
export function murmur3(text: string, seed: number): number {
  const { length } = text;
  let hash = seed | 0;
  for (let i = 0; i + 1 < length; i += 2) {
    hash ^= scrambled(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    hash = (imul(rotated(hash, 13), 5) + 0xe6546b64) | 0;
  }
  if ((length & 1) === 1) hash ^= scrambled(text.charCodeAt(length - 1));
  return finished(hash ^ (length * 2));
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function scrambled(block: number): number {
  return imul(rotated(imul(block, C1), 15), C2);
}

function finished(value: number): number {
  let hash = value;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
