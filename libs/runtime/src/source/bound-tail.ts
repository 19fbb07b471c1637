import type { BackoffLimits } from '@sluice/time';
import { barrierMessage, type Barrier } from '@sluice/protocol';
import { isRetriable, queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { SendFailure, type RecordProducer } from '../ports/record-producer.port.js';
import { retrying } from '../retry/retrying.js';
import type { TaskWaits } from '../retry/task-waits.js';
import { isStop, QueueLostError, throwIfLost, type QueueLook, type QueueStops } from './writable-queues.js';

export interface BarrierSending {
  readonly producer: RecordProducer;
  readonly messages: Pick<QueueMessages, 'endOffset'>;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly backoff: BackoffLimits;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly waits: TaskWaits;
  readonly queues: QueueStops;
}

/**
 * Puts a barrier into a queue and resolves with its offset: what counts of earlier generations lies before. A barrier of unknown outcome is
 * followed by another: two say the same as one. A queue that is closed for writing has its end for a barrier: nothing gets behind it either.
 *
 * Waits for a broker that cannot be reached. @throws QueueLostError when that takes longer than the task waits
 */
export async function boundTail(sending: BarrierSending, queue: QueueRef, barrier: Barrier): Promise<number> {
  const { producer, messages, lease, signal } = sending;
  const { body, properties } = barrierMessage(barrier, queue);
  let look: QueueLook = { state: 'writable' };
  const policy = {
    clock: sending.clock,
    limits: sending.backoff,
    waiting: sending.waits.begin(`sending a barrier to queue ${queueKey(queue)}`),
    mayRetry: (error: unknown) =>
      !(error instanceof QueueLostError) &&
      (look.state !== 'writable' || isRetriable(error) || (error instanceof SendFailure && error.outcome === 'unknown')),
    onRetry: (error: unknown) => {
      sending.warn(`The barrier of generation ${barrier.generation} for ${queueKey(queue)} is sent again: ${String(error)}`);
    },
  };
  return retrying(policy, signal, async () => {
    await lease.whenHeld(signal);
    const batch = producer.newBatch(0);
    batch.add(body, properties);
    try {
      const { firstOffset } = await producer.send(queue, batch, signal);
      sending.queues.answered(queue);
      return firstOffset;
    } catch (error) {
      look = await sending.queues.look(queue);
      throwIfLost(look);
      if (isStop(look) && look.isOverdue) return messages.endOffset(queue);
      throw error;
    }
  });
}
