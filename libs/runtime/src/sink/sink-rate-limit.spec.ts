import { describe, expect, it } from '@jest/globals';
import { queueKey } from '@sluice/sdk';
import { HoldingSink } from '../testing/holding-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

const values = (count: number): string[] => Array.from({ length: count }, (_, n) => `v${n}`);

describe('a sink with a rate limit', () => {
  it('takes so many records in a second from all its queues together, says why it waits, and commits meanwhile', async () => {
    const world = new SinkWorld();
    const queues = world.cluster.addTopic('t', 3);
    for (const queue of queues) world.plain(queue, ...values(500));
    world.rate.set({ records: 100, bytes: undefined });
    const sink = new TransactionalSink(newSinkStorage(), false);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.advance(5_000);
    // What a tenth of a second allows, from all queues.
    expect(Math.max(...sink.puts.map(({ length }) => length))).toBe(10);
    expect(counters.recordsPut).toBeGreaterThanOrEqual(490);
    expect(counters.recordsPut).toBeLessThanOrEqual(520);
    expect(world.waits.list).toMatchObject([
      { call: 'keeping to the rate limit', error: 'the tasks of the connector on this runner may take 100 records per second' },
    ]);
    const offsets = queues.map((queue) => world.offsets.offsets.get(`g ${queueKey(queue)}`) ?? 0);
    expect(offsets.reduce((sum, offset) => sum + offset, 0)).toBeGreaterThanOrEqual(390);
    // None of the queues is left behind.
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(100);
    await world.clock.until(() => counters.recordsPut === 1_500);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(14_800);
    await world.clock.settle();
    expect(world.waits.list).toEqual([]);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('takes so many bytes in a second', async () => {
    const world = new SinkWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    world.plain(queue!, ...values(100).map((value) => value.padEnd(1_000)));
    const { bodyBytes, rawProperties } = world.cluster.queue(queue!).messages[0]!;
    const bytes = 10 * (bodyBytes + rawProperties.length);
    world.rate.set({ records: 1_000, bytes });
    const { loop, counters } = world.loop(new HoldingSink([], 0));
    await loop.start();
    await world.clock.advance(5_000);
    expect(counters.recordsPut).toBeGreaterThanOrEqual(49);
    expect(counters.recordsPut).toBeLessThanOrEqual(52);
    expect(world.waits.list).toMatchObject([
      { error: `the tasks of the connector on this runner may take 1000 records and ${bytes} bytes per second` },
    ]);
    loop.kill();
  });

  it('is paused and stopped at once while it waits, and ticks', async () => {
    const world = new SinkWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    world.plain(queue!, ...values(10));
    const sink = new HoldingSink([], 0);
    world.rate.set({ records: 0.01, bytes: undefined });
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 2);
    const ticks = sink.ticks;
    await world.clock.advance(1_000);
    expect(counters.recordsPut).toBe(2);
    expect(sink.ticks - ticks).toBeGreaterThanOrEqual(8);
    const pausedMs = world.clock.nowMs();
    let isStill = false;
    loop.pause(() => (isStill = true));
    await world.clock.until(() => isStill);
    expect(world.clock.nowMs()).toBe(pausedMs);
    expect(world.waits.list).toEqual([]);
    loop.resume();
    await world.clock.settle();
    const ended = loop.stop();
    await world.clock.settle();
    expect(world.clock.nowMs()).toBe(pausedMs);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is limited, and freed of its limit, while it runs', async () => {
    const world = new SinkWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    const { loop, counters } = world.loop(new HoldingSink([], 0));
    await loop.start();
    world.plain(queue!, ...values(100));
    await world.clock.until(() => counters.recordsPut === 100);
    world.rate.set({ records: 0.01, bytes: undefined });
    world.plain(queue!, ...values(100));
    await world.clock.advance(5_000);
    expect(counters.recordsPut).toBeLessThanOrEqual(102);
    expect(world.waits.list).toMatchObject([{ call: 'keeping to the rate limit' }]);
    world.rate.set({ records: undefined, bytes: undefined });
    const fromMs = world.clock.nowMs();
    await world.clock.until(() => counters.recordsPut === 200);
    expect(world.clock.nowMs() - fromMs).toBeLessThanOrEqual(1_100);
    await world.clock.settle();
    expect(world.waits.list).toEqual([]);
    loop.kill();
  });

  it('shares the limit with the other tasks on its runner: one that has nothing leaves all of it to the others', async () => {
    const world = new SinkWorld();
    world.rate.set({ records: 100, bytes: undefined });
    const loops = ['busy', 'still'].map((topic) => {
      const [queue] = world.cluster.addTopic(topic, 1);
      if (topic === 'busy') world.plain(queue!, ...values(2_000));
      return world.loop(new HoldingSink([], 0), { subscription: { topics: { kind: 'names', names: [topic] } } });
    });
    for (const { loop } of loops) await loop.start();
    await world.clock.advance(5_000);
    expect(loops[0]!.counters.recordsPut).toBeGreaterThanOrEqual(490);
    const still = world.cluster.queuesOf('still')[0]!;
    world.plain(still, ...values(2_000));
    await world.clock.advance(10_000);
    const put = loops.map(({ counters }) => counters.recordsPut);
    expect(put[0]! + put[1]!).toBeLessThanOrEqual(1_520);
    expect(put[1]).toBeGreaterThanOrEqual(300);
    for (const { loop } of loops) loop.kill();
  });
});
