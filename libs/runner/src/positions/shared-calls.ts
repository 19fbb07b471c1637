/** Makes one call at a time. All callers that ask while one is under way share the next one. */
export class SharedCalls<T> {
  #running: Promise<unknown> | undefined;
  #following: Promise<T> | undefined;

  constructor(private readonly call: () => Promise<T>) {}

  /** True when no call is under way or to come. */
  get isIdle(): boolean {
    return this.#running === undefined && this.#following === undefined;
  }

  /** Returns the outcome of a call that begins now or later, and never of one that is under way. */
  next(): Promise<T> {
    if (this.#following !== undefined) return this.#following;
    if (this.#running === undefined) return this.#begin();
    this.#following = this.#running.then(() => {
      this.#following = undefined;
      return this.#begin();
    });
    return this.#following;
  }

  #begin(): Promise<T> {
    const outcome = this.call();
    const over = (): void => {
      this.#running = undefined;
    };
    this.#running = outcome.then(over, over);
    return outcome;
  }
}
