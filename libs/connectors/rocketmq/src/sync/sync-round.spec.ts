import { describe, expect, it } from '@jest/globals';
import { type GroupShape, HiddenText } from '@sluice/replication';
import type { ClusterView } from './cluster-view.js';
import { originsAt } from './flow-origins.js';
import { fingerprint, memoryTopic } from './sync-memory.js';
import { decideRound, type RoundInput } from './sync-round.js';
import { readSyncSettings } from './sync-settings.js';

const GROUP: GroupShape = {
  isConsumeEnabled: true,
  isConsumeFromMinEnabled: true,
  isBroadcastEnabled: true,
  isOrdered: false,
  retryQueues: 1,
  retryMaxTimes: 16,
  retryPolicy: { type: 'customized' },
  brokerId: 0,
  slowBrokerId: 1,
  isMemberChangeNotified: true,
  consumeTimeoutMinutes: 15,
  attributes: new Map(),
};
const NONE = { topics: [], groups: [], acl: [] };

function view(groups: Readonly<Record<string, GroupShape>>, users: readonly string[] = []): ClusterView {
  const shapes = users.map((name) => {
    const userType = name === 'root' ? ('Super' as const) : ('Normal' as const);
    return [name, { userType, isEnabled: true, password: new HiddenText('secret-1'), rules: new Map() }] as const;
  });
  return {
    names: ['broker'],
    topics: new Map([['broker', { topics: new Map(), areAttributesKept: true }]]),
    groups: new Map([['broker', { groups: new Map(Object.entries(groups)), isVersion5: true }]]),
    acl: new Map([['broker', { kind: 'users', users: new Map(shapes) }]]),
    problems: new Map(),
  };
}

function decide(input: Partial<RoundInput>, config: Readonly<Record<string, string>> = {}): ReturnType<typeof decideRound> {
  return decideRound({
    settings: readSyncSettings('The flow', config),
    source: view({}),
    target: view({}),
    topics: new Map(),
    memory: new Map(),
    proven: new Set(['broker']),
    origins: NONE,
    sourceIdentity: 'sluice-identity-b',
    targetIdentity: 'sluice-identity-a',
    ...input,
  });
}

const kinds = (decided: ReturnType<typeof decideRound>): string[] =>
  decided.flatMap(({ decision }) => decision.actions.map(({ kind, name }) => `${kind} ${name}`));

