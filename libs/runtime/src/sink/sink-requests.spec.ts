import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, RetriableError } from '@sluice/sdk';
import { AskingSink } from '../testing/asking-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';

function twoQueues(): { world: SinkWorld; first: QueueRef; second: QueueRef; sink: AskingSink } {
  const world = new SinkWorld();
  const [first, second] = world.cluster.addTopic('t', 2);
  return { world, first: first!, second: second!, sink: new AskingSink(newSinkStorage()) };
}

describe('what a sink task asks of the runtime', () => {
  it('a commit: before the next flush is due', async () => {
    const { world, first, sink } = twoQueues();
    sink.beforePut = () => {
      sink.context.requestCommit();
    };
    world.plain(first, 'a', 'b');
    const { loop, counters } = world.loop(sink, { settings: { flushIntervalMs: 3_600_000 } });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(first)}`) === 2, 60_000);
    expect(counters.flushes).toBe(1);
    loop.kill();
  });

  it('no records of a queue until it is resumed, also from open on', async () => {
    const { world, first, second, sink } = twoQueues();
    sink.whenOpened = () => {
      sink.context.pause([second]);
    };
    world.plain(first, 'a');
    world.plain(second, 'x', 'y');
    const { loop, counters } = world.loop(sink, { settings: { flushIntervalMs: 3_600_000 } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 1);
    await world.clock.advance(10_000);
    expect(sink.values).toEqual(['a']);
    sink.context.pause([first]);
    sink.context.resume([second]);
    world.plain(first, 'b');
    await world.clock.until(() => counters.recordsPut === 3);
    await world.clock.advance(10_000);
    expect(sink.values).toEqual(['a', 'x', 'y']);
    sink.context.resume([first]);
    await world.clock.until(() => counters.recordsPut === 4, 1_000);
    expect(sink.values).toEqual(['a', 'x', 'y', 'b']);
    loop.kill();
  });

  it('nothing of queues that it has not opened', async () => {
    const { world, first, sink } = twoQueues();
    const { loop } = world.loop(sink);
    await loop.start();
    const foreign = { ...first, queueId: 7 };
    expect(() => {
      sink.context.pause([first, foreign]);
    }).toThrow('The task cannot pause t@broker-a:7; it has opened: t@broker-a:0, t@broker-a:1');
    expect(() => {
      sink.context.resume([foreign]);
    }).toThrow('The task cannot resume t@broker-a:7');
    loop.kill();
  });

  it('to skip a record that the other system refuses', async () => {
    const refuse = (sink: AskingSink): void => {
      sink.beforePut = ([record]) => {
        if (record !== undefined)
          void sink.context.skipRecord(record, new ConnectError(ConnectErrorCode.sinkFailed, 'the row is too wide'));
      };
    };
    const tolerant = twoQueues();
    refuse(tolerant.sink);
    tolerant.world.plain(tolerant.first, 'a');
    const { loop, counters } = tolerant.world.loop(tolerant.sink, { settings: { skipsBadRecords: true } });
    await loop.start();
    await tolerant.world.clock.until(() => counters.recordsSkipped === 1);
    expect(counters.recordsRefused).toBe(1);
    expect(tolerant.world.logger.lines.join('\n')).toContain('at offset 0 is refused: the row is too wide');
    loop.kill();
    const strict = twoQueues();
    refuse(strict.sink);
    strict.world.plain(strict.first, 'a');
    const failing = strict.world.loop(strict.sink);
    await failing.loop.start();
    const end = (await failing.loop.ended) as { readonly error: unknown };
    expect(String(end.error)).toContain('is refused: the row is too wide. With errors.tolerance=all the task skips such records');
  });

  it.each(['in a put', 'in a flush', 'outside of calls'])(
    'to skip a record: without tolerance the task fails also where it swallows the error, %s',
    async (place) => {
      const { world, first, sink } = twoQueues();
      const refuse = (): void => {
        const record = { topic: 't', queue: first, offset: 0, value: 'a' };
        expect(() => {
          void sink.context.skipRecord(record, new ConnectError(ConnectErrorCode.sinkFailed, 'the row is too wide'));
        }).toThrow('the row is too wide');
      };
      if (place === 'in a put') sink.beforePut = refuse;
      if (place === 'in a flush') sink.beforeFlush = refuse;
      world.plain(first, 'a');
      const { loop, counters } = world.loop(sink);
      await loop.start();
      await world.clock.until(() => counters.recordsPut === 1);
      if (place === 'outside of calls') refuse();
      await world.clock.advance(2_000);
      const end = (await loop.ended) as { readonly error: unknown };
      expect(String(end.error)).toContain('is refused: the row is too wide. With errors.tolerance=all the task skips such records');
      expect(world.offsets.offsets.get(`g ${queueKey(first)}`)).toBe(0);
      expect(world.clock.pendingTimers).toBe(0);
    },
  );

  it('to be called again after a while, for the next try alone', async () => {
    const { world, first, sink } = twoQueues();
    const triedMs: number[] = [];
    sink.beforePut = () => {
      triedMs.push(world.clock.nowMs());
      if (triedMs.length === 1 || triedMs.length === 3) sink.context.timeout(30_000);
      if (triedMs.length === 4) sink.context.timeout(0);
      if (triedMs.length < 6) throw new RetriableError('busy');
    };
    world.plain(first, 'a');
    const { loop, counters } = world.loop(sink, { settings: { backoff: { initialMs: 10, maxMs: 10 } } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 1);
    const waits = triedMs.slice(1).map((ms, at) => ms - triedMs[at]!);
    expect(waits).toEqual([30_000, 7.5, 30_000, 0, 7.5]);
    loop.kill();
  });

  it('to be called again later than it may, and fails then', async () => {
    const { world, first, sink } = twoQueues();
    sink.beforePut = () => {
      sink.context.timeout(30_000);
      throw new RetriableError('busy');
    };
    world.plain(first, 'a');
    const { loop, counters } = world.loop(sink, { settings: { retryTimeoutMs: 20_000 } });
    await loop.start();
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message: 'busy' } });
    expect(counters.putRetries).toBe(0);
    for (const delayMs of [-1, 0.5, 3_600_001]) {
      expect(() => {
        sink.context.timeout(delayMs);
      }).toThrow(`The task cannot be called again after ${delayMs} ms; a whole number from 0 to 3600000 is allowed`);
    }
  });

  it('to be called again after an hour, and stops at once', async () => {
    const { world, first, sink } = twoQueues();
    let tries = 0;
    sink.beforePut = () => {
      tries++;
      sink.context.timeout(3_600_000);
      throw new RetriableError('busy');
    };
    world.plain(first, 'a');
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => tries === 1);
    expect(world.waits.list).toMatchObject([{ call: 'put', error: 'busy' }]);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: false });
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('only the rest of records whose first ones were written', async () => {
    const { world, first, sink } = twoQueues();
    const given: unknown[] = [];
    sink.beforePut = (records) => {
      given.push(records.map(({ value }) => value));
      if (given.length === 1) throw new RetriableError('full', { firstUnwritten: 2 });
      if (given.length === 2) throw new RetriableError('full', { firstUnwritten: 0 });
      if (given.length === 3) throw new RetriableError('full', { firstUnwritten: 9 });
    };
    world.plain(first, 'a', 'b', 'c', 'd');
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 4);
    expect(given).toEqual([
      ['a', 'b', 'c', 'd'],
      ['c', 'd'],
      ['c', 'd'],
      ['c', 'd'],
    ]);
    expect(counters.putRetries).toBe(3);
    loop.kill();
  });

  it('to be called while there is nothing to put, but not while it is paused', async () => {
    const { world, first, sink } = twoQueues();
    let ticks = 0;
    const ticking = Object.assign(sink, {
      tick: (): Promise<void> => {
        ticks++;
        return Promise.resolve();
      },
    });
    world.plain(first, 'a');
    const { loop, counters } = world.loop(ticking);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 1);
    const before = ticks;
    await world.clock.advance(1_000);
    expect(ticks - before).toBeGreaterThanOrEqual(8);
    expect(ticks - before).toBeLessThanOrEqual(11);
    let isStill = false;
    loop.pause(() => (isStill = true));
    await world.clock.until(() => isStill);
    const paused = ticks;
    await world.clock.advance(1_000);
    expect(ticks).toBe(paused);
    loop.resume();
    await world.clock.until(() => ticks > paused);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.clock.pendingTimers).toBe(0);
  });
});
