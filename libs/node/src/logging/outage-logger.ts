import type { ScopedLogger } from './process-logger.js';

/** Logs an outage twice: when something that is repeated first fails, and when it works again. */
export class OutageLogger {
  private failingSince: number | undefined;
  private failures = 0;

  constructor(
    private readonly logger: Pick<ScopedLogger, 'info' | 'warn'>,
    /** Said when it works again, for instance `Reports are sent again`. */
    private readonly again: string,
  ) {}

  failed(message: string): void {
    this.failures += 1;
    if (this.failingSince !== undefined) return;
    this.failingSince = performance.now();
    this.logger.warn(message);
  }

  worked(): void {
    if (this.failingSince === undefined) return;
    const seconds = ((performance.now() - this.failingSince) / 1000).toFixed(1);
    this.logger.info(`${this.again}, after ${String(this.failures)} failure(s) in ${seconds} s`);
    this.failingSince = undefined;
    this.failures = 0;
  }
}
