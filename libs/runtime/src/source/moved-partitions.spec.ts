import { describe, expect, it } from '@jest/globals';
import { parseStamp, queueTag, scanBarrier, scanStamp } from '@sluice/protocol';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { ListedRecord } from '../testing/list-source.js';
import type { FakeQueue } from '../testing/fake-cluster.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { SourceWorld } from '../testing/source-world.js';
import { onTwoQueues, recordsOf, stopWithNextSend, valuesOf } from '../testing/two-queues.js';

function barriersOf({ messages }: FakeQueue): number {
  return messages.filter(({ rawProperties }) => scanBarrier(rawProperties) !== undefined).length;
}

/** Of each message with a stamp, whether that is one for its queue. */
function stampedForItsQueue({ messages, ref }: FakeQueue): readonly boolean[] {
  const stamps = messages.map(({ rawProperties }) => scanStamp(rawProperties)).filter((stamp) => stamp !== undefined);
  return stamps.map((stamp) => parseStamp(stamp, queueTag(ref)) !== undefined);
}

describe('a partition whose queue takes no messages any more', () => {
  it('moves, with all that was not sent, when the queue stays closed for writing', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    stop(first, 'refusing');
    list.push(...recordsOf(50).slice(5));
    await world.clock.advance(5000);
    expect(counters.recordsSent).toBe(5);
    expect(world.waits.list).toMatchObject([{ call: `sending to queue ${queueKey(first.ref)}` }]);
    await world.clock.until(() => counters.recordsSent === 50, 20_000);
    expect([readEverything(first), readValid(other)]).toEqual([valuesOf(5), valuesOf(50, 5)]);
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Queue t.* has taken no messages for 1\d s: 1 partition\(s\) of it go to queue t.* from now on\.$/),
    ]);
    await loop.stop();
    const writes = world.positions.writes.flatMap(({ partitions, settled }) => [
      ...partitions.flatMap(({ routes }) => routes),
      ...settled.map(({ queue }) => queue),
    ]);
    expect(writes).toContainEqual(other.ref);
    expect(world.positions.writes.flatMap(({ settled }) => settled)).toContainEqual({
      index: 0,
      generation: 1,
      queue: first.ref,
    });
    const second = world.loop(world.source({ a: recordsOf(60) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 10);
    expect(readEverything(other)).toEqual(valuesOf(60, 5));
    expect([barriersOf(first), barriersOf(other)]).toEqual([0, 0]);
    second.loop.kill();
  });

  it('moves between two batches while the broker still stores what is sent to the closed queue', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    stop(first, 'closed');
    list.push(...recordsOf(7).slice(5));
    await world.clock.until(() => counters.recordsSent === 7);
    await world.clock.advance(30_000);
    expect(world.warnings.list).toHaveLength(1);
    list.push(...recordsOf(9).slice(7));
    await world.clock.until(() => counters.recordsSent === 9);
    expect([readEverything(first), readEverything(other)]).toEqual([valuesOf(7), valuesOf(9, 7)]);
    await loop.stop();
    expect(world.positions.writes.at(-1)?.partitions.at(-1)).toMatchObject({ routes: [other.ref], nextSeq: 10 });
  });

  it('leaves its queue to new partitions once the queue takes messages again', async () => {
    const fresh = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`p${n}`, [] as ListedRecord[]]));
    const { world, loop, counters, list, first, stop } = await onTwoQueues({}, fresh);
    stop(first, 'closed');
    list.push(...recordsOf(7).slice(5));
    await world.clock.until(() => counters.recordsSent === 7);
    await world.clock.advance(30_000);
    expect(world.warnings.list).toHaveLength(1);
    world.cluster.stopped.clear();
    await world.clock.advance(60_000);
    for (const [name, records] of Object.entries(fresh)) records.push({ topic: 't', value: `new ${name}` });
    await world.clock.until(() => counters.recordsSent === 13);
    expect(readEverything(first).filter((value) => value.startsWith('new'))).toHaveLength(4);
    loop.kill();
  });

  it('waits for an unavailable broker, and stays when that comes back in time', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    stop(first, 'unavailable');
    list.push(...recordsOf(10).slice(5));
    await world.clock.advance(290_000);
    expect(counters.recordsSent).toBe(5);
    world.cluster.stopped.clear();
    await world.clock.until(() => counters.recordsSent === 10, 10_000);
    stop(first, 'unavailable');
    list.push(...recordsOf(11).slice(10));
    await world.clock.advance(290_000);
    expect([readEverything(first), readEverything(other)]).toEqual([valuesOf(10), []]);
    await world.clock.until(() => counters.recordsSent === 11, 20_000);
    expect(readEverything(other)).toEqual(valuesOf(11, 10));
    loop.kill();
  });

  it('resumes soon after an operator created its topic, also in the middle of a long backoff, and shows what it waits for', async () => {
    const backoff = { initialMs: 10, maxMs: 60_000 };
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues({ backoff });
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    list.push(...recordsOf(10).slice(5));
    const isLong = (line: string): boolean => /again in [2-6]\d{4} ms/.test(line);
    await world.clock.until(() => world.logger.lines.some(isLong), 250_000);
    expect(world.waits.list).toMatchObject([
      { error: expect.stringMatching(/has had no broker for \d+ s\. After 300 s the task sends to another queue/) },
    ]);
    world.cluster.stopped.clear();
    await world.clock.until(() => counters.recordsSent === 10, 5000);
    loop.kill();
  });

  it('tries again at once after it created its topic, of which brokers hear late', async () => {
    const backoff = { initialMs: 10, maxMs: 60_000 };
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues({ backoff });
    const { queues } = world.cluster.producer;
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    let isCreated = false;
    world.cluster.producer.queues = (topic) => {
      isCreated = true;
      world.cluster.stopped.clear();
      return queues(topic);
    };
    list.push(...recordsOf(10).slice(5));
    await world.clock.until(() => isCreated, 400_000);
    await world.clock.until(() => counters.recordsSent === 10, 100);
    loop.kill();
  });

  it('waits without end where that is asked for', async () => {
    const { world, loop, counters, list, first, stop } = await onTwoQueues({ maxUnavailableMs: undefined });
    stop(first, 'unavailable');
    list.push(...recordsOf(10).slice(5));
    await world.clock.advance(1_200_000);
    expect(counters.recordsSent).toBe(5);
    loop.kill();
  });

  it('waits while the topic has no other queue, or nobody says which it has', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    stop(first, 'refusing');
    stop(other, 'refusing');
    list.push(...recordsOf(10).slice(5));
    await world.clock.advance(60_000);
    expect(counters.recordsSent).toBe(5);
    world.cluster.stopped.delete(queueKey(other.ref));
    await world.clock.until(() => counters.recordsSent === 10, 20_000);
    loop.kill();
  });

  it('continues in its topic when that was deleted and may be created again', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    const { queues } = world.cluster.producer;
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    let asked = 0;
    world.cluster.producer.queues = (topic) => {
      asked++;
      world.cluster.stopped.clear();
      return queues(topic);
    };
    list.push(...recordsOf(10).slice(5));
    await world.clock.advance(290_000);
    expect([counters.recordsSent, asked]).toEqual([5, 0]);
    await world.clock.until(() => counters.recordsSent === 10, 20_000);
    expect([readEverything(first), asked]).toEqual([valuesOf(10), 1]);
    loop.kill();
  });

  it('sends only what the closed queue does not have of a batch whose outcome was unknown', async () => {
    const queues = await onTwoQueues();
    const { world, loop, counters, list, first, other } = queues;
    stopWithNextSend(queues, 'refusing', { kind: 'part-unknown', count: 2 });
    list.push(...recordsOf(9).slice(5));
    await world.clock.until(() => counters.recordsSent === 9, 60_000);
    expect([readEverything(first), readEverything(other)]).toEqual([valuesOf(7), valuesOf(9, 7)]);
    loop.kill();
  });

  it('sends again what a lost broker may have, and says so', async () => {
    const queues = await onTwoQueues();
    const { world, loop, counters, list, first, other } = queues;
    stopWithNextSend(queues, 'unavailable', { kind: 'store-unknown' });
    list.push(...recordsOf(9).slice(5));
    await world.clock.until(() => counters.recordsSent === 9, 400_000);
    expect([readEverything(first), readEverything(other)]).toEqual([valuesOf(9), valuesOf(9, 5)]);
    expect(world.warnings.list.at(-1)?.message).toMatch(/has had no broker for 30\d s: .* may be there twice\.$/);
    loop.kill();
  });

  it('is taken over from an owner that died after the move, by what both queues have', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    stop(first, 'refusing');
    list.push(...recordsOf(8).slice(5));
    await world.clock.until(() => counters.recordsSent === 8, 20_000);
    loop.kill();
    const second = world.loop(world.source({ a: recordsOf(12) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 4);
    expect([readValid(first), readValid(other)]).toEqual([valuesOf(5), valuesOf(12, 5)]);
    expect(second.counters.incompleteScans).toBe(0);
    second.loop.kill();
  });

  it('is taken over from an owner that died before the move: a closed queue is examined up to its end', async () => {
    const { world, loop, list, first, other, stop } = await onTwoQueues();
    world.cluster.fate = () => ({ kind: 'store-unknown', settled: new Promise(() => undefined) });
    list.push(...recordsOf(8).slice(5));
    await world.clock.until(() => first.messages.length === 8);
    loop.kill();
    world.cluster.fate = () => ({ kind: 'store' });
    stop(first, 'refusing');
    const second = world.loop(world.source({ a: recordsOf(12) }));
    const started = second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 4, 60_000);
    await started;
    expect([readEverything(first), readEverything(other)]).toEqual([valuesOf(8), valuesOf(12, 8)]);
    second.loop.kill();
  });

  it.each([300_000, undefined])('is taken over without what a lost broker has after %p ms, which is an error', async (limit) => {
    const { world, loop, first, other, stop } = await onTwoQueues();
    loop.kill();
    stop(first, 'unavailable');
    const second = world.loop(world.source({ a: recordsOf(12) }), { settings: { maxUnavailableMs: limit } });
    const started = second.loop.start();
    started.catch(() => undefined);
    await world.clock.advance(290_000);
    expect(second.counters.recordsSent).toBe(0);
    await world.clock.advance(60_000);
    expect(second.counters.recordsSent).toBe(limit === undefined ? 0 : 7);
    expect(second.counters.incompleteScans).toBe(limit === undefined ? 0 : 1);
    expect(world.logger.lines.some((line) => /^error Queue .* has had no broker for 30\d s, and is not examined/.test(line))).toBe(
      limit !== undefined,
    );
    if (limit !== undefined) expect(readValid(other)).toEqual(valuesOf(12, 5));
    second.loop.kill();
  });

  it('is taken over without the records of a lost broker, even where retries are minutes apart', async () => {
    const { world, loop, other, first, stop } = await onTwoQueues();
    loop.kill();
    stop(first, 'unavailable');
    const settings = { backoff: { initialMs: 400_000, maxMs: 400_000 } };
    const second = world.loop(world.source({ a: recordsOf(12) }), { settings });
    second.loop.start().catch(() => undefined);
    await world.clock.until(() => second.counters.recordsSent === 7, 2_400_000);
    expect(readValid(other)).toEqual(valuesOf(12, 5));
    second.loop.kill();
  });

  it('comes back to a queue that was closed for a while, in a later move, under the numbers that follow', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    const turn = async (from: FakeQueue, count: number): Promise<void> => {
      world.cluster.stopped.clear();
      stop(from, 'refusing');
      list.push(...recordsOf(count).slice(list.length));
      await world.clock.until(() => counters.recordsSent === count, 60_000);
    };
    await turn(first, 8);
    await turn(other, 11);
    await world.clock.advance(5000);
    await turn(first, 14);
    loop.kill();
    const second = world.loop(world.source({ a: recordsOf(15) }));
    const started = second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 1, 60_000);
    await started;
    const inFirst = [...valuesOf(5), ...valuesOf(11, 8)];
    expect([readValid(first), readValid(other)]).toEqual([inFirst, [...valuesOf(8, 5), ...valuesOf(15, 11)]]);
    second.loop.kill();
  });
});

