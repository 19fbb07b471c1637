const TWO_POW_32 = 4_294_967_296;
/** High words up to this one make safe integers. */
const MAX_SAFE_HIGH = 0x1f_ff_ff;

/** Whether the big-endian int64 at `at` is in [0, 2^53). */
export function isSafeInt64(bytes: DataView, at: number): boolean {
  return bytes.getUint32(at) <= MAX_SAFE_HIGH;
}

/** The big-endian int64 at `at` as a number: exact within ±2^53, rounded beyond. */
export function readInt64(bytes: DataView, at: number): number {
  return bytes.getInt32(at) * TWO_POW_32 + bytes.getUint32(at + 4);
}
