import { setTimeout as delay } from 'node:timers/promises';
import { toConnectorFile, toTaskFile, type ClusterState } from '@sluice/core';
import type { OffsetFile } from '../adapters/rocketmq-offset-store.js';
import type { ScopedLog } from '../logging/node-log.js';
import type { PositionFile } from '../positions/rocketmq-position-store.js';
import { NodeFile, type NodeStore } from './node-store.js';

/** Contents of the two files that are not folded from the log; `undefined` where a role has none. */
export interface ExtraFiles {
  readonly position?: () => Promise<PositionFile | undefined>;
  readonly offset?: () => OffsetFile;
}

const emptyPositions: PositionFile = { version: 2, queues: [] };
const emptyOffsets: OffsetFile = { version: 1, groups: {} };

/** Writes the node's four files when something changed, at most once per interval, and once more at the end. */
export class StatePersister {
  private readonly ended = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private written = new Map<NodeFile, string>();

  constructor(
    private readonly store: NodeStore,
    private readonly state: () => ClusterState,
    private readonly extra: ExtraFiles,
    private readonly intervalMs: number,
    private readonly log: ScopedLog,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    await this.persist();
  }

  private async run(): Promise<void> {
    const signal = this.ended.signal;
    while (!signal.aborted) {
      await delay(this.intervalMs, undefined, { signal }).catch(() => undefined);
      if (!this.ended.signal.aborted) await this.persist();
    }
  }

  private async persist(): Promise<void> {
    try {
      const state = this.state();
      // Both are valid for one head only: a crash in between makes the next start read the log instead.
      await this.write(NodeFile.taskConfig, toTaskFile(state));
      await this.write(NodeFile.connectorConfig, toConnectorFile(state));
      await this.write(NodeFile.position, (await this.extra.position?.()) ?? emptyPositions);
      await this.write(NodeFile.offset, this.extra.offset?.() ?? emptyOffsets);
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
