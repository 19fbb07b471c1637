import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import { JavaPattern } from '@sluice/transforms';
import { SinkWorld } from '../testing/sink-world.js';
import { unbroken } from '../testing/successor.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

function oneQueue(): { world: SinkWorld; ref: QueueRef; sink: TransactionalSink } {
  const world = new SinkWorld();
  const [ref] = world.cluster.addTopic('t', 1);
  return { world, ref: ref!, sink: new TransactionalSink(newSinkStorage()) };
}

function range(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);
}

async function stopped(world: SinkWorld, loop: { stop(): Promise<unknown> }): Promise<unknown> {
  let end: unknown;
  void loop.stop().then((result) => (end = result));
  await world.clock.until(() => end !== undefined);
  return end;
}

describe('the sink task loop', () => {
  it('puts the records of a queue in order, flushes, then commits the offset of the next record', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 100));
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.offsetCommits === 2);
    expect(sink.storage.values).toEqual(range('v', 0, 100));
    expect(world.offsets.offsets.get(`g ${queueKey(ref)}`)).toBe(100);
    expect(await stopped(world, loop)).toEqual({ kind: 'stopped', clean: true });
    expect(sink.calls.slice(-2)).toEqual(['close', 'stop']);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('takes every message that somebody copied here from other queues with all its properties, and no copied barrier', async () => {
    const { world, ref, sink } = oneQueue();
    const origins = world.cluster.addTopic('original', 2);
    const copy = (): void => {
      for (const origin of origins) {
        for (const { body, rawProperties } of world.cluster.queue(origin).messages)
          world.cluster.queue(ref).append([{ body, properties: rawProperties }], world.clock.wallMs());
      }
    };
    const [first, second] = origins;
    world.barrier(first!, 2);
    world.stamped(first!, 'a', 2, 4, 5, 6);
    world.stamped(second!, 'a', 1, 1, 2, 3);
    copy();
    copy();
    world.stamped(ref, 'b', 1, 1, 2, 2);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.offsetCommits === 2);
    const copies = ['a4', 'a5', 'a6', 'a1', 'a2', 'a3'];
    expect(sink.storage.values).toEqual([...copies, ...copies, 'b1', 'b2']);
    expect(counters).toMatchObject({ droppedRepeatedSeq: 1, droppedOlderGeneration: 0 });
    await stopped(world, loop);
  });

  it('counts the records that were put back from a dead letter topic', async () => {
    const { world, ref, sink } = oneQueue();
    world.stamped(ref, 'a', 1, 1);
    world.plain(ref, 'v');
    const properties = Buffer.from('TAGS\u0001paid\u0002sluice-redriven\u00012\u0002');
    world.cluster.queue(ref).append([{ body: Buffer.from('again'), properties }], world.clock.wallMs());
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(['a1', 'v', 'again']);
    expect(counters).toMatchObject({ recordsRead: 3, recordsRedriven: 1 });
    await stopped(world, loop);
  });

  it('drops barriers, repeated seqs and what an older generation wrote after a barrier, and counts them', async () => {
    const { world, ref, sink } = oneQueue();
    world.barrier(ref, 1);
    world.stamped(ref, 'a', 1, 1, 2, 3);
    world.stamped(ref, 'a', 1, 2, 3, 4);
    world.barrier(ref, 2);
    world.stamped(ref, 'a', 1, 5, 6);
    world.stamped(ref, 'a', 2, 5, 6);
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(range('a', 1, 7));
    expect(counters.droppedRepeatedSeq).toBe(2);
    expect(counters.droppedOlderGeneration).toBe(2);
    expect(sink.storage.positions.get(queueKey(ref))?.nextOffset).toBe(12);
    loop.kill();
  });

  it('drops a record that repeats one from before a restart, because the sink stored the filter’s state', async () => {
    const { world, ref, sink } = oneQueue();
    world.barrier(ref, 1);
    world.stamped(ref, 'a', 1, 1, 2, 3);
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => first.counters.flushes === 1);
    first.loop.kill();
    world.stamped(ref, 'a', 1, 2, 3, 4);
    const second = world.loop(new TransactionalSink(sink.storage));
    await second.loop.start();
    await world.clock.until(() => second.counters.flushes === 1);
    expect(sink.storage.values).toEqual(range('a', 1, 5));
    second.loop.kill();
  });

  it('begins where the sink says, else at the group’s offset, else by the reset policy', async () => {
    const world = new SinkWorld();
    const [a, b, c] = world.cluster.addTopic('t', 3);
    const [d] = world.cluster.addTopic('u', 1);
    for (const ref of [a!, b!, c!, d!]) world.plain(ref, ...range(`${ref.topic}${ref.queueId}-`, 0, 5));
    const sink = new TransactionalSink(newSinkStorage());
    sink.storage.positions.set(queueKey(a!), { queue: a!, nextOffset: 4 });
    world.offsets.offsets.set(`g ${queueKey(a!)}`, 1).set(`g ${queueKey(b!)}`, 3);
    const { loop, counters } = world.loop(sink, {
      settings: { offsetReset: 'latest' },
      subscription: { topics: { kind: 'names', names: ['t', 'u'] } },
    });
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    // Queue 2 of t is new to a group that knows t: it is read from its oldest message; u is new altogether.
    expect([...sink.storage.values].sort()).toEqual(['t0-4', 't1-3', 't1-4', ...range('t2-', 0, 5)]);
    expect(world.offsets.offsets.get(`g ${queueKey(d!)}`)).toBe(5);
    loop.kill();
  });

  it('puts the same records again after a retriable error, and nothing else before', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 10));
    const attempts: string[][] = [];
    const put = sink.put.bind(sink);
    sink.put = (records, signal) => {
      attempts.push(records.map(({ value }) => value as string));
      return attempts.length < 4 ? Promise.reject(Object.assign(new Error('busy'), { retriable: true })) : put(records, signal);
    };
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 10);
    expect(new Set(attempts.map((values) => values.join())).size).toBe(1);
    expect(counters.putRetries).toBe(3);
    loop.kill();
  });

  it('gives up a retriable error after the retry timeout, with the error as the reason', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'v');
    const busy = Object.assign(new Error('busy'), { retriable: true });
    sink.put = () => Promise.reject(busy);
    const { loop } = world.loop(sink, { settings: { retryTimeoutMs: 3000 } });
    await loop.start();
    let end: unknown;
    void loop.ended.then((result) => (end = result));
    await world.clock.until(() => end !== undefined, 4000);
    expect(end).toEqual({ kind: 'failed', error: busy, clean: false });
    expect(world.offsets.offsets.get(`g ${queueKey(ref)}`)).toBe(0);
    expect(sink.calls.slice(-2)).toEqual(['close', 'stop']);
  });

  it('fails on a record that cannot be converted, after those before it were put and flushed', async () => {
    const { world, ref, sink } = oneQueue();
    world.barrier(ref, 1);
    world.stamped(ref, 'a', 1, 1, 2);
    world.plain(ref, 'poison', 'later');
    const { loop } = world.loop(sink);
    await loop.start();
    const end = await loop.ended;
    expect(sink.storage.values).toEqual(['a1', 'a2']);
    expect(sink.storage.positions.get(queueKey(ref))?.nextOffset).toBe(3);
    expect(String((end as { error: unknown }).error)).toContain(
      't@broker-a:0 at offset 3 cannot be converted: not a text. With errors.tolerance=all the task skips such records',
    );
  });

  it('leaves out a record that cannot be converted when that is tolerated', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'v0', 'poison', 'v1');
    const { loop, counters } = world.loop(sink, { settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(['v0', 'v1']);
    expect(counters.recordsSkipped).toBe(1);
    expect(world.logger.lines.join('\n')).toContain('at offset 1 cannot be converted');
    loop.kill();
  });

  it('leaves out a message with the property of a barrier and a body that cannot be decompressed, also in what it reads to warm up', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'v0');
    world.barrier({ ...ref, queueId: 7 }, 1, ref);
    world.plain(ref, 'v1');
    const { messages } = world.cluster.queue(ref);
    Object.defineProperty(messages[1], 'body', {
      get: () => {
        throw new Error('not compressed');
      },
    });
    const { loop, counters } = world.loop(sink, { settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(['v0', 'v1']);
    expect(counters.recordsSkipped).toBe(1);
    expect(world.logger.lines.join('\n')).toContain('at offset 1 cannot be converted: not compressed');
    loop.kill();
    world.plain(ref, 'v2');
    const second = world.loop(new TransactionalSink(sink.storage, false));
    await second.loop.start();
    await world.clock.until(() => second.counters.flushes === 1);
    expect(sink.storage.values).toEqual(['v0', 'v1', 'v2']);
    second.loop.kill();
  });

  it('fails, naming what is lost, when retention has passed its offset, and resumes only when that is tolerated', async () => {
    for (const skipsBadRecords of [false, true]) {
      const { world, ref, sink } = oneQueue();
      world.plain(ref, ...range('v', 0, 10));
      world.cluster.queue(ref).minOffset = 6;
      world.offsets.offsets.set(`g ${queueKey(ref)}`, 2);
      const { loop, counters } = world.loop(sink, { settings: { skipsBadRecords } });
      await loop.start();
      if (skipsBadRecords) {
        await world.clock.until(() => counters.flushes === 1);
        expect(sink.storage.values).toEqual(range('v', 6, 10));
        loop.kill();
      } else expect(String(((await loop.ended) as { error: unknown }).error)).toContain('4 record(s) are lost');
      expect(counters.recordsLost).toBe(4);
    }
  });

  it('fails when its offset lies beyond the end of the queue', async () => {
    const { world, ref, sink } = oneQueue();
    world.offsets.offsets.set(`g ${queueKey(ref)}`, 50);
    const { loop } = world.loop(sink, { settings: { skipsBadRecords: true } });
    await loop.start();
    expect(String(((await loop.ended) as { error: unknown }).error)).toContain('at offset 50, but it ends at 0');
  });

  it('reads queues that the topic gets later from their beginning', async () => {
    const { world, sink } = oneQueue();
    const { loop, counters } = world.loop(sink, { settings: { offsetReset: 'latest' } });
    await loop.start();
    const [, later] = world.cluster.addTopic('t', 2);
    world.plain(later!, 'v0', 'v1');
    await world.clock.until(() => counters.recordsPut === 2, 31_000);
    expect(sink.opened.map(({ queueId }) => queueId)).toEqual([0, 1]);
    loop.kill();
  });

  it('reads topics that come while it runs from their beginning', async () => {
    const world = new SinkWorld();
    const sink = new TransactionalSink(newSinkStorage());
    const { loop, counters } = world.loop(sink, {
      settings: { offsetReset: 'latest' },
      subscription: { topics: { kind: 'names', names: ['not-yet'] } },
    });
    await loop.start();
    const [ref] = world.cluster.addTopic('not-yet', 1);
    world.plain(ref!, 'v0', 'v1');
    await world.clock.until(() => counters.recordsPut === 2, 31_000);
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(['v0', 'v1']);
    loop.kill();
  });

  it('subscribes to the topics whose whole name matches a pattern, without internal ones', async () => {
    const world = new SinkWorld();
    for (const topic of ['orders-eu', 'orders', 'x-orders-eu', '%RETRY%orders-eu', 'sluice-main-log']) world.cluster.addTopic(topic, 1);
    const sink = new TransactionalSink(newSinkStorage());
    const { loop } = world.loop(sink, {
      subscription: { topics: { kind: 'pattern', pattern: new JavaPattern('orders(-eu)?|.*log|.*RETRY.*') } },
    });
    await loop.start();
    expect(sink.opened.map(({ topic }) => topic).sort()).toEqual(['orders', 'orders-eu']);
    loop.kill();
  });

  it('neither puts nor flushes without the lease and resumes when it is held again', async () => {
    const { world, ref, sink } = oneQueue();
    const { loop, counters } = world.loop(sink);
    await loop.start();
    world.lease.lose();
    world.plain(ref, 'v0');
    await world.clock.advance(5000);
    expect(sink.calls).toEqual(['start', 'open']);
    world.lease.regain();
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(['v0']);
    loop.kill();
  });

  it('ends after a gap in the lease; its next run reads on where another runner has ended', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'v0');
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    world.lease.lose();
    world.plain(ref, 'v1');
    const successor = world.loop(new TransactionalSink(sink.storage), { ports: { lease: unbroken } });
    await successor.loop.start();
    await world.clock.until(() => successor.counters.flushes === 1);
    successor.loop.kill();
    world.plain(ref, 'v2');
    world.lease.regain(100);
    await world.clock.advance(5000);
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { code: 'CONNECT_FENCED' } });
    const next = world.loop(new TransactionalSink(sink.storage));
    await next.loop.start();
    await world.clock.until(() => next.counters.flushes === 1);
    next.loop.kill();
    expect(sink.storage.values).toEqual(['v0', 'v1', 'v2']);
  });

  it('puts nothing while it is paused, keeps its queues, and resumes', async () => {
    const { world, ref, sink } = oneQueue();
    const { loop, counters } = world.loop(sink);
    await loop.start();
    loop.pause(() => undefined);
    world.plain(ref, 'v0');
    await world.clock.advance(5000);
    expect(sink.calls).toEqual(['start', 'open']);
    loop.resume();
    await world.clock.until(() => counters.flushes === 1);
    loop.kill();
  });

  it('reads ahead within its bounds while a put is slow', async () => {
    const { world, ref, sink } = oneQueue();
    for (let n = 0; n < 40; n++) world.plain(ref, ...range('x'.repeat(100), 0, 32));
    let release = (): void => undefined;
    sink.put = () => new Promise<void>((resolve) => (release = resolve));
    let answers = 0;
    const { messages } = world.cluster;
    const { loop } = world.loop(sink, {
      settings: { maxAheadPerQueue: { maxBytes: 10_000, maxRecords: 1000 } },
      ports: {
        messages: {
          ...messages,
          read: (queue, from, signal) => {
            const reader = messages.read(queue, from, signal);
            return {
              next: () => {
                answers++;
                return reader.next();
              },
              close: () => {
                reader.close();
              },
            };
          },
        },
      },
    });
    await loop.start();
    await world.clock.advance(500);
    // One answer of 32 records has about 3.2 kB: the first is in the put, four fill the bound.
    expect(answers).toBeLessThanOrEqual(8);
    loop.kill();
    release();
    await loop.ended;
  });

  it('gives up a put that outlasts the shutdown timeout, and flushes nothing then', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'v0');
    sink.put = (_records, signal?: AbortSignal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new Error('given up'));
        });
      });
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.settle();
    expect(await stopped(world, loop)).toEqual({ kind: 'stopped', clean: false });
    expect(sink.calls).not.toContain('flush');
    expect(world.clock.pendingTimers).toBe(0);
  });
});
