import type { ScopedLogger } from './process-logger.js';

/** How often an outage that lasts is logged again, in milliseconds. */
const STILL_FAILING_MS = 60_000;

/** Logs an outage when something that is repeated first fails, once a minute while it still fails, and when it works again. */
export class OutageLogger {
  #failingSince: number | undefined;
  #loggedAt = 0;
  #failures = 0;

  constructor(
    private readonly logger: Pick<ScopedLogger, 'info' | 'warn'>,
    /** Said when it works again, for instance `Reports are sent again`. */
    private readonly again: string,
  ) {}

  failed(message: string): void {
    this.#failures += 1;
    const now = performance.now();
    if (this.#failingSince !== undefined && now - this.#loggedAt < STILL_FAILING_MS) return;
    const seconds = this.#failingSince === undefined ? undefined : ((now - this.#failingSince) / 1000).toFixed(0);
    const still = seconds === undefined ? '' : ` (for ${seconds} s, ${this.#failures} failures)`;
    this.#failingSince ??= now;
    this.#loggedAt = now;
    this.logger.warn(`${message}${still}`);
  }

  worked(): void {
    if (this.#failingSince === undefined) return;
    const seconds = ((performance.now() - this.#failingSince) / 1000).toFixed(1);
    this.logger.info(`${this.again}, after ${this.#failures} failure(s) in ${seconds} s`);
    this.#failingSince = undefined;
    this.#failures = 0;
  }
}
