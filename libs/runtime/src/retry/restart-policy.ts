import type { TaskError } from '@sluice/core';
import { type BackoffLimits, backoffMs } from '@sluice/time';
import { ConnectErrorCode, isConnectError, isRetriable } from '@sluice/sdk';

/** How a task that fails is started again. */
export interface RestartPolicy {
  /** How many restarts in a row are made; `undefined` for any number. */
  readonly maxAttempts: number | undefined;
  /** Of the delays before restarts. A task that ran for `maxMs` is sound: its next failure is the first of a new row. */
  readonly backoff: BackoffLimits;
}

/** Keeps how often a task restarted while it waits for its next generation, which resumes the count. */
export interface RestartHistory {
  readonly attempts: number;
  readonly lastError: TaskError;
}

export interface TaskFailure {
  readonly error: unknown;
  /** Restarts that were made in this row before. */
  readonly attempts: number;
  /** How long the task had been running; 0 when it did not even start. */
  readonly ranMs: number;
}

export type RestartDecision =
  /** Start it again, as restart number `attempt` of the row, after `delayMs`. */
  | { readonly kind: 'restart'; readonly attempt: number; readonly delayMs: number }
  /** No repetition can fix it. */
  | { readonly kind: 'final' }
  /** All restarts of the row were made. */
  | { readonly kind: 'exhausted' };

/** Reasons that stay until somebody changes settings, stored state or the record itself. */
const LASTING_CODES: ReadonlySet<string> = new Set<ConnectErrorCode>([
  ConnectErrorCode.configInvalid,
  ConnectErrorCode.pluginNotFound,
  ConnectErrorCode.recordInvalid,
  ConnectErrorCode.recordTooLarge,
  ConnectErrorCode.conversionFailed,
  ConnectErrorCode.transformFailed,
  ConnectErrorCode.positionInvalid,
  ConnectErrorCode.stateInvalid,
]);

/** Decides what follows from a failure of a task. `random` in [0, 1) spreads the restarts of tasks that failed together. */
export function decideRestart(policy: RestartPolicy, failure: TaskFailure, random: number): RestartDecision {
  if (isLasting(failure.error)) return { kind: 'final' };
  const { maxAttempts, backoff } = policy;
  const made = failure.ranMs >= backoff.maxMs ? 0 : failure.attempts;
  if (maxAttempts !== undefined && made >= maxAttempts) return { kind: 'exhausted' };
  const attempt = made + 1;
  return { kind: 'restart', attempt, delayMs: backoffMs(attempt, backoff, random) };
}

/** Returns whether the same would fail again for certain. */
export function isLasting(error: unknown): boolean {
  return isConnectError(error) && !isRetriable(error) && LASTING_CODES.has(error.code);
}
