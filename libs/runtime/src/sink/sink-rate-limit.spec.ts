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
    const settings = { rateLimits: { records: 100, bytes: undefined } };
    const sink = new TransactionalSink(newSinkStorage(), false);
    const { loop, counters } = world.loop(sink, { settings });
    await loop.start();
    await world.clock.advance(5_000);
    // What a tenth of a second allows, from all queues.
    expect(Math.max(...sink.puts.map(({ length }) => length))).toBe(10);
    expect(counters.recordsPut).toBeGreaterThanOrEqual(490);
    expect(counters.recordsPut).toBeLessThanOrEqual(520);
    expect(world.waits.list).toMatchObject([{ call: 'keeping to the rate limit', error: 'the task may take 100 records per second' }]);
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
    const { loop, counters } = world.loop(new HoldingSink([], 0), { settings: { rateLimits: { records: 1_000, bytes } } });
    await loop.start();
    await world.clock.advance(5_000);
    expect(counters.recordsPut).toBeGreaterThanOrEqual(49);
    expect(counters.recordsPut).toBeLessThanOrEqual(52);
    expect(world.waits.list).toMatchObject([{ error: `the task may take 1000 records and ${bytes} bytes per second` }]);
    loop.kill();
  });

  it('is paused and stopped at once while it waits, and ticks', async () => {
    const world = new SinkWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    world.plain(queue!, ...values(10));
    const sink = new HoldingSink([], 0);
    const { loop, counters } = world.loop(sink, { settings: { rateLimits: { records: 0.01, bytes: undefined } } });
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
});
