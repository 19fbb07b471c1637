import type { AccountShape, PlainPermShape, RuleShape, UserShape } from './sync-action.js';

const ALL_NAMES = '*';
/** Plain ACL refuses shorter keys. */
const MIN_KEY_CHARS = 7;

export interface Converted<T> {
  /** Undefined where the other kind of ACL cannot have it. */
  readonly shape: T | undefined;
  /** What the other kind of ACL cannot say. */
  readonly notes: readonly string[];
}

/** Returns an account of plain ACL as a user of ACL 2.0. */
export function userOfAccount(account: AccountShape): Converted<UserShape> {
  const { isAdmin, secretKey, whiteRemoteAddress, defaultTopicPerm, defaultGroupPerm, topicPerms, groupPerms } = account;
  const rules = new Map<string, RuleShape>();
  const add = (resource: string, perm: PlainPermShape): void => {
    rules.set(resource, ruleOf(perm));
  };
  // Without a rule ACL 2.0 denies, as plain ACL does by default.
  if (defaultTopicPerm !== 'DENY') add(`Topic:${ALL_NAMES}`, defaultTopicPerm);
  if (defaultGroupPerm !== 'DENY') add(`Group:${ALL_NAMES}`, defaultGroupPerm);
  for (const [topic, perm] of topicPerms) add(`Topic:${topic}`, perm);
  for (const [group, perm] of groupPerms) add(`Group:${group}`, perm);
  const notes =
    whiteRemoteAddress === undefined
      ? []
      : [`whiteRemoteAddress ${whiteRemoteAddress}: ACL 2.0 trusts no address; requests from there need a signature`];
  return { shape: { userType: isAdmin ? 'Super' : 'Normal', isEnabled: true, password: secretKey, rules }, notes };
}

/** Returns a user of ACL 2.0 as an account of plain ACL. */
export function accountOfUser(username: string, user: UserShape): Converted<AccountShape> {
  if (!user.isEnabled) return { shape: undefined, notes: ['it is disabled, which plain ACL does not know'] };
  const isShort = username.length < MIN_KEY_CHARS || (user.password?.reveal().length ?? MIN_KEY_CHARS) < MIN_KEY_CHARS;
  if (isShort) return { shape: undefined, notes: [`plain ACL has names and secrets of ${MIN_KEY_CHARS} or more characters`] };
  const perms = { Topic: new Map<string, PlainPermShape>(), Group: new Map<string, PlainPermShape>() };
  const notes: string[] = [];
  for (const [resource, rule] of user.rules) {
    const [, type, name = ''] = /^(Topic|Group):(.+)$/.exec(resource) ?? [];
    const isName = type !== undefined && (name === ALL_NAMES || !name.includes(ALL_NAMES));
    const perm = isName ? permOf(rule) : undefined;
    if (perm === undefined) notes.push(`rule for ${resource}: plain ACL cannot say it`);
    else perms[type as 'Topic' | 'Group'].set(name, perm);
  }
  const byDefault = (of: Map<string, PlainPermShape>): PlainPermShape => {
    const perm = of.get(ALL_NAMES) ?? 'DENY';
    of.delete(ALL_NAMES);
    return perm;
  };
  const shape: AccountShape = {
    secretKey: user.password,
    whiteRemoteAddress: undefined,
    isAdmin: user.userType === 'Super',
    defaultTopicPerm: byDefault(perms.Topic),
    defaultGroupPerm: byDefault(perms.Group),
    topicPerms: perms.Topic,
    groupPerms: perms.Group,
  };
  return { shape, notes };
}

function ruleOf(perm: PlainPermShape): RuleShape {
  if (perm === 'DENY') return { actions: ['Pub', 'Sub'], sourceIps: [], decision: 'Deny' };
  const actions = [...(perm.includes('PUB') ? ['Pub'] : []), ...(perm.includes('SUB') ? ['Sub'] : [])];
  return { actions, sourceIps: [], decision: 'Allow' };
}

/** Undefined where plain ACL has nothing that means the same. */
function permOf({ actions, sourceIps, decision }: RuleShape): PlainPermShape | undefined {
  if (sourceIps.length > 0) return undefined;
  const isPub = actions.includes('Pub') || actions.includes('All');
  const isSub = actions.includes('Sub') || actions.includes('All');
  const isOther = actions.some((action) => !['Pub', 'Sub', 'All'].includes(action));
  if (decision === 'Deny') return isPub && isSub ? 'DENY' : undefined;
  // Others than these two concern administration, which plain ACL keeps for admin accounts.
  if (isOther || actions.includes('All')) return undefined;
  if (isPub && isSub) return 'PUB|SUB';
  if (isPub) return 'PUB';
  return isSub ? 'SUB' : undefined;
}
