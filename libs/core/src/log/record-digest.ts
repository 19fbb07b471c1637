import type { SnapshotRecord } from '../model/snapshot.js';

/**
 * A running digest over records of a snapshot, two 32-bit lanes (the first is FNV-1a). It finds a chunk that is
 * missing, duplicate or out of order, and a state that was folded differently. Against forged entries stands the log's
 * chain of digests.
 */
export type RecordDigest = readonly [number, number];

export const EMPTY_DIGEST: RecordDigest = [0x811c9dc5, 0x9e3779b9];

export function digestAfter(digest: RecordDigest, record: SnapshotRecord): RecordDigest {
  return digestAfterText(digest, JSON.stringify(record));
}

export function digestAfterText([first, second]: RecordDigest, text: string): RecordDigest {
  let a = first;
  let b = second;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul((b ^ (b >>> 15)) + unit, 0x2c1b3c6d);
  }
  // Ends of records are part of it: the same text cut elsewhere has another digest.
  return [Math.imul(a ^ 0x1_0000, 0x01000193), Math.imul((b ^ (b >>> 15)) + 0x1_0000, 0x2c1b3c6d)];
}

/** 16 hexadecimal digits. */
export function digestText([first, second]: RecordDigest): string {
  return [first, second].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
