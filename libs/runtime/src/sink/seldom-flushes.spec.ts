import { describe, expect, it } from '@jest/globals';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `v${n + from}`);

describe('a sink that flushes rarely', () => {
  it('reads again, also before its first flush, what it had read long before the reset', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    const sink = new TransactionalSink(newSinkStorage());
    const settings = { flushIntervalMs: 600_000, refreshIntervalMs: 4000 };
    const { loop, counters } = world.loop(sink, { settings });
    world.plain(ref!, ...range(0, 12));
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 12);
    await world.clock.advance(30_000);
    world.offsets.reset('g', ref!, 7);
    await world.clock.advance(20_000);
    expect(counters.recordsPut).toBe(17);
    loop.kill();
  });

  it('reads again what it had read more than 4 s before the reset, where commits take a moment', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    const sink = new TransactionalSink(newSinkStorage());
    const { offsets } = world;
    const never = new AbortController().signal;
    const settings = { flushIntervalMs: 600_000, refreshIntervalMs: 4000 };
    const slow = {
      read: offsets.read.bind(offsets),
      takeReset: offsets.takeReset.bind(offsets),
      foreignConsumers: offsets.foreignConsumers.bind(offsets),
      commit: async (group: string, positions: Parameters<typeof offsets.commit>[1]) => {
        await world.clock.sleep(10, never);
        return offsets.commit(group, positions);
      },
    };
    const { loop, counters } = world.loop(sink, { settings, ports: { offsets: slow } });
    const started = loop.start();
    await world.clock.advance(20);
    await started;
    // An idle queue is committed with each look.
    await world.clock.until(() => offsets.commits.length === 4, 60_000);
    world.plain(ref!, ...range(0, 5));
    await world.clock.until(() => counters.recordsPut === 5);
    await world.clock.advance(6000);
    offsets.reset('g', ref!, 3);
    await world.clock.advance(20_000);
    expect(counters.recordsPut).toBe(7);
    loop.kill();
  });
});
