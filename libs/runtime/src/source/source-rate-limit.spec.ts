import { describe, expect, it } from '@jest/globals';
import { readEverything } from '../testing/read-valid.js';
import { SourceWorld } from '../testing/source-world.js';

const listOf = (count: number): { topic: string; value: string }[] =>
  Array.from({ length: count }, (_, index) => ({ topic: 't', value: `v${index}` }));

describe('a source with a rate limit', () => {
  it('sends so many records in a second, says why it waits, and stops at once; the next owner sends the rest', async () => {
    const world = new SourceWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    world.rate.set({ records: 100, bytes: undefined });
    const { loop, counters } = world.loop(world.source({ a: listOf(800) }, 300));
    await loop.start();
    await world.clock.advance(5_000);
    expect(counters.recordsSent).toBeGreaterThanOrEqual(490);
    expect(counters.recordsSent).toBeLessThanOrEqual(520);
    expect(world.waits.list).toMatchObject([
      { call: 'keeping to the rate limit', error: 'the tasks of the connector on this runner may take 100 records per second' },
    ]);
    const stoppedMs = world.clock.nowMs();
    const ended = loop.stop();
    await world.clock.settle();
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(world.clock.nowMs()).toBe(stoppedMs);
    expect(world.clock.pendingTimers).toBe(0);
    const next = world.loop(world.source({ a: listOf(800) }, 300));
    await next.loop.start();
    await world.clock.until(() => counters.recordsSent + next.counters.recordsSent === 800);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(7_500);
    await world.clock.advance(1_000);
    expect(world.waits.list).toEqual([]);
    expect(readEverything(world.cluster.queue(queue!))).toEqual(listOf(800).map(({ value }) => value));
    next.loop.kill();
  });

  it('sends so many bytes in a second', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    const records = listOf(200).map(({ topic, value }) => ({ topic, value: value.padEnd(1_000) }));
    world.rate.set({ records: undefined, bytes: 20_000 });
    const { loop, counters } = world.loop(world.source({ a: records }, 50));
    await loop.start();
    await world.clock.advance(5_000);
    expect(counters.bytesSent).toBeGreaterThanOrEqual(95_000);
    expect(counters.bytesSent).toBeLessThanOrEqual(110_000);
    loop.kill();
  });

  it('is limited, and freed of its limit, while it runs', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    const list = listOf(100);
    const { loop, counters } = world.loop(world.source({ a: list }, 50));
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 100);
    world.rate.set({ records: 0.01, bytes: undefined });
    list.push(...listOf(100));
    await world.clock.advance(5_000);
    expect(counters.recordsSent).toBeLessThanOrEqual(102);
    expect(world.waits.list).toMatchObject([{ call: 'keeping to the rate limit' }]);
    world.rate.set({ records: undefined, bytes: undefined });
    const fromMs = world.clock.nowMs();
    await world.clock.until(() => counters.recordsSent === 200);
    expect(world.clock.nowMs() - fromMs).toBeLessThanOrEqual(1_100);
    expect(world.waits.list).toEqual([]);
    loop.kill();
  });

  it('shows no limit any more that was removed while the source was polled', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    world.rate.set({ records: 10, bytes: undefined });
    const source = world.source({ a: listOf(100_000) }, 1);
    const poll = source.poll.bind(source);
    let polls = 0;
    source.poll = async (signal) => {
      polls += 1;
      if (polls === 20) world.rate.set({ records: undefined, bytes: undefined });
      return poll(signal);
    };
    const { loop, counters } = world.loop(source);
    await loop.start();
    await world.clock.until(() => counters.recordsSent > 500);
    const shown = [...world.waits.list];
    loop.kill();
    expect(shown).toEqual([]);
  });
});
