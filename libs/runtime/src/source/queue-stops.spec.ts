import { describe, expect, it } from '@jest/globals';
import { queueKey } from '@sluice/sdk';
import { SendFailure } from '../ports/record-producer.port.js';
import type { ListedRecord } from '../testing/list-source.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { SourceWorld } from '../testing/source-world.js';
import { endOf } from '../testing/successor.js';
import { onTwoQueues, recordsOf, stopWithNextSend, valuesOf } from '../testing/two-queues.js';

describe('a topic that was deleted and created again', () => {
  it('is reported by a take-over after a crash, which sends the last records again', async () => {
    const { world, loop, counters, list, first } = await onTwoQueues();
    first.messages.length = 0;
    list.push(...recordsOf(7).slice(5));
    await world.clock.until(() => counters.recordsSent === 7);
    loop.kill();
    const second = world.loop(world.source({ a: recordsOf(8) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 3);
    expect(readEverything(first)).toEqual([...valuesOf(7, 5), ...valuesOf(8, 5)]);
    expect(second.counters.incompleteScans).toBe(1);
    expect(world.logger.lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringMatching(/: it was created again or lost its tail\. .* may get records after them twice$/),
    ]);
    second.loop.kill();
  });
});

describe('how long a queue has been stopped', () => {
  it('grows while the broker still stores what is sent to a closed queue', async () => {
    const { world, loop, list, first, other, stop } = await onTwoQueues();
    stop(first, 'closed');
    for (let second = 0; second < 60; second++) {
      list.push(...recordsOf(list.length + 1).slice(-1));
      await world.clock.advance(1000);
    }
    loop.kill();
    expect(first.messages.length).toBeLessThan(40);
    expect(readEverything(other).length).toBeGreaterThan(20);
    expect(world.warnings.list).toHaveLength(1);
  });

  it('starts over when an unavailable queue shows as closed, as by a replica that stands in for its master', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    stop(first, 'unavailable');
    list.push(...recordsOf(8).slice(5));
    await world.clock.advance(60_000);
    stop(first, 'refusing');
    await world.clock.advance(1500);
    world.cluster.stopped.clear();
    await world.clock.until(() => counters.recordsSent === 8);
    loop.kill();
    expect([first.messages.length, other.messages.length]).toEqual([8, 0]);
  });

  it('starts over when a closed queue becomes unavailable', async () => {
    const { world, loop, list, first, other, stop } = await onTwoQueues();
    stop(first, 'refusing');
    stop(other, 'refusing');
    list.push(...recordsOf(8).slice(5));
    await world.clock.advance(400_000);
    stop(first, 'unavailable');
    world.cluster.stopped.delete(queueKey(other.ref));
    await world.clock.advance(3000);
    loop.kill();
    expect(other.messages).toHaveLength(0);
  });

  it('does not matter once the queue takes messages again, though a send was on its way all the time', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    const { send } = world.cluster.producer;
    world.cluster.producer.send = async (queue, batch, signal) => {
      world.cluster.producer.send = send;
      await world.clock.sleep(40_000, signal);
      return send(queue, batch, signal);
    };
    list.push(...recordsOf(6).slice(5));
    await world.clock.advance(1000);
    stop(first, 'closed');
    await world.clock.advance(25_000);
    world.cluster.stopped.clear();
    await world.clock.until(() => counters.recordsSent === 6, 60_000);
    list.push(...recordsOf(7).slice(6));
    await world.clock.until(() => counters.recordsSent === 7, 60_000);
    loop.kill();
    expect(other.messages).toHaveLength(0);
  });
});

describe('name servers that answer every second question', () => {
  const flap = ({ cluster }: SourceWorld): void => {
    const { lookUpQueue } = cluster.producer;
    let asked = 0;
    cluster.producer.lookUpQueue = (ref) => {
      asked++;
      return asked % 2 === 0 ? Promise.reject(new Error('no name server answers')) : lookUpQueue(ref);
    };
  };

  it('do not have an unavailable queue tried more often than the retry delays say', async () => {
    const backoff = { initialMs: 1000, maxMs: 60_000 };
    const { world, loop, list, first, other, stop } = await onTwoQueues({ backoff, maxUnavailableMs: undefined });
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    flap(world);
    const before = world.cluster.sends.length;
    list.push(...recordsOf(6).slice(5));
    await world.clock.advance(600_000);
    loop.kill();
    // 1, 2, 4 ... 60 s between the tries, each at least half as long by chance.
    expect(world.cluster.sends.length - before).toBeLessThan(30);
  });

  it('do not end a task whose queue is gone, as a refusal does where they say that it takes messages', async () => {
    const { world, loop, counters, list } = await onTwoQueues();
    const { lookUpQueue } = world.cluster.producer;
    let areSilent = true;
    world.cluster.producer.lookUpQueue = (ref) => (areSilent ? Promise.reject(new Error('no name server answers')) : lookUpQueue(ref));
    world.cluster.fate = () => ({ kind: 'reject', retriable: false });
    list.push(...recordsOf(6).slice(5));
    await world.clock.advance(10_000);
    expect(counters.sendRetries).toBeGreaterThan(0);
    areSilent = false;
    expect(await endOf({ world, loop })).toMatchObject({ kind: 'failed', error: { message: 'refused' } });
  });
});

