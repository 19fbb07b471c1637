import { createHash } from 'node:crypto';
import { queueKey, type QueueRef } from '@sluice/sdk';

/**
 * The queue of `queues` that a partition's records go to, by rendezvous hashing: the choice does not depend on the order of the queues, and
 * partitions spread evenly.
 */
export function chooseQueue(partitionKey: string, queues: readonly QueueRef[]): QueueRef | undefined {
  let best: QueueRef | undefined;
  let bestWeight = '';
  for (const queue of queues) {
    const weight = createHash('sha256')
      .update(`${queueKey(queue)}\n${partitionKey}`)
      .digest('hex');
    if (best === undefined || weight > bestWeight) {
      best = queue;
      bestWeight = weight;
    }
  }
  return best;
}