describe('a batch that has moved', () => {
  it('keeps the stamps of its new queue in what is sent again there after a reply was lost', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    let sends = 0;
    world.cluster.fate = (queue) => {
      if (queueKey(queue) !== queueKey(other.ref)) return { kind: 'store' };
      sends++;
      return sends === 1 ? { kind: 'part-unknown', count: 2 } : { kind: 'store' };
    };
    stop(first, 'refusing');
    list.push(...recordsOf(50).slice(5));
    await world.clock.until(() => counters.recordsSent === 50, 60_000);
    world.cluster.landLate();
    expect(sends).toBeGreaterThan(1);
    expect(readValid(other)).toEqual(valuesOf(50, 5));
    expect(stampedForItsQueue(other)).not.toContain(false);
    loop.kill();
  });
});

describe('partitions of several queues', () => {
  it('flow on while one moves', async () => {
    const world = new SourceWorld();
    const refs: QueueRef[] = ['broker-a', 'broker-b', 'broker-c'].flatMap((broker) => world.cluster.addTopic('t', 1, broker));
    const named = (file: string): { topic: string; value: string }[] =>
      Array.from({ length: 20 }, (_, index) => ({ topic: 't', value: `${file}${index}` }));
    const files = ['a', 'b', 'c', 'd', 'e', 'f'];
    const { loop, counters } = world.loop(world.source(Object.fromEntries(files.map((file) => [file, named(file)])), 7));
    world.cluster.stopped.set(queueKey(refs[1]!), 'unavailable');
    world.cluster.producer.queues = () => Promise.resolve(refs);
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 120, 400_000);
    const found = refs.flatMap((ref) => readValid(world.cluster.queue(ref)));
    for (const file of files) {
      expect(found.filter((value) => value.startsWith(file))).toEqual(named(file).map(({ value }) => value));
    }
    loop.kill();
  });
});
