import type { QueueRef, SinkPosition } from '@sluice/sdk';

/** The offsets of consumer groups, kept by the brokers. */
export interface OffsetStore {
  /** The offset of the next record for `group`, or `undefined` when it never committed one for this queue. */
  read(group: string, queue: QueueRef): Promise<number | undefined>;
  /** Resolves when the brokers have them. An error marked `retriable` is answered by committing again. */
  commit(group: string, positions: readonly SinkPosition[]): Promise<void>;
}
