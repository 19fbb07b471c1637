import type { QueueRef, SinkPosition } from '@sluice/sdk';

/** The offsets of consumer groups, kept by the brokers. */
export interface OffsetStore {
  /**
   * The offset of the next record for `group`, or `undefined` when it never committed one for this queue. It is what an operator has set, when
   * the group was reset and that was not {@link takeReset taken} yet.
   */
  read(group: string, queue: QueueRef): Promise<number | undefined>;
  /**
   * Resolves when the brokers have the offsets. An error marked `retriable` is answered by committing again.
   * @returns where an operator has reset the group: those queues keep the operator's offset until it is taken.
   */
  commit(group: string, positions: readonly SinkPosition[]): Promise<readonly OffsetReset[]>;
  /**
   * Reports to the broker that the group follows a reset: from then on it accepts commits again.
   * @returns the reset that was in force, which may be a newer one; the one given when there was none any more
   */
  takeReset(group: string, reset: OffsetReset): Promise<OffsetReset>;
  /** Asks the broker of a queue for the group's members; returns the client ids of those outside this Connect cluster. */
  foreignConsumers(group: string, queue: QueueRef): Promise<readonly string[]>;
}

/** An operator's order to read a queue from an offset. */
export interface OffsetReset {
  readonly queue: QueueRef;
  readonly nextOffset: number;
}
