import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { SinkTaskLoop } from './sink-task-loop.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { HoldingSink } from '../testing/holding-sink.js';
import { SinkWorld } from '../testing/sink-world.js';

interface Holding {
  readonly world: SinkWorld;
  readonly queue: QueueRef;
  readonly sink: HoldingSink;
  readonly loop: SinkTaskLoop;
  readonly counters: TaskCounters;
}

/** A task that was given eight records of its only queue, holds the last two, and says so. */
async function holdingTwo(): Promise<Holding> {
  const world = new SinkWorld();
  const [queue] = world.cluster.addTopic('t', 1);
  world.plain(queue!, ...Array.from('abcdefgh'));
  const sink = new HoldingSink([], 9);
  sink.keepsAtLast = 2;
  const { loop, counters } = world.loop(sink);
  await loop.start();
  await world.clock.until(() => counters.recordsPut === 8);
  return { world, queue: queue!, sink, loop, counters };
}

const committed = (world: SinkWorld, queue: QueueRef): number | undefined => world.offsets.offsets.get(`g ${queueKey(queue)}`);
const written = (sink: HoldingSink): string => sink.written.map(({ value }) => value as string).join('');

describe('a sink task that seeks while it holds records', () => {
  it('goes forward once what comes before is safe, and is given nothing of the queue meanwhile', async () => {
    const { world, queue, sink, loop, counters } = await holdingTwo();
    sink.context.seek([{ queue, nextOffset: 8 }]);
    await world.clock.advance(300);
    world.plain(queue, 'i');
    await world.clock.advance(10_000);
    expect(counters.recordsPut).toBe(8);
    expect(committed(world, queue)).toBe(6);
    expect(world.waits.list).toMatchObject([{ call: 'writing what the sink holds', error: 't@broker-a:0 is safe up to offset 6 of 8' }]);
    sink.keepsAtLast = 0;
    sink.keeps = 0;
    await world.clock.until(() => committed(world, queue) === 9);
    expect(written(sink)).toBe('abcdefghi');
    expect(world.waits.list).toEqual([]);
    loop.kill();
  });

  it('goes back to where it is safe without having written the rest', async () => {
    const { world, queue, sink, loop, counters } = await holdingTwo();
    sink.context.seek([{ queue, nextOffset: 5 }]);
    await world.clock.until(() => counters.recordsPut === 11, 10_000);
    expect(committed(world, queue)).toBe(5);
    expect(written(sink)).toBe('abcdef');
    loop.kill();
  });

  it('is given records of other queues meanwhile', async () => {
    const { world, queue, sink, loop } = await holdingTwo();
    sink.context.seek([{ queue, nextOffset: 8 }]);
    const [other] = world.cluster.addTopic('t', 1, 'broker-b');
    world.plain(other!, 'x', 'y', 'z');
    await world.clock.until(() => committed(world, other!) === 1, 60_000);
    // The sink keeps the two newest records of all.
    expect(written(sink)).toBe('abcdefghx');
    loop.kill();
  });

  it('is not paused before it has written them', async () => {
    const { world, queue, sink, loop } = await holdingTwo();
    let isStill = false;
    sink.context.seek([{ queue, nextOffset: 8 }]);
    loop.pause(() => (isStill = true));
    await world.clock.advance(3_000);
    expect(isStill).toBe(false);
    sink.keepsAtLast = 0;
    await world.clock.until(() => isStill);
    expect(written(sink)).toBe('abcdefgh');
    expect(committed(world, queue)).toBe(8);
    loop.kill();
  });

  it.each([0, 300])('has written them at the end of a clean stop %i ms later', async (afterMs) => {
    const { world, queue, sink, loop } = await holdingTwo();
    sink.context.seek([{ queue, nextOffset: 8 }]);
    if (afterMs > 0) await world.clock.advance(afterMs);
    const ended = loop.stop();
    await world.clock.advance(20);
    sink.keepsAtLast = 0;
    await world.clock.advance(5_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(written(sink)).toBe('abcdefgh');
    expect(committed(world, queue)).toBe(8);
  });

  it('goes nowhere and says so where a stop ends before they are safe', async () => {
    const { world, queue, sink, loop } = await holdingTwo();
    sink.context.seek([{ queue, nextOffset: 8 }]);
    const ended = loop.stop();
    await world.clock.advance(10_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: false });
    expect(committed(world, queue)).toBe(6);
    expect(world.logger.lines.join('\n')).toContain('the offsets to which it seeks: offset 8 of queue t@broker-a:0');
  });

  it('leaves an offset that is safe to the next owner although the rest is not written', async () => {
    const { world, queue, sink, loop } = await holdingTwo();
    sink.context.seek([{ queue, nextOffset: 5 }]);
    const ended = loop.stop();
    await world.clock.advance(10_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(committed(world, queue)).toBe(5);
    expect(written(sink)).toBe('abcdef');
  });
});
