import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accountDifferences, type AccountsToCompare } from './account-differences.js';
import { accountOfUser, userOfAccount } from './acl-conversion.js';
import {
  type AccountShape,
  describeAction,
  HiddenText,
  type PlainPermShape,
  type RuleShape,
  type SyncAction,
  type UserShape,
} from './sync-action.js';
import { userDifferences, type UsersToCompare } from './user-differences.js';

const SECRETS = ['secret-one', 'secret-two'];
const secret = fc.constantFrom(...SECRETS).map((text) => new HiddenText(text));
const names = fc.constantFrom('user-one', 'user-two');
const perm = fc.constantFrom<PlainPermShape>('DENY', 'PUB', 'SUB', 'PUB|SUB');
const perms = fc.array(fc.tuple(fc.constantFrom('t1', 't2'), perm), { maxLength: 2 }).map((entries) => new Map(entries));

const rule: fc.Arbitrary<RuleShape> = fc.record({
  actions: fc.constantFrom(['Pub'], ['Pub', 'Sub'], ['All']),
  sourceIps: fc.constantFrom<string[]>([], ['10.0.0.0/8']),
  decision: fc.constantFrom('Allow' as const, 'Deny' as const),
});
const user: fc.Arbitrary<UserShape> = fc.record({
  userType: fc.constantFrom('Normal' as const, 'Super' as const),
  isEnabled: fc.boolean(),
  password: secret,
  rules: fc.array(fc.tuple(fc.constantFrom('Topic:t1', 'Topic:*', 'Group:g'), rule), { maxLength: 3 }).map((entries) => new Map(entries)),
});
const account: fc.Arbitrary<AccountShape> = fc.record({
  secretKey: secret,
  whiteRemoteAddress: fc.constantFrom(undefined, '10.1.*'),
  isAdmin: fc.boolean(),
  defaultTopicPerm: perm,
  defaultGroupPerm: perm,
  topicPerms: perms,
  groupPerms: perms,
});
const clusterOf = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<Map<string, ReadonlyMap<string, T>>> =>
  fc
    .array(fc.array(fc.tuple(names, one), { maxLength: 2 }), { minLength: 1, maxLength: 2 })
    .map((brokers) => new Map(brokers.map((entries, at) => [`broker-${at}`, new Map(entries)])));

const users = (source: UsersToCompare['source'], target: UsersToCompare['target'], made: readonly string[] = []): UsersToCompare => ({
  source,
  target,
  isTaken: () => true,
  made: new Set(made),
});
const accounts = (
  source: AccountsToCompare['source'],
  target: AccountsToCompare['target'],
  options: Partial<AccountsToCompare> = {},
): AccountsToCompare => ({ source, target, isTaken: () => true, made: new Map(), isDeleteAllowed: false, ...options });
const on = <T>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, ReadonlyMap<string, T>> =>
  new Map([['broker', new Map(Object.entries(entries))]]);

function applyToUsers(target: Map<string, ReadonlyMap<string, UserShape>>, action: SyncAction): void {
  const there = target.get(action.broker ?? '')!;
  const before = there.get(action.name)!;
  const put = (next: UserShape): void => {
    target.set(action.broker!, new Map([...there, [action.name, next]]));
  };
  if (action.kind === 'create-user') {
    put({ userType: action.userType, isEnabled: true, password: action.password, rules: new Map() });
  } else if (action.kind === 'update-user') {
    const { password = before.password, userType = before.userType, isEnabled = before.isEnabled } = action;
    put({ ...before, password, userType, isEnabled });
  } else if (action.kind === 'put-rule') put({ ...before, rules: new Map([...before.rules, [action.resource, action.rule]]) });
  else if (action.kind === 'delete-rule') put({ ...before, rules: new Map([...before.rules].filter(([key]) => key !== action.resource)) });
  else throw new Error(action.kind);
}

