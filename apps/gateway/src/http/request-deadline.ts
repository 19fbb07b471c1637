import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { withinTime } from '@sluice/time';

/** Limits the time that one request may take in all. */
export class RequestDeadline {
  readonly #endsAt: number;

  constructor(timeoutMs: number) {
    this.#endsAt = performance.now() + timeoutMs;
  }

  /** At least 1: ports take a time even when it is over. */
  get remainingMs(): number {
    return Math.max(1, Math.ceil(this.#endsAt - performance.now()));
  }

  /** Waits for `work`. @throws ConnectError with code `CONNECT_TIMEOUT`, naming `stage`, when it is not settled at the deadline. */
  within<T>(work: Promise<T>, stage: string): Promise<T> {
    const late = (): Error => new ConnectError(ConnectErrorCode.timeout, `The gateway was ${stage}.`, { retriable: true });
    return withinTime(work, this.remainingMs, late);
  }
}
