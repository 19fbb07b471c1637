/** Limits of an exponential backoff. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/**
 * Returns the pause after failed attempt number `attempt`, from 1: exponential, capped, between half and all of that by `random` in [0, 1). The
 * jitter keeps nodes from returning all at once.
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random = Math.random()): number {
  const full = Math.min(limits.maxMs, limits.initialMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random;
}
