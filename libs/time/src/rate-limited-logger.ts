import { pause } from './pause.js';

export interface RateLimitedLoggerOptions {
  readonly log: (message: string) => void;
  /** Absent: a second. */
  readonly intervalMs?: number;
  /** Aborted when nobody waits for another message: what is held back is passed on then. */
  readonly signal: AbortSignal;
  /** Absent: the clock of the process. */
  readonly clock?: {
    /** Milliseconds, monotonic. */
    nowMs(): number;
    sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  };
}

const DEFAULT_INTERVAL_MS = 1000;
const processClock = { nowMs: () => performance.now(), sleep: pause };

/** Passes on at most one message per interval, and says with the next one, or when the interval ends, how many it has held back. */
export class RateLimitedLogger {
  #nextMs = -Infinity;
  /** Messages that are held back; only the last one is kept. */
  #heldBack = 0;
  #last = '';
  #isWaiting = false;

  constructor(private readonly options: RateLimitedLoggerOptions) {}

  write(message: string): void {
    this.#last = message;
    this.#heldBack++;
    if (this.#clock.nowMs() >= this.#nextMs) this.#passOn();
    else if (!this.#isWaiting) void this.#passOnLater();
  }

  get #clock(): NonNullable<RateLimitedLoggerOptions['clock']> {
    return this.options.clock ?? processClock;
  }

  async #passOnLater(): Promise<void> {
    this.#isWaiting = true;
    await this.#clock.sleep(this.#nextMs - this.#clock.nowMs(), this.options.signal).catch(() => undefined);
    this.#isWaiting = false;
    this.#passOn();
  }

  #passOn(): void {
    const before = this.#heldBack - 1;
    if (before < 0) return;
    this.#nextMs = this.#clock.nowMs() + (this.options.intervalMs ?? DEFAULT_INTERVAL_MS);
    this.#heldBack = 0;
    this.options.log(before === 0 ? this.#last : `${this.#last} (and ${before} more before it)`);
  }
}
