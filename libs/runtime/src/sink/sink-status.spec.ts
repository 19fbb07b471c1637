import { describe, expect, it } from '@jest/globals';
import { queueKey } from '@sluice/sdk';
import { JavaPattern } from '@sluice/transforms';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

describe('what a sink task reports of itself', () => {
  it('is still only when all that it had put is flushed and committed', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    const sink = new TransactionalSink(newSinkStorage());
    const flush = sink.flush.bind(sink);
    let isBusy = true;
    sink.flush = (positions) => (isBusy ? Promise.reject(Object.assign(new Error('busy'), { retriable: true })) : flush(positions));
    world.plain(ref!, 'a', 'b');
    const { loop, counters } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 2);
    let isStill = false;
    loop.pause(() => {
      isStill = true;
    });
    await world.clock.advance(10_000);
    expect(isStill).toBe(false);
    expect(world.waits.list).toMatchObject([{ call: 'flush', error: 'busy' }]);
    isBusy = false;
    await world.clock.until(() => isStill);
    expect(world.offsets.offsets.get(`g ${queueKey(ref!)}`)).toBe(2);
    expect(world.waits.list).toEqual([]);
    world.plain(ref!, 'c');
    await world.clock.advance(10_000);
    expect(sink.storage.values).toEqual(['a', 'b']);
    loop.resume();
    await world.clock.until(() => sink.storage.values.length === 3);
    loop.kill();
  });

  it('warns where more source partitions write to a queue than the filter against duplicates can hold', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    const sink = new TransactionalSink(newSinkStorage());
    for (let n = 0; n < 33_000; n++) world.stamped(ref!, `f${n}`, 1, 1);
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref!)}`) === 33_000);
    await world.clock.advance(60_000);
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^More source partitions write to queue t@broker-a:0 than the filter .* can hold.* forgotten .* 3\d{3} time\(s\)/,
      ),
    ]);
    loop.kill();
  });

  it('waits, and reports so, for each topic that no broker has, also beside one that is there', async () => {
    const world = new SinkWorld();
    world.cluster.addTopic('t', 1);
    const { loop } = world.loop(new TransactionalSink(newSinkStorage()), {
      settings: { refreshIntervalMs: 1000 },
      subscription: { topics: { kind: 'names', names: ['t', 'later'] } },
    });
    await loop.start();
    expect(world.waits.list).toMatchObject([
      {
        call: 'waiting for topics',
        error: "No broker has a queue of topic later: create it, or correct the connector's topics",
      },
    ]);
    world.cluster.addTopic('later', 1);
    await world.clock.until(() => world.waits.list.length === 0, 2000);
    loop.kill();
  });

  it('waits, and reports so, for a topic that matches its pattern', async () => {
    const world = new SinkWorld();
    const { loop } = world.loop(new TransactionalSink(newSinkStorage()), {
      subscription: { topics: { kind: 'pattern', pattern: new JavaPattern('t.*') } },
    });
    await loop.start();
    expect(world.waits.list).toMatchObject([{ error: 'No topic has a name that matches t.*' }]);
    world.cluster.addTopic('t', 1);
    await world.clock.until(() => world.waits.list.length === 0, 2000);
    loop.kill();
  });

  it('logs the group and where each queue is read from, and from whom it has that', async () => {
    const world = new SinkWorld();
    const [first, second] = world.cluster.addTopic('t', 2);
    world.plain(first!, 'a', 'b');
    world.plain(second!, 'c', 'd');
    const sink = new TransactionalSink(newSinkStorage());
    world.offsets.offsets.set(`g ${queueKey(first!)}`, 2);
    sink.storage.positions.set(queueKey(second!), { queue: second!, nextOffset: 1 });
    const { loop } = world.loop(sink);
    await loop.start();
    expect(world.logger.lines).toEqual([
      'info Starting with consumer group g to read t@broker-a:0 at offset 2 (of the group), t@broker-a:1 at offset 1 (of the sink)',
    ]);
    loop.kill();
  });

  it('waits, and reports so, while a broker says that messages are removed which it has', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    world.plain(ref!, 'a');
    const sink = new TransactionalSink(newSinkStorage());
    const { loop, counters } = world.loop(sink, { ports: { messages: world.cluster.contradicting(3) } });
    await loop.start();
    await world.clock.settle();
    const call = 'reading queue t@broker-a:0';
    expect(world.waits.list).toMatchObject([{ call, error: expect.stringContaining('its oldest message is at offset 0') }]);
    const warned = (): readonly string[] => world.logger.lines.filter((line) => line.startsWith('warn'));
    expect(warned()).toHaveLength(1);
    await world.clock.until(() => counters.recordsPut === 1);
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(30);
    expect(warned()).toHaveLength(3);
    expect(warned()[2]).toContain('Reading t@broker-a:0 at offset 0 failed and is retried: the broker contradicts');
    expect(world.waits.list).toEqual([]);
    loop.kill();
  });

  it('warns once of a topic with queues that may be written and not be read', async () => {
    const world = new SinkWorld();
    const [, second] = world.cluster.addTopic('t', 2);
    world.cluster.unreadable.add(queueKey(second!));
    const { loop } = world.loop(new TransactionalSink(newSinkStorage()), { settings: { refreshIntervalMs: 1000 } });
    await loop.start();
    await world.clock.advance(10_000);
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      expect.stringContaining(`Topic t has 1 queue(s) that may be written and not be read: ${queueKey(second!)}`),
    ]);
    loop.kill();
  });

  it('warns once of each client that consumes with its group beside it, and asks one broker a minute', async () => {
    const world = new SinkWorld();
    const [first, second] = world.cluster.addTopic('t', 2);
    const { loop } = world.loop(new TransactionalSink(newSinkStorage()), { settings: { refreshIntervalMs: 1000 } });
    world.offsets.foreignByQueue.set(queueKey(first!), []);
    await loop.start();
    await world.clock.advance(125_000);
    expect(world.offsets.askedForForeign).toBe(3);
    expect(world.warnings.list).toEqual([]);
    world.offsets.foreignByQueue.set(queueKey(second!), ['10.0.0.1@app']);
    await world.clock.advance(240_000);
    world.offsets.foreignByQueue.set(queueKey(first!), ['10.0.0.1@app', '10.0.0.2@app']);
    await world.clock.advance(240_000);
    const warningOf = (ids: string): string =>
      `Consumer group g belongs to this sink, and other applications consume with it: client ${ids}.`;
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      expect.stringContaining(warningOf('10.0.0.1@app')),
      expect.stringContaining(warningOf('10.0.0.2@app')),
    ]);
    loop.kill();
  });

  it('names a limited number of other clients', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    const { loop } = world.loop(new TransactionalSink(newSinkStorage()), { settings: { refreshIntervalMs: 1000 } });
    await loop.start();
    world.offsets.foreignByQueue.set(
      queueKey(ref!),
      Array.from({ length: 5000 }, (_, n) => `10.1.${n >> 8}.${n & 255}@app`),
    );
    await world.clock.advance(61_000);
    expect(Math.max(...world.logger.lines.map(({ length }) => length))).toBeLessThan(10_000);
    loop.kill();
  });

  it('stores no position behind records that an error kept from the sink', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1);
    const sink = new TransactionalSink(newSinkStorage());
    world.plain(ref!, 'a', 'poison', 'b');
    world.logger.warn = () => {
      throw new Error('the disk is full');
    };
    const { loop } = world.loop(sink, { settings: { skipsBadRecords: true } });
    await loop.start();
    let end: unknown;
    void loop.ended.then((result) => (end = result));
    await world.clock.until(() => end !== undefined, 10_000);
    expect(end).toMatchObject({ kind: 'failed', error: { message: 'the disk is full' }, clean: false });
    expect(sink.storage.values).toEqual([]);
    expect(sink.storage.positions.get(queueKey(ref!))?.nextOffset ?? 0).toBe(0);
  });
});
