import { RateLimitedLogger } from '@sluice/time';
import type { TaskWait } from '@sluice/core';
import type { Clock } from '../ports/clock.port.js';

/** Reports carry the waits of every task. */
const MAX_LISTED = 3;
const MAX_CHARACTERS = 500;

/** A task may change its mind at every poll. */
const LOG_INTERVAL_MS = 10_000;

/** A call that has not returned for so long is shown: until then it may well do its work. */
const UNRETURNED_MS = 10_000;
/** The start of one call is read this far apart at most: the clocks are read one after the other. */
const SAME_START_MS = 1_000;

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
  #unreturned: TaskWait | undefined;

  constructor(
    private readonly clock: Clock,
    /** Takes secrets out of a text. */
    private readonly hide: (text: string) => string = (text) => text,
    /** The call of the task that has not returned, and for how many milliseconds. */
    private readonly ongoing: () => { readonly call: string; readonly forMs: number } | undefined = () => undefined,
  ) {}

  /** The longest ones first, behind a call of the task that does not return. */
  get list(): readonly TaskWait[] {
    const waits = [...this.#waits.values()];
    const call = this.#callThatWaits();
    return (call === undefined ? waits : [call, ...waits]).slice(0, MAX_LISTED);
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

  /** Returns the same object while it is the same call. */
  #callThatWaits(): TaskWait | undefined {
    const ongoing = this.ongoing();
    if (ongoing === undefined || ongoing.forMs < UNRETURNED_MS) return undefined;
    const since = this.clock.wallMs() - ongoing.forMs;
    const shown = this.#unreturned;
    if (shown?.call === ongoing.call && Math.abs(shown.since - since) < SAME_START_MS) return shown;
    this.#unreturned = { call: ongoing.call, error: 'The call has not returned', since };
    return this.#unreturned;
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
