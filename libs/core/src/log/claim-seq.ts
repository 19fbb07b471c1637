import type { StateHeader } from '../model/cluster-state.js';

/** Numbers beyond this are no report's to tell: a damaged one must not use them up. */
const MAX_REPORTED_SEQ = 2 ** 52;
/** Less than two claims are apart in time: of two that follow the same head, the later one still has the higher number. */
const MAX_SALT = 1_024;
/** By so much salts and entries put the head ahead of time. Less than a leader waits before it assigns tasks: by then time has passed the head. */
const MAX_AHEAD_MS = 2_500;
/** Twelve days of milliseconds: a tail that is lost is younger. Numbers last for four million claims by clocks that are behind the head. */
const CLAIM_CYCLE = 2 ** 30;
/** 34 years of milliseconds: the files of a restore may be that old. */
const RESTORE_CYCLE = 2 ** 40;
/**
 * More than all claims that may have followed those of a node's files, and than two years of a clock that was ahead. Half a cycle less than whole ones: claims
 * that follow at once add the same cycles, whatever the clocks of broker and restorer differ by.
 */
const RESTORE_LEAP = 2 ** 36 - CLAIM_CYCLE / 2;

/** Milliseconds since the first entry of the log; its writer's clock may have been another one, so they may be negative. */
function logAge({ createdAt }: Pick<StateHeader, 'createdAt'>, wall: number): number {
  return Math.floor(wall - createdAt);
}

/**
 * Computes the `seq` of a claim, which leaps so that no number comes again. Generations and versions are numbers of
 * entries: none may repeat after a tail was lost, not even where the claim itself was lost. A claim leaps above the
 * head, above all that nodes reported as applied, and with the age of the log. That age grows faster than entries do.
 * `salt` separates claims that know the same.
 *
 * @param wall by the broker's clock, the one that all claims share.
 * @param salt in [0, 1), of the claim alone.
 */
export function claimSeq(
  header: StateHeader,
  { wall, reportedSeqs, salt }: { readonly wall: number; readonly reportedSeqs: Iterable<number>; readonly salt: number },
): number {
  let known = header.head.seq;
  for (const reported of reportedSeqs) if (reported > known && reported < MAX_REPORTED_SEQ) known = reported;
  return withTime(known, logAge(header, wall), CLAIM_CYCLE, MAX_AHEAD_MS) + 1 + Math.floor(salt * MAX_SALT);
}

/** The `seq` after which a restored log continues, far above what claims after `header` can have reached. */
export function restoredSeq(header: StateHeader, wall: number): number {
  return withTime(header.head.seq, logAge(header, wall), RESTORE_CYCLE, 0) + RESTORE_LEAP;
}

/**
 * Returns the age of the log where that is not below `known`; else the next number that is whole cycles above it. Once
 * a clock was far ahead, numbers are above the age for as long, and they still grow with time. Of two that follow the
 * same head, the later one is higher, unless the age came to exceed that head between them.
 */
function withTime(known: number, age: number, cycle: number, maxAheadMs: number): number {
  if (age >= known) return age;
  const aheadMs = (known - age) % cycle;
  return aheadMs <= maxAheadMs ? known : known - aheadMs + cycle;
}
