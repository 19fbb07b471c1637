import type { QueueRef, SourcePartition, SourcePosition } from '@sluice/sdk';

export interface SourceTaskId {
  readonly connector: string;
  readonly index: number;
  readonly generation: number;
}

/** How far one source partition is known to be stored, and where its records go. Plain data, stored as it is. */
export interface PartitionPosition {
  readonly partition: SourcePartition;
  /** After the last stored record; absent when a route was given and nothing was stored yet. */
  readonly position?: SourcePosition;
  /** The seq that the next record of this partition gets. The first is 1. */
  readonly nextSeq: number;
  /** One queue per topic that the partition writes to. Never changes while the partition lives. */
  readonly routes: readonly QueueRef[];
  /**
   * Records that are in their queues although the one with `nextSeq` is not, of a partition that writes to several topics. Only after an
   * unclean hand-over, until the hole is filled.
   */
  readonly ahead?: readonly { readonly seq: number; readonly position: SourcePosition }[];
  /** The generation that wrote this entry. */
  readonly generation: number;
}

/** Records of the task that the stored positions do not cover lie at `scanFrom` or later in this queue. */
export interface QueueScan {
  readonly queue: QueueRef;
  readonly scanFrom: number;
}

/** A change. Entries replace those of the same partition or queue; the others stay. */
export interface PositionsWrite {
  readonly partitions: readonly PartitionPosition[];
  readonly queues: readonly QueueScan[];
  /** Everything that the task knows is in this change. */
  readonly full: boolean;
  /** Nothing is in flight, and this is the generation's last write. */
  readonly clean: boolean;
}

export interface StoredPositions {
  readonly partitions: readonly PartitionPosition[];
  readonly queues: readonly QueueScan[];
  /** The last word before our barrier is a clean write: no barrier and no other write came after it. True when nothing was ever written. */
  readonly clean: boolean;
}

/** Keeps the positions of source tasks. */
export interface PositionStore {
  /**
   * Writes this generation's barrier, then returns what was stored before it. What an older generation wrote after the barrier of a newer one
   * does not count, whenever it is read. Rejects, rather than answer with nothing, when a task that has committed before has no positions.
   */
  open(task: SourceTaskId): Promise<StoredPositions>;
  /**
   * Resolves when the change is stored. An implementation that splits it makes all partitions visible before any queue, sets `clean` last, and
   * never drops what was stored before a split full write is complete. The runtime makes one call at a time. An error marked `retriable` is
   * answered by writing again; writing the same change twice does no harm.
   */
  write(task: SourceTaskId, change: PositionsWrite): Promise<void>;
}
