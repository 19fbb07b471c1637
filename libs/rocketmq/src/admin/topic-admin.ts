import { pause } from '@sluice/time';
import { InvalidArgumentError, TopicNotFoundError, UnsupportedByBrokerError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import { readBodyMap, readList } from '../wire/tolerant-reader.js';
import type { ExtFields } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { checkAttributes, checkInteger, checkTopicName } from '../routing/check-argument.js';
import { isTopicMissing, topicConfigOn, type TopicConfig } from './topic-config.js';
import { TOPIC_PERM, type TopicPerm } from '../routing/topic-route.js';

const ROUTE_POLL_MS = 20;

interface TopicTarget {
  /** On this broker only. */
  readonly brokerName?: string | undefined;
  /** On the masters of this cluster only. Without either: on all masters. */
  readonly cluster?: string | undefined;
}

interface TopicAttributeChanges {
  /**
   * To set, such as `message.type` or `cleanup.policy`; without the protocol's `+`. Those that the topic has and that are
   * not named stay. Some cannot be changed once they are set. RocketMQ before 5.0 has none.
   */
  readonly attributes?: Readonly<Record<string, string>>;
  /** To remove; one that the topic does not have is no error. */
  readonly removedAttributes?: readonly string[];
}

export interface CreateTopicOptions extends CallOptions, TopicTarget, TopicAttributeChanges {
  readonly topic: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  /** Default: read and write. */
  readonly perm?: TopicPerm;
  /** Default: as it is, false for a new topic. */
  readonly isOrdered?: boolean;
}

/** What is not given stays as it is on each broker. */
export interface UpdateTopicOptions extends CallOptions, TopicTarget, TopicAttributeChanges {
  readonly topic: string;
  readonly readQueues?: number;
  readonly writeQueues?: number;
  readonly perm?: TopicPerm;
  readonly isOrdered?: boolean;
}

export async function createTopic(cluster: ClusterAccess, options: CreateTopicOptions, deadline: CallDeadline): Promise<void> {
  checkChange(options);
  const { topic, readQueues, writeQueues, perm = TOPIC_PERM.READ_WRITE } = options;
  const masters = await cluster.masters(options, deadline);
  await Promise.all(
    [...masters.values()].map((address) => change(cluster, address, { ...options, readQueues, writeQueues, perm }, deadline)),
  );
  cluster.routes.invalidate(topic);
  await untilRouted(cluster, topic, [...masters.keys()], deadline);
}

export async function updateTopic(cluster: ClusterAccess, options: UpdateTopicOptions, deadline: CallDeadline): Promise<void> {
  checkChange(options);
  const { topic } = options;
  const masters = [...(await cluster.masters(options, deadline)).values()];
  const found = await Promise.all(
    masters.map(async (address) => ({ address, ...(await topicConfigOn(cluster, address, topic, deadline)) })),
  );
  if (found.every(({ config }) => config === undefined)) throw new TopicNotFoundError(topic);
  await Promise.all(
    found.map(async ({ address, config }) => {
      if (config === undefined) return;
      const { readQueues = config.readQueues, writeQueues = config.writeQueues, perm = config.perm } = options;
      await change(cluster, address, { ...options, readQueues, writeQueues, perm }, deadline);
    }),
  );
  cluster.routes.invalidate(topic);
}

/** A topic as it is to be; undefined stays as it is. */
interface WantedTopic extends TopicAttributeChanges {
  readonly topic: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  readonly perm: number;
  readonly isOrdered?: boolean;
}

/** A broker refuses to set an immutable attribute again, even to its value, so only differences are sent. */
async function change(cluster: ClusterAccess, address: string, wanted: WantedTopic, deadline: CallDeadline): Promise<void> {
  const { topic } = wanted;
  const { config: current, areAttributesKept } = await topicConfigOn(cluster, address, topic, deadline);
  const attributes = attributeChanges(current, wanted);
  if (attributes.length > 0 && !areAttributesKept) {
    const remark = `topic '${topic}' with attributes ${attributes.join(',')}`;
    const answer = { request: 'UPDATE_AND_CREATE_TOPIC', address, remark };
    throw new UnsupportedByBrokerError(answer, 'topics have attributes from RocketMQ 5.0 on');
  }
  const isOrdered = wanted.isOrdered ?? current?.isOrdered ?? false;
  const isSame =
    current?.readQueues === wanted.readQueues &&
    current.writeQueues === wanted.writeQueues &&
    current.perm === wanted.perm &&
    current.isOrdered === isOrdered &&
    attributes.length === 0;
  if (isSame) return;
  const ext: ExtFields = {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: String(wanted.readQueues),
    writeQueueNums: String(wanted.writeQueues),
    perm: String(wanted.perm),
    topicFilterType: current?.filterType ?? 'SINGLE_TAG',
    topicSysFlag: String(current?.sysFlag ?? 0),
    order: String(isOrdered),
    attributes: attributes.join(','),
  };
  await cluster.call(address, { code: REQUEST_CODE.UPDATE_AND_CREATE_TOPIC, ext }, deadline);
}

/** As the protocol writes them: `+name=value` sets, `-name` removes. */
function attributeChanges(current: TopicConfig | undefined, { attributes = {}, removedAttributes = [] }: TopicAttributeChanges): string[] {
  const set = Object.entries(attributes).filter(([name, value]) => current?.attributes.get(name) !== value);
  const removed = removedAttributes.filter((name) => current?.attributes.has(name) === true);
  return [...set.map(([name, value]) => `+${name}=${value}`), ...removed.map((name) => `-${name}`)];
}

/** Brokers tell the name servers after they answered. */
async function untilRouted(cluster: ClusterAccess, topic: string, brokerNames: readonly string[], deadline: CallDeadline): Promise<void> {
  for (;;) {
    try {
      const route = await cluster.routes.refresh(topic, deadline);
      if (brokerNames.every((name) => route.brokers.some((broker) => broker.brokerName === name))) return;
    } catch (error) {
      if (!(error instanceof TopicNotFoundError)) throw error;
    }
    deadline.throwIfEnded(`route of new topic '${topic}'`);
    await pause(ROUTE_POLL_MS, cluster.pool.closing);
  }
}

export async function topicConfig(
  cluster: ClusterAccess,
  topic: string,
  deadline: CallDeadline,
): Promise<ReadonlyMap<string, TopicConfig>> {
  const masters = [...(await cluster.masters({}, deadline))];
  const found = await Promise.all(
    masters.map(async ([brokerName, address]) => ({
      brokerName,
      config: (await topicConfigOn(cluster, address, topic, deadline)).config,
    })),
  );
  return new Map(found.flatMap(({ brokerName, config }) => (config === undefined ? [] : [[brokerName, config]])));
}

export async function deleteTopic(cluster: ClusterAccess, topic: string, deadline: CallDeadline): Promise<void> {
  checkTopicName(topic);
  const masters = await cluster.masters({}, deadline);
  await Promise.all(
    [...masters.values()].map(async (address) => {
      try {
        await cluster.call(address, { code: REQUEST_CODE.DELETE_TOPIC_IN_BROKER, ext: { topic } }, deadline);
      } catch (error) {
        if (!isTopicMissing(error)) throw error;
      }
    }),
  );
  await cluster.nameServers.tellAll({ code: REQUEST_CODE.DELETE_TOPIC_IN_NAMESRV, ext: { topic } }, deadline);
  cluster.routes.forget(topic);
}

/** Returns all topics, or those of one cluster. */
export async function listTopics(cluster: ClusterAccess, clusterName: string | undefined, deadline: CallDeadline): Promise<string[]> {
  const request =
    clusterName === undefined
      ? { code: REQUEST_CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, ext: {} }
      : { code: REQUEST_CODE.GET_TOPICS_BY_CLUSTER, ext: { cluster: clusterName } };
  const reply = await cluster.nameServers.ask(request, deadline);
  const topics = readList(readBodyMap(reply.body, 'topic list'), 'topicList');
  return topics.filter((topic) => typeof topic === 'string').sort();
}

/** Returns the clusters whose brokers hold the topic, sorted. */
export async function topicClusters(cluster: ClusterAccess, topic: string, deadline: CallDeadline): Promise<string[]> {
  const route = await cluster.routes.refresh(topic, deadline);
  return [...new Set(route.brokers.map((broker) => broker.cluster))].sort();
}

function checkChange(options: CreateTopicOptions | UpdateTopicOptions): void {
  checkTopicName(options.topic);
  if (options.readQueues !== undefined) checkInteger('readQueues', options.readQueues, 1);
  if (options.writeQueues !== undefined) checkInteger('writeQueues', options.writeQueues, 1);
  const perms: readonly number[] = Object.values(TOPIC_PERM);
  if (options.perm !== undefined && !perms.includes(options.perm)) {
    throw new InvalidArgumentError(`perm ${options.perm}: allowed are ${perms.join(', ')}`);
  }
  checkAttributes(options.attributes ?? {}, options.removedAttributes ?? []);
}