describe('an unknown outcome in a closed queue', () => {
  it('is settled by reading, also when the queue was closed long before', async () => {
    const { world, loop, counters, list, first, other, stop } = await onTwoQueues();
    const { send } = world.cluster.producer;
    world.cluster.producer.send = async (queue, batch, signal) => {
      world.cluster.producer.send = send;
      await send(queue, batch, signal);
      await world.clock.sleep(25_000, signal);
      stop(first, 'refusing');
      throw new SendFailure('reply lost', { outcome: 'unknown', retriable: true });
    };
    stop(first, 'closed');
    list.push(...recordsOf(9).slice(5));
    await world.clock.until(() => counters.recordsSent === 9, 100_000);
    loop.kill();
    expect([readEverything(first), readEverything(other)]).toEqual([valuesOf(9), []]);
  });

  it.each([0, 1])('is examined by the next owner when this one dies after %i sends to the new queue', async (sends) => {
    const queues = await onTwoQueues();
    const { world, loop, list, first, other } = queues;
    const { send } = world.cluster.producer;
    let sent = 0;
    world.cluster.producer.send = (queue, batch, signal) => {
      if (queueKey(queue) !== queueKey(other.ref) || sent++ < sends) return send(queue, batch, signal);
      loop.kill();
      return new Promise(() => undefined);
    };
    stopWithNextSend(queues, 'refusing', { kind: 'part-unknown', count: 2 });
    list.push(...recordsOf(9).slice(5));
    await world.clock.advance(60_000);
    loop.kill();
    world.cluster.producer.send = send;
    const second = world.loop(world.source({ a: recordsOf(12) }));
    const started = second.loop.start();
    await world.clock.advance(60_000);
    await started;
    second.loop.kill();
    expect([...readValid(first), ...readValid(other)]).toEqual(valuesOf(12));
  });
});

describe('a recovery of a queue whose topic has no other', () => {
  const elsewhere = recordsOf(12).map(({ value }) => ({ topic: 'u', value }));

  it('reads a closed queue up to its end', async () => {
    const { world, loop, first, other, stop } = await onTwoQueues();
    loop.kill();
    stop(first, 'refusing');
    stop(other, 'refusing');
    world.cluster.addTopic('u', 1);
    const second = world.loop(world.source({ a: elsewhere }));
    second.loop.start().catch(() => undefined);
    await world.clock.until(() => second.counters.recordsSent === 7, 60_000);
    second.loop.kill();
    expect(second.counters.incompleteScans).toBe(0);
  });

  it('gives up a topic that was deleted for good', async () => {
    const { world, loop, first, other, stop } = await onTwoQueues();
    loop.kill();
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    const { queues } = world.cluster.producer;
    world.cluster.addTopic('u', 1);
    world.cluster.producer.queues = (topic) =>
      topic === 'u' ? queues(topic) : Promise.reject(new SendFailure('no such topic', { outcome: 'not-stored', retriable: false }));
    const second = world.loop(world.source({ a: elsewhere }));
    second.loop.start().catch(() => undefined);
    await world.clock.until(() => second.counters.recordsSent > 0, 400_000);
    second.loop.kill();
    expect(second.counters.incompleteScans).toBe(1);
  });
});

describe('a source with nothing to send', () => {
  it('does not create a deleted topic again', async () => {
    const { world, loop, first, other, stop } = await onTwoQueues();
    const { queues } = world.cluster.producer;
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    let asked = 0;
    world.cluster.producer.queues = (topic) => {
      asked++;
      return queues(topic);
    };
    await world.clock.advance(900_000);
    loop.kill();
    expect(asked).toBe(0);
  });
});

