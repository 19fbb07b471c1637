import { MAX_TIMER_MS, onAbort } from '@sluice/time';
import { InvalidArgumentError, MalformedDataError, RequestAbortedError, RequestTimeoutError, type RequestOutcome } from '../errors.js';

/** The limits that a caller sets to one call, however many requests it takes. */
export interface CallOptions {
  /** From the start of the call to its end. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One point in time, on the monotonic clock, that all parts of a call share; and the caller's signal. */
export class CallDeadline {
  readonly #endsAt: number;

  constructor(
    readonly timeoutMs: number,
    readonly signal: AbortSignal | undefined,
  ) {
    if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) {
      throw new InvalidArgumentError(`timeoutMs ${timeoutMs}: allowed is 0 to ${MAX_TIMER_MS}`);
    }
    this.#endsAt = performance.now() + timeoutMs;
  }

  /** Returns a deadline within this one. */
  within(timeoutMs: number): CallDeadline {
    return new CallDeadline(Math.max(1, Math.min(timeoutMs, this.remainingMs)), this.signal);
  }

  get remainingMs(): number {
    return this.#endsAt - performance.now();
  }

  /** @throws RequestTimeoutError, RequestAbortedError with outcome `not-sent` */
  throwIfEnded(what: string): void {
    if (this.signal?.aborted === true) throw new RequestAbortedError(what, 'not-sent', this.signal.reason);
    if (this.remainingMs <= 0) throw new RequestTimeoutError(what, this.timeoutMs, 'not-sent');
  }

  /**
   * Ends with `work`, or rejects at the deadline or abort with the outcome known then. `work` itself continues and its
   * result is dropped.
   * @param onGivenUp called before a rejection by the deadline or the abort
   */
  race<T>(work: Promise<T>, what: string, outcome: () => RequestOutcome, onGivenUp?: () => void): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        unlisten();
      };
      const giveUp = (error: Error): void => {
        end();
        onGivenUp?.();
        reject(error);
      };
      const abort = (): void => {
        giveUp(new RequestAbortedError(what, outcome(), signal?.reason));
      };
      const unlisten = onAbort(signal, abort);
      const timer = setTimeout(
        () => {
          giveUp(new RequestTimeoutError(what, this.timeoutMs, outcome()));
        },
        Math.max(0, this.remainingMs),
      );
      work.then(
        (value) => {
          end();
          resolve(value);
        },
        (error: unknown) => {
          end();
          reject(error instanceof Error ? error : new MalformedDataError(`failure of ${what}`, String(error), error));
        },
      );
      if (signal?.aborted === true) abort();
    });
  }
}
