import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import { asMap, readBodyMap, readNumber } from '../wire/tolerant-reader.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { checkGroupName, checkTopicName } from '../routing/check-argument.js';
import { compareQueues, queueTable } from '../routing/queue-table.js';

export interface QueueStats {
  readonly queue: QueueRef;
  readonly minOffset: number;
  /** The offset that the next message gets. */
  readonly maxOffset: number;
  /** When the last message was stored, ms since the epoch; 0 for an empty queue. */
  readonly lastUpdateTimestamp: number;
}

export interface QueueConsumeStats {
  readonly queue: QueueRef;
  readonly brokerOffset: number;
  /** What the group committed; 0 also when it never did. */
  readonly consumerOffset: number;
  /** Up to where the group has pulled; -1 on brokers before 5.0, which do not tell. */
  readonly pullOffset: number;
  /** Store time of the last consumed message, ms since the epoch; 0 when there is none. */
  readonly lastTimestamp: number;
}

export interface QueueProgress extends QueueConsumeStats {
  /** Messages of the queue that the group has not committed. */
  readonly lag: number;
  /** Messages that were pulled and are not committed. */
  readonly inFlight: number;
}

export interface GroupProgress {
  /** Sorted by topic, broker and queue. */
  readonly queues: readonly QueueProgress[];
  readonly totalLag: number;
}

export async function topicStats(cluster: ClusterAccess, topic: string, deadline: CallDeadline): Promise<QueueStats[]> {
  checkTopicName(topic);
  const route = await cluster.routes.refresh(topic, deadline);
  const addresses = route.brokers.flatMap((broker) => broker.masterAddress ?? []);
  const request = { code: REQUEST_CODE.GET_TOPIC_STATS_INFO, ext: { topic } };
  const replies = await Promise.all(addresses.map((address) => cluster.call(address, request, deadline)));
  return replies.flatMap((reply) =>
    queueTable(readBodyMap(reply.body, 'topic stats'), (queue, value) => {
      const stats = asMap(value, 'stats');
      return {
        queue,
        minOffset: readNumber(stats, 'minOffset'),
        maxOffset: readNumber(stats, 'maxOffset'),
        lastUpdateTimestamp: readNumber(stats, 'lastUpdateTimestamp', 0),
      };
    }),
  );
}

export async function consumeStats(
  cluster: ClusterAccess,
  group: string,
  topic: string | undefined,
  deadline: CallDeadline,
): Promise<QueueConsumeStats[]> {
  checkGroupName(group);
  if (topic !== undefined) checkTopicName(topic);
  const masters = await cluster.masters({}, deadline);
  const ext = topic === undefined ? { consumerGroup: group } : { consumerGroup: group, topic };
  const request = { code: REQUEST_CODE.GET_CONSUME_STATS, ext };
  const replies = await Promise.all([...masters.values()].map((address) => cluster.call(address, request, deadline)));
  return replies.flatMap((reply) =>
    queueTable(readBodyMap(reply.body, 'consume stats'), (queue, value) => {
      const stats = asMap(value, 'stats');
      return {
        queue,
        brokerOffset: readNumber(stats, 'brokerOffset'),
        consumerOffset: readNumber(stats, 'consumerOffset'),
        pullOffset: readNumber(stats, 'pullOffset', -1),
        lastTimestamp: readNumber(stats, 'lastTimestamp', 0),
      };
    }),
  );
}

export function progressOf(rows: readonly QueueConsumeStats[]): GroupProgress {
  const queues = rows
    .map((row) => ({
      ...row,
      lag: Math.max(0, row.brokerOffset - row.consumerOffset),
      inFlight: Math.max(0, row.pullOffset - row.consumerOffset),
    }))
    .sort((a, b) => compareQueues(a.queue, b.queue));
  return { queues, totalLag: queues.reduce((sum, { lag }) => sum + lag, 0) };
}
