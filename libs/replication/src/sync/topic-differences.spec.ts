import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SyncAction, TopicShape } from './sync-action.js';
import { topicDifferences, type TopicsOfBroker, type TopicsToCompare, withdrawsWrite } from './topic-differences.js';

const NAMES = ['orders', 'bills', 'INST%news'];

const shape: fc.Arbitrary<TopicShape> = fc.record({
  readQueues: fc.integer({ min: 1, max: 9 }),
  writeQueues: fc.integer({ min: 1, max: 9 }),
  perm: fc.constantFrom(6, 4, 2),
  isOrdered: fc.boolean(),
  attributes: fc
    .constantFrom<readonly [string, string][]>([], [['message.type', 'NORMAL']], [['message.type', 'FIFO']])
    .map((entries) => new Map(entries)),
});

const broker = (areAttributesKept: boolean): fc.Arbitrary<TopicsOfBroker> =>
  fc.array(fc.tuple(fc.constantFrom(...NAMES), shape), { maxLength: 3 }).map((topics) => ({
    topics: new Map(topics.map(([name, one]) => [name, areAttributesKept ? one : { ...one, attributes: new Map() }])),
    areAttributesKept,
  }));

const cluster = (names: readonly string[]): fc.Arbitrary<Map<string, TopicsOfBroker>> =>
  fc
    .tuple(
      ...names.map((name) =>
        fc
          .boolean()
          .chain(broker)
          .map((one) => [name, one] as const),
      ),
    )
    .map((brokers) => new Map(brokers));

function compare(source: ReadonlyMap<string, TopicsOfBroker>, target: ReadonlyMap<string, TopicsOfBroker>, plan = NAMES): TopicsToCompare {
  return {
    source,
    target,
    sourceNames: [...source.keys()],
    targetNames: [...target.keys()],
    plan: new Map(plan.map((name) => [name, `east-${name}`])),
    isCreationAllowed: true,
    made: new Map(),
  };
}

/** What brokers do with an action. */
function apply(target: Map<string, TopicsOfBroker>, action: SyncAction): void {
  const { topics, areAttributesKept } = target.get(action.broker ?? '')!;
  const changed = new Map(topics);
  if (action.kind === 'create-topic') changed.set(action.name, action.settings);
  else if (action.kind === 'update-topic') {
    const before = topics.get(action.name)!;
    const { attributes = {}, removedAttributes = [], ...rest } = action.change;
    const kept = [...before.attributes].filter(([name]) => !removedAttributes.includes(name));
    changed.set(action.name, { ...before, ...rest, attributes: new Map([...kept, ...Object.entries(attributes)]) });
  } else throw new Error(action.kind);
  target.set(action.broker!, { topics: changed, areAttributesKept });
}

describe('topicDifferences', () => {
  it('leaves nothing to do once its actions have been applied, never shrinks a topic, and gives queues for all of the source', () => {
    const sides = fc.tuple(cluster(['broker-a', 'broker-b']), fc.constantFrom(['x'], ['x', 'y'], ['x', 'y', 'z']).chain(cluster));
    fc.assert(
      fc.property(sides, ([source, before]) => {
        const target = new Map(before);
        // A topic is created writable; what takes that away again comes after its messages have been copied.
        for (let round = 0; round < 2; round += 1) {
          for (const { additions, changes } of topicDifferences(compare(source, target))) {
            for (const action of [...additions, ...changes]) apply(target, action);
          }
        }
        const left = topicDifferences(compare(source, target));
        expect(left.flatMap(({ additions, changes, removals }) => [...additions, ...changes, ...removals])).toEqual([]);
        for (const name of NAMES) {
          const sum = (side: ReadonlyMap<string, TopicsOfBroker>, of: string): number =>
            [...side.values()].reduce((total, { topics }) => total + (topics.get(of)?.writeQueues ?? 0), 0);
          expect(sum(target, `east-${name}`)).toBeGreaterThanOrEqual(sum(source, name));
          for (const [key, { topics }] of before) {
            const queues = target.get(key)!.topics.get(`east-${name}`)?.writeQueues ?? 0;
            expect(queues).toBeGreaterThanOrEqual(topics.get(`east-${name}`)?.writeQueues ?? 0);
          }
        }
      }),
    );
  });

  const one: TopicShape = { readQueues: 4, writeQueues: 4, perm: 6, isOrdered: false, attributes: new Map() };
  const holding = (topics: Readonly<Record<string, TopicShape>>, areAttributesKept = true): TopicsOfBroker => ({
    topics: new Map(Object.entries(topics)),
    areAttributesKept,
  });

  it('moves no queues while a broker does not answer', () => {
    const source = new Map([['broker-b', holding({ orders: one })]]);
    const compared = {
      ...compare(source, new Map([['y', holding({})]]), ['orders']),
      sourceNames: ['broker-a', 'broker-b'],
      targetNames: ['x', 'y'],
    };
    const [found] = topicDifferences(compared);
    expect(found?.additions).toMatchObject([{ kind: 'create-topic', broker: 'y', settings: { writeQueues: 4 } }]);
    const [other] = topicDifferences({ ...compared, target: new Map([['x', holding({})]]) });
    expect(other?.additions).toEqual([]);
  });

  it('names what it may not or cannot do', () => {
    const source = new Map([['a', holding({ orders: { ...one, attributes: new Map([['queue.type', 'BatchCQ']]) }, bills: one })]]);
    const target = new Map([['x', holding({ 'east-orders': { ...one, writeQueues: 2 } })]]);
    const compared = { ...compare(source, target, ['orders', 'bills']), isCreationAllowed: false };
    const notes = topicDifferences(compared).flatMap((found) => found.notes);
    expect(notes).toEqual([
      'queues on x, {"writeQueues":4}: topic.creation.enable is false',
      'attribute queue.type=BatchCQ, it is SimpleCQ and cannot be changed on x',
      'topic on x: topic.creation.enable is false',
    ]);
    const old = new Map([['x', holding({}, false)]]);
    const [found] = topicDifferences(compare(source, old, ['orders']));
    expect(found?.notes).toEqual(['attributes queue.type on x: brokers before RocketMQ 5.0 have none']);
    expect(found?.additions).toMatchObject([{ settings: { attributes: new Map() } }]);
  });

  it('knows which changes take the right to write, and creates no topic without it', () => {
    const source = new Map([['a', holding({ orders: { ...one, perm: 4 } })]]);
    const [created] = topicDifferences(compare(source, new Map([['x', holding({})]]), ['orders']));
    expect(created?.additions).toMatchObject([{ settings: { perm: 6 } }]);
    const [changed] = topicDifferences(compare(source, new Map([['x', holding({ 'east-orders': one })]]), ['orders']));
    expect(changed?.changes.map(withdrawsWrite)).toEqual([true]);
    const [back] = topicDifferences(
      compare(new Map([['a', holding({ orders: one })]]), new Map([['x', holding({ 'east-orders': { ...one, perm: 4 } })]]), ['orders']),
    );
    expect(back?.changes.map(withdrawsWrite)).toEqual([false]);
  });

  it('offers to delete only what the flow has made', () => {
    const target = new Map([['x', holding({ 'east-gone': one, 'east-foreign': one })]]);
    const found = topicDifferences({ ...compare(new Map([['a', holding({})]]), target, []), made: new Map([['east-gone', 'gone']]) });
    expect(found.map(({ name, removals }) => [name, removals.map(({ action }) => action.kind)])).toEqual([['east-gone', ['delete-topic']]]);
  });
});
