import { RESTORE_NODE_ID, type ClusterState } from '@sluice/core';
import {
  decodeLogEntry,
  MalformedMessageError,
  readerGroupOf,
  topicsOf,
  type ConnectorPositionsCopy,
  type TopicDefinition,
} from '@sluice/protocol';
import { TopicNotFoundError, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import type { NodeCopy } from '../store/node-copy.js';
import { surveyCluster, type ClusterSurvey } from './cluster-survey.js';
import { masterNames } from './init-cluster.js';
import { NodeError } from '../errors/node-error.js';

export interface RestoreOptions {
  readonly clusterId: string;
  /** The broker that gets the log; by default that of topics which are left, else the one that had it. */
  readonly brokerName?: string;
  /** Of one node or several: the newest log counts, and of each positions queue the copy that was read furthest. */
  readonly copies: readonly NodeCopy[];
  /** Of the cluster that sinks keep their offsets in; by default the one that the topics are in. */
  readonly sinkClient?: RocketMqClient;
}

export interface GroupOffset {
  readonly group: string;
  readonly queue: QueueRef;
  readonly nextOffset: number;
}

/** What a restore writes; nothing is written by making it. */
export interface RestorePlan {
  readonly clusterId: string;
  readonly brokerName: string;
  /** Topics that are not there. */
  readonly missingTopics: readonly string[];
  /** The files that the log is made from. */
  readonly log: NodeCopy;
  /** Messages of a restore that was broken off stand in the log up to here; -1 where it is empty. */
  readonly lastOffset: number;
  readonly positions: readonly ConnectorPositionsCopy[];
  /** Offsets of sinks that the broker has lost although their queues are there. */
  readonly offsets: readonly GroupOffset[];
  /** Offsets of sinks that a restore cannot write: their queue is not there, or ends before them. */
  readonly offsetsWithoutQueue: readonly GroupOffset[];
}

/** Thrown when a restore would do harm, or cannot be carried out. */
export class RestoreError extends NodeError {
  constructor(message: string) {
    super('RESTORE_REFUSED', message);
  }
}

const MAX_UNFINISHED_ENTRIES = 4_096;

/**
 * Finds out what a restore of a Connect cluster from files of its nodes has to write.
 *
 * @throws RestoreError when the log is there: a second truth beside it would lose the first.
 */
export async function planRestore(client: RocketMqClient, options: RestoreOptions): Promise<RestorePlan> {
  const { clusterId, copies, brokerName: wanted, sinkClient = client } = options;
  const log = newestOf(copies);
  const topics = topicsOf(clusterId);
  const survey = await surveyCluster([client], topics);
  const brokerName = brokerFor(survey, log.state.broker, wanted, await masterNames(client));
  const missingTopics = (Object.values(topics) as TopicDefinition[]).map(({ name }) => name).filter((name) => !survey.has(name));
  const queue = { topic: topics.log.name, brokerName, queueId: 0 };
  const isLogThere = !missingTopics.includes(queue.topic);
  return {
    clusterId,
    brokerName,
    missingTopics,
    log,
    lastOffset: isLogThere ? await endOfUnfinished(client, queue, readerGroupOf(clusterId)) : -1,
    positions: positionsIn(copies, log.state),
    ...(await offsetsOfSinks(sinkClient, copies)),
  };
}

/** A broker that is unavailable may still have the log: only who names another one says that it has not. */
function brokerFor(survey: ClusterSurvey, had: string, wanted: string | undefined, registered: readonly string[]): string {
  const left = [...survey].flatMap(([topic, { brokers }]) => brokers.map((brokerName) => ({ topic, brokerName })));
  const brokerName = wanted ?? left[0]?.brokerName ?? had;
  const elsewhere = left.find((each) => each.brokerName !== brokerName);
  if (elsewhere !== undefined) {
    throw new RestoreError(
      `Topic ${elsewhere.topic} is on broker ${elsewhere.brokerName}: ` +
        (wanted === undefined
          ? `other topics are on ${brokerName}. All must be on one broker: delete those of one of the two with mqadmin deleteTopic`
          : `--broker ${wanted} cannot move it`),
    );
  }
  const found = `there are: ${registered.join(', ') || 'none'}`;
  if (wanted === undefined && !registered.includes(had)) {
    throw new RestoreError(
      `Broker ${had}, which had the topics, has not registered a master and may still have them: start it. If it is lost for certain, name the ` +
        `broker that gets the topics with --broker; ${found}`,
    );
  }
  if (!registered.includes(brokerName)) throw new RestoreError(`There is no broker "${brokerName}" with a master; ${found}`);
  return brokerName;
}

function newestOf(copies: readonly NodeCopy[]): NodeCopy {
  const [newest, ...older] = [...copies].sort((left, right) => right.state.head.seq - left.state.head.seq);
  if (newest === undefined) throw new RestoreError('No files were given');
  const other = older.find(({ state }) => state.logId !== newest.state.logId);
  if (other === undefined) return newest;
  throw new RestoreError(
    `The files in ${newest.directory} and ${other.directory} are of two logs (${newest.state.logId}, ${other.state.logId}): give those of one`,
  );
}

/** The last offset of a log that holds nothing, or only what a restore left when it was broken off. */
async function endOfUnfinished(client: RocketMqClient, queue: QueueRef, group: string): Promise<number> {
  const [minOffset, maxOffset] = await Promise.all([client.admin.minOffset(queue), client.admin.maxOffset(queue)]);
  const range = `offsets ${minOffset} to ${maxOffset - 1}`;
  const refused = new RestoreError(
    `The log ${queue.topic} on broker ${queue.brokerName} is there and not empty (${range}): nothing is restored over it. ` +
      'If it is lost for certain, stop all nodes, delete this topic and try again',
  );
  if (maxOffset - minOffset > MAX_UNFINISHED_ENTRIES) throw refused;
  const reader = client.consumer.readQueue(queue, { from: minOffset, group, ahead: 1 });
  try {
    for (let next = minOffset; next < maxOffset;) {
      for (const { queueOffset, body } of await reader.next()) {
        if (!isOfUnfinishedRestore(body)) throw refused;
        next = queueOffset + 1;
      }
    }
  } finally {
    reader.close();
  }
  return maxOffset - 1;
}

function isOfUnfinishedRestore(body: Buffer): boolean {
  try {
    const { claimId, event } = decodeLogEntry<{ kind: string }>(body);
    return claimId.startsWith(`${RESTORE_NODE_ID}/`) && event.kind === 'snapshot.chunk';
  } catch (error) {
    if (error instanceof MalformedMessageError) return false;
    throw error;
  }
}

/** Of connectors that exist. A copy that was read further than another is newer, queue by queue. */
function positionsIn(copies: readonly NodeCopy[], { connectors }: ClusterState): readonly ConnectorPositionsCopy[] {
  const newest = new Map<number, NodeCopy['positions'][number]>();
  for (const queue of copies.flatMap(({ positions }) => positions)) {
    const known = newest.get(queue.queueId);
    if (known === undefined || known.nextOffset < queue.nextOffset) newest.set(queue.queueId, queue);
  }
  return [...newest.values()]
    .flatMap((queue) => queue.connectors)
    .filter(({ connector, partitions, scans }) => connectors.has(connector) && partitions.length + scans.length > 0);
}

async function offsetsOfSinks(
  client: RocketMqClient,
  copies: readonly NodeCopy[],
): Promise<Pick<RestorePlan, 'offsets' | 'offsetsWithoutQueue'>> {
  const kept = new Map<string, GroupOffset>();
  for (const { groups } of copies) {
    for (const [group, offsets] of Object.entries(groups)) {
      for (const [key, nextOffset] of Object.entries(offsets)) {
        const queue = parseQueue(key);
        const known = kept.get(`${group} ${key}`);
        if (queue === undefined || (known !== undefined && known.nextOffset >= nextOffset)) continue;
        kept.set(`${group} ${key}`, { group, queue, nextOffset });
      }
    }
  }
  const offsets: GroupOffset[] = [];
  const offsetsWithoutQueue: GroupOffset[] = [];
  for (const offset of kept.values()) {
    if (!(await hasQueueFor(client, offset))) offsetsWithoutQueue.push(offset);
    else if ((await client.admin.queryOffset(offset.group, offset.queue)) === undefined) offsets.push(offset);
  }
  return { offsets, offsetsWithoutQueue };
}

async function hasQueueFor(client: RocketMqClient, { queue, nextOffset }: GroupOffset): Promise<boolean> {
  try {
    const { brokers } = await client.routes.refresh(queue.topic);
    if (!brokers.some(({ brokerName }) => brokerName === queue.brokerName)) return false;
  } catch (error) {
    if (error instanceof TopicNotFoundError) return false;
    throw error;
  }
  return (await client.admin.maxOffset(queue)) >= nextOffset;
}

/** The reverse of `queueKey`. */
function parseQueue(key: string): QueueRef | undefined {
  const match = /^([^@]+)@(.+):(\d+)$/.exec(key);
  const [, topic, brokerName, queueId] = match ?? [];
  if (topic === undefined || brokerName === undefined) return undefined;
  return { topic, brokerName, queueId: Number(queueId) };
}
