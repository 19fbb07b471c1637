import type { QueueRef } from '@sluice/sdk';
import type { BackoffLimits } from '@sluice/time';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { SendFailure } from '../ports/record-producer.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { TaskWaits } from '../retry/task-waits.js';
import type { TaskFigures } from '../task/task-figures.js';
import type { PendingBatch, PendingBatchOptions, RefusedRecord } from './pending-batch.js';
import type { QueueLane } from './queue-lane.js';
import type { SuccessorCheck } from './successor-check.js';
import type { QueueStop, QueueStops, WhenOverdue } from './writable-queues.js';

/** What the lanes of a task share. */
export interface QueueLaneOptions extends PendingBatchOptions {
  readonly lease: Lease;
  readonly clock: Clock;
  readonly counters: TaskCounters;
  readonly figures: TaskFigures;
  readonly backoff: BackoffLimits;
  /** A batch is closed once it has this many bytes, or when the producer says that it is full. */
  readonly maxBatchBytes: number;
  /** Aborted when nothing may be sent any more. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly waits: TaskWaits;
  /** The offset that the next message of the queue gets. */
  readonly endOffset: (queue: QueueRef) => Promise<number>;
  /** Resolves with an offset behind which nothing of what was sent before can come: that of this generation's barrier, where one can be sent. */
  readonly boundTail: (queue: QueueRef) => Promise<number>;
  /** Resolves when the place to scan the lane's queue from, and the routes of the batch's partitions, are stored. */
  readonly storeRoutes: (lane: QueueLane, batch: PendingBatch) => Promise<void>;
  /** Reads the queue from an offset up to a barrier and returns the last seq per stream that this generation has there. */
  readonly examine: (queue: QueueRef, from: number, barrierOffset: number) => Promise<ReadonlyMap<string, number>>;
  /** Asked before each send after a gap in the lease. */
  readonly successors: Pick<SuccessorCheck, 'isDue' | 'clear'>;
  readonly queues: QueueStops;
  /** What follows where a queue takes no messages for longer than it is waited for. With `stay` nothing does, and its topic is not created. */
  readonly whenOverdue: WhenOverdue;
  /** Has another lane send what this one has not. `isUncertain`: its queue may have, or get, the first batch. */
  readonly move: (lane: QueueLane, stop: QueueStop, isUncertain: boolean) => void;
  /** Resolves when the dead letter of a record is written that the broker refuses; absent where such a record ends the task. */
  readonly refused: ((queue: QueueRef, refused: RefusedRecord, error: SendFailure) => Promise<void>) | undefined;
  readonly acknowledged: (lane: QueueLane, batch: PendingBatch) => void;
  readonly failed: (error: unknown) => void;
}
