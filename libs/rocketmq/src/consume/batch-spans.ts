const FIRST_TRUST_AFTER = 1;
const MAX_TRUST_AFTER = 64;

/**
 * Predicts how many offsets the next answer with inner batches covers: as many as the last ones, once they agree. It trusts them ever later
 * as its predictions fail, for a producer's batches may all differ.
 */
export class BatchSpans {
  #last: number | undefined;
  /** Answers that covered as many offsets as the one before them. */
  #agreeing = 0;
  #trustAfter = FIRST_TRUST_AFTER;

  /** Undefined while the answers disagree. */
  get expected(): number | undefined {
    return this.#agreeing >= this.#trustAfter ? this.#last : undefined;
  }

  /** Learns how many offsets an answer covered. */
  learn(covered: number): void {
    if (covered === this.#last) {
      this.#agreeing += 1;
      return;
    }
    if (this.expected !== undefined) this.#trustAfter = Math.min(MAX_TRUST_AFTER, this.#trustAfter * 2);
    this.#last = covered;
    this.#agreeing = 0;
  }
}
