import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { SinkLoopSettings } from './sink-loop-options.js';
import type { SinkTaskLoop } from './sink-task-loop.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';
import type { TaskCounters } from '../ports/task-counters.port.js';

interface TwoBrokers {
  readonly world: SinkWorld;
  readonly a: QueueRef;
  readonly b: QueueRef;
  readonly sink: TransactionalSink;
  readonly start: (settings?: Partial<SinkLoopSettings>) => {
    readonly loop: SinkTaskLoop;
    readonly counters: TaskCounters;
  };
  readonly committed: (queue: QueueRef) => number | undefined;
}

/** A topic with a queue on each of two brokers. */
function twoBrokers(storesOffsets = true): TwoBrokers {
  const world = new SinkWorld();
  const [a] = world.cluster.addTopic('t', 1, 'broker-a');
  const [b] = world.cluster.addTopic('t', 1, 'broker-b');
  const sink = new TransactionalSink(newSinkStorage(), storesOffsets);
  return {
    world,
    a: a!,
    b: b!,
    sink,
    start: (settings = {}) =>
      world.loop(new TransactionalSink(sink.storage, storesOffsets), {
        settings: { refreshIntervalMs: 4000, ...settings },
      }),
    committed: (queue) => world.offsets.offsets.get(`g ${queueKey(queue)}`),
  };
}

function range(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);
}

async function ended(world: SinkWorld, loop: SinkTaskLoop): Promise<unknown> {
  let end: unknown;
  void loop.stop().then((result) => (end = result));
  await world.clock.until(() => end !== undefined);
  return end;
}

