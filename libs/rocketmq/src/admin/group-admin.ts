import { GroupNotFoundError, UnsupportedByBrokerError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import { readBodyMap, readList } from '../wire/tolerant-reader.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { checkGroupName, checkTopicName } from '../routing/check-argument.js';
import {
  checkGroupSettings,
  decodeGroupConfig,
  encodeGroupSettings,
  groupConfigOn,
  groupTable,
  NEW_GROUP,
  plainFields,
  settingsOfVersion5,
  type GroupConfig,
  type GroupSettings,
} from './group-config.js';

interface GroupTarget {
  readonly group: string;
  /** On this broker only. */
  readonly brokerName?: string | undefined;
  /** On the masters of this cluster only. Without either: on all masters. */
  readonly cluster?: string | undefined;
}

/** What is not given is set to its default, also when the group exists. */
export interface CreateGroupOptions extends CallOptions, GroupTarget, GroupSettings {}

/** What is not given stays as it is on each broker. */
export interface UpdateGroupOptions extends CallOptions, GroupTarget, GroupSettings {}

export async function createGroup(cluster: ClusterAccess, options: CreateGroupOptions, deadline: CallDeadline): Promise<void> {
  checkGroupName(options.group);
  checkGroupSettings(options);
  const masters = await cluster.masters(options, deadline);
  await Promise.all(
    [...masters.values()].map(async (address) => {
      await refuseIgnoredSettings(cluster, address, options, deadline);
      await putGroup(cluster, address, options, NEW_GROUP, deadline);
    }),
  );
}

export async function updateGroup(cluster: ClusterAccess, options: UpdateGroupOptions, deadline: CallDeadline): Promise<void> {
  const { group } = options;
  checkGroupName(group);
  checkGroupSettings(options);
  const masters = [...(await cluster.masters(options, deadline)).values()];
  const found = await Promise.all(
    masters.map(async (address) => ({ address, ...(await groupConfigOn(cluster, address, group, deadline)) })),
  );
  if (found.every(({ fields }) => fields === undefined)) throw new GroupNotFoundError(group);
  await Promise.all(
    found.map(async ({ address, fields, isVersion5 }) => {
      if (fields === undefined) return;
      if (!isVersion5) refuseVersion5Settings(address, options);
      await putGroup(cluster, address, options, plainFields(fields), deadline);
    }),
  );
}

/** Old brokers read the fields that they know and say nothing of the others. */
async function refuseIgnoredSettings(
  cluster: ClusterAccess,
  address: string,
  options: CreateGroupOptions,
  deadline: CallDeadline,
): Promise<void> {
  if (settingsOfVersion5(options).length === 0) return;
  const { isVersion5 } = await groupConfigOn(cluster, address, options.group, deadline);
  if (!isVersion5) refuseVersion5Settings(address, options);
}

function refuseVersion5Settings(address: string, options: GroupTarget & GroupSettings): void {
  const settings = settingsOfVersion5(options);
  if (settings.length === 0) return;
  const remark = `group '${options.group}' with ${settings.join(', ')}`;
  const answer = { request: 'UPDATE_AND_CREATE_SUBSCRIPTIONGROUP', address, remark };
  throw new UnsupportedByBrokerError(answer, 'groups have these settings from RocketMQ 5.0 on');
}

async function putGroup(
  cluster: ClusterAccess,
  address: string,
  options: GroupTarget & GroupSettings,
  base: Readonly<Record<string, unknown>>,
  deadline: CallDeadline,
): Promise<void> {
  const attributes = Object.fromEntries(Object.entries(options.attributes ?? {}).map(([name, value]) => [`+${name}`, value]));
  const content = { ...base, groupName: options.group, ...encodeGroupSettings(options), attributes };
  const body = Buffer.from(JSON.stringify(content));
  await cluster.call(address, { code: REQUEST_CODE.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, ext: {}, body }, deadline);
}

export async function deleteGroup(cluster: ClusterAccess, group: string, isOffsetKept: boolean, deadline: CallDeadline): Promise<void> {
  checkGroupName(group);
  const masters = await cluster.masters({}, deadline);
  const isCleaned = String(!isOffsetKept);
  // The second name is that of brokers before 5.0.
  const ext = { groupName: group, cleanOffset: isCleaned, removeOffset: isCleaned };
  const request = { code: REQUEST_CODE.DELETE_SUBSCRIPTIONGROUP, ext };
  await Promise.all([...masters.values()].map((address) => cluster.call(address, request, deadline)));
}

/** By broker name; brokers without the group are missing. */
export async function groupConfig(
  cluster: ClusterAccess,
  group: string,
  deadline: CallDeadline,
): Promise<ReadonlyMap<string, GroupConfig>> {
  checkGroupName(group);
  const masters = [...(await cluster.masters({}, deadline))];
  const found = await Promise.all(
    masters.map(async ([brokerName, address]) => ({
      brokerName,
      fields: (await groupConfigOn(cluster, address, group, deadline)).fields,
    })),
  );
  return new Map(found.flatMap(({ brokerName, fields }) => (fields === undefined ? [] : [[brokerName, decodeGroupConfig(fields)]])));
}

/** Groups that any master knows, sorted. */
export async function listGroups(cluster: ClusterAccess, deadline: CallDeadline): Promise<string[]> {
  const masters = await cluster.masters({}, deadline);
  const tables = await Promise.all([...masters.values()].map((address) => groupTable(cluster, address, deadline)));
  const groups = new Set(tables.flatMap((table) => [...table.keys()].filter((name) => typeof name === 'string')));
  return [...groups].sort();
}

/** Groups with members or offsets for the topic, over all its brokers, sorted. */
export async function groupsOfTopic(cluster: ClusterAccess, topic: string, deadline: CallDeadline): Promise<string[]> {
  checkTopicName(topic);
  const route = await cluster.routes.refresh(topic, deadline);
  const addresses = route.brokers.flatMap((broker) => broker.masterAddress ?? []);
  const request = { code: REQUEST_CODE.QUERY_TOPIC_CONSUME_BY_WHO, ext: { topic } };
  return namesIn(cluster, addresses, request, 'groupList', deadline);
}

/** Returns topics for which the group has offsets, over all masters, sorted. */
export async function topicsOfGroup(cluster: ClusterAccess, group: string, deadline: CallDeadline): Promise<string[]> {
  checkGroupName(group);
  const masters = await cluster.masters({}, deadline);
  const request = { code: REQUEST_CODE.QUERY_TOPICS_BY_CONSUMER, ext: { group } };
  return namesIn(cluster, [...masters.values()], request, 'topicList', deadline);
}

async function namesIn(
  cluster: ClusterAccess,
  addresses: readonly string[],
  request: Parameters<ClusterAccess['call']>[1],
  field: string,
  deadline: CallDeadline,
): Promise<string[]> {
  const replies = await Promise.all(addresses.map((address) => cluster.call(address, request, deadline)));
  const names = replies.flatMap((reply) => readList(readBodyMap(reply.body, field), field));
  return [...new Set(names.filter((name) => typeof name === 'string'))].sort();
}
