import type { RocketMqError } from '../errors.js';

/** An empty answer sooner than this is no long poll: the broker has no room to let us wait. */
const QUICK_ANSWER_MS = 500;
const QUICK_ANSWER_PAUSE_MS = 200;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

/** When something that is asked again and again may be asked next. All times in ms on one clock. */
export class PollPacing {
  #startedAt: number | undefined;
  #failures = 0;
  #failure: { readonly error: RocketMqError; readonly at: number } | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;

  get isRunning(): boolean {
    return this.#startedAt !== undefined;
  }

  /** How the last poll failed, until the next one is known to wait at its broker. */
  get failure(): { readonly error: RocketMqError; readonly at: number } | undefined {
    return this.#failure;
  }

  /** When the next poll may start; Infinity while one runs. */
  get nextAt(): number {
    return this.isRunning ? Number.POSITIVE_INFINITY : this.#nextAt;
  }

  start(now: number): void {
    this.#startedAt = now;
  }

  /** Notes that the way to the broker is open: the poll waits there. */
  confirm(): void {
    this.#failure = undefined;
  }

  succeed(now: number, isEmpty: boolean): void {
    const isQuick = isEmpty && now - (this.#startedAt ?? now) < QUICK_ANSWER_MS;
    this.#startedAt = undefined;
    this.#failures = 0;
    this.#failure = undefined;
    this.#nextAt = isQuick ? now + QUICK_ANSWER_PAUSE_MS : now;
  }

  fail(now: number, error: RocketMqError): void {
    this.#startedAt = undefined;
    this.#failure = { error, at: now };
    this.#nextAt = now + Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
  }
}

/**
 * Returns the failure that ends a wait for messages, if any. When no poll is under way any more, it is the newest since the
 * wait began. When the time is over, it is the newest of all.
 */
export function decidingFailure(
  polls: readonly PollPacing[],
  wait: { readonly startedAt: number; readonly isOver: boolean },
): RocketMqError | undefined {
  if (!wait.isOver && polls.some((poll) => poll.isRunning)) return undefined;
  const failures = polls.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const counting = wait.isOver ? failures : failures.filter(({ at }) => at >= wait.startedAt);
  return counting.sort((a, b) => b.at - a.at)[0]?.error;
}
