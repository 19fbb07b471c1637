import { createHash } from 'node:crypto';
import { pause } from '@sluice/time';
import { isSameButHead, jsonParts, toConnectorFile, toTaskFile, type ClusterState, type LogHead } from '@sluice/core';
import type { ScopedLogger } from '../logging/process-logger.js';
import type { PersistIntervals } from '../settings/node-settings.js';
import type { OffsetFile, PositionFile } from './position-and-offset-files.js';
import { inSlices } from './in-slices.js';
import { NodeFile, type NodeStore } from './node-store.js';

/** Contents of the two files that are not folded from the log; `undefined` where a role has none. */
export interface ExtraFiles {
  readonly position?: () => Promise<PositionFile | undefined>;
  readonly offset?: () => OffsetFile;
}

const emptyPositions: PositionFile = { version: 3, queues: [] };
const emptyOffsets: OffsetFile = { version: 1, groups: {} };

/** Down to the positions of one connector, the offsets of one group. */
const PARTS_DEPTH = 4;

/** Most entries that a node has to read at its next start. A copy with an older head is written again though nothing else has changed. */
const LONGEST_TAIL = 1_000;
/** The pause after a writing is so many times as long as the writing itself, at most `longestPauseMs`: a large state is written less often. */
const PAUSE_FACTOR = 50;
const LONGEST_PAUSE_MS = 60_000;

/** Files that are written together, at most once per interval. */
interface Part {
  readonly intervalMs: number;
  readonly write: (isLast: boolean) => Promise<void>;
}

/** Writes the node's four files when something changed, each at most once per its interval, and once more at the end. */
export class StatePersister {
  readonly #ended = new AbortController();
  readonly #written = new Map<NodeFile, string>();
  readonly #parts: readonly Part[];
  #running: Promise<unknown> = Promise.resolve();
  /** What the two files of the log were written from, and at which head the tasks were. */
  #kept: { readonly state: ClusterState; readonly tasksAsOf: LogHead } | undefined;

  constructor(
    private readonly store: NodeStore,
    state: () => ClusterState,
    extra: ExtraFiles,
    intervals: PersistIntervals,
    private readonly logger: ScopedLogger,
  ) {
    this.#parts = [
      { intervalMs: intervals.config, write: (isLast) => this.#writeState(state(), isLast) },
      {
        intervalMs: intervals.position,
        write: async () => this.#writeOther(NodeFile.position, (await extra.position?.()) ?? emptyPositions),
      },
      {
        intervalMs: intervals.offset,
        write: () => this.#writeOther(NodeFile.offset, extra.offset?.() ?? emptyOffsets),
      },
    ];
  }

  start(): void {
    this.#running = Promise.all(this.#parts.map((part) => this.#run(part)));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
    for (const part of this.#parts) await this.#persist(part, true);
  }

  async #run(part: Part): Promise<void> {
    const signal = this.#ended.signal;
    let pauseMs = part.intervalMs;
    while (!signal.aborted) {
      await pause(pauseMs, signal);
      const startedAt = performance.now();
      if (!this.#ended.signal.aborted) await this.#persist(part, false);
      const tookMs = performance.now() - startedAt;
      pauseMs = Math.max(part.intervalMs, Math.min(LONGEST_PAUSE_MS, PAUSE_FACTOR * tookMs));
    }
  }

  async #persist({ write }: Part, isLast: boolean): Promise<void> {
    try {
      await write(isLast);
    } catch (error) {
      this.logger.error(`The local state cannot be written to ${this.store.directory}: ${(error as Error).message}`);
    }
  }

  /** The tasks first: a crash in between leaves two files that do not belong together, and the next start reads the log instead. */
  async #writeState(state: ClusterState, isLast: boolean): Promise<void> {
    const kept = this.#kept;
    if (kept !== undefined && isSameButHead(kept.state, state)) {
      if (state.head.seq - kept.state.head.seq < (isLast ? 1 : LONGEST_TAIL)) return;
    }
    let tasksAsOf = state.head;
    if (kept?.state.tasks === state.tasks) ({ tasksAsOf } = kept);
    else await this.store.write(NodeFile.taskConfig, jsonParts(toTaskFile(state)));
    await this.store.write(NodeFile.connectorConfig, jsonParts(toConnectorFile(state, tasksAsOf)));
    this.#kept = { state, tasksAsOf };
  }

  async #writeOther(file: NodeFile, content: object): Promise<void> {
    const hash = createHash('sha256');
    const buffers: Buffer[] = [];
    for await (const buffer of inSlices(jsonParts(content, PARTS_DEPTH))) {
      hash.update(buffer);
      buffers.push(buffer);
    }
    const digest = hash.digest('hex');
    if (this.#written.get(file) === digest) return;
    await this.store.write(file, buffers);
    this.#written.set(file, digest);
  }
}
