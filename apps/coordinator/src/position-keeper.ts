import { pause } from '@sluice/time';
import { unattendedSources, type CoordinatorState } from '@sluice/core';
import type { RocketMqPositionStore } from '@sluice/runner';
import type { ScopedLogger } from '@sluice/node';

/** Between two looks. Short: a broker whose disk is full deletes much at once, and nodes still know what it took. */
const INTERVAL_MS = 60_000;
/** Positions that were last written so long ago are written again: as the tasks do, and far below the retention of any topic. */
const OLD_MS = 2 * 3_600_000;

export interface PositionKeeperOptions {
  readonly positions: Pick<RocketMqPositionStore, 'catchUp' | 'isDue' | 'refreshFor'>;
  readonly state: () => CoordinatorState;
  readonly logger: ScopedLogger;
}

/**
 * Writes positions of source connectors again before retention takes them, while this coordinator leads. It writes by age those that no task
 * keeps, and all of them once a queue's beginning comes near. A connector that is stopped for long could not resume otherwise.
 */
export class PositionKeeper {
  readonly #ended = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: PositionKeeperOptions) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  /** One look at all connectors. One that fails is logged and left for the next look. */
  async keep(wallMs: number): Promise<void> {
    const { positions, state, logger } = this.options;
    const { role, cluster, reports } = state();
    if (role !== 'leader') return;
    try {
      await positions.catchUp();
    } catch (error) {
      logger.warn(`The positions cannot be read, so old ones were not written again: ${(error as Error).message}`);
      return;
    }
    const unattended = new Set(unattendedSources(cluster, reports));
    for (const { name: connector, type } of cluster.connectors.values()) {
      const beforeMs = unattended.has(connector) ? wallMs - OLD_MS : 0;
      if (type !== 'source' || !positions.isDue(connector, beforeMs)) continue;
      const now = state();
      if (now.role !== 'leader' || this.#ended.signal.aborted) return;
      try {
        await positions.refreshFor(connector, now.cluster.head.seq, beforeMs);
      } catch (error) {
        logger.warn(`Old positions of connector ${connector} were not written again: ${(error as Error).message}`);
      }
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await pause(INTERVAL_MS, signal);
      await this.keep(Date.now());
    }
  }
}
