import { type BackoffLimits, backoffMs } from './backoff.js';
import { pause } from './pause.js';

export interface RetryOptions {
  readonly limits: BackoffLimits;
  /** Stops the attempts, also within a pause. */
  readonly signal: AbortSignal;
  /** No attempt starts later than this after the first one. Absent: only the signal ends the attempts. */
  readonly limitMs?: number;
  /** Returns whether another attempt can succeed. */
  readonly mayRetry: (error: unknown) => boolean;
  /** Called before each pause. */
  readonly onRetry?: (error: unknown, attempt: number) => void;
}

/**
 * Makes a call until one attempt succeeds, with exponential backoff between the attempts.
 * @throws what the last attempt threw: no other may help, the limit is reached, or the signal is aborted
 */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { limits, signal, limitMs = Number.POSITIVE_INFINITY, mayRetry, onRetry } = options;
  const endsAt = performance.now() + limitMs;
  const isAborted = (): boolean => signal.aborted;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const pauseMs = backoffMs(attempt, limits);
      if (isAborted() || !mayRetry(error) || performance.now() + pauseMs >= endsAt) throw error;
      onRetry?.(error, attempt);
      await pause(pauseMs, signal);
      if (isAborted()) throw error;
    }
  }
}
