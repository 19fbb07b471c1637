import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, MEMBER_LEASE_MS, restoredLog, restoredLogId, restoredState, type ClusterState } from '@sluice/core';
import { encodeLogChain, encodePosition, positionsQueueOf, readerGroupOf, topicsOf } from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import type { ScopedLogger } from '../logging/process-logger.js';
import { splitWrite } from '@sluice/protocol';
import { createTopics } from './init-cluster.js';
import { LogFollower } from '../log/log-follower.js';
import { RestoreError, type RestorePlan } from './restore-plan.js';

const CHUNK_BYTES = 1024 * 1024;
const POSITIONS_BYTES = 2 * 1024 * 1024;
/** By then no node runs tasks that it was given in the old log. */
const quietMs = MEMBER_LEASE_MS + 1_000;
const READ_BACK_MS = 60_000;
const POLL_MS = 50;

/**
 * Writes what the plan says: topics, positions and offsets, the log last, so that no node starts on half of it.
 *
 * @returns the state that the log begins with, as it was read back.
 * @throws RestoreError when somebody else writes to the log. What was written has no effect then.
 */
export async function restoreCluster(
  client: RocketMqClient,
  plan: RestorePlan,
  logger: ScopedLogger,
  sinkClient = client,
): Promise<ClusterState> {
  const { clusterId, brokerName, lastOffset } = plan;
  const topics = topicsOf(clusterId);
  await createTopics(client, clusterId, brokerName, plan.missingTopics);
  await delay(quietMs);
  const queue = { topic: topics.log.name, brokerName, queueId: 0 };
  await expectEnd(client, queue, lastOffset + 1);
  const kept = plan.log.state;
  const logId = restoredLogId(kept.logId, randomUUID());
  const place = { logId, broker: brokerName, incarnation: randomUUID(), at: Date.now(), lastOffset };
  const state = restoredState(kept, place);
  await writePositions(client, plan, state.head.seq);
  for (const { group, queue: of, nextOffset } of plan.offsets) {
    await sinkClient.admin.createGroup({ group });
    await sinkClient.admin.updateOffset(group, of, nextOffset);
  }
  const end = await writeLog(client, queue, state, place.at);
  return readBack(client, queue, { end, logId: state.logId }, readerGroupOf(clusterId), logger);
}

async function writePositions(client: RocketMqClient, plan: RestorePlan, generation: number): Promise<void> {
  const topics = topicsOf(plan.clusterId);
  for (const { connector, partitions, scans } of plan.positions) {
    const queueId = positionsQueueOf(connector, topics);
    const queue = { topic: topics.positions.name, brokerName: plan.brokerName, queueId };
    const change = {
      partitions: partitions.map(({ value }) => value),
      scans: scans.map(({ value }) => value),
      settled: [],
    };
    for (const message of splitWrite({ connector, index: 0, generation }, change, POSITIONS_BYTES)) {
      await client.producer.send(queue, { body: encodePosition(message) });
    }
  }
}

/** Returns the offset behind its last entry. */
async function writeLog(client: RocketMqClient, queue: QueueRef, state: ClusterState, at: number): Promise<number> {
  const { logId, epoch, claimId, head } = state;
  let expected = head.offset + 1;
  for (const { body } of encodeLogChain({ logId, epoch, claimId, at }, head, restoredLog(state, CHUNK_BYTES))) {
    const { firstOffset } = await client.producer.send(queue, { body });
    if (firstOffset !== expected) throw writtenByOthers(queue);
    expected += 1;
  }
  return expected;
}

async function expectEnd(client: RocketMqClient, queue: QueueRef, end: number): Promise<void> {
  if ((await client.admin.maxOffset(queue)) !== end) throw writtenByOthers(queue);
}

function writtenByOthers({ topic }: QueueRef): RestoreError {
  return new RestoreError(`Somebody else writes to ${topic}: stop all nodes, delete this topic and try again`);
}

async function readBack(
  client: RocketMqClient,
  queue: QueueRef,
  { end, logId }: { readonly end: number; readonly logId: string },
  group: string,
  logger: ScopedLogger,
): Promise<ClusterState> {
  const signal = AbortSignal.timeout(READ_BACK_MS);
  // A broker answers a send before its queue shows the message.
  while ((await client.admin.maxOffset(queue, { signal })) < end) await delay(POLL_MS, undefined, { signal });
  const follower = new LogFollower(client, queue, group, emptyState(), logger);
  await follower.begin(signal);
  const following = follower.run();
  try {
    await Promise.race([following, follower.proveHead(signal)]);
  } finally {
    follower.close();
    await following;
  }
  if (follower.state.logId !== logId) throw new RestoreError(`The log ${queue.topic} cannot be read back`);
  return follower.state;
}
