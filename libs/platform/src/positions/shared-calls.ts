/** Makes one call at a time. Whoever asks while one is under way shares the next with all others that do. */
export class SharedCalls<T> {
  private running: Promise<unknown> | undefined;
  private following: Promise<T> | undefined;

  constructor(private readonly call: () => Promise<T>) {}

  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.running === undefined && this.following === undefined;
  }

  /** The outcome of a call that begins now or later. */
  next(): Promise<T> {
    if (this.running === undefined) return this.begin();
    this.following ??= this.running.then(() => {
      this.following = undefined;
      return this.begin();
    });
    return this.following;
  }

  private begin(): Promise<T> {
    const outcome = this.call();
    const over = (): void => {
      this.running = undefined;
    };
    this.running = outcome.then(over, over);
    return outcome;
  }
}
