import { setTimeout as delay } from 'node:timers/promises';
import { toConnectorFile, toTaskFile, type ClusterState } from '@sluice/core';
import type { OffsetFile } from '../adapters/rocketmq-offset-store.js';
import type { ScopedLog } from '../logging/node-log.js';
import type { PersistIntervals } from '../settings/node-settings.js';
import type { PositionFile } from '../positions/rocketmq-position-store.js';
import { NodeFile, type NodeStore } from './node-store.js';

/** Contents of the two files that are not folded from the log; `undefined` where a role has none. */
export interface ExtraFiles {
  readonly position?: () => Promise<PositionFile | undefined>;
  readonly offset?: () => OffsetFile;
}

const emptyPositions: PositionFile = { version: 3, queues: [] };
const emptyOffsets: OffsetFile = { version: 1, groups: {} };

/** Files that are written together, at most once per interval. */
interface Part {
  readonly intervalMs: number;
  readonly write: () => Promise<void>;
}

/** Writes the node's four files when something changed, each at most once per its interval, and once more at the end. */
export class StatePersister {
  private readonly ended = new AbortController();
  private readonly written = new Map<NodeFile, string>();
  private readonly parts: readonly Part[];
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: NodeStore,
    state: () => ClusterState,
    extra: ExtraFiles,
    intervals: PersistIntervals,
    private readonly log: ScopedLog,
  ) {
    this.parts = [
      {
        intervalMs: intervals.config,
        write: async () => {
          const folded = state();
          // Both are valid for one head only: a crash in between makes the next start read the log instead.
          await this.write(NodeFile.taskConfig, toTaskFile(folded));
          await this.write(NodeFile.connectorConfig, toConnectorFile(folded));
        },
      },
      {
        intervalMs: intervals.position,
        write: async () => {
          await this.write(NodeFile.position, (await extra.position?.()) ?? emptyPositions);
        },
      },
      {
        intervalMs: intervals.offset,
        write: () => this.write(NodeFile.offset, extra.offset?.() ?? emptyOffsets),
      },
    ];
  }

  start(): void {
    this.running = Promise.all(this.parts.map((part) => this.run(part)));
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    for (const part of this.parts) await this.persist(part);
  }

  private async run(part: Part): Promise<void> {
    const signal = this.ended.signal;
    while (!signal.aborted) {
      await delay(part.intervalMs, undefined, { signal }).catch(() => undefined);
      if (!this.ended.signal.aborted) await this.persist(part);
    }
  }

  private async persist({ write }: Part): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.log.error(`The local state cannot be written to ${this.store.directory}: ${(error as Error).message}`);
    }
  }

  private async write(file: NodeFile, content: unknown): Promise<void> {
    const text = JSON.stringify(content);
    if (this.written.get(file) === text) return;
    await this.store.write(file, content);
    this.written.set(file, text);
  }
}
