import type { BackoffLimits } from '@sluice/time';
import type { Clock } from '../ports/clock.port.js';
import type { RetryPolicy } from './retrying.js';
import type { TaskWaits } from './task-waits.js';

export interface EndlessRetryOptions {
  readonly clock: Clock;
  readonly backoff: BackoffLimits;
  readonly waits: TaskWaits;
  readonly warn: (message: string) => void;
}

/** Makes the policy of a call that is repeated until it succeeds or is aborted: the task's status and its log name the call. */
export function endlessRetry({ clock, backoff, waits, warn }: EndlessRetryOptions, call: string, onRetry?: () => void): RetryPolicy {
  return {
    clock,
    limits: backoff,
    waiting: waits.begin(call),
    onRetry: (error, attempt) => {
      onRetry?.();
      warn(`Try ${attempt} of ${call} failed and is retried: ${String(error)}`);
    },
  };
}
