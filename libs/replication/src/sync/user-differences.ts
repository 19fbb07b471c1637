import { type ByBroker, combined, type Difference, mapText, sortedByName } from './difference.js';
import type { HiddenText, RuleShape, SyncAction, UserShape } from './sync-action.js';

export interface UsersToCompare {
  /** Users with their rules, of brokers that answered. */
  readonly source: ByBroker<ReadonlyMap<string, UserShape>>;
  /** Users with their rules, of brokers that answered. */
  readonly target: ByBroker<ReadonlyMap<string, UserShape>>;
  /** Asked for the user as each side has it: one that either side refuses is neither changed nor deleted. */
  readonly isTaken: (username: string, user: UserShape) => boolean;
  /** Users of the target that this flow has made. */
  readonly made: ReadonlySet<string>;
}

/** Returns for each user of ACL 2.0 that the flow takes, and for each that it has made, what separates the target from the source. */
export function userDifferences(compared: UsersToCompare): Difference[] {
  const { source, target, isTaken, made } = compared;
  return namesToCompare({ source, target, isTaken }, made).map((name) => userDifference(compared, name));
}

/** Returns the names that are taken at the source, and those that the flow has made, are gone there, and are taken at the target. */
export function namesToCompare<T>(
  { source, target, isTaken }: { source: ByBrokerAndName<T>; target: ByBrokerAndName<T>; isTaken: (name: string, item: T) => boolean },
  made: Iterable<string>,
): readonly string[] {
  const known = new Set<string>();
  const names = new Set<string>();
  for (const items of source.values()) {
    for (const [name, item] of items) {
      known.add(name);
      if (isTaken(name, item)) names.add(name);
    }
  }
  for (const name of made) if (!known.has(name) && having(target, name).every(([, item]) => isTaken(name, item))) names.add(name);
  return [...names].sort();
}

type ByBrokerAndName<T> = ByBroker<ReadonlyMap<string, T>>;

function userDifference({ source, target, isTaken }: UsersToCompare, name: string): Difference {
  const sources = having(source, name);
  const targets = having(target, name);
  const [first] = sources;
  const base = {
    kind: 'user',
    name,
    from: name,
    source: first === undefined ? undefined : userText(first[1]),
    target: combined(targets.map(([, user]) => userText(user))),
    sourceBrokers: sources.map(([broker]) => broker),
  } as const;
  if (first === undefined) {
    const removal = { part: '', action: { kind: 'delete-user', name, broker: undefined } } as const;
    return { ...base, additions: [], changes: [], removals: targets.length === 0 ? [] : [removal], notes: [] };
  }
  const protectedOn = targets.filter(([, user]) => !isTaken(name, user)).map(([broker]) => broker);
  if (protectedOn.length > 0) {
    const note = `user on ${protectedOn.join(', ')}: the target has a super user of that name, which is changed only where acl.users names it`;
    return { ...base, additions: [], changes: [], removals: [], notes: [note] };
  }
  const wanted = first[1];
  const additions: SyncAction[] = [];
  const changes: SyncAction[] = [];
  const removals: { part: string; action: SyncAction }[] = [];
  const notes: string[] = [];
  for (const [broker, users] of sortedByName(target)) {
    const current = users.get(name);
    if (current === undefined) {
      const created = creations(name, broker, wanted, targets.length === 0);
      if (created.length === 0) notes.push(`user on ${broker}: the source does not show its password; create it with mqadmin createUser`);
      additions.push(...created);
      continue;
    }
    const change = userChange(wanted, current);
    if (change !== undefined) changes.push({ kind: 'update-user', name, broker, ...change });
    for (const [resource, rule] of wanted.rules) {
      const there = current.rules.get(resource);
      if (there !== undefined && ruleText(there) === ruleText(rule)) continue;
      changes.push({ kind: 'put-rule', name, broker, resource, rule, ...(there === undefined ? { makes: [resource] } : {}) });
    }
    for (const resource of current.rules.keys()) {
      if (!wanted.rules.has(resource))
        removals.push({ part: resource, action: { kind: 'delete-rule', name, broker, resource, unmakes: [resource] } });
    }
  }
  return { ...base, additions, changes, removals, notes };
}

function creations(name: string, broker: string, wanted: UserShape, isNew: boolean): SyncAction[] {
  const { password, userType, isEnabled, rules } = wanted;
  if (password === undefined) return [];
  return [
    { kind: 'create-user', name, broker, password, userType, ...(isNew ? { makes: [''] } : {}) },
    ...(isEnabled ? [] : [{ kind: 'update-user', name, broker, isEnabled } as const]),
    ...[...rules].map(([resource, rule]) => ({ kind: 'put-rule', name, broker, resource, rule, makes: [resource] }) as const),
  ];
}

function userChange(
  wanted: UserShape,
  current: UserShape,
): { password?: HiddenText; userType?: 'Super' | 'Normal'; isEnabled?: boolean } | undefined {
  const { password } = wanted;
  const change = {
    ...(password !== undefined && current.password !== undefined && !password.isSame(current.password) ? { password } : {}),
    ...(wanted.userType === current.userType ? {} : { userType: wanted.userType }),
    ...(wanted.isEnabled === current.isEnabled ? {} : { isEnabled: wanted.isEnabled }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

export function having<T>(brokers: ByBroker<ReadonlyMap<string, T>>, name: string): [string, T][] {
  return sortedByName(brokers).flatMap(([broker, items]) => {
    const item = items.get(name);
    return item === undefined ? [] : [[broker, item]];
  });
}

function ruleText({ actions, sourceIps, decision }: RuleShape): string {
  return `${decision} ${[...actions].sort().join()} ${[...sourceIps].sort().join()}`;
}

/** Passwords are left out: what a flow remembers is not secret. */
function userText({ userType, isEnabled, rules }: UserShape): string {
  return `${userType} ${isEnabled} ${mapText(new Map([...rules].map(([resource, rule]) => [resource, ruleText(rule)])))}`;
}
