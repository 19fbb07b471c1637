const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * MurmurHash3, the 32-bit variant for x86, of bytes: a whole number from 0 to 2^32 - 1.
 *
 * Source of the algorithm: Austin Appleby, SMHasher (public domain). Every bit of the input changes each bit of the result
 * with a chance of about one half, which spreads alike names such as `w1` and `w2` over the whole ring.
 */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const { length } = bytes;
  const tailFrom = length & ~3;
  let hash = seed | 0;
  for (let i = 0; i < tailFrom; i += 4) {
    const block = at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    hash ^= scrambled(block);
    hash = (Math.imul(rotated(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= tailFrom; i -= 1) tail = (tail << 8) | at(bytes, i);
  if (tailFrom < length) hash ^= scrambled(tail);
  return finished(hash ^ length);
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function scrambled(block: number): number {
  return Math.imul(rotated(Math.imul(block, C1), 15), C2);
}

function finished(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
