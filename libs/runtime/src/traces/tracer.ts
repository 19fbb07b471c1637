import type { TraceContext } from '@sluice/protocol';
import type { Clock } from '../ports/clock.port.js';
import type { TracePort } from '../ports/trace.port.js';

/** Which records are traced. */
export interface Sampling {
  /** The share of records without a context that begin a trace; from 0 to 1. */
  readonly ratio: number;
  /** The most records that are traced in a second, whoever has chosen them. */
  readonly maxPerSecond: number;
}

/**
 * Chooses the records that are traced, for all tasks of a thread. Where a record carries a context, that says whether it is traced. Each of the
 * others is chosen with the same probability, independently. One number, drawn from the geometric distribution, says how many are passed over
 * until the next one. A record that is not chosen costs a decrement.
 */
export class Tracer {
  /** Records to pass over before the next one that is traced. */
  #left: number;
  /** Records that may be traced now: a second's worth at most. */
  #allowance: number;
  #allowedAtMs: number;

  constructor(
    private readonly sampling: Sampling,
    readonly port: TracePort,
    readonly clock: Pick<Clock, 'nowMs' | 'wallMs' | 'random'>,
  ) {
    this.#left = this.#nextGap();
    this.#allowance = sampling.maxPerSecond;
    this.#allowedAtMs = clock.nowMs();
  }

  /**
   * Chooses whether a record is traced.
   *
   * @param context what the record carries; its decision holds. An invalid one is counted and treated as none
   */
  chooses(context: TraceContext | undefined | 'invalid'): boolean {
    if (typeof context === 'object') return context.isSampled && this.#isWithinLimit();
    if (context === 'invalid') this.port.counts.invalidContexts++;
    if (this.#left > 0) {
      this.#left--;
      return false;
    }
    this.#left = this.#nextGap();
    return this.#isWithinLimit();
  }

  #isWithinLimit(): boolean {
    const { maxPerSecond } = this.sampling;
    const nowMs = this.clock.nowMs();
    this.#allowance = Math.min(maxPerSecond, this.#allowance + ((nowMs - this.#allowedAtMs) / 1000) * maxPerSecond);
    this.#allowedAtMs = nowMs;
    if (this.#allowance < 1) {
      this.port.counts.limitedRecords++;
      return false;
    }
    this.#allowance -= 1;
    return true;
  }

  #nextGap(): number {
    const { ratio } = this.sampling;
    if (ratio >= 1) return 0;
    if (ratio <= 0) return Infinity;
    return Math.floor(Math.log1p(-this.clock.random()) / Math.log1p(-ratio));
  }
}
