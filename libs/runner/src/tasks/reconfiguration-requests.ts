import type { CommandOutcome } from '@sluice/core';
import type { Clock } from '@sluice/runtime';
import type { ScopedLogger } from '@sluice/node';

export interface ReconfigurationOptions {
  /** Has the connector split again; rejects when nobody took the command. */
  readonly split: (connector: string) => Promise<CommandOutcome>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Pick<ScopedLogger, 'info' | 'warn'>;
  /** Time between two commands for one connector, in milliseconds. */
  readonly intervalMs: number;
}

/**
 * Requests new task configs of connectors whose source tasks ask for them. The next request serves together all that come while one is under way, or
 * too soon after it. A request that nobody took is repeated.
 */
export class ReconfigurationRequests {
  /** By connector: whether it has to be split once more. */
  readonly #pending = new Map<string, boolean>();
  readonly #ended = new AbortController();

  constructor(private readonly options: ReconfigurationOptions) {}

  request(connector: string): void {
    if (this.#ended.signal.aborted) return;
    const isServed = this.#pending.has(connector);
    this.#pending.set(connector, true);
    if (!isServed) void this.#serve(connector);
  }

  stop(): void {
    this.#ended.abort(new Error('The node stops'));
  }

  async #serve(connector: string): Promise<void> {
    const { clock, intervalMs } = this.options;
    const { signal } = this.#ended;
    while (this.#pending.get(connector) === true && !signal.aborted) {
      this.#pending.set(connector, false);
      const isTaken = await this.#split(connector);
      if (!isTaken) this.#pending.set(connector, true);
      await clock.sleep(intervalMs, signal).catch(() => undefined);
    }
    this.#pending.delete(connector);
  }

  async #split(connector: string): Promise<boolean> {
    const { split, logger } = this.options;
    try {
      const outcome = await split(connector);
      if (outcome.status === 'done') logger.info(`Connector ${connector} is split into tasks again, because one of its tasks asked for it`);
      else logger.warn(`Connector ${connector} is not split into tasks again, though one of its tasks asked for it: ${outcome.message}`);
      return true;
    } catch (error) {
      logger.warn(`Connector ${connector} could not be split into tasks again yet: ${(error as Error).message}`);
      return false;
    }
  }
}
