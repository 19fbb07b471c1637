import { BrokerResponseError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import { readExtInteger } from '../wire/tolerant-reader.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { checkGroupName, checkInteger, checkTopicName } from '../routing/check-argument.js';

/** `lower`: the first message at or after the time. `upper`: the last one at or before it. */
export type TimeBoundary = 'lower' | 'upper';

export async function queueEnd(cluster: ClusterAccess, code: RequestCode, queue: QueueRef, deadline: CallDeadline): Promise<number> {
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
  checkInteger('timestampMs', timestampMs, 0);
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
  checkGroupName(group);
  checkInteger('offset', offset, 0);
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
      { retriable: true, code: 'OFFSET_RESET' },
    );
  }
}

/** Gives `to` the offsets that `from` has for the topic, on every broker of the topic. Offsets of other queues stay. */
export async function cloneOffsets(
  cluster: ClusterAccess,
  { from, to, topic }: { readonly from: string; readonly to: string; readonly topic: string },
  deadline: CallDeadline,
): Promise<void> {
  checkGroupName(from, 'from');
  checkGroupName(to, 'to');
  checkTopicName(topic);
  const route = await cluster.routes.refresh(topic, deadline);
  const ext = { srcGroup: from, destGroup: to, topic, offline: 'true' };
  const addresses = route.brokers.flatMap((broker) => broker.masterAddress ?? []);
  await Promise.all(addresses.map((address) => cluster.call(address, { code: REQUEST_CODE.CLONE_GROUP_OFFSET, ext }, deadline)));
}
