import type { TaskWaits, WaitingCall } from '../retry/task-waits.js';
import type { SharedRate } from './shared-rate.js';

/** A task that waits looks again after this time, in milliseconds: limits change while it runs. */
const MAX_WAIT_MS = 1_000;
/** So much longer waits who has taken last, in milliseconds: others that wait come first, and what accrues meanwhile is saved up. */
const YIELD_MS = 2;

/** Holds a task to the limits that it shares with others, and shows in the status while they delay it. */
export class RateLimit {
  readonly #waiting: WaitingCall;
  #isShown = false;
  #hasTaken = false;
  #notBeforeMs = -Infinity;

  constructor(
    private readonly rate: SharedRate,
    waits: TaskWaits,
  ) {
    this.#waiting = waits.begin('keeping to the rate limit');
  }

  /** Counts what is taken; `undefined` while nothing is limited. */
  get active(): Pick<SharedRate, 'take'> | undefined {
    return this.rate.isLimited ? this : undefined;
  }

  /** As {@link SharedRate.take}. */
  take(bytes: number): boolean {
    this.#hasTaken = true;
    return this.rate.take(bytes);
  }

  /** Returns after how many milliseconds to ask again: 0 where the next record may be taken now. */
  waitMs(): number {
    if (!this.rate.isLimited) {
      this.idle();
      return 0;
    }
    const waitMs = Math.min(MAX_WAIT_MS, this.#fairWaitMs());
    if (waitMs > 0) {
      this.#isShown = true;
      this.#waiting.failed(textOf(this.rate));
    }
    return waitMs;
  }

  #fairWaitMs(): number {
    const nowMs = this.rate.nowMs();
    const waitMs = this.rate.waitMs();
    if (waitMs > 0 && this.#hasTaken) {
      this.#hasTaken = false;
      this.#notBeforeMs = nowMs + Math.min(MAX_WAIT_MS, waitMs) + YIELD_MS;
    }
    return Math.max(waitMs, Math.ceil(this.#notBeforeMs - nowMs));
  }

  /** Notes that the task has nothing that the limit delays. */
  idle(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#waiting.ended();
  }
}

function textOf({ limits: { records, bytes } }: SharedRate): string {
  const parts = [...(records === undefined ? [] : [`${records} records`]), ...(bytes === undefined ? [] : [`${bytes} bytes`])];
  return `the tasks of the connector on this runner may take ${parts.join(' and ')} per second`;
}
