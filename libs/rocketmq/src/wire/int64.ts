const TWO_POW_32 = 4_294_967_296;
/** High words up to this one make safe integers. */
const MAX_SAFE_HIGH = 0x1f_ff_ff;

/** Whether the big-endian int64 at `at` is in [0, 2^53). */
export function isSafeInt64(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) <= MAX_SAFE_HIGH;
}

/** The big-endian int64 at `at` as a number: exact within ±2^53, rounded beyond. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_POW_32 + bytes.readUInt32BE(at + 4);
}
