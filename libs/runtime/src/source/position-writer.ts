import type { QueueScan } from '@sluice/protocol';
import type { CommittedPosition } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { PositionStore, SourceTaskId } from '../ports/position-store.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { PartitionState } from './partition-state.js';
import type { QueueLane } from './queue-lane.js';

export interface PositionWriterOptions {
  readonly store: PositionStore;
  readonly task: SourceTaskId;
  readonly lease: Lease;
  readonly clock: Pick<Clock, 'yieldToIo'>;
  /** Retries without end. */
  readonly policy: (call: string) => RetryPolicy;
  readonly counters: TaskCounters;
  readonly signal: AbortSignal;
  readonly partitions: () => Iterable<PartitionState>;
  readonly lanes: () => Iterable<QueueLane>;
  /** The store knows that nothing has to be scanned in the queue of a lane that is left. */
  readonly settled: (lane: QueueLane) => void;
  /** The positions are stored. */
  readonly written: (positions: readonly CommittedPosition[]) => void;
}

/** Stores what changed, one write at a time. */
export class PositionWriter {
  readonly #dirty = new Set<PartitionState>();
  readonly #storedScans = new Map<QueueLane, number>();
  /** Nothing has to be scanned any more: a later write must not say otherwise. */
  #isSettled = false;
  #running: Promise<void> | undefined;
  #following: Promise<void> | undefined;

  constructor(private readonly options: PositionWriterOptions) {}

  /** Nothing waits to be stored. */
  get isIdle(): boolean {
    return this.#dirty.size === 0 && this.#running === undefined;
  }

  markDirty(partition: PartitionState): void {
    this.#dirty.add(partition);
  }

  /** Resolves when everything that was dirty at the call is stored. */
  flush(): Promise<void> {
    if (this.#running === undefined) return this.#begin(() => this.#write(false, false));
    this.#following ??= this.#running.then(() => {
      this.#following = undefined;
      return this.flush();
    });
    return this.#following;
  }

  /** Stores what is dirty, and that no queue has to be scanned: nothing is in flight, and nothing is sent after this. */
  async settle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.#begin(() => this.#write(false, true));
  }

  /** Stores everything that is known, changed or not. `clean`: nothing is in flight, and nothing is sent after this. */
  async writeAll(clean: boolean): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.#begin(() => this.#write(true, clean));
  }

  /** Writes again what no running task of the connector has written since a time: retention must not take it. */
  async refreshOthers(beforeMs: number): Promise<void> {
    const { store, task, lease, signal } = this.options;
    await retrying(this.options.policy('writing old positions again'), signal, async () => {
      await lease.whenHeld(signal);
      await store.refresh(task, beforeMs);
    });
  }

  /** Resolves once the place to scan a lane's queue from, and the routes of partitions, are stored. */
  async storeRoutes(lane: QueueLane, partitions: readonly PartitionState[]): Promise<void> {
    const isStored = (): boolean => lane.isScanStored && partitions.every(({ areRoutesStored }) => areRoutesStored);
    while (!isStored()) {
      await this.flush();
      await this.options.clock.yieldToIo();
    }
  }

  async #begin(write: () => Promise<void>): Promise<void> {
    const running = write().finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    await running;
  }

  async #write(full: boolean, clean: boolean): Promise<void> {
    const { store, task, lease, counters, signal } = this.options;
    const { index, generation } = task;
    const owner = { index, generation };
    this.#isSettled ||= clean;
    const isSettled = this.#isSettled;
    const partitions = full ? [...this.options.partitions()] : [...this.#dirty];
    this.#dirty.clear();
    const snapshots = partitions.map((partition) => partition.snapshot(owner));
    const scans: [QueueLane, QueueScan][] = [];
    const left: QueueLane[] = [];
    for (const lane of this.options.lanes()) {
      if (lane.isLeft && lane.isSettled()) {
        left.push(lane);
        // Whoever uses it again meanwhile has it stored again first.
        lane.noteScan(false);
        this.#storedScans.delete(lane);
        continue;
      }
      const scanFrom = lane.scanFrom();
      if (scanFrom === undefined && lane.isLeft && lane.idle) this.options.settled(lane);
      if (scanFrom === undefined || isSettled || (!full && this.#storedScans.get(lane) === scanFrom)) continue;
      scans.push([lane, { owner, queue: lane.queue, scanFrom }]);
    }
    // A task that never sent anything has nothing to come back to: no entry, not even an empty one, says so.
    const hasEnded = isSettled && this.#storedScans.size > 0;
    if (snapshots.length === 0 && scans.length === 0 && left.length === 0 && !hasEnded) return;
    await retrying(this.options.policy('writing positions'), signal, async () => {
      await lease.whenHeld(signal);
      await store.write(task, {
        partitions: snapshots.map(({ position }) => position),
        scans: scans.map(([, scan]) => scan),
        settled: isSettled ? [owner] : left.map(({ queue }) => ({ ...owner, queue })),
      });
    });
    counters.positionWrites++;
    if (isSettled) this.#storedScans.clear();
    for (const [lane, { scanFrom }] of scans) {
      this.#storedScans.set(lane, scanFrom);
      lane.noteScan(true);
    }
    for (const lane of left) this.options.settled(lane);
    const committed: CommittedPosition[] = [];
    for (const { partition, position, stored } of snapshots) {
      stored();
      if (position.position !== undefined) committed.push({ partition, position: position.position });
    }
    this.options.written(committed);
  }
}
