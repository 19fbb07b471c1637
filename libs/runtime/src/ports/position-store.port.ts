import type { PartitionPosition, QueueScan, SettledGeneration, SourceGeneration, StoredPositions } from '@sluice/protocol';

export interface SourceTaskId extends SourceGeneration {
  readonly connector: string;
}

/** A change. What it does not name stays. */
export interface PositionsWrite {
  readonly partitions: readonly PartitionPosition[];
  readonly scans: readonly QueueScan[];
  /**
   * What positions cover: the writer's own generation when it stops in good order, or in a queue that it left; older generations that it
   * examined.
   */
  readonly settled: readonly SettledGeneration[];
}

/** Keeps the positions of source partitions, by connector: they stay when a partition moves to another task. */
export interface PositionStore {
  /**
   * Writes a barrier, which generations that start at the same time may share, then returns what is stored. Readers ignore what an ended generation
   * writes after the barrier. Rejects, rather than answer with nothing, when the connector has committed before and has no positions.
   */
  open(task: SourceTaskId): Promise<StoredPositions>;
  /**
   * Resolves when the change is stored. An implementation that splits it makes all partitions visible before any scan, and both before what is
   * settled. The runtime makes one call at a time per task. An error marked `retriable` is answered by writing again; writing the same change
   * twice does no harm.
   */
  write(task: SourceTaskId, change: PositionsWrite): Promise<void>;
  /** Writes again what the connector's tasks, running or not, have stored and nobody has written since `beforeMs` (wall clock). */
  refresh(task: SourceTaskId, beforeMs: number): Promise<void>;
}
