/** Keeps whether a loop is paused, and reports once that nothing of it moves any more. */
export class PauseSwitch {
  #paused = false;
  #onStill: (() => void) | undefined;

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(onStill: () => void): void {
    this.#paused = true;
    this.#onStill = onStill;
  }

  resume(): void {
    this.#paused = false;
    this.#onStill = undefined;
  }

  /** Reports that nothing moves any more; once per pause. */
  tellStill(): void {
    const onStill = this.#onStill;
    this.#onStill = undefined;
    onStill?.();
  }
}
