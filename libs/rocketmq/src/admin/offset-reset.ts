import { InvalidArgumentError, UnsupportedByBrokerError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import { readableQueues, type QueueRef } from '../routing/topic-route.js';
import type { ExtFields } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { asNumber, readBodyMap } from '../wire/tolerant-reader.js';
import { brokerConfigOn } from './broker-config.js';
import { checkGroupName, checkInteger, checkQueue, checkTopicName } from '../routing/check-argument.js';
import { isGroupOnline } from './client-connections.js';
import { offsetByTime, queryOffset, queueEnd, updateOffset } from './offset-admin.js';
import { compareQueues, queueTable } from '../routing/queue-table.js';

/** Where a group is to resume: at a store time in ms since the epoch, at the first message, or after the last one. */
export type ResetTarget = 'earliest' | 'latest' | { readonly timestampMs: number };

export interface QueueOffset {
  readonly queue: QueueRef;
  readonly offset: number;
}

/** The protocol's timestamp for "after the last message". */
const LATEST = -1;

/**
 * Resets all queues of a topic. A broker with `useServerSideResetOffset` does it itself, for running consumers too.
 * Another one asks the running consumers to do it; without any, the offsets are committed from here.
 */
export async function resetOffsets(
  cluster: ClusterAccess,
  options: { readonly group: string; readonly topic: string; readonly to: ResetTarget },
  deadline: CallDeadline,
): Promise<QueueOffset[]> {
  const { group, topic, to } = options;
  checkGroupName(group);
  checkTopicName(topic);
  if (typeof to === 'object') checkInteger('to.timestampMs', to.timestampMs, 0);
  const route = await cluster.routes.refresh(topic, deadline);
  const timestamp = to === 'latest' ? LATEST : to === 'earliest' ? 0 : to.timestampMs;
  const offsets = await Promise.all(
    route.brokers.map(async ({ brokerName, masterAddress }) => {
      if (masterAddress === undefined) return [];
      const ext = { group, topic, timestamp: String(timestamp), isForce: 'true' };
      if (await isServerSideReset(cluster, masterAddress, deadline)) {
        return invokeReset(cluster, masterAddress, { ...ext, ...ALL_QUEUES }, deadline);
      }
      const queues = readableQueues(route).filter((queue) => queue.brokerName === brokerName);
      const isOnline = await isGroupOnline(cluster, masterAddress, group, deadline);
      const uncommitted = isOnline ? await withoutOffset(cluster, group, queues, deadline) : queues;
      const committed = await Promise.all(uncommitted.map((queue) => commitTarget(cluster, group, queue, to, deadline)));
      return isOnline ? invokeReset(cluster, masterAddress, ext, deadline) : committed;
    }),
  );
  return offsets.flat().sort((a, b) => compareQueues(a.queue, b.queue));
}

const ALL_QUEUES = { queueId: '-1' } as const;

/**
 * A broker asks running consumers only when the group has an offset in every queue; in an empty one it may have none.
 * Brokers of 4.x answer 0 for none, and setting an offset of 0 to the target of the reset is what is asked for anyway.
 */
async function withoutOffset(
  cluster: ClusterAccess,
  group: string,
  queues: readonly QueueRef[],
  deadline: CallDeadline,
): Promise<QueueRef[]> {
  const offsets = await Promise.all(queues.map((queue) => queryOffset(cluster, group, queue, deadline)));
  return queues.filter((_, index) => (offsets[index] ?? 0) === 0);
}

async function commitTarget(
  cluster: ClusterAccess,
  group: string,
  queue: QueueRef,
  to: ResetTarget,
  deadline: CallDeadline,
): Promise<QueueOffset> {
  const offset =
    typeof to === 'object'
      ? await offsetByTime(cluster, queue, to.timestampMs, 'lower', deadline)
      : await queueEnd(cluster, END_CODE[to], queue, deadline);
  await updateOffset(cluster, group, queue, offset, deadline);
  return { queue, offset };
}

const END_CODE = { earliest: REQUEST_CODE.GET_MIN_OFFSET, latest: REQUEST_CODE.GET_MAX_OFFSET } as const;

/**
 * Resets one queue to an offset. Without `useServerSideResetOffset` it is committed from here, which a running consumer
 * would overwrite: that is refused.
 */
export async function resetQueueOffset(
  cluster: ClusterAccess,
  options: { readonly group: string; readonly queue: QueueRef; readonly offset: number },
  deadline: CallDeadline,
): Promise<void> {
  const { group, queue, offset } = options;
  checkGroupName(group);
  checkQueue(queue);
  checkInteger('offset', offset, 0);
  const min = await queueEnd(cluster, REQUEST_CODE.GET_MIN_OFFSET, queue, deadline);
  const max = await queueEnd(cluster, REQUEST_CODE.GET_MAX_OFFSET, queue, deadline);
  if (offset < min || offset > max) {
    throw new InvalidArgumentError(`offset ${offset}: allowed for this queue are ${min} to ${max}`);
  }
  const address = await cluster.queueAddress(queue, deadline);
  if (await isServerSideReset(cluster, address, deadline)) {
    const { topic, queueId } = queue;
    const place = { queueId: String(queueId), offset: String(offset), timestamp: String(LATEST) };
    await invokeReset(cluster, address, { group, topic, isForce: 'true', ...place }, deadline);
    return;
  }
  if (await isGroupOnline(cluster, address, group, deadline)) {
    const remark = `group '${group}' is running; one queue is to be reset to an offset`;
    const answer = { request: 'INVOKE_BROKER_TO_RESET_OFFSET', address, remark };
    throw new UnsupportedByBrokerError(answer, 'stop its consumers, or set useServerSideResetOffset (RocketMQ 5.1)');
  }
  await updateOffset(cluster, group, queue, offset, deadline);
}

/** Returns whether the broker resets offsets itself. The setting is not there before RocketMQ 5.1, and on by default in 5.2 and later. */
async function isServerSideReset(cluster: ClusterAccess, address: string, deadline: CallDeadline): Promise<boolean> {
  return (await brokerConfigOn(cluster, address, deadline)).get('useServerSideResetOffset') === 'true';
}

/** A broker without server-side reset reads the time only and resets all queues: never send it a queue. */
async function invokeReset(cluster: ClusterAccess, address: string, ext: ExtFields, deadline: CallDeadline): Promise<QueueOffset[]> {
  const reply = await cluster.call(address, { code: REQUEST_CODE.INVOKE_BROKER_TO_RESET_OFFSET, ext }, deadline);
  const root = readBodyMap(reply.body, 'reset offsets');
  return queueTable(root, (queue, value) => ({ queue, offset: asNumber(value, 'offset') }));
}
