import { onAbort } from '@sluice/time';

/**
 * Says whether this task still is the one that runs. The runtime calls a task only while the runner holds its lease, and then many times a second. Where
 * no call comes, another runner may have the task: nothing is sent any more until the next one.
 */
export class CallPermit {
  /** Of the last call. */
  #calledMs = -Infinity;
  #waiting: (() => void)[] = [];

  /** @param forMs how long a call is good for, in milliseconds: shorter than a lease */
  constructor(private readonly forMs: number) {}

  readonly isHeld = (): boolean => performance.now() - this.#calledMs < this.forMs;

  /** Notes a call of the runtime. */
  note(): void {
    this.#calledMs = performance.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Resolves once the runtime has called of late. @throws the signal's reason */
  async whenHeld(signal: AbortSignal): Promise<void> {
    while (!this.isHeld()) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const cancel = onAbort(signal, resolve);
        this.#waiting.push(() => {
          cancel();
          resolve();
        });
      });
    }
    signal.throwIfAborted();
  }
}
