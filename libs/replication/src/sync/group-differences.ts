import { type ByBroker, combined, type Difference, mapText, sortedByName } from './difference.js';
import type { GroupChange, GroupShape, RetryPolicyShape, SyncAction } from './sync-action.js';

/** The consumer groups of one broker. */
export interface GroupsOfBroker {
  readonly groups: ReadonlyMap<string, GroupShape>;
  readonly isVersion5: boolean;
}

export interface GroupsToCompare {
  /** Of brokers that answered. */
  readonly source: ByBroker<GroupsOfBroker>;
  /** Of brokers that answered. */
  readonly target: ByBroker<GroupsOfBroker>;
  readonly isTaken: (group: string) => boolean;
  /** Groups of the target that this flow has made. */
  readonly made: ReadonlySet<string>;
}

type PlainSetting = Exclude<keyof GroupShape, 'attributes' | 'retryPolicy'>;

const OF_ALL_VERSIONS: readonly PlainSetting[] = [
  'isConsumeEnabled',
  'isConsumeFromMinEnabled',
  'isBroadcastEnabled',
  'retryQueues',
  'retryMaxTimes',
  'brokerId',
  'slowBrokerId',
  'isMemberChangeNotified',
];
const OF_VERSION_5: readonly PlainSetting[] = ['isOrdered', 'consumeTimeoutMinutes'];
const DEFAULT_CONSUME_TIMEOUT_MINUTES = 15;

/** Returns for each group that the flow takes, and for each that it has made, what separates the target from the source. */
export function groupDifferences(compared: GroupsToCompare): Difference[] {
  const { source, isTaken, made } = compared;
  const names = new Set([...source.values()].flatMap(({ groups }) => [...groups.keys()].filter(isTaken)));
  for (const name of made) if (isTaken(name)) names.add(name);
  return [...names].sort().map((name) => groupDifference(compared, name));
}

function groupDifference({ source, target }: GroupsToCompare, name: string): Difference {
  const sources = having(source, name);
  const targets = having(target, name);
  const [first] = sources;
  const base = {
    kind: 'group',
    name,
    from: name,
    source: first === undefined ? undefined : shapeText(first.shape),
    target: combined(targets.map(({ shape }) => shapeText(shape))),
    sourceBrokers: sources.map(({ broker }) => broker),
  } as const;
  if (first === undefined) {
    const removal = { part: '', action: { kind: 'delete-group', name, broker: undefined } } as const;
    return { ...base, additions: [], changes: [], removals: targets.length === 0 ? [] : [removal], notes: [] };
  }
  const additions: SyncAction[] = [];
  const changes: SyncAction[] = [];
  const notes: string[] = [];
  for (const [broker, { groups, isVersion5 }] of sortedByName(target)) {
    const has5 = first.isVersion5 && isVersion5;
    if (first.isVersion5 && !isVersion5) {
      const lost = settingsLost(first.shape);
      if (lost.length > 0) notes.push(`${lost.join(', ')} on ${broker}: brokers before RocketMQ 5.0 do not have it`);
    }
    const change = changeOf(first.shape, groups.get(name), has5);
    if (groups.get(name) === undefined) {
      additions.push({ kind: 'create-group', name, broker, change, ...(targets.length === 0 ? { makes: [''] } : {}) });
    } else if (Object.keys(change).length > 0) {
      changes.push({ kind: 'update-group', name, broker, change });
    }
  }
  return { ...base, additions, changes, removals: [], notes };
}

function having(brokers: ByBroker<GroupsOfBroker>, name: string): { broker: string; shape: GroupShape; isVersion5: boolean }[] {
  return sortedByName(brokers).flatMap(([broker, { groups, isVersion5 }]) => {
    const shape = groups.get(name);
    return shape === undefined ? [] : [{ broker, shape, isVersion5 }];
  });
}

function changeOf(wanted: GroupShape, current: GroupShape | undefined, has5: boolean): GroupChange {
  const names = has5 ? [...OF_ALL_VERSIONS, ...OF_VERSION_5] : OF_ALL_VERSIONS;
  const differing = names.filter((name) => wanted[name] !== current?.[name]);
  const change: GroupChange = Object.fromEntries(differing.map((name) => [name, wanted[name]]));
  if (!has5) return change;
  const attributes = [...wanted.attributes].filter(([name, value]) => current?.attributes.get(name) !== value);
  return {
    ...change,
    ...(current !== undefined && policyText(wanted.retryPolicy) === policyText(current.retryPolicy)
      ? {}
      : { retryPolicy: wanted.retryPolicy }),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
  };
}

function settingsLost({ isOrdered, retryPolicy, consumeTimeoutMinutes, attributes }: GroupShape): string[] {
  return [
    ...(isOrdered ? ['isOrdered'] : []),
    ...(retryPolicy.type === 'customized' ? [] : ['retryPolicy']),
    ...(consumeTimeoutMinutes === DEFAULT_CONSUME_TIMEOUT_MINUTES ? [] : ['consumeTimeoutMinutes']),
    ...(attributes.size === 0 ? [] : ['attributes']),
  ];
}

function policyText(policy: RetryPolicyShape): string {
  return policy.type === 'customized' ? policy.type : `${policy.type} ${policy.initialMs} ${policy.maxMs} ${policy.multiplier}`;
}

function shapeText(shape: GroupShape): string {
  const plain = [...OF_ALL_VERSIONS, ...OF_VERSION_5].map((name) => shape[name]);
  return `${JSON.stringify(plain)} ${policyText(shape.retryPolicy)} ${mapText(shape.attributes)}`;
}
