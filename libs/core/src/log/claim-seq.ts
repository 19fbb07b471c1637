import type { StateHeader } from '../model/cluster-state.js';

/** Numbers beyond this are no report's to tell: a damaged one must not use them up. */
const MAX_REPORTED_SEQ = 2 ** 52;
/** Less than two claims are apart in time: of two that follow the same head, the later one still has the higher number. */
const MAX_SALT = 1_024;

/** Milliseconds since the first entry of the log, by the wall clock of a writer. */
export function logAge({ createdAt }: Pick<StateHeader, 'createdAt'>, wall: number): number {
  return Math.max(0, Math.floor(wall - createdAt));
}

/**
 * The `seq` of a claim. Generations and versions are numbers of entries; a tail that was lost must not make one of them come
 * again, not even where the claim itself was lost. So each claim leaps: above the head, above all that nodes reported as applied, and with the age of
 * the log, which grows faster than entries do; `salt` separates claims that know the same.
 *
 * @param salt in [0, 1), of the claim alone.
 */
export function claimSeq(
  header: StateHeader,
  {
    wall,
    reportedSeqs,
    salt,
  }: { readonly wall: number; readonly reportedSeqs: Iterable<number>; readonly salt: number },
): number {
  let seq = Math.max(header.head.seq, logAge(header, wall));
  for (const reported of reportedSeqs) if (reported > seq && reported < MAX_REPORTED_SEQ) seq = reported;
  return seq + 1 + Math.floor(salt * MAX_SALT);
}
