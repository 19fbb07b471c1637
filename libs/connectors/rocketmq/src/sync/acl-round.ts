import {
  accountDifferences,
  accountOfUser,
  type AccountShape,
  type ByBroker,
  type Difference,
  namesItself,
  type Remembered,
  takesName,
  userDifferences,
  userOfAccount,
  type UserShape,
} from '@sluice/replication';
import type { AclView } from './cluster-view.js';
import type { SyncSettings } from './sync-settings.js';

export interface AclRound {
  readonly settings: SyncSettings;
  readonly source: ByBroker<AclView>;
  readonly target: ByBroker<AclView>;
  /** Things that the flow has made, or parts of them, by name. */
  readonly madeOf: (kind: 'user' | 'account') => readonly (readonly [string, Remembered])[];
}

/** What cannot be said in the other kind of ACL, by name. */
type Notes = Map<string, readonly string[]>;

/** Compares access control. Brokers of the target with ACL 2.0 get users, those with plain ACL get accounts, whatever the source has. */
export function aclDifferences({ settings, source, target, madeOf }: AclRound): Difference[] {
  const isTaken = (name: string, isAdmin: boolean): boolean =>
    !settings.ownUsers.has(name) && takesName(settings.users, name) && (!isAdmin || namesItself(settings.users, name));
  const differences: Difference[] = [];
  const users = new Map([...target].flatMap(([broker, acl]) => (acl.kind === 'users' ? [[broker, acl.users]] : [])));
  if (users.size > 0) {
    const notes: Notes = new Map();
    const found = userDifferences({
      source: new Map([...source].map(([broker, acl]) => [broker, usersOf(acl, notes)])),
      target: users,
      isTaken: (name, user) => isTaken(name, user.userType === 'Super'),
      made: new Set(madeOf('user').map(([name]) => name)),
    });
    differences.push(...withNotes(found, notes, 'user', (name) => isTaken(name, false)));
  }
  const accounts = new Map([...target].flatMap(([broker, acl]) => (acl.kind === 'accounts' ? [[broker, acl.accounts]] : [])));
  if (accounts.size > 0) {
    const notes: Notes = new Map();
    const found = accountDifferences({
      source: new Map([...source].map(([broker, acl]) => [broker, accountsOf(acl, notes)])),
      target: accounts,
      isTaken: (name, account) => isTaken(name, account.isAdmin),
      made: new Map(madeOf('account').map(([name, { made }]) => [name, new Set(made)])),
      isDeleteAllowed: settings.isDeleteAllowed,
    });
    differences.push(...withNotes(found, notes, 'account', (name) => isTaken(name, false)));
  }
  return differences;
}

function usersOf(acl: AclView, notes: Notes): ReadonlyMap<string, UserShape> {
  if (acl.kind === 'users') return acl.users;
  return convertedAll(acl.accounts, (_, account) => userOfAccount(account), notes);
}

function accountsOf(acl: AclView, notes: Notes): ReadonlyMap<string, AccountShape> {
  return acl.kind === 'accounts' ? acl.accounts : convertedAll(acl.users, accountOfUser, notes);
}

function convertedAll<From, To>(
  shapes: ReadonlyMap<string, From>,
  convert: (name: string, shape: From) => { readonly shape: To | undefined; readonly notes: readonly string[] },
  into: Notes,
): ReadonlyMap<string, To> {
  const all = new Map<string, To>();
  for (const [name, from] of shapes) {
    const { shape, notes } = convert(name, from);
    if (notes.length > 0) into.set(name, notes);
    if (shape !== undefined) all.set(name, shape);
  }
  return all;
}

/** What cannot be copied at all is a difference too, with nothing to do. */
function withNotes(
  found: readonly Difference[],
  notes: Notes,
  kind: 'user' | 'account',
  isTaken: (name: string) => boolean,
): readonly Difference[] {
  const rest = new Map(notes);
  const noted = found.map((difference) => {
    const own = rest.get(difference.name) ?? [];
    rest.delete(difference.name);
    return own.length === 0 ? difference : { ...difference, notes: [...difference.notes, ...own] };
  });
  const lone = [...rest]
    .filter(([name]) => isTaken(name))
    .map(([name, texts]) => ({ ...EMPTY, kind, name, from: name, notes: texts }) satisfies Difference);
  return [...noted, ...lone];
}

const EMPTY = { source: undefined, target: undefined, sourceBrokers: [], additions: [], changes: [], removals: [] } as const;