describe('a sink one of whose brokers is unavailable', () => {
  it('puts, flushes and commits the queues of the others, holds those of that broker, and resumes them when it returns', async () => {
    const { world, a, b, sink, start, committed } = twoBrokers();
    const { loop, counters } = start();
    await loop.start();
    world.plain(a, ...range('a', 0, 3));
    world.plain(b, ...range('b', 0, 3));
    await world.clock.until(() => counters.recordsPut === 6);
    world.offsets.unavailable.add('broker-b');
    await world.clock.until(() => committed(a) === 3, 2000);
    world.plain(b, ...range('b', 3, 6));
    for (let n = 3; n < 10; n++) {
      world.plain(a, `a${n}`);
      await world.clock.until(() => committed(a) === n + 1, 2000);
    }
    expect(sink.storage.values.filter((value) => value.startsWith('b'))).toEqual(range('b', 0, 3));
    expect(committed(b)).toBe(0);
    expect(world.waits.list).toMatchObject([{ call: 'committing offsets of topic t to broker-b', error: 'broker-b is unavailable' }]);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(b) === 6, 5000);
    expect(world.waits.list).toEqual([]);
    expect(await ended(world, loop)).toEqual({ kind: 'stopped', clean: true });
    expect([...sink.storage.values].sort()).toEqual([...range('a', 0, 10), ...range('b', 0, 6)]);
  });

  it('keeps what it has read of the held queues within its bounds', async () => {
    const { world, a, b, start, committed } = twoBrokers();
    const { loop, counters } = start({ maxAheadPerQueue: { maxBytes: 10_000, maxRecords: 1000 } });
    await loop.start();
    world.plain(b, 'b0');
    await world.clock.until(() => counters.recordsPut === 1);
    world.offsets.unavailable.add('broker-b');
    await world.clock.advance(2000);
    for (let n = 0; n < 40; n++) world.plain(b, ...range('x'.repeat(100), 0, 32));
    world.plain(a, 'a0');
    await world.clock.until(() => committed(a) === 1, 5000);
    expect(counters.bytesRead).toBeLessThan(20_000);
    expect(counters.recordsPut).toBe(2);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(b) === 1281);
    loop.kill();
  });

  it('starts with the queues of the others, and with those of that broker when it returns', async () => {
    const { world, a, b, sink, start, committed } = twoBrokers();
    world.plain(a, 'a0');
    world.plain(b, 'b0');
    world.offsets.unavailable.add('broker-b');
    const { loop } = start();
    let isStarted = false;
    void loop.start().then(() => (isStarted = true));
    await world.clock.until(() => committed(a) === 1, 5000);
    expect(isStarted).toBe(true);
    expect(sink.storage.values).toEqual(['a0']);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(b) === 1, 5000);
    expect(sink.storage.values).toEqual(['a0', 'b0']);
    await ended(world, loop);
  });

  it('is not started while no broker answers', async () => {
    const { world, start } = twoBrokers();
    world.offsets.unavailable.add('broker-a').add('broker-b');
    const { loop } = start();
    let isStarted = false;
    void loop.start().then(() => (isStarted = true));
    await world.clock.advance(20_000);
    expect(isStarted).toBe(false);
    world.offsets.unavailable.delete('broker-a');
    await world.clock.until(() => isStarted, 5000);
    await ended(world, loop);
  });

  it('skips the end of a topic only once every broker has said that it is new to the group', async () => {
    const { world, a, b, sink, start, committed } = twoBrokers(false);
    world.plain(a, 'a0');
    world.plain(b, 'b0');
    world.offsets.offsets.set(`g ${queueKey(b)}`, 0);
    world.offsets.unavailable.add('broker-b');
    const { loop } = start({ offsetReset: 'latest' });
    void loop.start();
    await world.clock.advance(20_000);
    expect(committed(a)).toBeUndefined();
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(a) === 1 && committed(b) === 1, 5000);
    expect([...sink.storage.values].sort()).toEqual(['a0', 'b0']);
    await ended(world, loop);
  });

  it('follows the reset of a queue of another broker meanwhile, and one of that broker when it returns', async () => {
    const { world, a, b, sink, start, committed } = twoBrokers();
    const { loop, counters } = start();
    world.plain(a, ...range('a', 0, 5));
    world.plain(b, ...range('b', 0, 5));
    await loop.start();
    await world.clock.until(() => committed(a) === 5 && committed(b) === 5);
    world.plain(b, 'b5');
    await world.clock.until(() => counters.recordsPut === 11);
    world.offsets.unavailable.add('broker-b');
    await world.clock.advance(10_000);
    world.offsets.reset('g', a, 3);
    world.offsets.reset('g', b, 1);
    await world.clock.until(() => counters.offsetResets === 1, 10_000);
    await world.clock.until(() => committed(a) === 5, 5000);
    world.offsets.unavailable.clear();
    await world.clock.until(() => counters.offsetResets === 2, 5000);
    await world.clock.until(() => committed(b) === 6, 5000);
    expect(sink.storage.values.filter((value) => value.startsWith('a'))).toEqual([...range('a', 0, 5), ...range('a', 3, 5)]);
    expect(sink.storage.values.filter((value) => value.startsWith('b'))).toEqual([...range('b', 0, 6), ...range('b', 1, 6)]);
    await ended(world, loop);
  });

  it('follows the reset of a queue of another broker while that broker leaves questions without an answer', async () => {
    const { world, a, start, committed } = twoBrokers();
    world.plain(a, ...range('a', 0, 5));
    const { loop, counters } = start();
    await loop.start();
    await world.clock.until(() => committed(a) === 5);
    world.offsets.silent.add('broker-b');
    await world.clock.advance(10_000);
    world.offsets.reset('g', a, 3);
    await world.clock.until(() => counters.offsetResets === 1, 10_000);
    loop.kill();
  });

  it('commits what the others have when it stops, waits for that broker within its limit, and says what is not committed', async () => {
    const { world, a, b, start, committed } = twoBrokers(false);
    const { loop, counters } = start({ flushIntervalMs: 600_000 });
    await loop.start();
    world.plain(a, 'a0');
    world.plain(b, 'b0');
    await world.clock.until(() => counters.recordsPut === 2);
    world.offsets.unavailable.add('broker-b');
    const askedMs = world.clock.nowMs();
    expect(await ended(world, loop)).toEqual({ kind: 'stopped', clean: false });
    expect(world.clock.nowMs() - askedMs).toBeLessThanOrEqual(5000);
    expect([committed(a), committed(b)]).toEqual([1, 0]);
    expect(world.logger.lines.at(-1)).toContain(`The task ends before the brokers have accepted the offsets of ${queueKey(b)}`);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('ends within its limit while that broker leaves a commit without an answer', async () => {
    const { world, a, b, start, committed } = twoBrokers();
    const { loop, counters } = start();
    await loop.start();
    world.plain(a, 'a0');
    world.plain(b, 'b0');
    await world.clock.until(() => counters.recordsPut === 2);
    world.offsets.silent.add('broker-b');
    await world.clock.until(() => committed(a) === 1, 5000);
    const askedMs = world.clock.nowMs();
    expect(await ended(world, loop)).toEqual({ kind: 'stopped', clean: false });
    expect(world.clock.nowMs() - askedMs).toBeLessThanOrEqual(5000);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('ends within its limit while no broker has answered since its start', async () => {
    const { world, start } = twoBrokers();
    world.offsets.silent.add('broker-a').add('broker-b');
    const { loop } = start();
    const started = loop.start().catch((error: unknown) => error);
    await world.clock.advance(1000);
    expect(await ended(world, loop)).toMatchObject({ kind: 'stopped' });
    expect(await started).toBeInstanceOf(Error);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('ends with everything committed when that broker returns while it stops', async () => {
    const { world, a, b, start, committed } = twoBrokers();
    const { loop, counters } = start();
    await loop.start();
    world.plain(b, 'b0');
    await world.clock.until(() => counters.recordsPut === 1);
    world.offsets.unavailable.add('broker-b');
    await world.clock.advance(2000);
    let end: unknown;
    void loop.stop().then((result) => (end = result));
    await world.clock.advance(1000);
    expect(end).toBeUndefined();
    world.offsets.unavailable.clear();
    await world.clock.until(() => end !== undefined, 3000);
    expect(end).toEqual({ kind: 'stopped', clean: true });
    expect([committed(a), committed(b)]).toEqual([0, 1]);
  });

  it('is paused only once that broker has the offsets of what was put', async () => {
    const { world, b, start, committed } = twoBrokers();
    const { loop, counters } = start();
    await loop.start();
    world.plain(b, 'b0');
    await world.clock.until(() => counters.recordsPut === 1);
    world.offsets.unavailable.add('broker-b');
    let isStill = false;
    loop.pause(() => (isStill = true));
    await world.clock.advance(10_000);
    expect(isStill).toBe(false);
    world.offsets.unavailable.clear();
    await world.clock.until(() => isStill, 5000);
    expect(committed(b)).toBe(1);
    loop.kill();
  });

  it('fails for its own reason, within its limit, when another queue has a bad record', async () => {
    const { world, a, b, start, committed } = twoBrokers();
    const { loop, counters } = start();
    await loop.start();
    world.plain(b, 'b0');
    await world.clock.until(() => counters.recordsPut === 1);
    world.offsets.unavailable.add('broker-b');
    await world.clock.advance(2000);
    let end: unknown;
    void loop.ended.then((result) => (end = result));
    world.plain(a, 'poison');
    await world.clock.until(() => end !== undefined, 10_000);
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'CONNECT_CONVERSION_FAILED' }, clean: false });
    expect([committed(a), committed(b)]).toEqual([0, 0]);
  });
});
