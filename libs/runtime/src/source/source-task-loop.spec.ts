import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, type SourceRecord, type SourceTask } from '@sluice/sdk';
import type { PositionsWrite } from '../ports/position-store.port.js';
import type { SettledSend } from '../ports/record-producer.port.js';
import { scanBarrier } from '@sluice/protocol';
import { readEverything, readValid } from '../testing/read-valid.js';
import { listOf, oneQueueWorld, SourceWorld, valuesOf } from '../testing/source-world.js';

/** The generation that wrote it left nothing to examine. */
function isClean(write: PositionsWrite | undefined): boolean {
  return (write?.settled.length ?? 0) > 0;
}

describe('the source task loop', () => {
  it('sends the records of a partition in order, and no barrier while every generation ends cleanly', async () => {
    const { world, queue } = oneQueueWorld();
    const { loop, counters } = world.loop(world.source({ a: listOf(20) }));
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 20);
    void loop.stop();
    await world.clock.until(() => isClean(world.positions.writes.at(-1)));
    const second = world.loop(world.source({ a: listOf(30) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 10);
    expect(queue.messages).toHaveLength(30);
    expect(readEverything(queue)).toEqual(valuesOf(30));
    second.loop.kill();
    const third = world.loop(world.source({ a: listOf(31) }));
    await third.loop.start();
    await world.clock.until(() => third.counters.recordsSent === 1);
    const barriers = queue.messages.map(({ rawProperties }) => scanBarrier(rawProperties)).filter((text) => text !== undefined);
    expect(barriers).toEqual([expect.stringMatching(/\.3$/)]);
    third.loop.kill();
  });

  it('examines little of a queue in which others wrote much since its last record', async () => {
    const { world, queue } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(1) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 1);
    const foreign = { body: Buffer.from('foreign'), properties: Buffer.alloc(0) };
    for (let burst = 0; burst < 5; burst++) {
      queue.append(
        Array.from({ length: 10_000 }, () => foreign),
        world.clock.wallMs(),
      );
      await world.clock.advance(15_000);
    }
    const writes = world.positions.writes.length;
    queue.append([foreign], world.clock.wallMs());
    await world.clock.advance(60_000);
    expect(world.positions.writes).toHaveLength(writes);
    first.loop.kill();
    queue.minOffset = 50_000;
    let from = 0;
    const second = world.loop(world.source({ a: listOf(2) }), {
      ports: {
        messages: {
          ...world.cluster.messages,
          read: (ref, start, signal) => {
            from = start;
            return world.cluster.messages.read(ref, start, signal);
          },
        },
      },
    });
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 1);
    expect(from).toBe(50_001);
    expect(second.counters.incompleteScans).toBe(0);
    expect(readEverything(queue).filter((value) => value !== 'foreign')).toEqual(valuesOf(2));
    second.loop.kill();
  });

  it('has one unacknowledged batch per queue and lets further records grow the next one', async () => {
    const { world, queue } = oneQueueWorld();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.cluster.fate = (_queue, batch) =>
      batch.messages[0]?.body.toString() === 't0' ? { kind: 'hold', until: held } : { kind: 'store' };
    const { loop, counters } = world.loop(world.source({ a: listOf(30) }, 3));
    await loop.start();
    await world.clock.advance(100);
    expect(queue.messages).toHaveLength(0);
    expect(counters.recordsPolled).toBe(30);
    release();
    await world.clock.until(() => counters.recordsSent === 30);
    expect(world.cluster.sends.map(({ count }) => count)).toEqual([3, 27]);
    expect(world.cluster.maxInFlight).toBe(1);
    expect(readEverything(queue)).toEqual(valuesOf(30));
    loop.kill();
  });

  it('sends to other queues while one waits, and never sends a partition elsewhere', async () => {
    const world = new SourceWorld();
    const [a0] = world.cluster.addTopic('a', 1, 'broker-a');
    const [b0] = world.cluster.addTopic('b', 1, 'broker-b');
    let isDown = true;
    world.cluster.fate = (queue) => (queue.brokerName === 'broker-a' && isDown ? { kind: 'reject', retriable: true } : { kind: 'store' });
    const { loop } = world.loop(world.source({ x: listOf(4, 'a'), y: listOf(4, 'b') }));
    await loop.start();
    await world.clock.advance(20_000);
    expect(readEverything(world.cluster.queue(b0!))).toEqual(valuesOf(4, 'b'));
    expect(world.cluster.queue(a0!).messages).toHaveLength(0);
    isDown = false;
    await world.clock.advance(2000);
    expect(readEverything(world.cluster.queue(a0!))).toEqual(valuesOf(4, 'a'));
    loop.kill();
  });

  it('keeps a partition on its queue when the topic grows between two generations', async () => {
    const { world, queue } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(5) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 5);
    await first.loop.stop();
    world.cluster.addTopic('t', 16);
    const second = world.loop(world.source({ a: listOf(10) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 5);
    expect(readEverything(queue)).toEqual(valuesOf(10));
    second.loop.kill();
  });

  it('stops polling while too many records are unacknowledged', async () => {
    const { world } = oneQueueWorld();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.cluster.fate = (_queue, batch) =>
      batch.messages[0]?.body.toString() === 't0' ? { kind: 'hold', until: held } : { kind: 'store' };
    const source = world.source({ a: listOf(100) }, 5);
    const { loop, counters } = world.loop(source, { settings: { maxBufferedRecords: 12 } });
    await loop.start();
    await world.clock.advance(5000);
    expect(counters.bufferedRecords).toBe(12);
    expect(source.polls).toBe(3);
    release();
    await world.clock.until(() => counters.recordsSent === 100);
    expect(counters.bufferedRecords).toBe(0);
    expect(counters.bufferedBytes).toBe(0);
    loop.kill();
  });

  it('stores only acknowledged positions, then calls commit', async () => {
    const { world } = oneQueueWorld();
    const source = world.source({ a: listOf(7) });
    world.cluster.fate = (_queue, batch) =>
      batch.messages.some(({ body }) => body.toString() === 't5') ? { kind: 'reject', retriable: true } : { kind: 'store' };
    const { loop, counters } = world.loop(source);
    await loop.start();
    await world.clock.until(() => counters.recordsSent > 0);
    await world.clock.advance(3000);
    const sent = counters.recordsSent;
    expect(sent).toBeLessThanOrEqual(5);
    expect(source.committed.at(-1)?.position).toEqual({ position: sent });
    expect(world.positions.writes.at(-1)?.partitions[0]).toMatchObject({
      position: { position: sent },
      nextSeq: sent + 1,
    });
    loop.kill();
  });

  it('leaves out what the queue has when the outcome of a send was lost with its connection', async () => {
    for (const visible of [0, 2, 3]) {
      const { world, queue } = oneQueueWorld();
      let isFirst = true;
      world.cluster.fate = (_queue, batch) => {
        if (!isFirst || batch.messages[0]?.body.toString() !== 't3') return { kind: 'store' };
        isFirst = false;
        return { kind: 'part-unknown', count: visible };
      };
      const { loop, counters } = world.loop(world.source({ a: listOf(9) }, 3));
      await loop.start();
      await world.clock.until(() => counters.recordsSent === 9);
      expect(readEverything(queue)).toEqual(valuesOf(9));
      world.cluster.landLate();
      expect(readEverything(queue).length).toBeGreaterThan(9);
      expect(readValid(queue)).toEqual(valuesOf(9));
      loop.kill();
    }
  });

  it('resends nothing before the outcome of a send is settled', async () => {
    const { world, queue } = oneQueueWorld();
    let settle: (settlement: SettledSend) => void = () => undefined;
    const settled = new Promise<SettledSend>((resolve) => (settle = resolve));
    let isFirst = true;
    world.cluster.fate = (_queue, batch) => {
      if (!isFirst || batch.messages[0]?.body.toString() !== 't0') return { kind: 'store' };
      isFirst = false;
      return { kind: 'store-unknown', settled };
    };
    const { loop, counters } = world.loop(world.source({ a: listOf(3) }));
    await loop.start();
    await world.clock.advance(30_000);
    expect(world.cluster.sends).toHaveLength(1);
    settle('stored');
    await world.clock.until(() => counters.recordsSent === 3);
    expect(readEverything(queue)).toEqual(valuesOf(3));
    loop.kill();
  });

  it('drains, stores clean positions and stops the task when asked to stop', async () => {
    const { world } = oneQueueWorld();
    const source = world.source({ a: listOf(8) });
    const { loop } = world.loop(source);
    await loop.start();
    await world.clock.settle();
    const end = await loop.stop();
    expect(end).toEqual({ kind: 'stopped', clean: true });
    expect(source.stops).toBe(1);
    expect(isClean(world.positions.writes.at(-1))).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('ends unclean when the queue cannot be reached within the shutdown timeout', async () => {
    const { world } = oneQueueWorld();
    world.cluster.fate = () => ({ kind: 'reject', retriable: true });
    const { loop } = world.loop(world.source({ a: listOf(8) }));
    await loop.start();
    await world.clock.advance(100);
    let end: unknown;
    void loop.stop().then((result) => (end = result));
    await world.clock.until(() => end !== undefined, 5000);
    expect(end).toEqual({ kind: 'stopped', clean: false });
    expect(world.positions.writes.some(isClean)).toBe(false);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('neither sends nor stores without the lease and resumes when it is held again', async () => {
    const { world, queue } = oneQueueWorld();
    const { loop, counters } = world.loop(world.source({ a: listOf(6) }, 3));
    await loop.start();
    world.lease.lose();
    await world.clock.advance(10_000);
    expect(queue.messages).toHaveLength(0);
    expect(world.positions.writes).toHaveLength(0);
    world.lease.regain();
    await world.clock.until(() => counters.recordsSent === 6);
    expect(readEverything(queue)).toEqual(valuesOf(6));
    loop.kill();
  });

  it('polls nothing while it is paused and still stores what was acknowledged', async () => {
    const { world } = oneQueueWorld();
    const source = world.source({ a: listOf(100) }, 1);
    const { loop, counters } = world.loop(source);
    await loop.start();
    loop.pause(() => undefined);
    await world.clock.advance(2000);
    const { polls } = source;
    await world.clock.advance(5000);
    expect(source.polls).toBe(polls);
    expect(source.committed.at(-1)?.position).toEqual({ position: counters.recordsPolled });
    loop.resume();
    await world.clock.until(() => counters.recordsSent === 100);
    loop.kill();
  });

  it('fails with the task’s error and stops the task', async () => {
    const { world } = oneQueueWorld();
    const cause = new Error('disk on fire');
    let stops = 0;
    const task: SourceTask = {
      start: () => Promise.resolve(),
      poll: () => Promise.reject(cause),
      stop: () => {
        stops++;
        return Promise.resolve();
      },
    };
    const { loop } = world.loop(task);
    await loop.start();
    expect(await loop.ended).toEqual({ kind: 'failed', error: cause, clean: true });
    expect(stops).toBe(1);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('makes a poll again after a retriable error', async () => {
    const { world, queue } = oneQueueWorld();
    const source = world.source({ a: listOf(3) });
    const poll = source.poll.bind(source);
    let failures = 3;
    source.poll = (signal) => (failures-- > 0 ? Promise.reject(Object.assign(new Error('busy'), { retriable: true })) : poll(signal));
    const { loop, counters } = world.loop(source);
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 3);
    expect(readEverything(queue)).toEqual(valuesOf(3));
    loop.kill();
  });

  it('leaves out a record that cannot be converted when that is tolerated, and its position still advances', async () => {
    const { world, queue } = oneQueueWorld();
    const encoder = {
      encode: (record: SourceRecord) => {
        if (record.value === 't2') throw new Error('not convertible');
        return { body: Buffer.from(record.value as string), properties: '' };
      },
    };
    const source = world.source({ a: listOf(3) });
    const { loop, counters } = world.loop(source, { encoder, settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['t0', 't1']);
    expect(counters.recordsSkipped).toBe(1);
    expect(source.committed.at(-1)?.position).toEqual({ position: 3 });
    const strict = world.loop(world.source({ b: listOf(3) }), { encoder });
    await strict.loop.start();
    const end = await strict.loop.ended;
    expect(String((end as { error: unknown }).error)).toMatch(/not convertible\. With errors\.tolerance=all the task skips/);
  });

  it('names the setting that skips a record which the task itself cannot hand over', async () => {
    const { world } = oneQueueWorld();
    const source = world.source({ a: [] });
    let skip: (error: ConnectError) => void = () => undefined;
    const task: SourceTask = {
      start: (context) => {
        skip = (error) => {
          context.skipRecord(error);
        };
        return source.start(context);
      },
      poll: () => {
        skip(new ConnectError(ConnectErrorCode.recordTooLarge, 'The line is too long.'));
        return Promise.resolve([]);
      },
      stop: () => source.stop(),
    };
    const { loop } = world.loop(task);
    await loop.start();
    expect(await loop.ended).toMatchObject({
      kind: 'failed',
      error: {
        code: 'CONNECT_RECORD_TOO_LARGE',
        message: 'The line is too long. With errors.tolerance=all the task skips such records and counts them.',
      },
    });
  });

  it('passes on that the task asks for new task configs', async () => {
    const { world } = oneQueueWorld();
    const source = world.source({ a: [] });
    const task: SourceTask = {
      start: async (context) => {
        await source.start(context);
        context.requestTaskReconfiguration();
      },
      poll: (signal) => source.poll(signal),
      stop: () => source.stop(),
    };
    const { loop } = world.loop(task);
    await loop.start();
    expect(world.reconfigurationRequests).toBe(1);
    await loop.stop();
  });
});
