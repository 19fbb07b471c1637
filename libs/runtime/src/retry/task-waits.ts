import { RateLimitedLogger } from '@sluice/time';
import type { TaskWait } from '@sluice/core';
import type { Clock } from '../ports/clock.port.js';

/** Reports carry the waits of every task. */
const MAX_LISTED = 3;
const MAX_CHARACTERS = 500;

/** A task may change its mind at every poll. */
const LOG_INTERVAL_MS = 10_000;

/** One call that is made until it succeeds. */
export interface WaitingCall {
  /** Notes a failure after which the call is repeated. */
  readonly failed: (error: unknown) => void;
  /** The call succeeded or was given up. May be called twice. */
  readonly ended: () => void;
}

/** Keeps what a task waits for, for its status: the calls that failed and are repeated now. */
export class TaskWaits {
  readonly #waits = new Map<WaitingCall, TaskWait>();

  constructor(
    private readonly clock: Clock,
    /** Takes secrets out of a text. */
    private readonly hide: (text: string) => string = (text) => text,
  ) {}

  /** The longest ones first. */
  get list(): readonly TaskWait[] {
    return [...this.#waits.values()].slice(0, MAX_LISTED);
  }

  /**
   * Returns the function by which a task reports what it waits for itself. The status shows the newest reason, and the log too, at most once in
   * ten seconds. The wait ends with `signal`.
   */
  ofTask(log: (message: string) => void, signal: AbortSignal): (reason: string | undefined) => void {
    const waiting = this.begin('waiting for input');
    const limited = new RateLimitedLogger({ log, signal, clock: this.clock, intervalMs: LOG_INTERVAL_MS });
    let shown: string | undefined;
    signal.addEventListener('abort', waiting.ended, { once: true });
    return (reason) => {
      if (reason === shown || signal.aborted) return;
      shown = reason;
      if (reason === undefined) waiting.ended();
      else waiting.failed(reason);
      limited.write(reason === undefined ? 'The task has its input again' : `The task waits for its input: ${reason}`);
    };
  }

  begin(call: string): WaitingCall {
    const waiting: WaitingCall = {
      failed: (error) => {
        const text = this.hide(error instanceof Error ? error.message : String(error));
        const since = this.#waits.get(waiting)?.since ?? this.clock.wallMs();
        const shown = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}...` : text;
        this.#waits.set(waiting, { call, error: shown, since });
      },
      ended: () => {
        this.#waits.delete(waiting);
      },
    };
    return waiting;
  }
}
