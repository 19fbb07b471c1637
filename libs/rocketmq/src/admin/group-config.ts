import { InvalidArgumentError, UnsupportedByBrokerError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { TolerantMap, TolerantValue } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readBoolean, readMap, readNumber, readText } from '../wire/tolerant-reader.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { isGroupMissing } from './group-errors.js';
import { checkAttributes, checkInteger } from '../routing/check-argument.js';

/** How long the brokers hide a message after a failed delivery; `customized` is their table of delay levels. */
export type GroupRetryPolicy =
  | { readonly type: 'customized' }
  | {
      readonly type: 'exponential';
      /** Default 5000. */
      readonly initialMs?: number;
      /** Default 7 200 000. */
      readonly maxMs?: number;
      /** Default 2. */
      readonly multiplier?: number;
    };

/** Those marked with 5.0 exist from RocketMQ 5.0 on: set on an older broker they are an UnsupportedByBrokerError. */
export interface GroupSettings {
  /** Whether the group may consume at all. Default true. */
  readonly isConsumeEnabled?: boolean;
  /** Whether the group may begin at the start of a queue. Default true. */
  readonly isConsumeFromMinEnabled?: boolean;
  /** Whether each member may get all messages. Default true. */
  readonly isBroadcastEnabled?: boolean;
  /** One message of a queue at a time. Default false. 5.0 */
  readonly isOrdered?: boolean;
  /** Queues of the group's retry topic. Default 1. */
  readonly retryQueues?: number;
  /** Deliveries after the first before a message goes to the dead letter topic. Default 16. */
  readonly retryMaxTimes?: number;
  /** Default `customized`. 5.0 */
  readonly retryPolicy?: GroupRetryPolicy;
  /** The broker of its group that is read from; 0 is the master. Default 0. */
  readonly brokerId?: number;
  /** The broker that is read from when `brokerId` is behind. Default 1. */
  readonly slowBrokerId?: number;
  /** Whether the broker notifies members when others come or go. Default true. */
  readonly isMemberChangeNotified?: boolean;
  /** Default 15. 5.0 */
  readonly consumeTimeoutMinutes?: number;
  /** To set; those that are not named stay. 5.0 */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** How one broker keeps a group. */
export interface GroupConfig {
  readonly group: string;
  readonly isConsumeEnabled: boolean;
  readonly isConsumeFromMinEnabled: boolean;
  readonly isBroadcastEnabled: boolean;
  readonly isOrdered: boolean;
  readonly retryQueues: number;
  readonly retryMaxTimes: number;
  readonly retryPolicy: GroupRetryPolicy;
  readonly brokerId: number;
  readonly slowBrokerId: number;
  readonly isMemberChangeNotified: boolean;
  readonly consumeTimeoutMinutes: number;
  readonly attributes: ReadonlyMap<string, string>;
}

export interface FoundGroupConfig {
  /** The config as the broker wrote it; undefined when it does not have the group. */
  readonly fields: TolerantMap | undefined;
  /** Whether the broker is of RocketMQ 5.0 or later. */
  readonly isVersion5: boolean;
}

export async function groupConfigOn(
  cluster: ClusterAccess,
  address: string,
  group: string,
  deadline: CallDeadline,
): Promise<FoundGroupConfig> {
  try {
    const request = { code: REQUEST_CODE.GET_SUBSCRIPTIONGROUP_CONFIG, ext: { group } };
    const reply = await cluster.call(address, request, deadline);
    return { fields: readBodyMap(reply.body, 'group config'), isVersion5: true };
  } catch (error) {
    if (isGroupMissing(error)) return { fields: undefined, isVersion5: true };
    if (!(error instanceof UnsupportedByBrokerError)) throw error;
  }
  // Brokers before 5.0 give all groups or none.
  const config = (await groupTable(cluster, address, deadline)).get(group);
  return { fields: config === undefined ? undefined : asMap(config, 'group config'), isVersion5: false };
}

/** All groups of one broker. */
export interface GroupTable {
  /** By name, the system's own included. */
  readonly groups: ReadonlyMap<string, GroupConfig>;
  /** Whether the broker is of RocketMQ 5.0 or later. */
  readonly isVersion5: boolean;
}

export async function groupsOn(cluster: ClusterAccess, address: string, deadline: CallDeadline): Promise<GroupTable> {
  const groups = new Map<string, GroupConfig>();
  let isVersion5 = false;
  for (const [name, value] of await groupTable(cluster, address, deadline)) {
    const fields = asMap(value, 'group config');
    // Brokers have groups of their own from their start, so there is one that shows it.
    isVersion5 ||= fields.has('groupRetryPolicy');
    if (typeof name === 'string') groups.set(name, decodeGroupConfig(fields));
  }
  return { groups, isVersion5 };
}

export async function groupTable(cluster: ClusterAccess, address: string, deadline: CallDeadline): Promise<TolerantMap> {
  const request = { code: REQUEST_CODE.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, ext: {} };
  const reply = await cluster.call(address, request, deadline);
  return readMap(readBodyMap(reply.body, 'groups'), 'subscriptionGroupTable');
}

export function decodeGroupConfig(fields: TolerantMap): GroupConfig {
  const attributes = new Map<string, string>();
  for (const [name, value] of readMap(fields, 'attributes')) {
    if (typeof name === 'string' && typeof value === 'string') attributes.set(name, value);
  }
  return {
    group: readText(fields, 'groupName'),
    isConsumeEnabled: readBoolean(fields, 'consumeEnable', true),
    isConsumeFromMinEnabled: readBoolean(fields, 'consumeFromMinEnable', true),
    isBroadcastEnabled: readBoolean(fields, 'consumeBroadcastEnable', true),
    isOrdered: readBoolean(fields, 'consumeMessageOrderly', false),
    retryQueues: readNumber(fields, 'retryQueueNums', 1),
    retryMaxTimes: readNumber(fields, 'retryMaxTimes', 16),
    retryPolicy: decodeRetryPolicy(readMap(fields, 'groupRetryPolicy')),
    brokerId: readNumber(fields, 'brokerId', 0),
    slowBrokerId: readNumber(fields, 'whichBrokerWhenConsumeSlowly', 1),
    isMemberChangeNotified: readBoolean(fields, 'notifyConsumerIdsChangedEnable', true),
    consumeTimeoutMinutes: readNumber(fields, 'consumeTimeoutMinute', 15),
    attributes,
  };
}

function decodeRetryPolicy(policy: TolerantMap): GroupRetryPolicy {
  if (policy.get('type') !== 'EXPONENTIAL') return { type: 'customized' };
  const exponential = readMap(policy, 'exponentialRetryPolicy');
  return {
    type: 'exponential',
    initialMs: readNumber(exponential, 'initial', 5_000),
    maxMs: readNumber(exponential, 'max', 7_200_000),
    multiplier: readNumber(exponential, 'multiplier', 2),
  };
}

/** The settings of a group that is made without any. */
export const NEW_GROUP: Readonly<Record<string, unknown>> = {
  consumeEnable: true,
  consumeFromMinEnable: true,
  consumeBroadcastEnable: true,
  consumeMessageOrderly: false,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
  notifyConsumerIdsChangedEnable: true,
  groupSysFlag: 0,
  consumeTimeoutMinute: 15,
};

/** Returns the given settings in the brokers' names. Attributes are left out: a broker takes changes of them, not the whole. */
export function encodeGroupSettings(settings: GroupSettings): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    consumeEnable: settings.isConsumeEnabled,
    consumeFromMinEnable: settings.isConsumeFromMinEnabled,
    consumeBroadcastEnable: settings.isBroadcastEnabled,
    consumeMessageOrderly: settings.isOrdered,
    retryQueueNums: settings.retryQueues,
    retryMaxTimes: settings.retryMaxTimes,
    groupRetryPolicy: settings.retryPolicy === undefined ? undefined : encodeRetryPolicy(settings.retryPolicy),
    brokerId: settings.brokerId,
    whichBrokerWhenConsumeSlowly: settings.slowBrokerId,
    notifyConsumerIdsChangedEnable: settings.isMemberChangeNotified,
    consumeTimeoutMinute: settings.consumeTimeoutMinutes,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function encodeRetryPolicy(policy: GroupRetryPolicy): object {
  if (policy.type === 'customized') return { type: 'CUSTOMIZED' };
  const { initialMs = 5_000, maxMs = 7_200_000, multiplier = 2 } = policy;
  return { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: initialMs, max: maxMs, multiplier } };
}

