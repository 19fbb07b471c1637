/** The most that a task sends late after a stall. */
const MAX_CATCH_UP_MS = 200;

/**
 * Computes how many records are due. The schedule is fixed at the start: record `n` is due at `n / rate` seconds, so lateness of single
 * calls does not add up. Late records are due at once, but at most those of 200 ms. A longer stall moves the schedule, so no burst follows
 * it. Slow rates keep at least one record due.
 *
 * Pure: the caller passes a clock that never goes back, in milliseconds.
 */
export class Pace {
  readonly #perMs: number;
  readonly #maxDue: number;
  #startMs: number;
  #taken = 0;

  /** @param rate records per second, above 0 */
  constructor(rate: number, nowMs: number) {
    this.#perMs = rate / 1000;
    this.#maxDue = Math.max(1, this.#perMs * MAX_CATCH_UP_MS);
    this.#startMs = nowMs;
  }

  /** How many records are due now. */
  due(nowMs: number): number {
    const scheduled = (nowMs - this.#startMs) * this.#perMs;
    const behind = scheduled - this.#taken;
    // One more, for the part of a record that the last call left.
    if (behind > this.#perMs * MAX_CATCH_UP_MS + 1) {
      this.#startMs = nowMs - this.#maxDue / this.#perMs;
      this.#taken = 0;
      return Math.floor(this.#maxDue);
    }
    return Math.max(0, Math.floor(behind));
  }

  /** Notes that this many were made. */
  take(count: number): void {
    this.#taken += count;
  }

  /** Milliseconds until the next record is due; 0 if one is. */
  untilDueMs(nowMs: number): number {
    return Math.max(0, this.#startMs + (this.#taken + 1) / this.#perMs - nowMs);
  }
}
