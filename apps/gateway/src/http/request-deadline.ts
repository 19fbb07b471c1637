import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** The time that one request may take in all. */
export class RequestDeadline {
  readonly #endsAt: number;

  constructor(timeoutMs: number) {
    this.#endsAt = performance.now() + timeoutMs;
  }

  /** At least 1: ports take a time even when it is over. */
  get remainingMs(): number {
    return Math.max(1, Math.ceil(this.#endsAt - performance.now()));
  }

  /** @throws ConnectError with code `CONNECT_TIMEOUT`, naming `stage`, when `work` is not settled at the deadline. */
  async within<T>(work: Promise<T>, stage: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new ConnectError(ConnectErrorCode.timeout, `The gateway was ${stage}.`, { retriable: true }));
      }, this.remainingMs);
    });
    try {
      return await Promise.race([work, expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}
