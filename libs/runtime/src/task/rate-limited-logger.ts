import type { Clock } from '../ports/clock.port.js';

const intervalMs = 1000;

/** Passes on at most one message a second, and says with the next one, or a second later, how many were held back. */
export class RateLimitedLogger {
  private nextMs = -Infinity;
  /** Messages that are held back; only the last one is kept. */
  private heldBack = 0;
  private last = '';
  private isWaiting = false;

  constructor(
    private readonly clock: Clock,
    private readonly log: (message: string) => void,
    /** Aborted when nobody waits for another message: what is held back is passed on then. */
    private readonly signal: AbortSignal,
  ) {}

  write(message: string): void {
    this.last = message;
    this.heldBack++;
    if (this.clock.nowMs() >= this.nextMs) this.passOn();
    else if (!this.isWaiting) void this.passOnLater();
  }

  private async passOnLater(): Promise<void> {
    this.isWaiting = true;
    await this.clock.sleep(this.nextMs - this.clock.nowMs(), this.signal).catch(() => undefined);
    this.isWaiting = false;
    this.passOn();
  }

  private passOn(): void {
    const before = this.heldBack - 1;
    if (before < 0) return;
    this.nextMs = this.clock.nowMs() + intervalMs;
    this.heldBack = 0;
    this.log(before === 0 ? this.last : `${this.last} (and ${before} more before it)`);
  }
}
