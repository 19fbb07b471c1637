import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';
import type { OffsetStore } from '../ports/offset-store.port.js';
import type {
  PartitionPosition,
  PositionsWrite,
  PositionStore,
  QueueScan,
  SourceTaskId,
  StoredPositions,
} from '../ports/position-store.port.js';

interface TaskEntry {
  generation: number;
  clean: boolean;
  readonly partitions: Map<string, PartitionPosition>;
  readonly queues: Map<string, QueueScan>;
}

/** Positions in memory, with the rule that a newer generation's barrier voids what older ones write after it. */
export class FakePositions implements PositionStore {
  private readonly tasks = new Map<string, TaskEntry>();
  readonly writes: PositionsWrite[] = [];

  async open(task: SourceTaskId): Promise<StoredPositions> {
    await Promise.resolve();
    const entry = this.entry(task);
    const { clean } = entry;
    if (task.generation < entry.generation) throw new Error(`Generation ${task.generation} is over`);
    entry.generation = task.generation;
    entry.clean = false;
    return { partitions: [...entry.partitions.values()], queues: [...entry.queues.values()], clean };
  }

  async write(task: SourceTaskId, change: PositionsWrite): Promise<void> {
    await Promise.resolve();
    const entry = this.entry(task);
    if (task.generation < entry.generation) return;
    this.writes.push(change);
    for (const partition of change.partitions) entry.partitions.set(JSON.stringify(partition.partition), partition);
    for (const scan of change.queues) entry.queues.set(queueKey(scan.queue), scan);
    entry.clean = change.clean;
  }

  private entry(task: SourceTaskId): TaskEntry {
    const key = `${task.connector}-${task.index}`;
    let entry = this.tasks.get(key);
    if (entry === undefined) {
      entry = { generation: 0, clean: true, partitions: new Map(), queues: new Map() };
      this.tasks.set(key, entry);
    }
    return entry;
  }
}

export class FakeOffsets implements OffsetStore {
  readonly offsets = new Map<string, number>();
  readonly commits: { readonly group: string; readonly positions: readonly SinkPosition[] }[] = [];

  async read(group: string, queue: QueueRef): Promise<number | undefined> {
    await Promise.resolve();
    return this.offsets.get(`${group} ${queueKey(queue)}`);
  }

  async commit(group: string, positions: readonly SinkPosition[]): Promise<void> {
    await Promise.resolve();
    this.commits.push({ group, positions });
    for (const { queue, nextOffset } of positions) this.offsets.set(`${group} ${queueKey(queue)}`, nextOffset);
  }
}

export class FakeLease implements Lease {
  held = true;
  private waiting: (() => void)[] = [];

  async whenHeld(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.held) return;
    await new Promise<void>((resolve, reject) => {
      this.waiting.push(resolve);
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }

  lose(): void {
    this.held = false;
  }

  regain(): void {
    this.held = true;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
