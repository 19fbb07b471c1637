import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { SinkTaskLoop } from './sink-task-loop.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

function oneQueue(storesOffsets = true): { world: SinkWorld; ref: QueueRef; sink: TransactionalSink } {
  const world = new SinkWorld();
  const [ref] = world.cluster.addTopic('t', 1);
  return { world, ref: ref!, sink: new TransactionalSink(newSinkStorage(), storesOffsets) };
}

function range(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);
}

/** Has the loop flush and commit now. */
async function flushed(world: SinkWorld, loop: SinkTaskLoop): Promise<void> {
  let isStill = false;
  loop.pause(() => (isStill = true));
  await world.clock.until(() => isStill);
  loop.resume();
}

async function ended(world: SinkWorld, loop: { stop(): Promise<unknown> }): Promise<void> {
  let isEnded = false;
  void loop.stop().then(() => (isEnded = true));
  await world.clock.until(() => isEnded);
}

describe('a sink whose group an operator resets', () => {
  it('goes back there while it has nothing to do, stores the new position and reports it', async () => {
    const { world, ref, sink } = oneQueue();
    world.stamped(ref, 'a', 1, 0, 1, 2, 3, 4);
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 4000 } });
    await loop.start();
    await world.clock.until(() => sink.storage.values.length === 5);
    world.offsets.reset('g', ref, 2);
    await world.clock.until(() => sink.storage.values.length === 8, 6000);
    expect(sink.storage.values).toEqual([...range('a', 0, 5), ...range('a', 2, 5)]);
    expect(counters.offsetResets).toBe(1);
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      'The offset of consumer group g was reset: queue t@broker-a:0 resumes at offset 2',
    ]);
    world.stamped(ref, 'a', 1, 5);
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 6);
    await ended(world, loop);
    expect(sink.storage.positions.get(queueKey(ref))?.nextOffset).toBe(6);
    expect(sink.storage.values).toHaveLength(9);
  });

  it('goes ahead there when a commit is refused, without what was read ahead', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 100));
    const { loop } = world.loop(sink, { settings: { maxPutRecords: 10, refreshIntervalMs: 600_000 } });
    const put = sink.put.bind(sink);
    sink.put = async (records, signal) => {
      if (records[0]?.offset === 0) world.offsets.reset('g', ref, 95);
      if (records[0]?.offset === 20) await world.clock.sleep(2000, new AbortController().signal);
      return put(records, signal);
    };
    await loop.start();
    await world.clock.until(() => sink.storage.positions.get(queueKey(ref))?.nextOffset === 100);
    expect(sink.storage.values).toEqual([...range('v', 0, 30), ...range('v', 95, 100)]);
    await ended(world, loop);
  });

  it.each([true, false])(
    'notices a reset to the offset that it has while it has nothing to do (it stores offsets: %s)',
    async (storesOffsets) => {
      const { world, ref, sink } = oneQueue(storesOffsets);
      world.plain(ref, ...range('v', 0, 5));
      const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 4000 } });
      await loop.start();
      await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 5);
      world.offsets.reset('g', ref, 5);
      await world.clock.until(() => counters.offsetResets === 1, 6000);
      expect(world.warnings.list.map(({ message }) => message)).toEqual([
        'The offset of consumer group g was reset: queue t@broker-a:0 resumes at offset 5',
      ]);
      world.plain(ref, ...range('v', 5, 8));
      await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 8);
      await ended(world, loop);
      expect(sink.storage.values).toEqual(range('v', 0, 8));
    },
  );

  it.each([5, 6, 8])('reads nothing twice when it has passed the reset, to offset %d of 5 to 8, before it knows of it', async (offset) => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 5));
    const { loop, counters } = world.loop(sink, { settings: { flushIntervalMs: 10_000, refreshIntervalMs: 4000 } });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 5);
    world.offsets.reset('g', ref, offset);
    world.plain(ref, ...range('v', 5, 8));
    await world.clock.until(() => counters.offsetResets === 1);
    world.plain(ref, 'v8');
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 9);
    await ended(world, loop);
    expect(sink.storage.values).toEqual(range('v', 0, 9));
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      offset === 8
        ? 'The offset of consumer group g was reset: queue t@broker-a:0 resumes at offset 8'
        : `The offset of consumer group g was reset: queue t@broker-a:0 was read once from offset ${offset} since the last commit and resumes at offset 8`,
    ]);
  });

  it.each([
    [7, 'reads again what it had read before the reset'],
    [12, 'reads nothing twice of what it may have read after the reset'],
  ])('which flushes rarely, to offset %d: %s', async (offset) => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 5));
    const settings = { flushIntervalMs: 600_000, refreshIntervalMs: 4000 };
    const { loop, counters } = world.loop(sink, { settings });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 5);
    await flushed(world, loop);
    world.plain(ref, ...range('v', 5, 12));
    await world.clock.until(() => counters.recordsPut === 12);
    await world.clock.advance(30_000);
    expect(world.offsets.offsets.get(`g ${queueKey(ref)}`)).toBe(5);
    world.offsets.reset('g', ref, offset);
    world.plain(ref, 'v12');
    const again = offset === 7 ? 6 : 0;
    await world.clock.until(() => counters.offsetResets === 1 && counters.recordsPut === 13 + again, 10_000);
    await ended(world, loop);
    expect(sink.storage.values).toEqual([...range('v', 0, 13), ...range('v', 13 - again, 13)]);
  });

  it('reads nothing twice when it stops before it knows of a reset that it has passed', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 5));
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 5);
    world.offsets.reset('g', ref, 5);
    world.plain(ref, 'v5');
    await world.clock.until(() => first.counters.recordsPut === 6);
    await ended(world, first.loop);
    const second = world.loop(new TransactionalSink(sink.storage));
    await second.loop.start();
    world.plain(ref, 'v6');
    await world.clock.until(() => sink.storage.values.includes('v6'));
    await ended(world, second.loop);
    expect(sink.storage.values).toEqual(range('v', 0, 7));
  });

  it('follows the newer reset when the operator sends it back while it ends one that it has passed', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 5));
    const { loop, counters } = world.loop(sink, {
      ports: {
        offsets: {
          read: (group, queue) => world.offsets.read(group, queue),
          commit: (group, positions) => world.offsets.commit(group, positions),
          foreignConsumers: (group, queue) => world.offsets.foreignConsumers(group, queue),
          takeReset: (group, reset) => {
            if (reset.nextOffset === 5) world.offsets.reset('g', ref, 3);
            return world.offsets.takeReset(group, reset);
          },
        },
      },
    });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 5);
    world.offsets.reset('g', ref, 5);
    world.plain(ref, 'v5');
    await world.clock.until(() => counters.recordsPut === 9);
    await ended(world, loop);
    expect(sink.storage.values).toEqual([...range('v', 0, 6), ...range('v', 3, 6)]);
    expect(world.offsets.offsets.get(`g ${queueKey(ref)}`)).toBe(6);
  });

  it('goes back behind its last commit, and behind what it has put and not flushed', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 6));
    const { loop, counters } = world.loop(sink, {
      settings: { flushIntervalMs: 3_600_000, refreshIntervalMs: 4000 },
    });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 6);
    await flushed(world, loop);
    world.plain(ref, ...range('v', 6, 10));
    await world.clock.until(() => counters.recordsPut === 10);
    world.offsets.reset('g', ref, 3);
    await world.clock.until(() => counters.recordsPut === 17, 6000);
    await ended(world, loop);
    expect(sink.storage.values).toEqual([...range('v', 0, 10), ...range('v', 3, 10)]);
  });

  it('commits what it had put of other queues before it goes there, and ends with nothing to read twice', async () => {
    const world = new SinkWorld();
    const [ref, other] = world.cluster.addTopic('t', 2);
    world.plain(ref!, ...range('v', 0, 10));
    world.plain(other!, ...range('w', 0, 10));
    const sink = new TransactionalSink(newSinkStorage(), false);
    const { loop, counters } = world.loop(sink, { settings: { flushIntervalMs: 3_600_000, refreshIntervalMs: 4000 } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 20);
    await flushed(world, loop);
    world.plain(other!, 'w10');
    await world.clock.until(() => counters.recordsPut === 21);
    world.offsets.reset('g', ref!, 3);
    await world.clock.until(() => counters.recordsPut === 28, 6000);
    await ended(world, loop);
    expect(await world.offsets.read('g', other!)).toBe(11);
    const second = world.loop(new TransactionalSink(sink.storage, false));
    await second.loop.start();
    world.plain(ref!, 'last');
    await world.clock.until(() => sink.storage.values.includes('last'));
    await ended(world, second.loop);
    expect(sink.storage.values.filter((value) => value.startsWith('w'))).toEqual(range('w', 0, 11));
  });

  it.each([true, false])('goes there when it starts (it stores offsets: %s)', async (storesOffsets) => {
    const { world, ref, sink } = oneQueue(storesOffsets);
    world.plain(ref, ...range('v', 0, 10));
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => sink.storage.values.length === 10);
    await ended(world, first.loop);
    world.offsets.reset('g', ref, 7);
    const second = world.loop(new TransactionalSink(sink.storage, storesOffsets));
    await second.loop.start();
    await world.clock.until(() => sink.storage.values.length === 13);
    expect(sink.storage.values.slice(10)).toEqual(range('v', 7, 10));
    await ended(world, second.loop);
    expect(world.offsets.offsets.get(`g ${queueKey(ref)}`)).toBe(10);
  });

  it('waits between its turns, and reports once, while the broker asks again for the reset that it followed', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 10));
    world.offsets.reset('g', ref, 7);
    let turns = 0;
    const { loop, counters } = world.loop(sink, {
      ports: {
        offsets: {
          read: (group, queue) => world.offsets.read(group, queue),
          commit: (group, positions) => world.offsets.commit(group, positions),
          foreignConsumers: (group, queue) => world.offsets.foreignConsumers(group, queue),
          takeReset: (group, reset) => {
            turns++;
            return turns < 8 ? Promise.resolve(reset) : world.offsets.takeReset(group, reset);
          },
        },
      },
    });
    let isStarted = false;
    void loop.start().then(() => (isStarted = true));
    await world.clock.settle();
    expect(turns).toBe(1);
    const error = expect.stringContaining('queue t@broker-a:0 resumes at offset 7');
    expect(world.waits.list).toMatchObject([{ call: 'following a reset of offsets', error }]);
    await world.clock.until(() => isStarted);
    expect(turns).toBe(8);
    expect(world.clock.nowMs()).toBeGreaterThan(500);
    expect(world.warnings.list).toHaveLength(1);
    expect(counters.offsetResets).toBe(1);
    expect(world.waits.list).toEqual([]);
    await world.clock.until(() => counters.recordsPut === 3);
    await ended(world, loop);
  });

  it('finds the reset again when it dies after the sink has stored it and before the broker knows', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 10));
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => sink.storage.values.length === 10);
    await ended(world, first.loop);
    world.offsets.reset('g', ref, 7);
    const dying = world.loop(new TransactionalSink(sink.storage), {
      ports: {
        offsets: {
          read: (group, queue) => world.offsets.read(group, queue),
          commit: (group, positions) => world.offsets.commit(group, positions),
          foreignConsumers: (group, queue) => world.offsets.foreignConsumers(group, queue),
          takeReset: () => Promise.reject(new Error('died')),
        },
      },
    });
    await expect(dying.loop.start()).rejects.toThrow('died');
    expect(sink.storage.positions.get(queueKey(ref))?.nextOffset).toBe(7);
    const third = world.loop(new TransactionalSink(sink.storage));
    await third.loop.start();
    await world.clock.until(() => sink.storage.values.length === 13);
    await ended(world, third.loop);
    expect(sink.storage.values.slice(10)).toEqual(range('v', 7, 10));
  });

  it('says so when the group is ahead of what the sink has stored, and resumes there', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 10));
    sink.storage.positions.set(queueKey(ref), { queue: ref, nextOffset: 4 });
    world.offsets.offsets.set(`g ${queueKey(ref)}`, 9);
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => sink.storage.values.length === 6);
    expect(world.warnings.list[0]?.message).toBe(
      'Queue t@broker-a:0 resumes at offset 4, which the sink has stored; that of consumer group g was ahead, at 9',
    );
    await ended(world, loop);
  });

  it('leaves resets to its successor once its lease is lost', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 4));
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 4000 } });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 4);
    const { offsets } = world;
    const takeReset = offsets.takeReset.bind(offsets);
    offsets.takeReset = () => Promise.reject(Object.assign(new Error('no answer'), { retriable: true }));
    offsets.reset('g', ref, 1);
    await world.clock.until(() => counters.offsetResets === 1, 10_000);
    world.lease.lose();
    let taken = 0;
    offsets.takeReset = (group, reset) => {
      taken++;
      return takeReset(group, reset);
    };
    offsets.reset('g', ref, 2);
    await world.clock.advance(10_000);
    expect(taken).toBe(0);
    world.lease.regain();
    await world.clock.until(() => counters.offsetResets === 2, 10_000);
    await ended(world, loop);
  });
});

describe('a sink that stores no offsets', () => {
  it('drops after a restart what an older generation writes late, and what was read before', async () => {
    const { world, ref, sink } = oneQueue(false);
    world.barrier(ref, 1);
    world.stamped(ref, 'a', 1, 1, 2, 3);
    world.barrier(ref, 2);
    world.stamped(ref, 'a', 2, 4, 5);
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => sink.storage.values.length === 5);
    await ended(world, first.loop);
    world.stamped(ref, 'a', 1, 4);
    world.stamped(ref, 'a', 2, 5, 6);
    const second = world.loop(new TransactionalSink(sink.storage, false));
    await second.loop.start();
    await world.clock.until(() => sink.storage.values.length === 6);
    await ended(world, second.loop);
    expect(sink.storage.values).toEqual(range('a', 1, 7));
    expect(second.counters).toMatchObject({ droppedOlderGeneration: 1, droppedRepeatedSeq: 1, recordsRead: 3 });
  });
});
