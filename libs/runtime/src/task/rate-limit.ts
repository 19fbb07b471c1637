import type { Clock } from '../ports/clock.port.js';
import type { TaskWaits, WaitingCall } from '../retry/task-waits.js';
import { TokenBucket } from './token-bucket.js';

/** What one task may do in a second; `undefined` as much as it can. */
export interface RateLimits {
  readonly records: number | undefined;
  readonly bytes: number | undefined;
}

/** Holds a task to its limits of records and bytes per second, and shows in the status while they delay it. */
export class RateLimit {
  readonly #records: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;
  readonly #waiting: WaitingCall;
  readonly #text: string;

  private constructor(
    limits: RateLimits,
    private readonly clock: Clock,
    waits: TaskWaits,
  ) {
    const { records, bytes } = limits;
    const nowMs = clock.nowMs();
    this.#records = records === undefined ? undefined : new TokenBucket(records, nowMs);
    this.#bytes = bytes === undefined ? undefined : new TokenBucket(bytes, nowMs);
    this.#waiting = waits.begin('keeping to the rate limit');
    const parts = [...(records === undefined ? [] : [`${records} records`]), ...(bytes === undefined ? [] : [`${bytes} bytes`])];
    this.#text = `the task may take ${parts.join(' and ')} per second`;
  }

  /** Returns `undefined` where nothing is limited. */
  static of(limits: RateLimits, clock: Clock, waits: TaskWaits): RateLimit | undefined {
    return limits.records === undefined && limits.bytes === undefined ? undefined : new RateLimit(limits, clock, waits);
  }

  /** Returns after how many milliseconds the next record may be taken: 0 where it may be now. */
  waitMs(): number {
    const nowMs = this.clock.nowMs();
    const waitMs = Math.max(this.#records?.waitMs(nowMs) ?? 0, this.#bytes?.waitMs(nowMs) ?? 0);
    if (waitMs > 0) this.#waiting.failed(this.#text);
    return waitMs;
  }

  /** Takes one record; returns whether another one may be taken before the next wait. */
  take(bytes: number): boolean {
    const mayTakeRecord = this.#records?.take(1) ?? true;
    const mayTakeBytes = this.#bytes?.take(bytes) ?? true;
    return mayTakeRecord && mayTakeBytes;
  }

  /** Notes that the task has nothing that the limit delays. */
  idle(): void {
    this.#waiting.ended();
  }
}