describe('decideRound', () => {
  it('takes the groups that the filter takes, and those of the system where they are named', () => {
    const source = view({ orders: GROUP, 'orders-test': GROUP, TOOLS_CONSUMER: GROUP, 'sluice-c-rpc-n': GROUP });
    expect(kinds(decide({ source }))).toEqual(['create-group orders', 'create-group orders-test']);
    const config = { groups: 'TOOLS_CONSUMER,orders*', 'groups.exclude': '*-test' };
    expect(kinds(decide({ source }, config))).toEqual(['create-group TOOLS_CONSUMER', 'create-group orders']);
    expect(kinds(decide({ source }, { 'sync.groups': 'false' }))).toEqual([]);
  });

  it('takes users where it is asked to, super users where they are named, and never its own', () => {
    const source = view({}, ['reader', 'root', 'own']);
    expect(kinds(decide({ source }))).toEqual([]);
    const config = { 'sync.acl': 'true', 'data.cluster.access.key': 'own' };
    expect(kinds(decide({ source }, config))).toEqual(['create-user reader']);
    expect(kinds(decide({ source }, { ...config, 'acl.users': 'root,own' }))).toEqual(['create-user root']);
  });

  it('does not delete its own users, nor those that the filter leaves out, although it has made them', () => {
    const target = view({}, ['reader', 'writer', 'own']);
    const made = ['reader', 'writer', 'own'].map((name) => [`user ${name}`, { from: name, made: [''], brokers: ['broker'] }] as const);
    const config = {
      'sync.acl': 'true',
      'sync.delete': 'true',
      'data.cluster.access.key': 'own',
      'acl.users.exclude': 'writer',
    };
    expect(kinds(decide({ target, memory: new Map(made) }, config))).toEqual(['delete-user reader']);
  });

  it('deletes nothing where a broker of the source was set up again, without anything', () => {
    const memory = new Map([['group orders', { from: 'orders', made: [''], brokers: ['broker'] }]]);
    const input = { target: view({ orders: GROUP }), memory };
    expect(kinds(decide(input, { 'sync.delete': 'true' }))).toEqual(['delete-group orders']);
    const [kept] = decide({ ...input, proven: new Set() }, { 'sync.delete': 'true' });
    expect(kept?.decision).toMatchObject({ actions: [], left: expect.stringContaining('on broker, which') });
  });

  it('does not overwrite a super user of the target with a user of equal name, unless that is named', () => {
    const target = view({}, ['root']);
    const source = view({}, ['root']);
    const [users] = [...source.acl.values()];
    if (users?.kind !== 'users') throw new Error('no users');
    const root = users.users.get('root')!;
    const normal: ClusterView = {
      ...source,
      acl: new Map([['broker', { kind: 'users', users: new Map([['root', { ...root, userType: 'Normal' }]]) }]]),
    };
    const config = { 'sync.acl': 'true' };
    const [left] = decide({ source: normal, target }, config);
    expect(left?.decision.actions).toEqual([]);
    expect(left?.difference.notes).toEqual([expect.stringContaining('the target has a super user of that name')]);
    expect(kinds(decide({ source: normal, target }, { ...config, 'acl.users': 'root' }))).toEqual(['update-user root']);
  });

  it('treats a flow as one of two directions for each part that leads back, and where nobody knows', () => {
    const source = view({ orders: { ...GROUP, retryMaxTimes: 3 } });
    const target = view({ orders: GROUP });
    const of = (origins: RoundInput['origins']): string[] => kinds(decide({ source, target, origins }));
    expect(of(NONE)).toEqual(['update-group orders']);
    expect(of({ ...NONE, topics: ['sluice-identity-a'] })).toEqual(['update-group orders']);
    expect(of({ ...NONE, groups: ['sluice-identity-a'] })).toEqual([]);
    expect(of({ ...NONE, groups: ['sluice-identity-c'] })).toEqual(['update-group orders']);
    expect(of(undefined)).toEqual([]);
  });

  it('compares what it remembers as fingerprints', () => {
    const agreed = decide({ source: view({ orders: GROUP }), target: view({ orders: GROUP }) })[0];
    expect(agreed?.decision.isAgreed).toBe(true);
    const { source = '', target = '' } = agreed!.difference;
    expect(source).toMatch(/^[\w-]{12}$/);
    const memory = new Map([['group orders', { from: 'orders', source, target, made: [], brokers: ['broker'] }]]);
    const changed = { source: view({ orders: { ...GROUP, retryMaxTimes: 3 } }), target: view({ orders: GROUP }), memory };
    expect(kinds(decide({ ...changed, origins: undefined }))).toEqual(['update-group orders']);
  });
});

describe('originsAt', () => {
  it('is the source and what reaches it, for the parts that the flow syncs', () => {
    const known = { topics: ['c'], groups: ['c', 'a'], acl: ['d'] };
    expect(originsAt('b', new Set(['topics', 'groups']), known)).toEqual({ topics: ['b', 'c'], groups: ['a', 'b', 'c'], acl: [] });
    expect(originsAt('b', new Set(['acl']), undefined)).toEqual({ topics: [], groups: [], acl: ['b'] });
  });
});

describe('memoryTopic', () => {
  it('is a name that RocketMQ takes, of its own for each source and connector', () => {
    const names = [memoryTopic('sluice-identity-0123456789abcdefg', 'flow'), memoryTopic('sluice-identity-0123456789abcdefg', 'Fluß / 2')];
    for (const name of names) expect(name).toMatch(/^sluice-sync-0123456789abcdefg-[0-9a-f]{10}$/);
    expect(new Set([...names, memoryTopic('sluice-identity-x', 'flow')]).size).toBe(3);
    expect(fingerprint('a')).not.toBe(fingerprint('b'));
  });
});
