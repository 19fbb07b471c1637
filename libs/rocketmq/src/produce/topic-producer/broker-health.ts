import { backoffMs, type BackoffLimits } from '@sluice/time';

/** Which brokers are left alone for a while after they failed; all times in ms on one clock. */
export class BrokerHealth {
  readonly #failing = new Map<string, { failures: number; notBefore: number }>();

  constructor(private readonly backoff: BackoffLimits) {}

  /** When the broker may be tried; -Infinity for one that works. */
  notBefore(brokerName: string): number {
    return this.#failing.get(brokerName)?.notBefore ?? -Infinity;
  }

  /** Returns whether nothing was stored there since its last failure. */
  isFailing(brokerName: string): boolean {
    return this.#failing.size > 0 && this.#failing.has(brokerName);
  }

  /** Delays the next attempt at the broker. When several requests under way fail together, only the first failure does. */
  failed(brokerName: string, now: number): void {
    const known = this.#failing.get(brokerName);
    if (known !== undefined && known.notBefore > now) return;
    const failures = (known?.failures ?? 0) + 1;
    this.#failing.set(brokerName, { failures, notBefore: now + backoffMs(failures, this.backoff) });
  }

  succeeded(brokerName: string): void {
    if (this.#failing.size > 0) this.#failing.delete(brokerName);
  }
}
