import { setTimeout as delay } from 'node:timers/promises';
import { unattendedSources, type CoordinatorState } from '@sluice/core';
import type { RocketMqPositionStore, ScopedLog } from '@sluice/platform';

/** Between two looks. */
const intervalMs = 600_000;
/** Positions that were last written so long ago are written again: as the tasks do, and far below the retention of any topic. */
const oldMs = 2 * 3_600_000;

export interface PositionKeeperOptions {
  readonly positions: Pick<RocketMqPositionStore, 'refreshUnattended'>;
  readonly state: () => CoordinatorState;
  readonly log: ScopedLog;
}

/**
 * While this coordinator leads, writes the positions of source connectors again that no task keeps: retention would take those of a connector
 * that is stopped for long, and it could not go on where it was.
 */
export class PositionKeeper {
  private readonly ended = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: PositionKeeperOptions) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
  }

  /** One look at all connectors. A failed one is told and left for the next look. */
  async keep(wallMs: number): Promise<void> {
    const { positions, state, log } = this.options;
    const { cluster, reports } = state();
    for (const connector of unattendedSources(cluster, reports)) {
      const { role, cluster: now } = state();
      if (role !== 'leader' || this.ended.signal.aborted) return;
      try {
        await positions.refreshUnattended(connector, now.head.seq, wallMs - oldMs);
      } catch (error) {
        log.warn(`Old positions of connector ${connector} were not written again: ${(error as Error).message}`);
      }
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
      await this.keep(Date.now());
    }
  }
}