describe('userDifferences and accountDifferences', () => {
  it('leave nothing to do once their actions have been applied, deletions included', () => {
    fc.assert(
      fc.property(clusterOf(user), clusterOf(user), (source, before) => {
        const target = new Map(before);
        for (const { additions, changes, removals } of userDifferences(users(source, target))) {
          for (const action of [...additions, ...changes, ...removals.map((removal) => removal.action)]) applyToUsers(target, action);
        }
        const left = userDifferences(users(source, target));
        expect(left.flatMap(({ additions, changes, removals }) => [...additions, ...changes, ...removals])).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(clusterOf(account), clusterOf(account), (source, before) => {
        const target = new Map(before);
        for (const { additions, changes } of accountDifferences(accounts(source, target))) {
          for (const action of [...additions, ...changes]) {
            if (action.kind !== 'put-account') throw new Error(action.kind);
            const next = { ...action.account, secretKey: action.secretKey };
            target.set(action.broker!, new Map([...target.get(action.broker!)!, [action.name, next]]));
          }
        }
        const left = accountDifferences(accounts(source, target));
        expect(left.flatMap(({ additions, changes }) => [...additions, ...changes])).toEqual([]);
      }),
    );
  });

  it('never show a secret, in no text of an action', () => {
    fc.assert(
      fc.property(clusterOf(user), clusterOf(account), (some, others) => {
        const found = [
          ...userDifferences(users(some, new Map([['x', new Map()]]))),
          ...accountDifferences(accounts(others, new Map([['x', new Map()]]))),
        ];
        const actions = found.flatMap(({ additions, changes }) => [...additions, ...changes]);
        const texts = [
          JSON.stringify(found),
          inspect(found, { depth: 9 }),
          ...actions.map(describeAction),
          ...found.map(({ source }) => source),
        ];
        for (const one of SECRETS) expect(texts.join()).not.toContain(one);
      }),
    );
  });

  const one: UserShape = { userType: 'Normal', isEnabled: true, password: new HiddenText('secret-one'), rules: new Map() };
  const plain: AccountShape = {
    secretKey: new HiddenText('secret-one'),
    whiteRemoteAddress: undefined,
    isAdmin: false,
    defaultTopicPerm: 'DENY',
    defaultGroupPerm: 'DENY',
    topicPerms: new Map([['t1', 'PUB']]),
    groupPerms: new Map(),
  };

  it('say what they cannot do without the secret', () => {
    const [made] = userDifferences(users(on({ 'user-one': { ...one, password: undefined } }), on({})));
    expect(made).toMatchObject({
      additions: [],
      notes: ['user on broker: the source does not show its password; create it with mqadmin createUser'],
    });
    const [put] = accountDifferences(accounts(on({ 'user-one': { ...plain, secretKey: undefined } }), on({})));
    expect(put?.additions).toEqual([]);
    expect(put?.notes).toEqual([expect.stringContaining('use mqadmin updateAclConfig')]);
    const rules = new Map([['Topic:t1', { actions: ['Pub'], sourceIps: [], decision: 'Allow' as const }]]);
    const [changed] = userDifferences(users(on({ 'user-one': { ...one, password: undefined, rules } }), on({ 'user-one': one })));
    expect(changed?.changes).toMatchObject([{ kind: 'put-rule', resource: 'Topic:t1', makes: ['Topic:t1'] }]);
  });

  it("keep permissions that only the target's account has, unless the flow has made them and may delete", () => {
    const extra = on({
      'user-one': {
        ...plain,
        topicPerms: new Map<string, PlainPermShape>([
          ['t1', 'PUB'],
          ['t2', 'SUB'],
        ]),
      },
    });
    const source = on({ 'user-one': plain });
    const [kept] = accountDifferences(accounts(source, extra));
    expect(kept).toMatchObject({ changes: [], notes: ['permissions on broker that only the target has stay: topic t2'] });
    const made = new Map([['user-one', new Set(['topic t2'])]]);
    expect(accountDifferences(accounts(source, extra, { made }))[0]?.changes).toEqual([]);
    const [removed] = accountDifferences(accounts(source, extra, { made, isDeleteAllowed: true }));
    expect(removed?.changes).toMatchObject([
      { kind: 'put-account', unmakes: ['topic t2'], account: { topicPerms: new Map([['t1', 'PUB']]) } },
    ]);
    const none = on({ 'user-one': { ...plain, topicPerms: new Map() } });
    const all = new Map([['user-one', new Set(['topic t1', 'topic t2'])]]);
    const [emptied] = accountDifferences(accounts(none, extra, { made: all, isDeleteAllowed: true }));
    expect(emptied?.changes).toMatchObject([{ account: { topicPerms: new Map([['t1', 'DENY']]) } }]);
  });

  it('offer to delete users and accounts only where the flow has made them', () => {
    const ofUsers = userDifferences(users(on({}), on({ 'user-one': one, 'user-two': one }), ['user-one']));
    expect(ofUsers.map(({ name, removals }) => [name, removals.length])).toEqual([['user-one', 1]]);
    const made = new Map([['user-one', new Set([''])]]);
    const ofAccounts = accountDifferences(accounts(on({}), on({ 'user-one': plain, 'user-two': plain }), { made }));
    expect(ofAccounts.map(({ name, removals }) => [name, removals.length])).toEqual([['user-one', 1]]);
  });

  it('leave an admin account of the target alone, unless admin accounts are taken', () => {
    const [source, target] = [on({ 'user-one': plain }), on({ 'user-one': { ...plain, isAdmin: true } })];
    const isTaken = (_: string, { isAdmin }: AccountShape): boolean => !isAdmin;
    const [left] = accountDifferences(accounts(source, target, { isTaken }));
    expect(left).toMatchObject({ changes: [], notes: [expect.stringContaining('the target has an admin account of that name')] });
    expect(accountDifferences(accounts(source, target))[0]?.changes).toHaveLength(1);
    expect(accountDifferences(accounts(on({}), target, { isTaken, made: new Map([['user-one', new Set([''])]]) }))).toEqual([]);
  });

  it('turn accounts into users and back without a loss', () => {
    fc.assert(
      fc.property(account, (given) => {
        const { shape: converted } = userOfAccount({ ...given, whiteRemoteAddress: undefined });
        const { shape: back, notes } = accountOfUser('user-one', converted!);
        expect(notes).toEqual([]);
        const [found] = accountDifferences(accounts(on({ a: { ...given, whiteRemoteAddress: undefined } }), on({ a: back! })));
        expect(found?.changes).toEqual([]);
      }),
    );
  });

  it('name what the other kind of access control cannot say', () => {
    expect(userOfAccount({ ...plain, whiteRemoteAddress: '10.1.*' }).notes).toEqual([
      'whiteRemoteAddress 10.1.*: ACL 2.0 trusts no address; requests from there need a signature',
    ]);
    const rules = new Map<string, RuleShape>([
      ['Topic:t*', { actions: ['Pub'], sourceIps: [], decision: 'Allow' }],
      ['Topic:t1', { actions: ['Pub', 'Create'], sourceIps: [], decision: 'Allow' }],
      ['Topic:t2', { actions: ['Pub'], sourceIps: ['10.0.0.1'], decision: 'Allow' }],
      ['Topic:t3', { actions: ['Pub'], sourceIps: [], decision: 'Deny' }],
      ['Cluster:c', { actions: ['Get'], sourceIps: [], decision: 'Allow' }],
      ['default Topic:t4', { actions: ['Pub'], sourceIps: [], decision: 'Allow' }],
      ['Topic:t5', { actions: ['All'], sourceIps: [], decision: 'Deny' }],
      ['Topic:*', { actions: ['Sub'], sourceIps: [], decision: 'Allow' }],
    ]);
    const { shape, notes } = accountOfUser('user-one', { ...one, rules });
    expect(notes.map((note) => note.split(': ')[0])).toHaveLength(6);
    expect(shape).toMatchObject({ defaultTopicPerm: 'SUB', topicPerms: new Map([['t5', 'DENY']]) });
    expect(accountOfUser('user-one', { ...one, isEnabled: false }).shape).toBeUndefined();
    expect(accountOfUser('short', one).shape).toBeUndefined();
  });

  it('never let an account do what the user may not: denials that plain ACL cannot say deny more', () => {
    const denying = (resource: string, rule: Partial<RuleShape>): AccountShape => {
      const rules = new Map<string, RuleShape>([
        ['Topic:*', { actions: ['Pub', 'Sub'], sourceIps: [], decision: 'Allow' }],
        [resource, { actions: ['Pub', 'Sub'], sourceIps: [], decision: 'Deny', ...rule }],
      ]);
      const { shape, notes } = accountOfUser('user-one', { ...one, rules });
      expect(notes).toEqual([expect.stringContaining(`rule for ${resource}: plain ACL cannot say it; more than that is denied`)]);
      return shape!;
    };
    expect(denying('Topic:t1', { actions: ['Pub'] })).toMatchObject({ defaultTopicPerm: 'PUB|SUB', topicPerms: new Map([['t1', 'SUB']]) });
    expect(denying('Topic:t1', { sourceIps: ['10.0.0.1'] }).topicPerms).toEqual(new Map([['t1', 'DENY']]));
    expect(denying('Topic:t*', { actions: ['Sub'] })).toMatchObject({ defaultTopicPerm: 'PUB', topicPerms: new Map() });
    expect(denying('Topic:t*', { actions: ['All'] }).defaultTopicPerm).toBe('DENY');
  });
});
