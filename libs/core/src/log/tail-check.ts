import type { QueueBounds } from './start-plan.js';

/** The last message that a reader has read, accepted or not. */
export interface Tail {
  readonly offset: number;
  readonly digest: string;
}

/** `unknown`: the answer does not tell; another one may. */
export type TailVerdict = 'same' | 'unknown' | { readonly broken: string };

/**
 * Judges whether a queue still is the one that was read up to `tail`. Brokers only ever lose the end of a queue or all
 * of it, and what was under way to one that died never arrives. So whatever stands before an unchanged message is
 * unchanged too. A queue that was cut and has grown again differs at the tail and nowhere else that a reader looks.
 * Without this check the reader would accept what deposed writers send late.
 *
 * @param found digest of the message at `tail.offset`, if there is one.
 * @returns `broken` with the reason why the log has to be read from its beginning.
 */
export function tailVerdict({ offset, digest }: Tail, found: string | undefined, bounds: QueueBounds): TailVerdict {
  if (found !== undefined) {
    return found === digest ? 'same' : { broken: `the entry at offset ${offset} is another one` };
  }
  if (offset >= bounds.maxOffset) return { broken: `there is no entry at offset ${offset} any more` };
  if (offset + 1 < bounds.minOffset) {
    return { broken: `entries ${offset + 1} to ${bounds.minOffset - 1} are gone and were not read` };
  }
  return offset < bounds.minOffset ? 'same' : 'unknown';
}
