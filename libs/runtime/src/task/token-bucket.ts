/** For how long a bucket fills while nothing is taken, in milliseconds: a stream that resumes is followed by no long burst. */
const FILL_MS = 100;

/**
 * Grants amounts at a rate. What is taken at once may exceed what is there. The next amount then waits until the debt is paid.
 * Pure: the caller says what time it is.
 */
export class TokenBucket {
  readonly #capacity: number;
  #tokens: number;
  #filledMs: number;

  /**
   * @param perSecond above 0
   * @param nowMs monotonic, here and later
   */
  constructor(
    private readonly perSecond: number,
    nowMs: number,
  ) {
    this.#capacity = Math.max(1, (perSecond * FILL_MS) / 1000);
    this.#tokens = this.#capacity;
    this.#filledMs = nowMs;
  }

  /** Returns after how many milliseconds something may be taken: 0 where it may be now. */
  waitMs(nowMs: number): number {
    const filled = this.#tokens + ((nowMs - this.#filledMs) * this.perSecond) / 1000;
    this.#tokens = Math.min(this.#capacity, filled);
    this.#filledMs = nowMs;
    return this.#tokens > 0 ? 0 : Math.max(1, Math.ceil((-this.#tokens * 1000) / this.perSecond));
  }

  /** Takes an amount; returns whether more may be taken before the next wait. */
  take(amount: number): boolean {
    this.#tokens -= amount;
    return this.#tokens > 0;
  }
}
