import { type BackoffLimits, backoffMs } from '@sluice/time';
import { isRetriable } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { WaitingCall } from './task-waits.js';

export interface RetryPolicy {
  readonly clock: Clock;
  readonly limits: BackoffLimits;
  /** Gives up, with the last error, once this much time has passed since the first failure. Absent: retries until aborted. */
  readonly limitMs?: number | undefined;
  /** Milliseconds until the next try, where something else than the backoff decides that. */
  readonly delayMs?: () => number | undefined;
  readonly onRetry?: (error: unknown, attempt: number) => void;
  /** Shows the call in the task's status while it is repeated. */
  readonly waiting?: WaitingCall;
  /** Default: {@link isRetriable}. */
  readonly mayRetry?: (error: unknown) => boolean;
}

/**
 * Makes a call again after errors that are marked retriable, with exponential backoff. Rejects with the call's error, or with the signal's
 * reason when `signal` is aborted between two tries.
 */
export async function retrying<T>(policy: RetryPolicy, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  try {
    return await repeat(policy, signal, call);
  } finally {
    policy.waiting?.ended();
  }
}

async function repeat<T>(policy: RetryPolicy, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  let failedSinceMs: number | undefined;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(policy.mayRetry ?? isRetriable)(error)) throw error;
      const nowMs = policy.clock.nowMs();
      failedSinceMs ??= nowMs;
      const delayMs = policy.delayMs?.() ?? backoffMs(attempt, policy.limits, policy.clock.random());
      if (policy.limitMs !== undefined && nowMs + delayMs - failedSinceMs > policy.limitMs) throw error;
      policy.waiting?.failed(error);
      policy.onRetry?.(error, attempt);
      await policy.clock.sleep(delayMs, signal);
    }
  }
}
