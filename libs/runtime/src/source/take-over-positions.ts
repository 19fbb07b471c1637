import type { Barrier, PartitionPosition } from '@sluice/protocol';
import type { QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { PositionStore, SourceTaskId } from '../ports/position-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import type { BackoffLimits } from '../retry/backoff.js';
import { retrying } from '../retry/retrying.js';
import type { TaskWaits } from '../retry/task-waits.js';
import { boundTail } from './bound-tail.js';
import { recoverPositions } from './recover-positions.js';
import type { QueueStops } from './writable-queues.js';

export interface TakeOver {
  readonly task: SourceTaskId;
  readonly positions: PositionStore;
  readonly producer: RecordProducer;
  readonly messages: QueueMessages;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly backoff: BackoffLimits;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly waits: TaskWaits;
  readonly queues: QueueStops;
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
 * what the queues have, and stored so, under their last owners: whose the partitions are now shows when a task has records of them.
 */
export async function takeOverPositions(takeOver: TakeOver): Promise<TakenOver> {
  const { task, positions, lease, clock, backoff, signal, warn } = takeOver;
  const policy = {
    clock,
    limits: backoff,
    waiting: takeOver.waits.begin('taking over the stored positions'),
    onRetry: (error: unknown) => {
      warn(`Taking over the stored positions failed and is retried: ${String(error)}`);
    },
  };
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
