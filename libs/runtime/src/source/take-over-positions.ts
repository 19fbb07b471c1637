import type { Barrier, PartitionPosition } from '@sluice/protocol';
import type { QueueRef } from '@sluice/sdk';
import type { PositionStore, SourceTaskId } from '../ports/position-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { endlessRetry } from '../retry/endless-retry.js';
import { retrying } from '../retry/retrying.js';
import { boundTail, type BarrierSending } from './bound-tail.js';
import type { TailReading } from './read-tail.js';
import { recoverPositions } from './recover-positions.js';

export interface TakeOver extends BarrierSending, TailReading {
  readonly messages: QueueMessages;
  readonly task: SourceTaskId;
  readonly positions: PositionStore;
  /** What an earlier generation left in a queue could not be examined in full. */
  readonly incomplete: (message: string) => void;
}

export interface TakenOver {
  /** Where whoever gets the partition resumes. */
  readonly free: readonly PartitionPosition[];
  /** Partitions of other tasks. */
  readonly held: readonly PartitionPosition[];
}

/**
 * Reads the positions of a connector for a new generation of one of its tasks. Positions that its predecessors left unsettled are brought up to
 * what the queues have, and stored so under their last owners. A task becomes the owner of a partition with its first record.
 */
export async function takeOverPositions(takeOver: TakeOver): Promise<TakenOver> {
  const { task, positions, lease, signal } = takeOver;
  const policy = endlessRetry(takeOver, 'taking over the stored positions');
  const { free, held, unsettled } = await retrying(policy, signal, async () => {
    await lease.whenHeld(signal);
    return positions.open(task);
  });
  if (unsettled.length === 0) return { free, held };
  const recovered = await recoverPositions(
    {
      task,
      reading: takeOver,
      boundTail: (queue: QueueRef, barrier: Barrier) => boundTail(takeOver, queue, barrier),
      incomplete: takeOver.incomplete,
    },
    free,
    unsettled,
  );
  const settled = unsettled.map(({ owner }) => owner);
  await retrying(policy, signal, async () => {
    await lease.whenHeld(signal);
    await positions.write(task, { partitions: recovered, scans: [], settled });
  });
  // What was recovered replaces what was read: readers keep the last of one partition.
  return { free: [...free, ...recovered], held };
}
