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

type ResourceType = 'Topic' | 'Group';

/** A rule that takes something from what others allow. */
interface Denial {
  readonly type: ResourceType;
  /** Or a prefix with `*` at its end. */
  readonly name: string;
  readonly rule: RuleShape;
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
  const denials: Denial[] = [];
  for (const [resource, rule] of user.rules) {
    const [, type, name = ''] = /^(Topic|Group):(.+)$/.exec(resource) ?? [];
    const isName = type !== undefined && (name === ALL_NAMES || !name.includes(ALL_NAMES));
    const perm = isName ? permOf(rule) : undefined;
    if (perm !== undefined) perms[type as ResourceType].set(name, perm);
    else if (type === undefined || rule.decision === 'Allow') notes.push(`rule for ${resource}: plain ACL cannot say it`);
    else {
      denials.push({ type: type as ResourceType, name, rule });
      notes.push(`rule for ${resource}: plain ACL cannot say it; more than that is denied, so that nobody may do more than at the source`);
    }
  }
  const byDefault = (type: ResourceType): PlainPermShape => {
    const of = perms[type];
    let perm = of.get(ALL_NAMES) ?? 'DENY';
    of.delete(ALL_NAMES);
    const denied = denials.filter((denial) => denial.type === type);
    for (const { name, rule } of denied) if (name.includes(ALL_NAMES)) perm = without(perm, rule);
    for (const { name, rule } of denied) if (!name.includes(ALL_NAMES) && without(perm, rule) !== perm) of.set(name, without(perm, rule));
    return perm;
  };
  const shape: AccountShape = {
    secretKey: user.password,
    whiteRemoteAddress: undefined,
    isAdmin: user.userType === 'Super',
    defaultTopicPerm: byDefault('Topic'),
    defaultGroupPerm: byDefault('Group'),
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

/** Returns what is left of a permission where a rule denies some of it, from whatever address. */
function without(perm: PlainPermShape, { actions }: RuleShape): PlainPermShape {
  const isLeft = (right: 'PUB' | 'SUB', action: string): boolean =>
    perm.includes(right) && !actions.includes(action) && !actions.includes('All');
  const [isPub, isSub] = [isLeft('PUB', 'Pub'), isLeft('SUB', 'Sub')];
  if (isPub && isSub) return 'PUB|SUB';
  if (isPub) return 'PUB';
  return isSub ? 'SUB' : 'DENY';
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
