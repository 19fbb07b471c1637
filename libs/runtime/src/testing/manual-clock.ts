import type { Clock } from '../ports/clock.port.js';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

const HOPS_PER_MOMENT = 12;

/** Virtual time: it moves to the next timer when everything that can happen now has happened. */
export class ManualClock implements Clock {
  #ms = 0;
  readonly #sleepers = new Set<Sleeper>();

  nowMs(): number {
    return this.#ms;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#ms;
  }

  random(): number {
    return 0.5;
  }

  async yieldToIo(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', abort);
      };
      const sleeper: Sleeper = {
        dueMs: this.#ms + delayMs,
        wake: () => {
          end();
          resolve();
        },
      };
      const abort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', abort);
    });
  }

  /** Timers that nobody has cancelled. */
  get pendingTimers(): number {
    return this.#sleepers.size;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let hop = 0; hop < HOPS_PER_MOMENT; hop++) await this.yieldToIo();
  }

  /** Moves on by `ms`, timer by timer. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#ms + ms;
    await this.settle();
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > targetMs) break;
      this.#ms = Math.max(this.#ms, next.dueMs);
      next.wake();
      await this.settle();
    }
    this.#ms = targetMs;
  }

  /** Moves on, timer by timer, until `isDone`. Throws when it is not within `limitMs`. */
  async until(isDone: () => boolean, limitMs = 600_000): Promise<void> {
    const endMs = this.#ms + limitMs;
    await this.settle();
    while (!isDone()) {
      const next = [...this.#sleepers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) throw new Error(`Nothing can happen any more at ${this.#ms} ms, and it is not done`);
      if (next.dueMs > endMs) throw new Error(`Not done within ${limitMs} ms`);
      this.#ms = Math.max(this.#ms, next.dueMs);
      next.wake();
      await this.settle();
    }
  }
}
