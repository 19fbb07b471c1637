import { type ByBroker, combined, type Difference, mapText, sortedByName } from './difference.js';
import type { AccountShape, PlainPermShape, SyncAction } from './sync-action.js';
import { having, namesToCompare } from './user-differences.js';

export interface AccountsToCompare {
  /** Of brokers that answered. */
  readonly source: ByBroker<ReadonlyMap<string, AccountShape>>;
  /** Of brokers that answered. */
  readonly target: ByBroker<ReadonlyMap<string, AccountShape>>;
  /** Asked for the account as each side has it: one that either side refuses is neither changed nor deleted. */
  readonly isTaken: (accessKey: string, account: AccountShape) => boolean;
  /** Accounts of the target that this flow has made, each with the permissions in them that it has made, as `topic <name>` and `group <name>`. */
  readonly made: ReadonlyMap<string, ReadonlySet<string>>;
  readonly isDeleteAllowed: boolean;
}

/** Returns for each account of plain ACL that the flow takes, and for each that it has made, what separates the target from the source. */
export function accountDifferences(compared: AccountsToCompare): Difference[] {
  const { source, target, isTaken, made } = compared;
  return namesToCompare({ source, target, isTaken }, made.keys()).map((name) => accountDifference(compared, name));
}

function accountDifference({ source, target, isTaken, made, isDeleteAllowed }: AccountsToCompare, name: string): Difference {
  const sources = having(source, name);
  const targets = having(target, name);
  const [first] = sources;
  const base = {
    kind: 'account',
    name,
    from: name,
    source: first === undefined ? undefined : accountText(first[1]),
    target: combined(targets.map(([, account]) => accountText(account))),
    sourceBrokers: sources.map(([broker]) => broker),
    removals: [],
  } as const;
  if (first === undefined) {
    // A broker that does not have the account refuses to delete it.
    const removals = targets.map(([broker]) => ({ part: '', action: { kind: 'delete-account', name, broker } as const }));
    return { ...base, additions: [], changes: [], removals, notes: [] };
  }
  const protectedOn = targets.filter(([, account]) => !isTaken(name, account)).map(([broker]) => broker);
  if (protectedOn.length > 0) {
    const note = `account on ${protectedOn.join(', ')}: the target has an admin account of that name, which is changed only where acl.users names it`;
    return { ...base, additions: [], changes: [], notes: [note] };
  }
  const wanted = first[1];
  const additions: SyncAction[] = [];
  const changes: SyncAction[] = [];
  const notes: string[] = [];
  const isRemovable = (part: string): boolean => isDeleteAllowed && made.get(name)?.has(part) === true;
  for (const [broker, accounts] of sortedByName(target)) {
    const current = accounts.get(name);
    const account = current === undefined ? wanted : withKept(wanted, current, isRemovable);
    const extra = partsOf(account).filter((part) => !partsOf(wanted).includes(part));
    if (extra.length > 0) notes.push(`permissions on ${broker} that only the target has stay: ${extra.join(', ')}`);
    const isSecretSame = current?.secretKey === undefined || wanted.secretKey === undefined || wanted.secretKey.isSame(current.secretKey);
    if (current !== undefined && isSecretSame && accountText(account) === accountText(current)) continue;
    const secretKey = wanted.secretKey ?? current?.secretKey;
    if (secretKey === undefined) {
      notes.push(
        `account on ${broker}: no broker shows its secret key, without which accounts cannot be changed; use mqadmin updateAclConfig`,
      );
      continue;
    }
    const parts = partsOf(wanted);
    const before = current === undefined ? [] : partsOf(current);
    const makes = [...(targets.length === 0 ? [''] : []), ...parts.filter((part) => !before.includes(part))];
    const unmakes = before.filter((part) => !parts.includes(part) && isRemovable(part));
    const action = { kind: 'put-account', name, broker, secretKey, account: withoutSecret(account), makes, unmakes } as const;
    if (current === undefined) additions.push(action);
    else changes.push(action);
  }
  return { ...base, additions, changes, notes };
}

/** Brokers take permissions as a whole, so those of the target that stay are put with those of the source. */
function withKept(wanted: AccountShape, current: AccountShape, isRemovable: (part: string) => boolean): AccountShape {
  const kept = (kind: 'topic' | 'group', there: ReadonlyMap<string, PlainPermShape>): [string, PlainPermShape][] =>
    [...there].filter(([name]) => !isRemovable(`${kind} ${name}`));
  return {
    ...wanted,
    whiteRemoteAddress: wanted.whiteRemoteAddress ?? current.whiteRemoteAddress,
    topicPerms: emptied(new Map([...kept('topic', current.topicPerms), ...wanted.topicPerms]), current.topicPerms, wanted.defaultTopicPerm),
    groupPerms: emptied(new Map([...kept('group', current.groupPerms), ...wanted.groupPerms]), current.groupPerms, wanted.defaultGroupPerm),
  };
}

/** Brokers cannot be given an empty list: then one entry says what the default says. */
function emptied(
  perms: ReadonlyMap<string, PlainPermShape>,
  current: ReadonlyMap<string, PlainPermShape>,
  byDefault: PlainPermShape,
): ReadonlyMap<string, PlainPermShape> {
  const [name] = current.keys();
  return perms.size > 0 || name === undefined ? perms : new Map([[name, byDefault]]);
}

/** The permissions that an account names. */
function partsOf({ topicPerms, groupPerms, defaultTopicPerm, defaultGroupPerm }: AccountShape): string[] {
  return [
    ...[...ownPerms(topicPerms, defaultTopicPerm).keys()].map((name) => `topic ${name}`),
    ...[...ownPerms(groupPerms, defaultGroupPerm).keys()].map((name) => `group ${name}`),
  ];
}

/** An entry that says what the default says is none. */
function ownPerms(perms: ReadonlyMap<string, PlainPermShape>, byDefault: PlainPermShape): ReadonlyMap<string, PlainPermShape> {
  return new Map([...perms].filter(([, perm]) => perm !== byDefault));
}

function withoutSecret({ secretKey: _, ...account }: AccountShape): Omit<AccountShape, 'secretKey'> {
  return account;
}

/** Secret keys are left out: what a flow remembers is not secret. */
function accountText(account: AccountShape): string {
  const { whiteRemoteAddress = '', isAdmin, defaultTopicPerm, defaultGroupPerm, topicPerms, groupPerms } = account;
  const topics = mapText(ownPerms(topicPerms, defaultTopicPerm));
  const groups = mapText(ownPerms(groupPerms, defaultGroupPerm));
  return `${isAdmin} ${whiteRemoteAddress} ${defaultTopicPerm} ${defaultGroupPerm} ${topics} ${groups}`;
}
