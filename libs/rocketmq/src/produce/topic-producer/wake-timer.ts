/** One timer for the earliest of all wake-ups; times are on the clock of `performance.now`. */
export class WakeTimer {
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  constructor(private readonly onWake: () => void) {}

  /** Wakes at that time or before; `Infinity` asks for nothing. */
  wakeAt(at: number, now: number): void {
    if (at === Infinity || this.#at <= at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(
      () => {
        this.#at = Infinity;
        this.onWake();
      },
      Math.max(1, Math.ceil(at - now)),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