describe('a queue that was left', () => {
  it('is looked at no more, also when nothing was sent to it', async () => {
    const { world, loop, first, other, stop } = await onTwoQueues();
    const ended = loop.stop();
    await world.clock.advance(3000);
    await ended;
    stop(first, 'unavailable');
    const { lookUpQueue } = world.cluster.producer;
    let asked = 0;
    world.cluster.producer.lookUpQueue = (ref) => {
      if (queueKey(ref) === queueKey(first.ref)) asked++;
      return lookUpQueue(ref);
    };
    const second = world.loop(world.source({ a: recordsOf(8) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 3);
    expect(readEverything(other)).toEqual(valuesOf(8, 5));
    await world.clock.advance(20_000);
    asked = 0;
    await world.clock.advance(600_000);
    second.loop.kill();
    expect(asked).toBe(0);
  });

  it('takes the records of a partition that comes while the leaving is stored', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('u', 1, 'broker-a');
    const queues = ['broker-a', 'broker-b'].flatMap((broker) => world.cluster.addTopic('t', 1, broker));
    const inAll = (file: string): { topic: string; value: string }[] => ['t', 'u'].map((topic, n) => ({ topic, value: `${file}${n}` }));
    const lists = { a: inAll('a'), b: inAll('b'), c: inAll('c') };
    const before = world.loop(world.source(lists));
    await before.loop.start();
    await world.clock.until(() => before.counters.recordsSent === 6);
    const ended = before.loop.stop();
    await world.clock.advance(5000);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    const shared = queues
      .map((ref) => readValid(world.cluster.queue(ref)).map(([file]) => file as keyof typeof lists))
      .find(({ length }) => length === 2);
    const [leaving, coming] = shared ?? [];
    if (leaving === undefined || coming === undefined) throw new Error('Two of three partitions share a queue');
    const write = world.positions.write.bind(world.positions);
    const wait = (ms: number): Promise<void> => world.clock.sleep(ms, new AbortController().signal);
    world.positions.write = async (task, change) => {
      await wait(200);
      if (change.settled.some(({ queue }) => queue !== undefined)) lists[coming].push({ topic: 'u', value: 'first' });
      await wait(300);
      return write(task, change);
    };
    const { loop, counters } = world.loop(world.source(lists));
    await loop.start();
    const send = async (file: keyof typeof lists, value: string, sent: number): Promise<void> => {
      lists[file].push({ topic: 't', value });
      await world.clock.until(() => counters.recordsSent === sent, 60_000);
    };
    await send(leaving, 'stays', 1);
    await world.clock.advance(5000);
    const home = queues.find((ref) => readEverything(world.cluster.queue(ref)).includes('stays'));
    world.cluster.stopped.set(home === undefined ? '' : queueKey(home), 'refusing');
    await send(leaving, 'moves', 3);
    await world.clock.advance(5000);
    await send(coming, 'second', 4);
    loop.kill();
    expect(queues.flatMap((ref) => readValid(world.cluster.queue(ref)))).toContain('second');
  });
});

describe('a new partition of a topic whose brokers have just stopped', () => {
  it.each(['unavailable', 'closed'] as const)('does not keep those of other topics waiting: %s', async (state) => {
    const fresh: ListedRecord[] = [];
    const elsewhere: ListedRecord[] = [];
    const { world, loop, counters, first, other, stop } = await onTwoQueues({}, { fresh, elsewhere });
    world.cluster.addTopic('u', 1, 'broker-c');
    elsewhere.push({ topic: 'u', value: 'u0' });
    await world.clock.until(() => counters.recordsSent === 6);
    await world.clock.advance(40_000);
    stop(first, state);
    stop(other, state);
    fresh.push({ topic: 't', value: 'new' });
    await world.clock.advance(1000);
    elsewhere.push({ topic: 'u', value: 'u1' });
    await world.clock.advance(60_000);
    expect(world.cluster.queuesOf('u').map((ref) => world.cluster.queue(ref).messages.length)).toEqual([2]);
    loop.kill();
  });

  it('does not have the topic created again before its queues are gone for long', async () => {
    const fresh: ListedRecord[] = [];
    const { world, loop, first, other, stop } = await onTwoQueues({}, { fresh });
    await world.clock.advance(40_000);
    stop(first, 'unavailable');
    stop(other, 'unavailable');
    const { queues } = world.cluster.producer;
    let created = 0;
    // A missing topic is created where that is allowed.
    world.cluster.producer.queues = (topic) => {
      created++;
      return queues(topic);
    };
    fresh.push({ topic: 't', value: 'new' });
    await world.clock.advance(60_000);
    expect(created).toBe(0);
    loop.kill();
  });
});
