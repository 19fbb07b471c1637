import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConnectorPositions, type ConnectorOwners, type MessagePlace } from './connector-positions.js';
import {
  decodePosition,
  encodePosition,
  type PartitionPosition,
  type PositionMessage,
  type QueueScan,
  type SettledGeneration,
  type SourceGeneration,
} from './position.codec.js';

const queue = { topic: 't', brokerName: 'b', queueId: 0 };
const by = (index: number, generation: number): SourceGeneration => ({ index, generation });
const position = (file: string, offset: number, owner: SourceGeneration, revision = offset): PartitionPosition => ({
  partition: { file },
  position: { position: offset },
  nextSeq: offset + 1,
  routes: [queue],
  owner,
  revision,
});
const scan = (owner: SourceGeneration, scanFrom = 7): QueueScan => ({ owner, queue, scanFrom });
const write = (
  writer: SourceGeneration,
  partitions: readonly PartitionPosition[],
  more: { readonly scans?: readonly QueueScan[]; readonly settled?: readonly SettledGeneration[] } = {},
): PositionMessage => ({ kind: 'write', connector: 'c', ...writer, partitions, scans: [], settled: [], ...more });
const barrier = (writer: SourceGeneration, asOf: number, ...live: SourceGeneration[]): PositionMessage => ({
  kind: 'barrier',
  connector: 'c',
  ...writer,
  asOf,
  live: [...live, writer],
});
const owners = (tasksSince: number, ...live: SourceGeneration[]): ConnectorOwners => ({
  asOf: 0,
  live: new Map(live.map(({ index, generation }) => [index, generation])),
  tasksSince,
});
/** The message with this offset, stored at a time that only grows with it. */
const place = (offset: number): MessagePlace => ({ storedAtMs: 1000 * offset, offset });
function folded(...messages: readonly PositionMessage[]): ConnectorPositions {
  const positions = new ConnectorPositions('c');
  for (const message of messages) positions.apply(message, place(0));
  return positions;
}

