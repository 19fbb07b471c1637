import { BrokerResponseError, InvalidArgumentError } from '../errors.js';
import { type ClusterAccess } from '../client/cluster-access.js';
import { type CallDeadline } from '../connection/call-deadline.js';
import { type QueueRef } from '../routing/topic-route.js';
import { type TolerantKey, type TolerantMap } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readExtInteger, readMap, readNumber, readText } from '../wire/tolerant-reader.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

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
  readonly consumerOffset: number;
  readonly pullOffset: number;
  /** Store time of the last consumed message, ms since the epoch; 0 when there is none. */
  readonly lastTimestamp: number;
}

/** `lower`: the first message at or after the time. `upper`: the last one at or before it. */
export type TimeBoundary = 'lower' | 'upper';

export async function queueEnd(
  cluster: ClusterAccess,
  code: RequestCode,
  queue: QueueRef,
  deadline: CallDeadline,
): Promise<number> {
  const ext = { topic: queue.topic, queueId: String(queue.queueId), committed: 'true' };
  const reply = await cluster.callQueue(queue, { code, ext }, deadline);
  return readExtInteger(reply.ext, 'offset');
}

export async function offsetByTime(
  cluster: ClusterAccess,
  queue: QueueRef,
  timestampMs: number,
  boundary: TimeBoundary,
  deadline: CallDeadline,
): Promise<number> {
  if (!Number.isSafeInteger(timestampMs)) throw new InvalidArgumentError(`timestampMs ${timestampMs}: not an integer`);
  const ext = {
    topic: queue.topic,
    queueId: String(queue.queueId),
    timestamp: String(timestampMs),
    boundaryType: boundary === 'lower' ? 'LOWER' : 'UPPER',
  };
  const reply = await cluster.callQueue(queue, { code: REQUEST_CODE.SEARCH_OFFSET_BY_TIMESTAMP, ext }, deadline);
  return readExtInteger(reply.ext, 'offset');
}

export async function queryOffset(
  cluster: ClusterAccess,
  group: string,
  queue: QueueRef,
  deadline: CallDeadline,
): Promise<number | undefined> {
  const ext = {
    consumerGroup: group,
    topic: queue.topic,
    queueId: String(queue.queueId),
    setZeroIfNotFound: 'false',
  };
  const request = { code: REQUEST_CODE.QUERY_CONSUMER_OFFSET, ext };
  const reply = await cluster.askQueue(queue, request, deadline);
  if (reply.code === RESPONSE_CODE.QUERY_NOT_FOUND) return undefined;
  if (reply.code !== RESPONSE_CODE.SUCCESS) throw cluster.queueError(reply, request, queue);
  return readExtInteger(reply.ext, 'offset');
}

export async function updateOffset(
  cluster: ClusterAccess,
  group: string,
  queue: QueueRef,
  offset: number,
  deadline: CallDeadline,
): Promise<void> {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new InvalidArgumentError(`offset ${offset} of group '${group}': expected a safe integer from 0`);
  }
  const ext = {
    consumerGroup: group,
    topic: queue.topic,
    queueId: String(queue.queueId),
    commitOffset: String(offset),
  };
  const request = { code: REQUEST_CODE.UPDATE_CONSUMER_OFFSET, ext };
  const reply = await cluster.callQueue(queue, request, deadline);
  // A broker that has a reset pending for the group answers SUCCESS, ignores the commit and says so only here.
  if (/previously reset/i.test(reply.remark)) {
    throw new BrokerResponseError(
      { request: 'UPDATE_CONSUMER_OFFSET', address: queue.brokerName, responseCode: reply.code, remark: reply.remark },
      { retriable: true },
    );
  }
}

export async function topicStats(cluster: ClusterAccess, topic: string, deadline: CallDeadline): Promise<QueueStats[]> {
  const route = await cluster.routes.refresh(topic, deadline);
  const addresses = route.brokers.flatMap((broker) => broker.masterAddress ?? []);
  const replies = await Promise.all(
    addresses.map((address) =>
      cluster.call(address, { code: REQUEST_CODE.GET_TOPIC_STATS_INFO, ext: { topic } }, deadline),
    ),
  );
  return replies.flatMap((reply) =>
    queueTable(readBodyMap(reply.body, 'topic stats'), (queue, stats) => ({
      queue,
      minOffset: readNumber(stats, 'minOffset'),
      maxOffset: readNumber(stats, 'maxOffset'),
      lastUpdateTimestamp: readNumber(stats, 'lastUpdateTimestamp', 0),
    })),
  );
}

export async function consumeStats(
  cluster: ClusterAccess,
  group: string,
  topic: string | undefined,
  deadline: CallDeadline,
): Promise<QueueConsumeStats[]> {
  const masters = await cluster.masters({}, deadline);
  const ext = topic === undefined ? { consumerGroup: group } : { consumerGroup: group, topic };
  const replies = await Promise.all(
    [...masters.values()].map((address) =>
      cluster.call(address, { code: REQUEST_CODE.GET_CONSUME_STATS, ext }, deadline),
    ),
  );
  return replies.flatMap((reply) =>
    queueTable(readBodyMap(reply.body, 'consume stats'), (queue, stats) => ({
      queue,
      brokerOffset: readNumber(stats, 'brokerOffset'),
      consumerOffset: readNumber(stats, 'consumerOffset'),
      pullOffset: readNumber(stats, 'pullOffset', -1),
      lastTimestamp: readNumber(stats, 'lastTimestamp', 0),
    })),
  );
}

/** `{offsetTable: {{queue}: {stats}}}`, sorted by broker and queue. */
function queueTable<T extends { readonly queue: QueueRef }>(
  root: TolerantMap,
  decode: (queue: QueueRef, stats: TolerantMap) => T,
): T[] {
  const rows = [...readMap(root, 'offsetTable')].map(([key, value]) => decode(queueOf(key), asMap(value, 'stats')));
  return rows.sort((a, b) => compareQueues(a.queue, b.queue));
}

function queueOf(key: TolerantKey): QueueRef {
  const map = asMap(typeof key === 'string' ? undefined : key, 'queue');
  return {
    topic: readText(map, 'topic'),
    brokerName: readText(map, 'brokerName'),
    queueId: readNumber(map, 'queueId'),
  };
}

function compareQueues(a: QueueRef, b: QueueRef): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1;
  return a.queueId - b.queueId;
}
