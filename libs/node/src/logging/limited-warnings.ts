import type { ScopedLogger } from './process-logger.js';

const intervalMs = 10_000;

/** Logs at most one of many warnings per ten seconds, with the number of those that it left out before. */
export class LimitedWarnings {
  private leftOut = 0;
  private nextMs = -Infinity;

  constructor(
    private readonly logger: Pick<ScopedLogger, 'warn'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  warn(text: string): void {
    if (this.nowMs() < this.nextMs) {
      this.leftOut += 1;
      return;
    }
    this.nextMs = this.nowMs() + intervalMs;
    this.logger.warn(this.leftOut === 0 ? text : `${text} (and ${String(this.leftOut)} more before)`);
    this.leftOut = 0;
  }
}
