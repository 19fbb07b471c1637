import { barrierMessage, type Barrier } from '@sluice/protocol';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import { isSendFailure, type RecordProducer } from '../ports/record-producer.port.js';
import type { BackoffLimits } from '../retry/backoff.js';
import { retrying } from '../retry/retrying.js';
import type { TaskWaits } from '../retry/task-waits.js';

export interface BarrierSending {
  readonly producer: RecordProducer;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly backoff: BackoffLimits;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly waits: TaskWaits;
}

/**
 * Puts a barrier into a queue and returns its offset. A barrier of unknown outcome is simply followed by another: two say the same as one.
 * Waits for a broker that cannot be reached.
 */
export async function sendBarrier(sending: BarrierSending, queue: QueueRef, barrier: Barrier): Promise<number> {
  const { producer, lease, signal } = sending;
  const { body, properties } = barrierMessage(barrier, queue);
  const policy = {
    clock: sending.clock,
    limits: sending.backoff,
    waiting: sending.waits.begin(`sending a barrier to queue ${queueKey(queue)}`),
    retries: (error: unknown) => isSendFailure(error) && (error.retriable || error.outcome === 'unknown'),
    onRetry: (error: unknown) => {
      sending.warn(
        `The barrier of generation ${barrier.generation} for ${queueKey(queue)} is sent again: ${String(error)}`,
      );
    },
  };
  return retrying(policy, signal, async () => {
    await lease.whenHeld(signal);
    const batch = producer.newBatch();
    batch.add(body, properties);
    const { firstOffset } = await producer.send(queue, batch, signal);
    return firstOffset;
  });
}
