import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { groupDifferences, type GroupsOfBroker, type GroupsToCompare } from './group-differences.js';
import type { GroupShape, SyncAction } from './sync-action.js';

const NAMES = ['billing', 'shipping'];
const PLAIN: GroupShape = {
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

const shape: fc.Arbitrary<GroupShape> = fc.record({
  isConsumeEnabled: fc.boolean(),
  isConsumeFromMinEnabled: fc.boolean(),
  isBroadcastEnabled: fc.boolean(),
  isOrdered: fc.boolean(),
  retryQueues: fc.integer({ min: 1, max: 3 }),
  retryMaxTimes: fc.integer({ min: -1, max: 3 }),
  retryPolicy: fc.constantFrom(
    { type: 'customized' } as const,
    {
      type: 'exponential',
      initialMs: 1,
      maxMs: 2,
      multiplier: 3,
    } as const,
  ),
  brokerId: fc.constantFrom(0, 1),
  slowBrokerId: fc.constantFrom(0, 1),
  isMemberChangeNotified: fc.boolean(),
  consumeTimeoutMinutes: fc.constantFrom(1, 15),
  attributes: fc.constantFrom<readonly [string, string][]>([], [['a', '1']], [['a', '2']]).map((entries) => new Map(entries)),
});

const broker: fc.Arbitrary<GroupsOfBroker> = fc.record({
  groups: fc.array(fc.tuple(fc.constantFrom(...NAMES), shape), { maxLength: 2 }).map((groups) => new Map(groups)),
  isVersion5: fc.boolean(),
});

const cluster = fc.array(broker, { minLength: 1, maxLength: 3 }).map((brokers) => new Map(brokers.map((one, at) => [`broker-${at}`, one])));

function compare(source: GroupsToCompare['source'], target: GroupsToCompare['target']): GroupsToCompare {
  return { source, target, isTaken: (name) => NAMES.includes(name), made: new Set() };
}

/** What brokers do with an action. */
function apply(target: Map<string, GroupsOfBroker>, action: SyncAction): void {
  if (action.kind !== 'create-group' && action.kind !== 'update-group') throw new Error(action.kind);
  const { groups, isVersion5 } = target.get(action.broker ?? '')!;
  const { attributes = {}, ...rest } = action.change;
  const before = groups.get(action.name) ?? PLAIN;
  const changed = { ...before, ...rest, attributes: new Map([...before.attributes, ...Object.entries(attributes)]) };
  target.set(action.broker!, { groups: new Map([...groups, [action.name, changed]]), isVersion5 });
}

const on = (groups: Readonly<Record<string, GroupShape>>, isVersion5 = true): GroupsToCompare['source'] =>
  new Map([['broker', { groups: new Map(Object.entries(groups)), isVersion5 }]]);

describe('groupDifferences', () => {
  it('leaves nothing to do once its actions have been applied', () => {
    fc.assert(
      fc.property(cluster, cluster, (source, before) => {
        const target = new Map(before);
        for (const { additions, changes } of groupDifferences(compare(source, target))) {
          for (const action of [...additions, ...changes]) apply(target, action);
        }
        const left = groupDifferences(compare(source, target));
        expect(left.flatMap(({ additions, changes, removals }) => [...additions, ...changes, ...removals])).toEqual([]);
        expect(left.every(({ source: wanted, target: there }) => wanted !== undefined && there !== undefined)).toBe(true);
      }),
    );
  });

  it('changes only what differs', () => {
    const [found] = groupDifferences(compare(on({ billing: { ...PLAIN, retryMaxTimes: 3 } }), on({ billing: PLAIN })));
    expect(found?.changes).toEqual([{ kind: 'update-group', name: 'billing', broker: 'broker', change: { retryMaxTimes: 3 } }]);
  });

  it('names what an older target cannot have, and leaves alone what an older source does not have', () => {
    const wanted: GroupShape = { ...PLAIN, isOrdered: true, retryPolicy: { type: 'exponential' } };
    const [down] = groupDifferences(compare(on({ billing: wanted }), on({ billing: PLAIN }, false)));
    expect(down).toMatchObject({ changes: [], notes: ['isOrdered, retryPolicy on broker: brokers before RocketMQ 5.0 do not have it'] });
    const [up] = groupDifferences(compare(on({ billing: PLAIN }, false), on({ billing: wanted })));
    expect(up).toMatchObject({ changes: [], notes: [] });
  });

  it('offers to delete only what the flow has made, and never what the filter leaves out', () => {
    const target = on({ billing: PLAIN, shipping: PLAIN, other: PLAIN });
    const found = groupDifferences({ ...compare(on({}), target), made: new Set(['billing', 'other']) });
    expect(found.map(({ name, removals }) => [name, removals.map(({ action }) => action.kind)])).toEqual([['billing', ['delete-group']]]);
  });
});
