import { describe, expect, it } from '@jest/globals';
import { type ConnectRecord, queueKey, type QueueRef, RetriableError, type SinkPosition } from '@sluice/sdk';
import { AskingSink } from '../testing/asking-sink.js';
import { HoldingSink } from '../testing/holding-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';
import { TransformChain } from '../transforms/transform-chain.js';

function oneQueue(values = 'abcde'): { readonly world: SinkWorld; readonly queue: QueueRef; readonly sink: AskingSink } {
  const world = new SinkWorld();
  const [queue] = world.cluster.addTopic('t', 1);
  world.plain(queue!, ...Array.from(values));
  return { world, queue: queue!, sink: new AskingSink(newSinkStorage()) };
}

const committed = (world: SinkWorld, queue: QueueRef): number | undefined => world.offsets.offsets.get(`g ${queueKey(queue)}`);
const once = (act: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (!isDone) {
      isDone = true;
      act();
    }
  };
};

describe('a sink task that seeks', () => {
  it('goes back: the sink stores the offset first, then the group has it, then records come from there', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    const stored: (number | undefined)[] = [];
    sink.beforeFlush = () => stored.push(sink.storage.positions.get(queueKey(queue))?.nextOffset);
    sink.context.seek([{ queue, nextOffset: 2 }]);
    expect(sink.values).toHaveLength(5);
    await world.clock.until(() => counters.recordsPut === 8);
    expect(sink.values).toEqual(['a', 'b', 'c', 'd', 'e', 'c', 'd', 'e']);
    const offsets = world.offsets.commits.flatMap(({ positions }) => positions.map(({ nextOffset }) => nextOffset));
    expect(offsets.slice(-2)).toEqual([5, 2]);
    expect(sink.storage.positions.get(queueKey(queue))).toEqual({ queue, nextOffset: 2 });
    expect(world.logger.lines.join('\n')).toContain('The task seeks to offset 2 of queue t@broker-a:0, from offset 5');
    await world.clock.until(() => committed(world, queue) === 5);
    expect(sink.storage.values.join('')).toBe('abcdecde');
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('goes forward after the call in which it asks: what was put is flushed, and what was read ahead is dropped', async () => {
    const { world, queue, sink } = oneQueue();
    sink.beforePut = once(() => {
      sink.context.seek([{ queue, nextOffset: 4 }]);
    });
    const { loop } = world.loop(sink, { settings: { maxPutRecords: 2 } });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    expect(sink.values).toEqual(['a', 'b', 'e']);
    expect(sink.storage.values.join('')).toBe('abe');
    loop.kill();
  });

  it('makes a failed put again first', async () => {
    const { world, queue, sink } = oneQueue();
    sink.beforePut = once(() => {
      sink.context.seek([{ queue, nextOffset: 4 }]);
      throw new RetriableError('full');
    });
    const { loop } = world.loop(sink, { settings: { maxPutRecords: 2 } });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    expect(sink.values).toEqual(['a', 'b', 'e']);
    loop.kill();
  });

  it('gets records again that the filter has seen, and not their duplicates', async () => {
    const { world, queue, sink } = oneQueue('');
    world.barrier(queue, 1);
    world.stamped(queue, 'x', 1, 1, 2, 3, 2, 4);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 6);
    sink.context.seek([{ queue, nextOffset: 3 }]);
    await world.clock.until(() => counters.recordsPut === 6);
    await world.clock.advance(3_000);
    expect(sink.values).toEqual(['x1', 'x2', 'x3', 'x4', 'x3', 'x4']);
    expect(counters.droppedRepeatedSeq).toBe(2);
    loop.kill();
  });

  it('may seek in open, and again before the first one is made: it goes to the last', async () => {
    const { world, queue, sink } = oneQueue();
    sink.whenOpened = () => {
      sink.context.seek([{ queue, nextOffset: 1 }]);
      sink.context.seek([{ queue, nextOffset: 3 }]);
    };
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    expect(sink.values).toEqual(['d', 'e']);
    loop.kill();
  });

  it('leaves the offset to its next owner where it stops before it goes there', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    sink.context.seek([{ queue, nextOffset: 2 }]);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(committed(world, queue)).toBe(2);
    const next = new AskingSink(sink.storage);
    const again = world.loop(next);
    await again.loop.start();
    await world.clock.until(() => again.counters.recordsPut === 3);
    expect(next.values).toEqual(['c', 'd', 'e']);
    again.loop.kill();
  });

  it('is paused once it has gone there', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    let isStill = false;
    world.offsets.unavailable.add('broker-a');
    sink.context.seek([{ queue, nextOffset: 2 }]);
    loop.pause(() => (isStill = true));
    await world.clock.advance(3_000);
    expect(isStill).toBe(false);
    world.offsets.unavailable.clear();
    await world.clock.until(() => isStill);
    expect(committed(world, queue)).toBe(2);
    expect(sink.values).toHaveLength(5);
    loop.kill();
  });

  it('is flushed of everything that it holds before', async () => {
    const { world, queue } = oneQueue();
    const sink = new HoldingSink([], 9);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 5);
    sink.context.seek([{ queue, nextOffset: 1 }]);
    await world.clock.until(() => counters.recordsPut === 9);
    expect(sink.written.map(({ value }) => value)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const toSought = sink.flushes.filter(({ positions }) => positions.some(({ nextOffset }) => nextOffset === 1));
    expect(toSought.map(({ options }) => options)).toEqual([{ everything: true }]);
    expect(committed(world, queue)).toBe(1);
    loop.kill();
  });

  it('goes there after the commit that is under way', async () => {
    const { world, queue, sink } = oneQueue();
    let release = (): void => undefined;
    world.offsets.delayOf = ([first]) => (first?.nextOffset === 5 ? new Promise((resolve) => (release = resolve)) : undefined);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    sink.context.seek([{ queue, nextOffset: 2 }]);
    await world.clock.advance(3_000);
    expect(committed(world, queue)).toBe(0);
    release();
    await world.clock.until(() => committed(world, queue) === 2);
    await world.clock.until(() => counters.recordsPut === 8);
    loop.kill();
  });

  it('may seek in a queue that was found later and whose broker does not answer yet', async () => {
    const { world, sink } = oneQueue();
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 1_000 } });
    await loop.start();
    const [other] = world.cluster.addTopic('t', 1, 'broker-b');
    world.offsets.unavailable.add('broker-b');
    sink.whenOpened = ([queue]) => {
      sink.context.seek([{ queue: queue!, nextOffset: 1 }]);
    };
    world.plain(other!, 'x', 'y', 'z');
    await world.clock.advance(5_000);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(world, other!) === 3);
    expect(sink.values.slice(-2)).toEqual(['y', 'z']);
    const offsets = world.offsets.commits.flatMap(({ positions }) => positions).filter(({ queue }) => queue.brokerName === 'broker-b');
    expect(offsets.map(({ nextOffset }) => nextOffset)).toEqual([0, 1, 3]);
    // Nothing else reads the queue.
    const before = counters.bytesRead;
    world.plain(other!, 'w');
    await world.clock.until(() => committed(world, other!) === 4);
    const { bodyBytes, rawProperties } = world.cluster.queue(other!).messages[3]!;
    expect(counters.bytesRead - before).toBe(bodyBytes + rawProperties.length);
    loop.kill();
  });

  it('delays no other queue while its broker is unavailable', async () => {
    const { world, queue, sink } = oneQueue();
    const [other] = world.cluster.addTopic('t', 1, 'broker-b');
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    world.offsets.unavailable.add('broker-a');
    sink.context.seek([{ queue, nextOffset: 3 }]);
    world.plain(other!, 'x', 'y');
    await world.clock.until(() => committed(world, other!) === 2);
    expect(sink.values).toHaveLength(7);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(world, queue) === 5 && sink.values.length === 9);
    expect(sink.values.slice(-2)).toEqual(['d', 'e']);
    loop.kill();
  });

  it('goes where an operator has reset the group to meanwhile', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop, counters } = world.loop(sink, { settings: { refreshIntervalMs: 3_600_000 } });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    world.offsets.reset('g', queue, 4);
    sink.context.seek([{ queue, nextOffset: 2 }]);
    await world.clock.until(() => counters.recordsPut === 6);
    expect(sink.values.slice(-1)).toEqual(['e']);
    loop.kill();
  });

  it('goes where an operator has sent the group, although it asks while the commit is made that shows it', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop } = world.loop(sink, { settings: { refreshIntervalMs: 3_600_000 } });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    world.offsets.reset('g', queue, 4);
    world.plain(queue, 'f');
    const seek = once(() => {
      sink.context.seek([{ queue, nextOffset: 1 }]);
    });
    sink.beforeFlush = (positions: readonly SinkPosition[]) => {
      if (positions[0]?.nextOffset === 6) seek();
    };
    await world.clock.advance(6_000);
    expect(sink.values.join('')).toBe('abcdefef');
    expect(world.logger.lines.join()).toContain('does not seek to offset 1 of queue t@broker-a:0: an operator has reset the group');
    loop.kill();
  });

  it('delays no other queue while what was read of its own cannot be prepared', async () => {
    const { world, queue, sink } = oneQueue();
    const [other] = world.cluster.addTopic('t', 1, 'broker-b');
    const transform = {
      prepare: (records: readonly ConnectRecord[]) =>
        records.some(({ value }) => value === 'bad') ? Promise.reject(new RetriableError('registry is down')) : Promise.resolve(),
      apply: <T extends ConnectRecord>(record: T) => record,
    };
    const { loop } = world.loop(sink, { transforms: new TransformChain([{ alias: 'look-up', transform }]) });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    world.plain(queue, 'bad', 'f');
    await world.clock.advance(3_000);
    sink.context.seek([{ queue, nextOffset: 6 }]);
    world.plain(other!, 'x');
    await world.clock.until(() => committed(world, other!) === 1);
    await world.clock.until(() => committed(world, queue) === 7);
    expect(sink.values.slice(5).sort()).toEqual(['f', 'x']);
    loop.kill();
  });

  it('fails at an offset behind the end of one queue, and still leaves that of another to the next owner', async () => {
    const { world, queue, sink } = oneQueue();
    const [other] = world.cluster.addTopic('t', 1, 'broker-b');
    world.plain(other!, 'x', 'y', 'z');
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5 && committed(world, other!) === 3);
    sink.context.seek([
      { queue, nextOffset: 9 },
      { queue: other!, nextOffset: 1 },
    ]);
    expect(await loop.ended).toMatchObject({ kind: 'failed' });
    expect(committed(world, other!)).toBe(1);
    expect(committed(world, queue)).toBe(5);
  });

  it('is refused queues that it has not opened, and what are no offsets', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop } = world.loop(sink);
    await loop.start();
    const seekTo = (positions: readonly SinkPosition[]) => (): void => {
      sink.context.seek(positions);
    };
    expect(seekTo([{ queue: { ...queue, queueId: 7 }, nextOffset: 0 }])).toThrow(
      'The task cannot seek in t@broker-a:7; it has opened: t@broker-a:0',
    );
    for (const nextOffset of [-1, 0.5, NaN]) {
      expect(seekTo([{ queue, nextOffset }])).toThrow(
        `The task cannot seek to ${nextOffset} in queue t@broker-a:0; offsets are whole numbers from 0`,
      );
    }
    loop.kill();
  });

  it.each([
    { title: 'behind the end', to: 6, text: 'The task cannot seek to offset 6 of queue t@broker-a:0, which has offsets from 1 to 5' },
    { title: 'that retention removed', to: 0, text: 'has offsets from 1 to 5. With errors.tolerance=all the task goes to the oldest one' },
  ])('fails at an offset $title, and the group keeps its own', async ({ to, text }) => {
    const { world, queue, sink } = oneQueue();
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    world.cluster.queue(queue).minOffset = 1;
    sink.context.seek([{ queue, nextOffset: to }]);
    const end = (await loop.ended) as { readonly error: unknown };
    expect(String(end.error)).toContain(text);
    expect(committed(world, queue)).toBe(5);
    expect(sink.storage.positions.get(queueKey(queue))?.nextOffset).toBe(5);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('goes to the oldest message with errors.tolerance=all, and counts what is lost', async () => {
    const { world, queue, sink } = oneQueue();
    const { loop, counters } = world.loop(sink, { settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => committed(world, queue) === 5);
    world.cluster.queue(queue).minOffset = 3;
    sink.context.seek([{ queue, nextOffset: 1 }]);
    await world.clock.until(() => counters.recordsPut === 7);
    expect(sink.values.slice(-2)).toEqual(['d', 'e']);
    expect(counters.recordsLost).toBe(2);
    loop.kill();
  });
});
