import { BrokerResponseError, UnsupportedByBrokerError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { TolerantMap } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readBoolean, readMap, readNumber, readText } from '../wire/tolerant-reader.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/** How one broker keeps a topic. */
export interface TopicConfig {
  readonly topic: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  /** Bits: 4 read, 2 write. */
  readonly perm: number;
  readonly isOrdered: boolean;
  /** Such as `message.type`; empty on brokers before 5.0, which have none. */
  readonly attributes: ReadonlyMap<string, string>;
  /** `SINGLE_TAG` or `MULTI_TAG`. */
  readonly filterType: string;
  /** Bits of RocketMQ's `TopicSysFlag`: 1 unit, 2 unit subscription. */
  readonly sysFlag: number;
}

export interface FoundTopicConfig {
  /** Undefined when the broker does not have the topic. */
  readonly config: TopicConfig | undefined;
  /** Whether the broker keeps attributes of topics, as those of 5.0 and later do. */
  readonly areAttributesKept: boolean;
}

export async function topicConfigOn(
  cluster: ClusterAccess,
  address: string,
  topic: string,
  deadline: CallDeadline,
): Promise<FoundTopicConfig> {
  try {
    const reply = await cluster.call(address, { code: REQUEST_CODE.GET_TOPIC_CONFIG, ext: { topic } }, deadline);
    return { config: decodeTopicConfig(readBodyMap(reply.body, 'topic config')), areAttributesKept: true };
  } catch (error) {
    if (isTopicMissing(error)) return { config: undefined, areAttributesKept: true };
    if (!(error instanceof UnsupportedByBrokerError)) throw error;
  }
  // Brokers before 5.0 give all topics or none.
  const reply = await cluster.call(address, { code: REQUEST_CODE.GET_ALL_TOPIC_CONFIG, ext: {} }, deadline);
  const config = readMap(readBodyMap(reply.body, 'topic configs'), 'topicConfigTable').get(topic);
  return {
    config: config === undefined ? undefined : decodeTopicConfig(asMap(config, 'topic config')),
    areAttributesKept: false,
  };
}

/** All topics of one broker. */
export interface TopicTable {
  /** By name, the system's own included. */
  readonly topics: ReadonlyMap<string, TopicConfig>;
  /** Whether the broker keeps attributes of topics, as those of 5.0 and later do. */
  readonly areAttributesKept: boolean;
}

export async function topicTable(cluster: ClusterAccess, address: string, deadline: CallDeadline): Promise<TopicTable> {
  const reply = await cluster.call(address, { code: REQUEST_CODE.GET_ALL_TOPIC_CONFIG, ext: {} }, deadline);
  const topics = new Map<string, TopicConfig>();
  let areAttributesKept = false;
  for (const [name, value] of readMap(readBodyMap(reply.body, 'topic configs'), 'topicConfigTable')) {
    const fields = asMap(value, 'topic config');
    // Brokers have topics of their own from their start, so there is one that shows it.
    areAttributesKept ||= fields.has('attributes');
    if (typeof name === 'string') topics.set(name, decodeTopicConfig(fields));
  }
  return { topics, areAttributesKept };
}

function decodeTopicConfig(map: TolerantMap): TopicConfig {
  const attributes = new Map<string, string>();
  for (const [name, value] of readMap(map, 'attributes')) {
    if (typeof name === 'string' && typeof value === 'string') attributes.set(name.replace(/^\+/, ''), value);
  }
  const filterType = map.get('topicFilterType');
  return {
    topic: readText(map, 'topicName'),
    readQueues: readNumber(map, 'readQueueNums'),
    writeQueues: readNumber(map, 'writeQueueNums'),
    perm: readNumber(map, 'perm'),
    isOrdered: readBoolean(map, 'order', false),
    attributes,
    filterType: typeof filterType === 'string' ? filterType : 'SINGLE_TAG',
    sysFlag: readNumber(map, 'topicSysFlag', 0),
  };
}

export function isTopicMissing(error: unknown): boolean {
  return (
    error instanceof BrokerResponseError &&
    (error.responseCode === RESPONSE_CODE.TOPIC_NOT_EXIST || /no topic in this broker/i.test(error.remark))
  );
}