/** Returns a config as the broker wrote it, for writing it back: what this client does not know stays. */
export function plainFields(fields: TolerantMap): Record<string, unknown> {
  return Object.fromEntries([...fields].flatMap(([key, value]) => (typeof key === 'string' ? [[key, plain(value)]] : [])));
}

function plain(value: TolerantValue): unknown {
  if (value instanceof Map) return plainFields(value);
  if (Array.isArray(value)) return (value as readonly TolerantValue[]).map(plain);
  return typeof value === 'bigint' ? Number(value) : value;
}

/** Returns names of the given settings that brokers before 5.0 ignore. */
export function settingsOfVersion5(settings: GroupSettings): string[] {
  const { isOrdered = false, retryPolicy, consumeTimeoutMinutes, attributes = {} } = settings;
  return [
    ...(isOrdered ? ['isOrdered'] : []),
    ...(retryPolicy === undefined ? [] : ['retryPolicy']),
    ...(consumeTimeoutMinutes === undefined ? [] : ['consumeTimeoutMinutes']),
    ...(Object.keys(attributes).length === 0 ? [] : ['attributes']),
  ];
}

/** @throws InvalidArgumentError */
export function checkGroupSettings(settings: GroupSettings): void {
  const { retryPolicy } = settings;
  const integers: readonly (readonly [string, number | undefined, number])[] = [
    ['retryQueues', settings.retryQueues, 0],
    ['retryMaxTimes', settings.retryMaxTimes, -1],
    ['brokerId', settings.brokerId, 0],
    ['slowBrokerId', settings.slowBrokerId, 0],
    ['consumeTimeoutMinutes', settings.consumeTimeoutMinutes, 1],
  ];
  for (const [name, value, min] of integers) {
    if (value !== undefined) checkInteger(name, value, min, 2_147_483_647);
  }
  checkAttributes(settings.attributes ?? {}, []);
  if (retryPolicy?.type !== 'exponential') return;
  const { initialMs = 5_000, maxMs = 7_200_000, multiplier = 2 } = retryPolicy;
  checkInteger('retryPolicy.initialMs', initialMs, 1);
  checkInteger('retryPolicy.maxMs', maxMs, initialMs);
  if (!(multiplier >= 1 && multiplier <= 1_000)) {
    throw new InvalidArgumentError(`retryPolicy.multiplier ${multiplier}: allowed is 1 to 1000`);
  }
}
