import type { Clock } from './ports/clock.port.js';

const intervalMs = 1000;

/** Passes on at most one message a second and says how many were held back. */
export class RateLimitedLog {
  private nextMs = -Infinity;
  private heldBack = 0;

  constructor(
    private readonly clock: Clock,
    private readonly log: (message: string) => void,
  ) {}

  write(message: string): void {
    const nowMs = this.clock.nowMs();
    if (nowMs < this.nextMs) {
      this.heldBack++;
      return;
    }
    this.nextMs = nowMs + intervalMs;
    this.log(this.heldBack === 0 ? message : `${message} (and ${this.heldBack} more before it)`);
    this.heldBack = 0;
  }
}
