/** Limits of an exponential backoff. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** The delay before try number `attempt` (1 is the first repetition): doubling, capped, between half and all of it by `random` in [0, 1). So nodes do not all return at once. */
export function backoffMs(attempt: number, limits: BackoffLimits, random = Math.random()): number {
  const full = Math.min(limits.maxMs, limits.initialMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random;
}
