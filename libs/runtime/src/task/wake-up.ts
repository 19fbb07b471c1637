/** Lets one loop wait until something may have changed. A wake-up before the wait is not lost. */
export class WakeUp {
  #pending = false;
  #resume: (() => void) | undefined;

  wake(): void {
    const resume = this.#resume;
    if (resume === undefined) this.#pending = true;
    else {
      this.#resume = undefined;
      resume();
    }
  }

  async wait(): Promise<void> {
    if (this.#pending) {
      this.#pending = false;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }
}
