import { BrokerResponseError, InvalidArgumentError, isRocketMqError, TopicNotFoundError } from '../errors.js';
import { type ClusterAccess } from '../client/cluster-access.js';
import { pause } from '../connection/backoff.js';
import { type CallDeadline, type CallOptions } from '../connection/call-deadline.js';
import { type TolerantMap } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readBoolean, readList, readMap, readNumber, readText } from '../wire/tolerant-reader.js';
import { type ExtFields } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

const MAX_TOPIC_CHARS = 127;
const TOPIC_NAME = /^[%|a-zA-Z0-9_-]+$/;
const ROUTE_POLL_MS = 20;

export const TOPIC_PERM = { NONE: 0, WRITE: 2, READ: 4, READ_WRITE: 6 } as const;
export type TopicPerm = (typeof TOPIC_PERM)[keyof typeof TOPIC_PERM];

export interface CreateTopicOptions extends CallOptions {
  readonly topic: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  /** On this broker only. */
  readonly brokerName?: string | undefined;
  /** On the masters of this cluster only. Without either: on all masters. */
  readonly cluster?: string | undefined;
  /** Default: read and write. */
  readonly perm?: TopicPerm;
  /** Such as `message.type` or `cleanup.policy`; without the protocol's `+`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface TopicConfig {
  readonly topic: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  readonly perm: number;
  readonly isOrdered: boolean;
  readonly attributes: ReadonlyMap<string, string>;
}

export async function createTopic(
  cluster: ClusterAccess,
  options: CreateTopicOptions,
  deadline: CallDeadline,
): Promise<void> {
  const { topic } = options;
  checkTopicName(topic);
  checkQueues('readQueues', options.readQueues);
  checkQueues('writeQueues', options.writeQueues);
  const masters = await cluster.masters(options, deadline);
  await Promise.all([...masters.values()].map((address) => createOn(cluster, address, options, deadline)));
  cluster.routes.invalidate(topic);
  await untilRouted(cluster, topic, [...masters.keys()], deadline);
}

/** A broker refuses to set an immutable attribute again, even to its value, so only differences are sent. */
async function createOn(
  cluster: ClusterAccess,
  address: string,
  options: CreateTopicOptions,
  deadline: CallDeadline,
): Promise<void> {
  const { topic, readQueues, writeQueues, perm = TOPIC_PERM.READ_WRITE } = options;
  const current = await topicConfigOn(cluster, address, topic, deadline);
  const missing = Object.entries(options.attributes ?? {}).filter(
    ([name, value]) => current?.attributes.get(name) !== value,
  );
  const isSame =
    current?.readQueues === readQueues &&
    current.writeQueues === writeQueues &&
    current.perm === perm &&
    missing.length === 0;
  if (isSame) return;
  const ext: ExtFields = {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: String(readQueues),
    writeQueueNums: String(writeQueues),
    perm: String(perm),
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: '0',
    order: String(current?.isOrdered ?? false),
    attributes: missing.map(([name, value]) => `+${name}=${value}`).join(','),
  };
  await cluster.call(address, { code: REQUEST_CODE.UPDATE_AND_CREATE_TOPIC, ext }, deadline);
}

/** Brokers tell the name servers after they answered. */
async function untilRouted(
  cluster: ClusterAccess,
  topic: string,
  brokerNames: readonly string[],
  deadline: CallDeadline,
): Promise<void> {
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

/** @returns undefined when the broker does not have the topic */
async function topicConfigOn(
  cluster: ClusterAccess,
  address: string,
  topic: string,
  deadline: CallDeadline,
): Promise<TopicConfig | undefined> {
  try {
    const reply = await cluster.call(address, { code: REQUEST_CODE.GET_TOPIC_CONFIG, ext: { topic } }, deadline);
    return decodeTopicConfig(readBodyMap(reply.body, 'topic config'));
  } catch (error) {
    if (isTopicMissing(error)) return undefined;
    const isUnknownRequest =
      error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED;
    if (!isUnknownRequest) throw error;
  }
  // Brokers before 4.9.4 give all topics or none.
  const reply = await cluster.call(address, { code: REQUEST_CODE.GET_ALL_TOPIC_CONFIG, ext: {} }, deadline);
  const config = readMap(readBodyMap(reply.body, 'topic configs'), 'topicConfigTable').get(topic);
  return config === undefined ? undefined : decodeTopicConfig(asMap(config, 'topic config'));
}

function decodeTopicConfig(map: TolerantMap): TopicConfig {
  const attributes = new Map<string, string>();
  for (const [name, value] of readMap(map, 'attributes')) {
    if (typeof name === 'string' && typeof value === 'string') attributes.set(name.replace(/^\+/, ''), value);
  }
  return {
    topic: readText(map, 'topicName'),
    readQueues: readNumber(map, 'readQueueNums'),
    writeQueues: readNumber(map, 'writeQueueNums'),
    perm: readNumber(map, 'perm'),
    isOrdered: readBoolean(map, 'order', false),
    attributes,
  };
}

export async function topicConfig(
  cluster: ClusterAccess,
  topic: string,
  deadline: CallDeadline,
): Promise<ReadonlyMap<string, TopicConfig>> {
  const masters = [...(await cluster.masters({}, deadline))];
  const configs = await Promise.all(masters.map(([, address]) => topicConfigOn(cluster, address, topic, deadline)));
  const byBroker = new Map<string, TopicConfig>();
  for (const [index, [brokerName]] of masters.entries()) {
    const config = configs[index];
    if (config !== undefined) byBroker.set(brokerName, config);
  }
  return byBroker;
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

export async function listTopics(cluster: ClusterAccess, deadline: CallDeadline): Promise<string[]> {
  const request = { code: REQUEST_CODE.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, ext: {} };
  const reply = await cluster.nameServers.ask(request, deadline);
  const topics = readList(readBodyMap(reply.body, 'topic list'), 'topicList');
  return topics.filter((topic) => typeof topic === 'string').sort();
}

function isTopicMissing(error: unknown): boolean {
  return (
    isRocketMqError(error) &&
    error instanceof BrokerResponseError &&
    (error.responseCode === RESPONSE_CODE.TOPIC_NOT_EXIST || /no topic in this broker/i.test(error.remark))
  );
}

function checkTopicName(topic: string): void {
  if (!TOPIC_NAME.test(topic) || topic.length > MAX_TOPIC_CHARS) {
    throw new InvalidArgumentError(`topic '${topic}': allowed are 1 to ${MAX_TOPIC_CHARS} of [%|a-zA-Z0-9_-]`);
  }
}

function checkQueues(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`${name} ${value}: expected an integer from 1`);
}
