import type { QueueRef } from '@sluice/sdk';
import { compareQueues } from './queue-order.js';

/**
 * How queues that a flow has copied are missing:
 * - `fewer-queues`: the broker has the topic with fewer queues
 * - `not-on-broker`: the broker has the topic no more; others that the flow knows have it
 * - `other-brokers`: none of the flow's brokers has the topic, and others do: it was made again elsewhere
 * - `topic-gone`: no broker has the topic
 * - `broker-away`: name servers do not know the broker: its queues are unavailable, and may come back
 */
export type QueueLossKind = 'fewer-queues' | 'not-on-broker' | 'other-brokers' | 'topic-gone' | 'broker-away';

/** Queues of one broker that are missing. */
export interface QueueLoss {
  readonly kind: QueueLossKind;
  readonly topic: string;
  readonly brokerName: string;
  /** By number, in order. */
  readonly queueIds: readonly number[];
}

/**
 * Finds the queues of one topic that a flow has copied and that the source does not have now. Only `broker-away` may pass by itself; a policy for the
 * others is the user's.
 *
 * @param known the queues that the flow has copied, of one topic
 * @param present all queues of the topic that may be read now
 * @param brokers names of all brokers that name servers know
 */
export function findQueueLosses(
  known: readonly QueueRef[],
  present: readonly QueueRef[],
  brokers: ReadonlySet<string>,
): readonly QueueLoss[] {
  const there = new Map<string, Set<number>>();
  for (const { brokerName, queueId } of present) {
    const ids = there.get(brokerName);
    if (ids === undefined) there.set(brokerName, new Set([queueId]));
    else ids.add(queueId);
  }
  const isAnyKnownThere = known.some(({ brokerName }) => there.has(brokerName));
  const kindOf = (brokerName: string): QueueLossKind => {
    if (there.has(brokerName)) return 'fewer-queues';
    if (!brokers.has(brokerName)) return 'broker-away';
    if (isAnyKnownThere) return 'not-on-broker';
    return there.size > 0 ? 'other-brokers' : 'topic-gone';
  };
  const losses = new Map<string, QueueLoss & { queueIds: number[] }>();
  for (const { topic, brokerName, queueId } of [...known].sort(compareQueues)) {
    if (there.get(brokerName)?.has(queueId) === true) continue;
    const loss = losses.get(brokerName);
    if (loss === undefined) losses.set(brokerName, { kind: kindOf(brokerName), topic, brokerName, queueIds: [queueId] });
    else loss.queueIds.push(queueId);
  }
  return [...losses.values()];
}
