import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef, RetriableError } from '@sluice/sdk';
import type { SinkTaskLoop } from './sink-task-loop.js';
import { AskingSink } from '../testing/asking-sink.js';
import { HoldingSink } from '../testing/holding-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';

const committed = (world: SinkWorld, queue: QueueRef): number | undefined => world.offsets.offsets.get(`g ${queueKey(queue)}`);
const stored = (sink: AskingSink, queue: QueueRef): number | undefined => sink.storage.positions.get(queueKey(queue))?.nextOffset;

/** Has a broker not answer where its queues end. */
function silence(world: SinkWorld, brokerName: string): void {
  const { messages } = world.cluster;
  const endOffset = messages.endOffset.bind(messages);
  messages.endOffset = (queue) =>
    queue.brokerName === brokerName ? Promise.reject(new RetriableError(`${brokerName} does not answer`)) : endOffset(queue);
}

/** A task that has put everything of two queues, on two brokers. */
async function twoBrokers(storesOffsets = true): Promise<{
  readonly world: SinkWorld;
  readonly queue: QueueRef;
  readonly other: QueueRef;
  readonly sink: AskingSink;
  readonly loop: SinkTaskLoop;
}> {
  const world = new SinkWorld();
  const [queue] = world.cluster.addTopic('t', 1);
  const [other] = world.cluster.addTopic('t', 1, 'broker-b');
  world.plain(queue!, ...Array.from('abcde'));
  world.plain(other!, 'x', 'y', 'z');
  const sink = new AskingSink(newSinkStorage(), storesOffsets);
  const { loop } = world.loop(sink, { settings: { refreshIntervalMs: 1_000 } });
  await loop.start();
  await world.clock.until(() => committed(world, queue!) === 5 && committed(world, other!) === 3);
  return { world, queue: queue!, other: other!, sink, loop };
}

describe('a sink task that stops and has asked for other offsets', () => {
  it('leaves those of other brokers to the next owner where one does not answer, and names the one that it cannot', async () => {
    const { world, queue, other, sink, loop } = await twoBrokers();
    silence(world, 'broker-a');
    sink.context.seek([
      { queue, nextOffset: 1 },
      { queue: other, nextOffset: 2 },
    ]);
    const ended = loop.stop();
    await world.clock.advance(10_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: false });
    expect([committed(world, other), stored(sink, other)]).toEqual([2, 2]);
    expect([committed(world, queue), stored(sink, queue)]).toEqual([5, 5]);
    expect(world.logger.lines.at(-1)).toBe(
      'warn The task ends before the group and the sink have the offsets to which it seeks: offset 1 of queue t@broker-a:0. ' +
        'Its next owner may not begin there',
    );
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('leaves the others where one lies behind the end of its queue, and says why not that one', async () => {
    const { world, queue, other, sink, loop } = await twoBrokers();
    sink.context.seek([
      { queue, nextOffset: 9 },
      { queue: other, nextOffset: 1 },
    ]);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: false });
    expect([committed(world, other), committed(world, queue)]).toEqual([1, 5]);
    expect(world.logger.lines.at(-1)).toContain('offset 9 of queue t@broker-a:0 (The task cannot seek to offset 9');
  });

  it('writes what it holds of one queue although the broker of another does not answer', async () => {
    const world = new SinkWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    const [other] = world.cluster.addTopic('t', 1, 'broker-b');
    world.plain(queue!, 'a', 'b');
    world.plain(other!, 'x', 'y', 'z');
    const sink = new HoldingSink([], 9);
    sink.keepsAtLast = 3;
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 5);
    silence(world, 'broker-a');
    sink.context.seek([{ queue: queue!, nextOffset: 0 }]);
    const ended = loop.stop();
    await world.clock.advance(100);
    sink.keepsAtLast = 0;
    await world.clock.advance(10_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: false });
    expect(committed(world, other!)).toBe(3);
  });

  it('leaves the later of two, although the commit of the first is under way', async () => {
    const { world, queue, sink, loop } = await twoBrokers(false);
    let release: (() => void) | undefined;
    world.offsets.delayOf = ([first]) => (first?.nextOffset === 4 ? new Promise((resolve) => (release = resolve)) : undefined);
    sink.context.seek([{ queue, nextOffset: 4 }]);
    await world.clock.until(() => release !== undefined);
    sink.context.seek([{ queue, nextOffset: 1 }]);
    const ended = loop.stop();
    await world.clock.advance(500);
    release?.();
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(committed(world, queue)).toBe(1);
  });

  it('has the sink store the later of two, although the first is being checked', async () => {
    const { world, queue, sink, loop } = await twoBrokers();
    const { messages } = world.cluster;
    const endOffset = messages.endOffset.bind(messages);
    let release: (() => void) | undefined;
    messages.endOffset = async (ref) => {
      if (release === undefined) await new Promise<void>((resolve) => (release = resolve));
      return endOffset(ref);
    };
    sink.context.seek([{ queue, nextOffset: 4 }]);
    await world.clock.until(() => release !== undefined);
    sink.context.seek([{ queue, nextOffset: 1 }]);
    const ended = loop.stop();
    await world.clock.advance(500);
    release?.();
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect([committed(world, queue), stored(sink, queue)]).toEqual([1, 1]);
  });

  it('leaves it although the commit of where a new queue begins is under way', async () => {
    const { world, sink, loop } = await twoBrokers(false);
    let release: (() => void) | undefined;
    world.offsets.delayOf = ([first]) =>
      first?.queue.brokerName === 'broker-c' && first.nextOffset === 0 ? new Promise((resolve) => (release = resolve)) : undefined;
    const [found] = world.cluster.addTopic('t', 1, 'broker-c');
    world.plain(found!, 'u', 'v', 'w');
    sink.whenOpened = ([queue]) => {
      sink.context.seek([{ queue: queue!, nextOffset: 2 }]);
    };
    await world.clock.until(() => release !== undefined);
    const ended = loop.stop();
    await world.clock.advance(500);
    release?.();
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(committed(world, found!)).toBe(2);
  });

  it('names them where it was not given all records that were taken: it is not flushed any more', async () => {
    const { world, queue, sink, loop } = await twoBrokers();
    sink.beforePut = () => {
      sink.context.seek([{ queue, nextOffset: 1 }]);
      throw new RetriableError('everything behind offset 1 is lost');
    };
    world.plain(queue, 'f');
    await world.clock.advance(2_000);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: false });
    expect([committed(world, queue), stored(sink, queue)]).toEqual([5, 5]);
    expect(world.logger.lines.at(-1)).toContain('the offsets to which it seeks: offset 1 of queue t@broker-a:0. Its next owner may not');
  });

  it('stores none of queues that it could not open', async () => {
    const world = new SinkWorld();
    const [queue] = world.cluster.addTopic('t', 1);
    world.plain(queue!, 'a', 'b', 'c');
    const sink = new AskingSink(newSinkStorage());
    sink.whenOpened = () => {
      sink.context.seek([{ queue: queue!, nextOffset: 2 }]);
      throw new Error('no such table');
    };
    const { loop } = world.loop(sink);
    await expect(loop.start()).rejects.toThrow('no such table');
    expect(sink.calls).toEqual(['start', 'stop']);
    expect([committed(world, queue!), sink.storage.positions.size]).toEqual([undefined, 0]);
  });
});
