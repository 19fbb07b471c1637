import { createHash } from 'node:crypto';
import { queueKey, type QueueRef } from '@sluice/sdk';

export interface CandidateQueues {
  /** At least one. */
  readonly queues: readonly QueueRef[];
  readonly connector: string;
  readonly taskIndex: number;
  /** By queue key: how many partitions of the connector that somebody works on go there. */
  readonly loads: ReadonlyMap<string, number>;
  /** The same of partitions that nobody works on: they may come back, or never. */
  readonly idleLoads: ReadonlyMap<string, number>;
}

/**
 * Chooses the queue for a partition's records: one with the fewest partitions of the connector. Among equals, tasks begin one queue apart and each
 * spreads its own as far as it can. So tasks that do not know each other's new partitions rarely meet. Brokers take turns.
 */
export function chooseQueue({ queues, connector, taskIndex, loads, idleLoads }: CandidateQueues): QueueRef | undefined {
  const sorted = [...queues].sort(
    (a, b) => a.queueId - b.queueId || (a.brokerName < b.brokerName ? -1 : Number(a.brokerName > b.brokerName)),
  );
  const start = firstPlace(connector, sorted[0]?.topic ?? '', sorted.length) + taskIndex;
  let best: { readonly queue: QueueRef; readonly order: readonly number[] } | undefined;
  for (const [place, queue] of sorted.entries()) {
    const key = queueKey(queue);
    const distance = (((place - start) % sorted.length) + sorted.length) % sorted.length;
    const order = [loads.get(key) ?? 0, idleLoads.get(key) ?? 0, halving(distance, sorted.length)];
    if (best === undefined || isLess(order, best.order)) best = { queue, order };
  }
  return best?.queue;
}

/** Returns where the connector begins among the queues of a topic, so that small connectors do not all begin at the first. */
function firstPlace(connector: string, topic: string, count: number): number {
  return createHash('sha256').update(`${connector}\n${topic}`).digest().readUInt32BE(0) % count;
}

/** Orders distances so that each comes far from those before it: 0, 1/2, 1/4, 3/4, ... of `count`. */
function halving(distance: number, count: number): number {
  let order = 0;
  for (let bit = 1; bit < count; bit *= 2) order = order * 2 + (Math.floor(distance / bit) % 2);
  return order;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
