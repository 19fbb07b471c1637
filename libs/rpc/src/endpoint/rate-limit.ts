/** Gives at most `limit` permits in each whole period of the clock. */
export class RateLimit {
  #period = 0;
  #taken = 0;

  constructor(
    private readonly limit: number,
    private readonly periodMs = 1_000,
    private readonly nowMs: () => number = Date.now,
  ) {}

  /** Takes a permit if there is one left in this period. */
  tryTake(): boolean {
    const period = Math.floor(this.nowMs() / this.periodMs);
    if (period !== this.#period) {
      this.#period = period;
      this.#taken = 0;
    }
    if (this.#taken >= this.limit) return false;
    this.#taken += 1;
    return true;
  }
}
