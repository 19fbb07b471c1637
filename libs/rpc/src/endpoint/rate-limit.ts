/** At most `limit` permits per second, counted in whole seconds of the given clock. */
export class RateLimit {
  #second = 0;
  #taken = 0;

  constructor(
    private readonly limit: number,
    private readonly nowMs: () => number = Date.now,
  ) {}

  /** Takes a permit if there is one left in this second. */
  tryTake(): boolean {
    const second = Math.floor(this.nowMs() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
    }
    if (this.#taken >= this.limit) return false;
    this.#taken += 1;
    return true;
  }
}
