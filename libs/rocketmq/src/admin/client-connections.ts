import { BrokerResponseError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import type { TolerantMap } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readList, readMap, readNumber, readText } from '../wire/tolerant-reader.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import { checkGroupName, checkNotEmpty } from '../routing/check-argument.js';
import { isGroupOffline } from './group-errors.js';
import { queueOf } from '../routing/queue-table.js';

export interface ClientConnection {
  readonly clientId: string;
  /** `host:port` of the client as the broker sees it. */
  readonly clientAddress: string;
  readonly language: string;
  /** Number of the client's RocketMQ version, such as 473 for 5.3.0. */
  readonly version: number;
  /** How it says that it consumes: such as `CONSUME_ACTIVELY` (by pulls), `CONSUME_PASSIVELY` (pushed to) or `CONSUME_POP`; undefined for producers. */
  readonly consumeType?: string | undefined;
  /** `CLUSTERING`: members share the queues. `BROADCASTING`: each reads all and keeps its offsets itself. Undefined for producers. */
  readonly messageModel?: string | undefined;
}

/** What a consumer says of itself. */
export interface ConsumerRunningInfo {
  /** Such as `PROP_CONSUME_TYPE`, `PROP_CLIENT_VERSION`, `PROP_CONSUMER_START_TIMESTAMP`; Java clients add their settings. */
  readonly properties: ReadonlyMap<string, string>;
  /** The subscribed topics with their filters. */
  readonly subscriptions: readonly { readonly topic: string; readonly expression: string }[];
  /** The queues that the consumer pulls from. */
  readonly queues: readonly {
    readonly queue: QueueRef;
    readonly commitOffset: number;
    readonly cachedMessages: number;
  }[];
  /** Stack traces of its threads, when they were asked for and the client can tell. */
  readonly stack: string | undefined;
}

/** Returns the clients that are in a group now, each once: of all masters, or of the queue's. Empty for an unknown group. */
export async function consumerConnections(
  cluster: ClusterAccess,
  group: string,
  queue: QueueRef | undefined,
  deadline: CallDeadline,
): Promise<ClientConnection[]> {
  checkGroupName(group);
  const request = { code: REQUEST_CODE.GET_CONSUMER_CONNECTION_LIST, ext: { consumerGroup: group } };
  const masters = queue === undefined ? undefined : [await cluster.queueAddress(queue, deadline)];
  return connections(cluster, request, isGroupOffline, deadline, masters);
}

/** Returns clients that said in their heartbeats that they produce under this name, over all masters, each once. */
export async function producerConnections(
  cluster: ClusterAccess,
  producerGroup: string,
  deadline: CallDeadline,
): Promise<ClientConnection[]> {
  checkGroupName(producerGroup, 'producerGroup');
  const request = { code: REQUEST_CODE.GET_PRODUCER_CONNECTION_LIST, ext: { producerGroup } };
  // Brokers have no code of its own for it.
  const isUnknown = (error: unknown): boolean =>
    error instanceof BrokerResponseError && /^the producer group\[.*\] not exist$/.test(error.remark);
  return connections(cluster, request, isUnknown, deadline);
}

async function connections(
  cluster: ClusterAccess,
  request: { readonly code: RequestCode; readonly ext: Readonly<Record<string, string>> },
  isNobodyThere: (error: unknown) => boolean,
  deadline: CallDeadline,
  masters?: readonly string[],
): Promise<ClientConnection[]> {
  const addresses = masters ?? [...(await cluster.masters({}, deadline)).values()];
  const found = new Map<string, ClientConnection>();
  await Promise.all(
    addresses.map(async (address) => {
      try {
        const reply = await cluster.call(address, request, deadline);
        const answer = readBodyMap(reply.body, 'connections');
        for (const item of readList(answer, 'connectionSet')) {
          const connection = { ...decodeConnection(asMap(item, 'connection')), ...decodeGroup(answer) };
          found.set(connection.clientId, connection);
        }
      } catch (error) {
        if (!isNobodyThere(error)) throw error;
      }
    }),
  );
  return [...found.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
}

function decodeConnection(connection: TolerantMap): ClientConnection {
  return {
    clientId: readText(connection, 'clientId'),
    clientAddress: readText(connection, 'clientAddr'),
    language: readText(connection, 'language'),
    version: readNumber(connection, 'version', 0),
  };
}

/** What a broker says of all members of a consumer group together. */
function decodeGroup(answer: TolerantMap): Pick<ClientConnection, 'consumeType' | 'messageModel'> {
  const [consumeType, messageModel] = [answer.get('consumeType'), answer.get('messageModel')];
  return {
    ...(typeof consumeType === 'string' ? { consumeType } : {}),
    ...(typeof messageModel === 'string' ? { messageModel } : {}),
  };
}

/** Returns whether any client is in the group on one broker. */
export async function isGroupOnline(cluster: ClusterAccess, address: string, group: string, deadline: CallDeadline): Promise<boolean> {
  const request = { code: REQUEST_CODE.GET_CONSUMER_CONNECTION_LIST, ext: { consumerGroup: group } };
  try {
    const reply = await cluster.call(address, request, deadline);
    return readList(readBodyMap(reply.body, 'connections'), 'connectionSet').length > 0;
  } catch (error) {
    if (isGroupOffline(error)) return false;
    throw error;
  }
}

/** The broker passes the question on to the client; undefined when no master knows such a client in the group. */
export async function consumerRunningInfo(
  cluster: ClusterAccess,
  options: { readonly group: string; readonly clientId: string; readonly isStackIncluded?: boolean },
  deadline: CallDeadline,
): Promise<ConsumerRunningInfo | undefined> {
  const { group, clientId, isStackIncluded = false } = options;
  checkGroupName(group);
  checkNotEmpty('clientId', clientId);
  const masters = await cluster.masters({}, deadline);
  const ext = { consumerGroup: group, clientId, jstackEnable: String(isStackIncluded) };
  for (const address of masters.values()) {
    try {
      const reply = await cluster.call(address, { code: REQUEST_CODE.GET_CONSUMER_RUNNING_INFO, ext }, deadline);
      return decodeRunningInfo(readBodyMap(reply.body, 'running info'));
    } catch (error) {
      const isAbsent = error instanceof BrokerResponseError && /^The Consumer <.*> not online$/.test(error.remark);
      if (!isAbsent) throw error;
    }
  }
  return undefined;
}

function decodeRunningInfo(info: TolerantMap): ConsumerRunningInfo {
  const properties = new Map<string, string>();
  for (const [name, value] of readMap(info, 'properties')) {
    if (typeof name === 'string' && typeof value === 'string') properties.set(name, value);
  }
  const subscriptions = readList(info, 'subscriptionSet').map((item) => {
    const subscription = asMap(item, 'subscription');
    return { topic: readText(subscription, 'topic'), expression: readText(subscription, 'subString') };
  });
  const queues = [...readMap(info, 'mqTable')].map(([key, value]) => {
    const state = asMap(value, 'queue state');
    return {
      queue: queueOf(key),
      commitOffset: readNumber(state, 'commitOffset', 0),
      cachedMessages: readNumber(state, 'cachedMsgCount', 0),
    };
  });
  const stack = info.get('jstack');
  return { properties, subscriptions, queues, stack: typeof stack === 'string' ? stack : undefined };
}
