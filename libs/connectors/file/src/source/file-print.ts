/** Bytes before a position that its print is made of: enough for the end of a line with its time or number. */
export const PRINT_BYTES = 64;

/**
 * Hashes the bytes of `chunk` before `end`, at most {@link PRINT_BYTES} of them (FNV-1a, 32 bits). Two files that share an inode or a
 * name, one after the other, hardly share it at the same offset. Done for each line, so it is short work.
 */
export function printBefore(chunk: Uint8Array, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = Math.max(0, end - PRINT_BYTES); at < end; at += 1) {
    hash = Math.imul(hash ^ (chunk[at] ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