describe('the positions of a connector', () => {
  it('go to another task when new task configs give it the partition', () => {
    const positions = folded(
      barrier(by(0, 10), 10),
      write(by(0, 10), [position('a', 4, by(0, 10)), position('b', 5, by(0, 10))], { settled: [by(0, 10)] }),
      barrier(by(1, 20), 21, by(0, 21)),
    );
    expect(positions.storedFor(by(1, 20), owners(15, by(0, 21), by(1, 20)))).toEqual({
      free: [position('a', 4, by(0, 10)), position('b', 5, by(0, 10))],
      held: [],
      unsettled: [],
    });
  });

  it('are held while the task that wrote them runs, whoever asks', () => {
    const positions = folded(
      write(by(0, 10), [position('a', 4, by(0, 10))], { scans: [scan(by(0, 10))] }),
      barrier(by(1, 20), 20, by(0, 10)),
    );
    const stored = positions.storedFor(by(1, 20), owners(15, by(0, 10), by(1, 20)));
    expect(stored).toEqual({ free: [], held: [position('a', 4, by(0, 10))], unsettled: [] });
  });

  it('do not change by what a generation writes after a barrier that does not name it, whatever task wrote the barrier', () => {
    const late = write(by(0, 10), [position('a', 9, by(0, 10))]);
    const before = [write(by(0, 10), [position('a', 4, by(0, 10))]), barrier(by(1, 20), 20)];
    const positions = folded(...before);
    expect(positions.apply(late, place(0))).toBe(false);
    expect(positions.storedFor(by(1, 20), owners(15, by(1, 20))).free).toEqual([position('a', 4, by(0, 10))]);
    expect(folded(before[0]!, barrier(by(1, 20), 20, by(0, 10))).apply(late, place(0))).toBe(true);
    expect(positions.apply(write(by(0, 25), []), place(0))).toBe(true);
    expect(positions.apply(barrier(by(2, 12), 12), place(0))).toBe(false);
  });

  it('belong to the later generation, in whatever order the versions are written; within one the later revision counts', () => {
    const versions = [
      position('a', 9, by(0, 10)),
      position('a', 3, by(1, 20), 1),
      position('a', 5, by(1, 20), 2),
      position('a', 2, by(1, 20), 0),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(versions, { minLength: 4 }), (order) => {
        const positions = folded(...order.map((version) => write(by(2, 30), [version])));
        expect(positions.storedFor(by(1, 40), owners(15)).free).toEqual([versions[2]]);
      }),
    );
  });

  it('are to be examined by everyone when the generation was of older task configs, by its own task else', () => {
    const unclean = write(by(0, 10), [position('a', 4, by(0, 10))], { scans: [scan(by(0, 10))] });
    const positions = folded(unclean, barrier(by(1, 20), 20));
    const isOlder = positions.storedFor(by(1, 20), owners(15, by(1, 20)));
    expect(isOlder).toEqual({ free: [position('a', 4, by(0, 10))], held: [], unsettled: [scan(by(0, 10))] });
    const ofNow = owners(8, by(1, 20));
    expect(positions.storedFor(by(1, 20), ofNow)).toEqual({
      free: [],
      held: [position('a', 4, by(0, 10))],
      unsettled: [],
    });
    expect(positions.storedFor(by(0, 30), ofNow).unsettled).toEqual([scan(by(0, 10))]);
    positions.apply(write(by(0, 30), [], { settled: [by(0, 10)] }), place(0));
    expect(positions.storedFor(by(1, 20), ofNow)).toMatchObject({ held: [], unsettled: [] });
  });

  it('are the same objects for each task that starts, also where they hold a bigint', () => {
    const stored = { ...position('a', 4, by(0, 10)), position: { lsn: 2n ** 60n } };
    const encoded = encodePosition(write(by(0, 10), [stored]));
    const positions = folded(decodePosition(encoded), barrier(by(1, 20), 20));
    const found = [by(1, 20), by(2, 20)].map((task) => positions.storedFor(task, owners(15)).free[0]);
    expect(found[0]).toEqual(stored);
    expect(found[1]).toBe(found[0]);
  });

  it('are not to be examined in a queue that was settled by itself', () => {
    const other = { ...queue, queueId: 1 };
    const owner = by(0, 10);
    const positions = folded(
      write(owner, [position('a', 4, owner)], { scans: [scan(owner), { owner, queue: other, scanFrom: 3 }] }),
      write(owner, [], { settled: [{ ...owner, queue }] }),
    );
    expect(positions.storedFor(by(0, 20), owners(5, by(0, 20))).unsettled).toEqual([{ owner, queue: other, scanFrom: 3 }]);
  });

  it('are taken up by a generation that starts a second time', () => {
    const positions = folded(write(by(0, 10), [position('a', 4, by(0, 10))], { scans: [scan(by(0, 10))] }));
    expect(positions.storedFor(by(0, 10), owners(5, by(0, 10)))).toMatchObject({
      free: [position('a', 4, by(0, 10))],
      unsettled: [scan(by(0, 10))],
    });
  });

  it('need writing again by when and where they were last written', () => {
    const positions = new ConnectorPositions('c');
    positions.apply(write(by(0, 10), [position('a', 1, by(0, 10)), position('b', 1, by(0, 10))]), place(1));
    positions.apply(write(by(0, 10), [position('b', 1, by(0, 10))], { scans: [scan(by(0, 10))] }), place(2));
    const first = { partitions: [position('a', 1, by(0, 10))], scans: [] };
    expect(positions.toldBefore({ storedAtMs: 2000, offset: 0 })).toEqual(first);
    expect(positions.toldBefore({ storedAtMs: 0, offset: 2 })).toEqual(first);
    for (const limit of [
      { storedAtMs: 2001, offset: 0 },
      { storedAtMs: 0, offset: 3 },
    ]) {
      expect(positions.toldBefore(limit).scans).toEqual([scan(by(0, 10))]);
    }
    positions.apply(write(by(1, 20), first.partitions), place(3));
    expect(positions.toldBefore(place(2))).toEqual({ partitions: [], scans: [] });
  });

  it('are the same after a copy as text, at any point', () => {
    const generation = fc.record({ index: fc.nat(2), generation: fc.integer({ min: 1, max: 6 }) });
    const message = fc.oneof(
      fc.tuple(generation, fc.nat(6), fc.array(generation)).map(([who, asOf, live]) => barrier(who, asOf, ...live)),
      fc
        .tuple(generation, fc.constantFrom('a', 'b'), fc.nat(9), fc.boolean())
        .map(([who, file, at, isClean]) =>
          write(who, [position(file, at, who)], { scans: [scan(who, at)], settled: isClean ? [who] : [] }),
        ),
    );
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const whole = new ConnectorPositions('c');
        let copied = new ConnectorPositions('c');
        for (const each of messages) {
          const read = decodePosition(encodePosition(each));
          expect(copied.apply(read, place(1))).toBe(whole.apply(each, place(1)));
          copied = ConnectorPositions.restore(JSON.parse(JSON.stringify(copied.copy())) as never);
        }
        expect(copied.copy()).toEqual(whole.copy());
      }),
    );
  });
});

describe('a position message', () => {
  it.each([
    ['kind', { kind: 'other' }, 'its kind is "other"; allowed are barrier and write'],
    ['list', { scans: undefined }, 'its field "scans" is not a list'],
    ['item', { partitions: [{ partition: {} }] }, 'item 0 of its field "partitions" has another shape'],
  ])('with another %s is refused', (_, change, text) => {
    const message = { ...write(by(0, 1), [position('a', 1, by(0, 1))]), ...change } as PositionMessage;
    expect(() => decodePosition(encodePosition(message))).toThrow(text);
  });
});
