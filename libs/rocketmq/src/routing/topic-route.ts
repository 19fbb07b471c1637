import { MalformedDataError } from '../errors.js';
import type { TolerantMap } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readList, readMap, readNumber, readText } from '../wire/tolerant-reader.js';

/** Bits of a topic's `perm` on one broker. */
export const TOPIC_PERM = { NONE: 0, WRITE: 1 << 1, READ: 1 << 2, READ_WRITE: (1 << 1) | (1 << 2) } as const;
export type TopicPerm = (typeof TOPIC_PERM)[keyof typeof TOPIC_PERM];
/** Far above what a broker bears; a list of so many queues is still made at once. */
const MAX_QUEUES_PER_BROKER = 100_000;
/** The broker id of a group's master. */
export const MASTER_ID = 0;

/** One queue of a topic on one broker. */
export interface QueueRef {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

export interface BrokerRoute {
  readonly brokerName: string;
  readonly cluster: string;
  /** `host:port`; absent while the broker group has no master. */
  readonly masterAddress: string | undefined;
  /** `host:port` by broker id; 0 is the master. */
  readonly addresses: ReadonlyMap<number, string>;
  readonly readQueues: number;
  readonly writeQueues: number;
  readonly isReadable: boolean;
  readonly isWritable: boolean;
  /**
   * Of a static topic, whose queues have ids of the whole topic: those that this broker leads now. On each broker, other
   * topics number their queues from 0.
   */
  readonly staticQueueIds?: readonly number[] | undefined;
}

export interface TopicRoute {
  readonly topic: string;
  readonly brokers: readonly BrokerRoute[];
  /** Of the topic's order configuration: keys stay with these queues also while a broker of theirs is unavailable. */
  readonly orderedQueues?: readonly QueueRef[] | undefined;
}

/** Queues that take messages now, by broker name and queue id. */
export function writableQueues(route: TopicRoute): QueueRef[] {
  return queuesOf(route, (broker) => (broker.isWritable && broker.masterAddress !== undefined ? broker.writeQueues : 0));
}

/** Queues that may be read, by broker name and queue id. */
export function readableQueues(route: TopicRoute): QueueRef[] {
  return queuesOf(route, (broker) => (broker.isReadable ? broker.readQueues : 0));
}

function queuesOf(route: TopicRoute, queueCount: (broker: BrokerRoute) => number): QueueRef[] {
  return route.brokers.flatMap((broker) => {
    const { brokerName, staticQueueIds } = broker;
    const count = queueCount(broker);
    const ids = staticQueueIds === undefined ? Array.from({ length: count }, (_, id) => id) : staticQueueIds;
    return count === 0 ? [] : ids.map((queueId) => ({ topic: route.topic, brokerName, queueId }));
  });
}

/**
 * Decodes the body of GET_ROUTEINFO_BY_TOPIC. Brokers come sorted by name.
 * @throws MalformedDataError
 */
export function decodeTopicRoute(topic: string, body: Buffer): TopicRoute {
  const root = readBodyMap(body, 'route');
  const groups = new Map<string, { cluster: string; addresses: ReadonlyMap<number, string> }>();
  for (const item of readList(root, 'brokerDatas')) {
    const broker = asMap(item, 'route');
    groups.set(readText(broker, 'brokerName'), {
      cluster: readText(broker, 'cluster'),
      addresses: addressesOf(broker),
    });
  }
  const staticQueues = staticQueuesByBroker(readMap(root, 'topicQueueMappingByBroker'));
  const brokers = readList(root, 'queueDatas').map((item): BrokerRoute => {
    const queues = asMap(item, 'route');
    const brokerName = readText(queues, 'brokerName');
    const perm = readNumber(queues, 'perm');
    const group = groups.get(brokerName);
    return {
      brokerName,
      cluster: group?.cluster ?? '',
      masterAddress: group?.addresses.get(MASTER_ID),
      addresses: group?.addresses ?? new Map(),
      readQueues: queueCountOf(queues, 'readQueueNums', brokerName),
      writeQueues: queueCountOf(queues, 'writeQueueNums', brokerName),
      isReadable: (perm & TOPIC_PERM.READ) !== 0,
      isWritable: (perm & TOPIC_PERM.WRITE) !== 0,
      staticQueueIds: staticQueues?.get(brokerName) ?? (staticQueues === undefined ? undefined : []),
    };
  });
  brokers.sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1));
  return { topic, brokers, orderedQueues: orderedQueuesOf(topic, root.get('orderTopicConf')) };
}

