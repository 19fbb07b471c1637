/** What both clocks of a node say at one moment, in milliseconds. */
export interface ClockReading {
  /** Of a clock that never goes back, and that stops while the machine is suspended. */
  readonly now: number;
  /** Since the epoch: it may be set at any time, and after a suspension it is. */
  readonly wall: number;
}

/** The last reading, and the time for which the monotonic clock had stopped up to then. */
export interface ElapsedTime extends ClockReading {
  readonly stoodStillMs: number;
}

/** Ahead of this the wall clock is never only because the clocks are read one after the other, or run at different rates. */
const JUMP_MS = 250;

/**
 * Takes in a reading and adds the time for which the monotonic clock had stopped. Where the wall clock has advanced
 * further, the machine was suspended, or somebody set the wall clock forward. Nobody knows which, so the time is
 * treated as elapsed.
 */
export function elapsedAfter(before: ElapsedTime, { now, wall }: ClockReading): ElapsedTime {
  const jumpMs = wall - before.wall - (now - before.now);
  return { now, wall, stoodStillMs: before.stoodStillMs + (jumpMs > JUMP_MS ? jumpMs : 0) };
}

/** A time that advances through suspensions; leases are measured in it. */
export function elapsedMs({ now, stoodStillMs }: ElapsedTime): number {
  return now + stoodStillMs;
}
