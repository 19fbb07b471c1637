import { describe, expect, it } from '@jest/globals';
import { queueKey, type FlushOptions, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import { HoldingSink } from '../testing/holding-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

/** Answers to flushes what the spec says. */
class AnsweringSink extends TransactionalSink {
  flushes = 0;
  answer: (asked: readonly SinkPosition[]) => unknown = () => undefined;

  override async flush(positions: readonly SinkPosition[]): Promise<void> {
    this.flushes++;
    await super.flush(positions);
    return this.answer(positions) as undefined;
  }
}

function oneQueue(count = 1): { readonly world: SinkWorld; readonly queues: readonly QueueRef[]; readonly queue: QueueRef } {
  const world = new SinkWorld();
  const queues = world.cluster.addTopic('t', count);
  return { world, queues, queue: queues[0]! };
}

const committed = (world: SinkWorld, queue: QueueRef): number | undefined => world.offsets.offsets.get(`g ${queueKey(queue)}`);
const texts = (records: readonly SinkRecord[]): unknown[] => records.map(({ value }) => value);
const FAR_AWAY = 3_600_000;

describe('the offsets that a sink reports as safe', () => {
  it('are all that is committed; the sink is asked again until everything is safe', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 2);
    world.plain(queue, 'a', 'b', 'c', 'd', 'e');
    const { loop } = world.loop(sink, { settings: { refreshIntervalMs: FAR_AWAY } });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 3);
    await world.clock.advance(5_000);
    expect(committed(world, queue)).toBe(3);
    expect(texts(sink.written)).toEqual(['a', 'b', 'c']);
    // Once a second, as it is set.
    expect(sink.flushes.length).toBeGreaterThanOrEqual(5);
    expect(sink.flushes.length).toBeLessThanOrEqual(7);
    expect(sink.flushes.some(({ options }) => options.everything)).toBe(false);
    sink.keeps = 0;
    await world.clock.until(() => committed(world, queue) === 5);
    const flushes = sink.flushes.length;
    await world.clock.advance(5_000);
    expect(sink.flushes).toHaveLength(flushes);
    loop.kill();
  });

  it('may leave queues out, which stay where they were', async () => {
    const { world, queues } = oneQueue(2);
    const sink = new AnsweringSink(newSinkStorage(), false);
    sink.answer = (asked) => asked.filter(({ queue }) => queue.queueId === 1);
    world.plain(queues[0]!, 'a');
    world.plain(queues[1]!, 'b');
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queues[1]!) === 1);
    await world.clock.advance(5_000);
    expect(committed(world, queues[0]!)).toBe(0);
    sink.answer = () => undefined;
    await world.clock.until(() => committed(world, queues[0]!) === 1);
    loop.kill();
  });

  it('cover what the sink was never given: duplicates and barriers behind its last record', async () => {
    const { world, queue } = oneQueue();
    const sink = new AnsweringSink(newSinkStorage(), false);
    world.barrier(queue, 1);
    world.stamped(queue, 'x', 1, 1, 2, 2, 1);
    world.barrier(queue, 2);
    // What the last record alone makes safe: the offset behind it.
    sink.answer = () => [{ queue, nextOffset: 3 }];
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 6);
    expect(counters.recordsPut).toBe(2);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
  });

  const refused: readonly { readonly title: string; readonly answer: (queue: QueueRef) => unknown; readonly text: string }[] = [
    {
      title: 'behind what was put',
      answer: (queue) => [{ queue, nextOffset: 3 }],
      text: 'The sink reports queue t@broker-a:0 as safe up to offset 3; it may report offsets from 0, which were safe before, to 2',
    },
    { title: 'that are no offsets', answer: (queue) => [{ queue, nextOffset: 0.5 }], text: 'up to offset 0.5; it may report' },
    {
      title: 'of a queue that it has not opened',
      answer: (queue) => [{ queue: { ...queue, queueId: 7 }, nextOffset: 1 }],
      text: 'The sink reports queue t@broker-a:7 as safe up to offset 1, but it has not opened that queue',
    },
    { title: 'that are no list', answer: () => 2, text: "The sink's flush returned number; it may return positions or nothing" },
  ];

  it.each(refused)('fail the task where they are offsets $title', async ({ answer, text }) => {
    const { world, queue } = oneQueue();
    const sink = new AnsweringSink(newSinkStorage(), false);
    sink.answer = () => answer(queue);
    world.plain(queue, 'a', 'b');
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => sink.flushes > 0);
    const end = (await loop.ended) as { readonly error: unknown };
    expect(String(end.error)).toContain(text);
    expect(committed(world, queue)).toBe(0);
  });

  it('fail the task where they go back', async () => {
    const { world, queue } = oneQueue();
    const sink = new AnsweringSink(newSinkStorage(), false);
    const answers = [2, 1];
    sink.answer = () => [{ queue, nextOffset: answers.shift() ?? 1 }];
    world.plain(queue, 'a', 'b', 'c');
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => sink.flushes > 1);
    const end = (await loop.ended) as { readonly error: unknown };
    expect(String(end.error)).toContain('as safe up to offset 1; it may report offsets from 2, which were safe before, to 3');
    expect(committed(world, queue)).toBe(2);
  });
});