/**
 * Returns the ids of each broker's queues, ascending; undefined for a topic that is not static. A broker that does not know of
 * a move still claims queues that another broker leads: the mapping with the later epoch wins.
 */
function staticQueuesByBroker(byBroker: TolerantMap): ReadonlyMap<string, readonly number[]> | undefined {
  if (byBroker.size === 0) return undefined;
  const leaders = new Map<number, { readonly brokerName: string; readonly epoch: number }>();
  for (const [brokerName, mapping] of byBroker) {
    if (typeof brokerName !== 'string') continue;
    const claims = asMap(mapping, 'route');
    const epoch = readNumber(claims, 'epoch', 0);
    for (const id of staticQueueIdsOf(claims, brokerName)) {
      if (epoch >= (leaders.get(id)?.epoch ?? -Infinity)) leaders.set(id, { brokerName, epoch });
    }
  }
  const byLeader = new Map<string, number[]>();
  for (const [id, { brokerName }] of [...leaders].sort(([a], [b]) => a - b)) {
    const ids = byLeader.get(brokerName);
    if (ids === undefined) byLeader.set(brokerName, [id]);
    else ids.push(id);
  }
  return byLeader;
}

function staticQueueIdsOf(claims: TolerantMap, brokerName: string): readonly number[] {
  const ids = [...readMap(claims, 'currIdMap').keys()].map(Number);
  if (ids.length <= MAX_QUEUES_PER_BROKER && ids.every((id) => Number.isInteger(id) && id >= 0)) return ids;
  throw new MalformedDataError('route', `'currIdMap' of broker '${brokerName}' holds ids that no queue has`);
}

/** Reads `broker-a:8;broker-b:8`; undefined for a topic without an order configuration. */
function orderedQueuesOf(topic: string, conf: unknown): readonly QueueRef[] | undefined {
  if (typeof conf !== 'string' || conf === '') return undefined;
  return conf.split(';').flatMap((entry) => {
    const [, brokerName = '', count = '0'] = /^(.+):(\d{1,5})$/.exec(entry) ?? [];
    return Array.from({ length: Number(count) }, (_, queueId) => ({ topic, brokerName, queueId }));
  });
}

function queueCountOf(queues: TolerantMap, field: string, brokerName: string): number {
  const count = readNumber(queues, field);
  if (Number.isInteger(count) && count >= 0 && count <= MAX_QUEUES_PER_BROKER) return count;
  const allowed = `allowed is an integer from 0 to ${MAX_QUEUES_PER_BROKER}`;
  throw new MalformedDataError('route', `'${field}' of broker '${brokerName}' is ${count}, ${allowed}`);
}

export interface ClusterBroker {
  readonly brokerName: string;
  readonly cluster: string;
  readonly masterAddress: string | undefined;
  /** `host:port` by broker id; 0 is the master. */
  readonly addresses: ReadonlyMap<number, string>;
}

export interface ClusterInfo {
  /** Sorted by name. */
  readonly brokers: readonly ClusterBroker[];
}

/**
 * Decodes the body of GET_BROKER_CLUSTER_INFO.
 * @throws MalformedDataError
 */
export function decodeClusterInfo(body: Buffer): ClusterInfo {
  const brokers = [...readMap(readBodyMap(body, 'cluster info'), 'brokerAddrTable').values()];
  const decoded = brokers.map((item): ClusterBroker => {
    const broker = asMap(item, 'cluster info');
    const addresses = addressesOf(broker);
    return {
      brokerName: readText(broker, 'brokerName'),
      cluster: readText(broker, 'cluster'),
      masterAddress: addresses.get(MASTER_ID),
      addresses,
    };
  });
  decoded.sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1));
  return { brokers: decoded };
}

function addressesOf(broker: TolerantMap): Map<number, string> {
  const addresses = new Map<number, string>();
  for (const [id, address] of readMap(broker, 'brokerAddrs')) {
    if (typeof address !== 'string' || typeof id !== 'string') continue;
    const brokerId = Number(id);
    if (!Number.isSafeInteger(brokerId) || brokerId < 0) {
      throw new MalformedDataError('route', `broker id '${id}' of ${address}: expected an integer from 0`);
    }
    addresses.set(brokerId, address);
  }
  return addresses;
}
