import { BrokerResponseError, InvalidArgumentError } from '../errors.js';
import { type ClusterAccess } from '../client/cluster-access.js';
import { type CallDeadline, type CallOptions } from '../connection/call-deadline.js';
import { asMap, readBodyMap, readList, readMap, readNumber, readText } from '../wire/tolerant-reader.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

const MAX_GROUP_CHARS = 120;
const GROUP_NAME = /^[%|a-zA-Z0-9_-]+$/;

export interface CreateGroupOptions extends CallOptions {
  readonly group: string;
  /** One message of a queue at a time. Default false. */
  readonly isOrdered?: boolean;
  /** Deliveries after the first before a message goes to the dead letter topic. Default 16. */
  readonly retryMaxTimes?: number;
  /** On the masters of this cluster only. Default: all masters. */
  readonly cluster?: string | undefined;
}

export interface ConsumerConnection {
  readonly clientId: string;
  readonly clientAddress: string;
  readonly language: string;
  readonly version: number;
}

export async function createGroup(
  cluster: ClusterAccess,
  options: CreateGroupOptions,
  deadline: CallDeadline,
): Promise<void> {
  const { group } = options;
  checkGroupName(group);
  const masters = await cluster.masters({ cluster: options.cluster }, deadline);
  const body = Buffer.from(
    JSON.stringify({
      groupName: group,
      consumeEnable: true,
      consumeFromMinEnable: true,
      consumeBroadcastEnable: true,
      consumeMessageOrderly: options.isOrdered ?? false,
      retryQueueNums: 1,
      retryMaxTimes: options.retryMaxTimes ?? 16,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
      notifyConsumerIdsChangedEnable: true,
      groupSysFlag: 0,
      consumeTimeoutMinute: 15,
      attributes: {},
    }),
  );
  const request = { code: REQUEST_CODE.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, ext: {}, body };
  await Promise.all([...masters.values()].map((address) => cluster.call(address, request, deadline)));
}

export async function deleteGroup(
  cluster: ClusterAccess,
  group: string,
  isOffsetKept: boolean,
  deadline: CallDeadline,
): Promise<void> {
  checkGroupName(group);
  const masters = await cluster.masters({}, deadline);
  const ext = { groupName: group, cleanOffset: String(!isOffsetKept) };
  const request = { code: REQUEST_CODE.DELETE_SUBSCRIPTIONGROUP, ext };
  await Promise.all([...masters.values()].map((address) => cluster.call(address, request, deadline)));
}

/** Groups that any master knows, sorted. */
export async function listGroups(cluster: ClusterAccess, deadline: CallDeadline): Promise<string[]> {
  const masters = await cluster.masters({}, deadline);
  const request = { code: REQUEST_CODE.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, ext: {} };
  const replies = await Promise.all([...masters.values()].map((address) => cluster.call(address, request, deadline)));
  const groups = new Set<string>();
  for (const reply of replies) {
    for (const name of readMap(readBodyMap(reply.body, 'groups'), 'subscriptionGroupTable').keys()) {
      if (typeof name === 'string') groups.add(name);
    }
  }
  return [...groups].sort();
}

/** Clients that are in a group now, over all masters, each once. Empty for an unknown group. */
export async function consumerConnections(
  cluster: ClusterAccess,
  group: string,
  deadline: CallDeadline,
): Promise<ConsumerConnection[]> {
  const masters = await cluster.masters({}, deadline);
  const connections = new Map<string, ConsumerConnection>();
  const request = { code: REQUEST_CODE.GET_CONSUMER_CONNECTION_LIST, ext: { consumerGroup: group } };
  await Promise.all(
    [...masters.values()].map(async (address) => {
      try {
        const reply = await cluster.call(address, request, deadline);
        for (const item of readList(readBodyMap(reply.body, 'consumer connections'), 'connectionSet')) {
          const connection = asMap(item, 'connection');
          const clientId = readText(connection, 'clientId');
          connections.set(clientId, {
            clientId,
            clientAddress: readText(connection, 'clientAddr'),
            language: readText(connection, 'language'),
            version: readNumber(connection, 'version', 0),
          });
        }
      } catch (error) {
        const isOffline =
          error instanceof BrokerResponseError &&
          (error.responseCode === RESPONSE_CODE.CONSUMER_NOT_ONLINE ||
            error.responseCode === RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST);
        if (!isOffline) throw error;
      }
    }),
  );
  return [...connections.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
}

function checkGroupName(group: string): void {
  if (!GROUP_NAME.test(group) || group.length > MAX_GROUP_CHARS) {
    throw new InvalidArgumentError(`group '${group}': allowed are 1 to ${MAX_GROUP_CHARS} of [%|a-zA-Z0-9_-]`);
  }
}
