import { pause, withLimit } from '@sluice/time';
import type { ScopedLogger } from '../logging/process-logger.js';
import type { LogFollower } from './log-follower.js';

export interface HeadWatchOptions {
  readonly intervalMs: number;
  /** Called with a monotonic time as of which the node knows all of the log. */
  readonly onReached?: (sentAt: number) => void;
  /** Called after every attempt, reached or not. */
  readonly onAttempt?: () => void;
}

const ATTEMPT_TIMEOUT_MS = 2500;

/** Proves again and again that the node knows the log up to its head, until the log cannot be followed any more. */
export class HeadWatch {
  readonly #ended = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly follower: LogFollower,
    private readonly options: HeadWatchOptions,
    private readonly logger: ScopedLogger,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const signal = this.#ended.signal;
    while (!signal.aborted && !this.follower.hasEnded) {
      try {
        const { sentAt } = await withLimit(signal, ATTEMPT_TIMEOUT_MS, (limited) => this.follower.proveHead(limited));
        this.options.onReached?.(sentAt);
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        this.logger.debug(`The head of the log was not reached: ${(error as Error).message}`);
      }
      this.options.onAttempt?.();
      await pause(this.options.intervalMs, signal);
    }
  }
}
