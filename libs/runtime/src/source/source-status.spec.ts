import { describe, expect, it } from '@jest/globals';
import { queueKey } from '@sluice/sdk';
import { readEverything } from '../testing/read-valid.js';
import { SourceWorld } from '../testing/source-world.js';

function listOf(count: number, topic = 't'): { topic: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ topic, value: `${topic}${index}` }));
}

describe('what a source task reports of itself', () => {
  it('is still only when all that it had polled is sent, stored and committed', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.cluster.fate = () => ({ kind: 'hold', until: held });
    const source = world.source({ a: listOf(100) }, 40);
    const { loop, counters } = world.loop(source);
    await loop.start();
    await world.clock.until(() => counters.recordsPolled >= 80);
    let isStill = false;
    loop.pause(() => {
      isStill = true;
    });
    await world.clock.advance(30_000);
    expect(isStill).toBe(false);
    release();
    await world.clock.until(() => isStill);
    const { recordsPolled } = counters;
    expect(counters.recordsSent).toBe(recordsPolled);
    expect(source.committed.at(-1)?.position).toEqual({ position: recordsPolled });
    const { length: writes } = world.positions.writes;
    await world.clock.advance(30_000);
    expect(counters.recordsSent).toBe(recordsPolled);
    expect(world.positions.writes).toHaveLength(writes);
    isStill = false;
    loop.resume();
    await world.clock.until(() => counters.recordsSent === 100);
    expect(isStill).toBe(false);
    loop.kill();
  });

  it('waits, and reports so, while a broker says that messages are removed which it has to examine', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    const first = world.loop(world.source({ a: listOf(3) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 3);
    first.loop.kill();
    await world.clock.settle();
    const second = world.loop(world.source({ a: listOf(3) }), { ports: { messages: world.cluster.contradicting(3) } });
    let isStarted = false;
    const starting = second.loop.start().then(() => (isStarted = true));
    await world.clock.settle();
    const call = 'reading what is in queue t@broker-a:0';
    expect(world.waits.list).toMatchObject([{ call, error: expect.stringContaining('its oldest message is at offset 0') }]);
    await world.clock.until(() => isStarted);
    await starting;
    expect(world.logger.lines.filter((line) => line.includes('at offset 0 failed and is retried'))).toHaveLength(3);
    expect(second.counters.incompleteScans).toBe(0);
    second.loop.kill();
  });

  it('shows the calls that are repeated, since when and why, until they succeed', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    let isDown = true;
    world.cluster.fate = () => (isDown ? { kind: 'reject', retriable: true } : { kind: 'store' });
    const source = world.source({ a: listOf(3) });
    const poll = source.poll.bind(source);
    let isBusy = false;
    source.poll = (signal) => (isBusy ? Promise.reject(Object.assign(new Error('busy'), { retriable: true })) : poll(signal));
    const { loop, counters } = world.loop(source);
    await loop.start();
    expect(world.waits.list).toEqual([]);
    await world.clock.advance(5000);
    const since = world.clock.wallMs() - 5000;
    expect(world.waits.list).toEqual([{ call: 'sending to queue t@broker-a:0', error: 'refused', since }]);
    isBusy = true;
    await world.clock.advance(5000);
    expect(world.waits.list.map(({ call }) => call)).toEqual(['sending to queue t@broker-a:0', 'poll']);
    isBusy = isDown = false;
    await world.clock.until(() => counters.recordsSent === 3);
    await world.clock.advance(5000);
    expect(world.waits.list).toEqual([]);
    isBusy = true;
    await world.clock.advance(1000);
    expect(world.waits.list).toHaveLength(1);
    loop.kill();
    await world.clock.settle();
    expect(world.waits.list).toEqual([]);
  });

  it('shows what the task says that it waits for, logs it once, and forgets it at the end', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    const source = world.source({ a: [] });
    const start = source.start.bind(source);
    let tell: (reason: string | undefined) => void = () => undefined;
    source.start = (context) => {
      tell = (reason) => {
        context.waitFor(reason);
      };
      return start(context);
    };
    const { loop } = world.loop(source);
    await loop.start();
    const since = world.clock.wallMs();
    tell('File x does not exist');
    await world.clock.advance(1000);
    tell('File x does not exist');
    expect(world.waits.list).toEqual([{ call: 'waiting for input', error: 'File x does not exist', since }]);
    expect(world.logger.lines.filter((line) => line.includes('File x does not exist'))).toHaveLength(1);
    tell(undefined);
    expect(world.waits.list).toEqual([]);
    tell('File y does not exist');
    loop.kill();
    await world.clock.settle();
    expect(world.waits.list).toEqual([]);
  });

  it('logs what the task waits for at most once in ten seconds, the newest, and shows each change at once', async () => {
    const world = new SourceWorld();
    const end = new AbortController();
    const tell = world.waits.ofTask(world.logger.warn.bind(world.logger), end.signal);
    for (let change = 1; change <= 100; change++) {
      tell(`File ${change} does not exist`);
      expect(world.waits.list).toMatchObject([{ error: `File ${change} does not exist` }]);
      await world.clock.advance(50);
      tell(undefined);
      expect(world.waits.list).toEqual([]);
      await world.clock.advance(50);
    }
    tell('File z does not exist');
    await world.clock.advance(10_000);
    expect(world.logger.lines).toEqual([
      'warn The task waits for its input: File 1 does not exist',
      expect.stringMatching(/^warn .* \(and \d+ more before it\)$/),
      expect.stringMatching(/^warn The task waits for its input: File z does not exist/),
    ]);
    end.abort();
    await world.clock.settle();
  });

  it('shows what its start waits for', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 1);
    const first = world.loop(world.source({ a: listOf(3) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 3);
    first.loop.kill();
    world.cluster.fate = () => ({ kind: 'reject', retriable: true });
    const second = world.loop(world.source({ a: listOf(3) }));
    second.loop.start().catch(() => undefined);
    await world.clock.advance(3000);
    expect(world.waits.list).toMatchObject([{ call: 'sending a barrier to queue t@broker-a:0', error: 'refused' }]);
    second.loop.kill();
  });

  it('writes only where it can be read, and warns of the topic once', async () => {
    const world = new SourceWorld();
    const [readable, ...others] = world.cluster.addTopic('t', 8);
    for (const queue of others) world.cluster.unreadable.add(queueKey(queue));
    const lists = Object.fromEntries(['a', 'b', 'c', 'd'].map((file) => [file, listOf(10)]));
    const { loop, counters } = world.loop(world.source(lists));
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 40);
    expect(readEverything(world.cluster.queue(readable!))).toHaveLength(40);
    expect(world.warnings.list.map(({ message }) => message)).toEqual([
      expect.stringContaining('Topic t has 7 queue(s) that may be written and not be read: t@broker-a:1, t@broker-a:2'),
    ]);
    loop.kill();
  });

  it('spreads partitions over the queues of a topic', async () => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 4);
    const lists = Object.fromEntries(['a', 'b', 'c', 'd'].map((file) => [file, listOf(10)]));
    const { loop, counters } = world.loop(world.source(lists));
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 40);
    for (const queue of queues) expect(readEverything(world.cluster.queue(queue))).toHaveLength(10);
    loop.kill();
  });
});