describe('a sink that holds records back', () => {
  it('is asked for everything at a pause, which ends with the last of them; it ticks meanwhile and does not spin', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 2);
    sink.keepsAtLast = 1;
    world.plain(queue, 'a', 'b', 'c');
    const { loop, counters } = world.loop(sink, { settings: { flushIntervalMs: FAR_AWAY } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    let isStill = false;
    loop.pause(() => (isStill = true));
    await world.clock.until(() => committed(world, queue) === 2);
    const ticks = sink.ticks;
    const before = sink.flushes.length;
    await world.clock.advance(20_000);
    expect(isStill).toBe(false);
    expect(sink.flushes.every(({ options }) => options.everything)).toBe(true);
    expect(sink.flushes.length - before).toBeGreaterThanOrEqual(10);
    expect(sink.flushes.length - before).toBeLessThanOrEqual(60);
    expect(sink.ticks - ticks).toBeGreaterThanOrEqual(100);
    expect(sink.ticks - ticks).toBeLessThanOrEqual(200);
    expect(world.waits.list).toMatchObject([{ call: 'writing what the sink holds', error: 't@broker-a:0 is safe up to offset 2 of 3' }]);
    sink.keepsAtLast = 0;
    await world.clock.until(() => isStill, 2_000);
    expect(committed(world, queue)).toBe(3);
    expect(world.waits.list).toEqual([]);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is asked for everything at a stop, again until it has written it', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 9);
    sink.keepsAtLast = 1;
    world.plain(queue, 'a', 'b', 'c');
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    const ended = loop.stop();
    await world.clock.advance(500);
    sink.keepsAtLast = 0;
    await world.clock.advance(1_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(texts(sink.written)).toEqual(['a', 'b', 'c']);
    expect(committed(world, queue)).toBe(3);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('ends in time where it never writes everything; the next owner reads the rest, without the duplicates of what came before', async () => {
    const { world, queue } = oneQueue();
    const written: SinkRecord[] = [];
    const sink = new HoldingSink(written, 9);
    sink.keepsAtLast = 2;
    world.barrier(queue, 1);
    world.stamped(queue, 'x', 1, 1, 2, 3, 4);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 4);
    const ended = loop.stop();
    await world.clock.until(() => world.logger.lines.some((line) => line.includes('before the sink has written everything')), 5_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: false });
    expect(world.logger.lines.join('\n')).toContain('t@broker-a:0 is safe up to offset 3 of 5. It is read again from there');
    expect(committed(world, queue)).toBe(3);
    expect(world.clock.pendingTimers).toBe(0);
    // What a source sent twice: records of before the safe offset, and of behind it.
    world.stamped(queue, 'x', 1, 2, 4, 5);
    const next = world.loop(new HoldingSink(written, 0));
    await next.loop.start();
    await world.clock.until(() => next.counters.recordsPut === 3);
    await world.clock.advance(3_000);
    expect(texts(written)).toEqual(['x1', 'x2', 'x3', 'x4', 'x5']);
    expect(next.counters.droppedRepeatedSeq).toBe(2);
    next.loop.kill();
  });

  it('loses nothing where it stores a safe offset of its own with the read state of another one', async () => {
    const { world, queue } = oneQueue();
    const stored = new Map<string, SinkPosition>();
    class StoringSink extends HoldingSink {
      override open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
        return Promise.resolve(queues.flatMap((one) => stored.get(queueKey(one)) ?? []));
      }

      override async flush(asked: readonly SinkPosition[], signal: AbortSignal, options: FlushOptions): Promise<readonly SinkPosition[]> {
        const safe = await super.flush(asked, signal, options);
        for (const [at, { queue: one, nextOffset }] of safe.entries()) stored.set(queueKey(one), { ...asked[at]!, nextOffset });
        return safe;
      }
    }
    const written: SinkRecord[] = [];
    world.barrier(queue, 1);
    world.stamped(queue, 'x', 1, 1, 2, 3, 4);
    const { loop } = world.loop(new StoringSink(written, 2));
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 3);
    loop.kill();
    expect(stored.get(queueKey(queue))?.readState).toContain('r2;');
    world.stamped(queue, 'x', 1, 2, 5);
    const next = world.loop(new StoringSink(written, 0));
    await next.loop.start();
    await world.clock.until(() => committed(world, queue) === 7);
    expect(texts(written)).toEqual(['x1', 'x2', 'x3', 'x4', 'x5']);
    next.loop.kill();
  });

  it('writes what it holds before it is decided whether it has passed what an operator has sent the group ahead to', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 9);
    world.plain(queue, 'a', 'b', 'c', 'd');
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 4_000 } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 4);
    world.offsets.reset('g', queue, 2);
    await world.clock.until(() => committed(world, queue) === 4);
    await world.clock.advance(10_000);
    expect(texts(sink.written)).toEqual(['a', 'b', 'c', 'd']);
    expect(world.warnings.list.map(({ message }) => message).join()).toContain('was read once from offset 2 since the last commit');
    loop.kill();
  });

  it('writes what it holds before an operator has it read elsewhere', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 9);
    world.plain(queue, 'a', 'b', 'c', 'd');
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 4_000 } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 4);
    // A commit shows that it had taken them before the operator's order.
    await world.clock.advance(10_000);
    world.offsets.reset('g', queue, 0);
    await world.clock.until(() => counters.recordsPut === 8);
    expect(texts(sink.written)).toEqual(['a', 'b', 'c', 'd']);
    sink.keeps = 0;
    await world.clock.until(() => committed(world, queue) === 4);
    expect(texts(sink.written)).toEqual(['a', 'b', 'c', 'd', 'a', 'b', 'c', 'd']);
    loop.kill();
  });

  it('writes what it holds before an operator has sent the group ahead: it is asked until it has', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 9);
    sink.keepsAtLast = 2;
    world.plain(queue, 'a', 'b', 'c', 'd');
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 4_000 } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 4);
    await world.clock.advance(5_000);
    world.offsets.reset('g', queue, 4);
    await world.clock.advance(10_000);
    world.plain(queue, 'e');
    await world.clock.advance(10_000);
    expect(counters.recordsPut).toBe(4);
    expect(texts(sink.written)).toEqual(['a', 'b']);
    expect(world.waits.list).toMatchObject([{ call: 'writing what the sink holds' }]);
    sink.keepsAtLast = 0;
    sink.keeps = 0;
    await world.clock.until(() => committed(world, queue) === 5);
    expect(texts(sink.written)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(world.waits.list).toEqual([]);
    loop.kill();
  });

  it('is waited for no longer when a pause ends', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 2);
    sink.keepsAtLast = 2;
    world.plain(queue, 'a', 'b', 'c');
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    loop.pause(() => undefined);
    await world.clock.advance(2_000);
    expect(world.waits.list).toHaveLength(1);
    loop.resume();
    await world.clock.advance(2_000);
    expect(world.waits.list).toEqual([]);
    loop.kill();
  });

  it('ticks while it stops, until everything is safe', async () => {
    const { world, queue } = oneQueue();
    class TickingSink extends HoldingSink {
      override tick(): Promise<void> {
        this.keepsAtLast = 0;
        return super.tick();
      }
    }
    const sink = new TickingSink([], 9);
    world.plain(queue, 'a', 'b', 'c');
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    sink.keepsAtLast = 9;
    const ended = loop.stop();
    await world.clock.advance(5_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(committed(world, queue)).toBe(3);
  });
});
