const PRIME_1 = 0x9e_37_79_b1;
const PRIME_2 = 0x85_eb_ca_77;
const PRIME_3 = 0xc2_b2_ae_3d;
const PRIME_4 = 0x27_d4_eb_2f;
const PRIME_5 = 0x16_56_67_b1;
const STRIPE_BYTES = 16;

/** xxHash's 32-bit hash with seed 0, unsigned (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md). */
export function xxh32(bytes: Buffer): number {
  let at = 0;
  let hash: number;
  if (bytes.length >= STRIPE_BYTES) {
    let lane1 = (PRIME_1 + PRIME_2) | 0;
    let lane2 = PRIME_2 | 0;
    let lane3 = 0;
    let lane4 = -PRIME_1 | 0;
    for (const end = bytes.length - STRIPE_BYTES; at <= end; at += STRIPE_BYTES) {
      lane1 = round(lane1, bytes.readInt32LE(at));
      lane2 = round(lane2, bytes.readInt32LE(at + 4));
      lane3 = round(lane3, bytes.readInt32LE(at + 8));
      lane4 = round(lane4, bytes.readInt32LE(at + 12));
    }
    hash = rotate(lane1, 1) + rotate(lane2, 7) + rotate(lane3, 12) + rotate(lane4, 18);
  } else {
    hash = PRIME_5;
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(bytes.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < bytes.length; at += 1) {
    hash = Math.imul(rotate((hash + Math.imul(bytes.readUInt8(at), PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
