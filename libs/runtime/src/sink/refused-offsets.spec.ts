import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import { QueueReadFailure } from '../ports/queue-messages.port.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

function oneQueue(): { world: SinkWorld; ref: QueueRef; sink: TransactionalSink } {
  const world = new SinkWorld();
  const [ref] = world.cluster.addTopic('t', 1);
  return { world, ref: ref!, sink: new TransactionalSink(newSinkStorage()) };
}

function range(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);
}

async function ended(world: SinkWorld, loop: { stop(): Promise<unknown> }): Promise<void> {
  let isEnded = false;
  void loop.stop().then(() => (isEnded = true));
  await world.clock.until(() => isEnded);
}

describe('a sink whose topic was deleted and created again', () => {
  const remedy =
    'To read the topic from its oldest message, run "mqadmin resetOffsetByTime -n <name server> -g g -t t -s 0" (-s now: from its end); then restart the task';

  it('fails before it reads when the queue has grown beyond its offset, and reads it from where an operator says', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('old', 0, 5));
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => sink.storage.values.length === 5);
    await ended(world, first.loop);
    world.cluster.queue(ref).clear();
    world.plain(ref, ...range('new', 0, 15));
    const second = world.loop(new TransactionalSink(sink.storage));
    const error = await second.loop.start().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CONNECT_POSITION_INVALID', reason: 'replaced', offset: 5, limit: 15 });
    expect((error as Error).message).toMatch(/the message before it was stored at 2023-[^,]+, and the one that was read there at 2023-/);
    expect((error as Error).message).toContain(remedy);
    world.offsets.reset('g', ref, 0);
    const third = world.loop(new TransactionalSink(sink.storage));
    await third.loop.start();
    await world.clock.until(() => sink.storage.values.length === 20);
    expect(sink.storage.values.slice(5)).toEqual(range('new', 0, 15));
    await ended(world, third.loop);
  });

  it('fails while it runs too', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('old', 0, 5));
    const { loop } = world.loop(sink);
    await loop.start();
    await world.clock.until(() => sink.storage.values.length === 5);
    await world.clock.advance(5000);
    world.cluster.queue(ref).clear();
    world.plain(ref, ...range('new', 0, 15));
    let end: unknown;
    void loop.ended.then((reason) => (end = reason));
    await world.clock.until(() => end !== undefined);
    expect(end).toMatchObject({ kind: 'failed', error: { reason: 'replaced' } });
    expect(sink.storage.values).toHaveLength(5);
  });

  it('resumes where retention has removed the message before, for nothing else is known', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 5));
    const first = world.loop(sink);
    await first.loop.start();
    await world.clock.until(() => sink.storage.values.length === 5);
    await ended(world, first.loop);
    world.plain(ref, 'v5');
    world.cluster.queue(ref).minOffset = 5;
    const second = world.loop(new TransactionalSink(sink.storage));
    await second.loop.start();
    await world.clock.until(() => sink.storage.values.length === 6);
    await ended(world, second.loop);
  });

  it('fails too where the queue waited for room in the read-ahead, not for messages', async () => {
    const { world, ref, sink } = oneQueue();
    const { loop, counters } = world.loop(sink, { settings: { maxAheadPerQueue: { maxBytes: 1, maxRecords: 1 } } });
    await loop.start();
    world.plain(ref, 'old0');
    await world.clock.until(() => counters.recordsPut === 1);
    world.offsets.unavailable.add(ref.brokerName);
    await world.clock.advance(5000);
    world.plain(ref, 'old1');
    await world.clock.advance(60_000);
    world.cluster.queue(ref).clear();
    world.plain(ref, ...range('new', 0, 10));
    world.offsets.unavailable.clear();
    let end: unknown;
    void loop.ended.then((reason) => (end = reason));
    await world.clock.until(() => end !== undefined, 20_000);
    expect(end).toMatchObject({ kind: 'failed', error: { reason: 'replaced' } });
    expect(sink.storage.values).toEqual(range('old', 0, 2));
  });
});

describe('a queue whose broker refuses an offset', () => {
  it.each(['minOffset', 'endOffset'] as const)('waits while the broker does not tell its %s', async (call) => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, ...range('v', 0, 5));
    const { messages } = world.cluster;
    const answers = messages[call];
    const reason = call === 'minOffset' ? 'below-min' : 'beyond-end';
    const read: typeof messages.read = () => ({
      next: () => Promise.reject(new QueueReadFailure('refused', { reason, retriable: false })),
      close: () => undefined,
    });
    const { loop } = world.loop(sink, { ports: { messages: { ...messages, read, [call]: failing } } });
    let isAsked = false;
    let isFailing = false;
    function failing(queue: QueueRef): Promise<number> {
      if (!isFailing) return answers(queue);
      isAsked = true;
      return Promise.reject(new QueueReadFailure('it is unavailable', { reason: 'unavailable', retriable: true }));
    }
    let end: unknown;
    void loop.ended.then((result) => (end = result));
    isFailing = call === 'endOffset';
    await loop.start();
    isFailing = true;
    await world.clock.until(() => isAsked, 5000);
    await world.clock.advance(5000);
    expect(end).toBeUndefined();
    expect(world.waits.list).toMatchObject([{ call: `reading queue ${queueKey(ref)}`, error: 'it is unavailable' }]);
    loop.kill();
  });
});
