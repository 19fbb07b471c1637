import { describe, expect, it } from '@jest/globals';
import { recordToMessage } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, RetriableError } from '@sluice/sdk';
import { SendFailure } from '../ports/record-producer.port.js';
import { AskingSink } from '../testing/asking-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';
import type { SinkLoopSettings } from './sink-loop-options.js';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SinkLoopSettings>;
const without = { ...tolerant, errors: { ...tolerant.errors, deadLetters: undefined } } satisfies Partial<SinkLoopSettings>;
const unavailable = (): SendFailure => new SendFailure('no permission', { outcome: 'not-stored', retriable: false });

class World extends SinkWorld {
  readonly sink = new AskingSink(newSinkStorage());
  readonly ref: QueueRef;
  readonly other: QueueRef;
  readonly dead: QueueRef;

  constructor() {
    super();
    [this.ref, this.other] = this.cluster.addTopic('t', 2) as [QueueRef, QueueRef];
    [this.dead] = this.cluster.addTopic('dead', 1) as [QueueRef];
  }

  get bodies(): readonly string[] {
    return this.cluster.queue(this.dead).messages.map(({ body }) => body.toString());
  }

  committed(ref = this.ref): number | undefined {
    return this.offsets.offsets.get(`g ${queueKey(ref)}`);
  }
}

async function* nothing(): AsyncGenerator<never> {
  await Promise.resolve();
  yield* [];
}

async function endWithin(world: World, ended: Promise<unknown>, ms: number): Promise<unknown> {
  let end: unknown = 'still running';
  void ended.then((value) => (end = value));
  for (let passed = 0; passed < ms && end === 'still running'; passed += 1000) await world.clock.advance(1000);
  return end;
}

describe('a sink that waits for its letters', () => {
  it.each([
    ['without letters', without],
    ['with letters', tolerant],
  ])('ends where its lease has a gap meanwhile, %s', async (_, settings) => {
    const world = new World();
    world.plain(world.ref, 'a', 'poison');
    world.cluster.refusalOf = unavailable;
    const { loop, counters } = world.loop(world.sink, { settings });
    await loop.start();
    await world.clock.advance(5_000);
    world.lease.lose();
    await world.clock.advance(5_000);
    world.lease.regain(99);
    world.cluster.refusalOf = () => undefined;
    const end = await endWithin(world, loop.ended, 120_000);
    const seen = { end, waits: loop.waits.list, failures: counters.deadLetterFailures };
    loop.kill();
    expect(seen).toMatchObject({ end: { kind: 'failed' } });
  });

  it.each([
    ['without letters', without],
    ['with letters', tolerant],
  ])('ends with the error of a queue that fails for good meanwhile, %s', async (_, settings) => {
    const world = new World();
    world.plain(world.ref, 'a', 'poison');
    world.cluster.refusalOf = unavailable;
    let fail: (error: Error) => void = () => undefined;
    const read = world.cluster.messages.read;
    const messages = {
      ...world.cluster.messages,
      read: ((ref, from, signal, budget) =>
        ref.queueId === 1
          ? { next: () => new Promise<never>((_resolve, reject) => (fail = reject)), close: () => undefined }
          : read(ref, from, signal, budget)) as typeof read,
    };
    const { loop } = world.loop(world.sink, { settings, ports: { messages } });
    await loop.start();
    await world.clock.advance(5_000);
    fail(new Error('the queue is broken for good'));
    const end = await endWithin(world, loop.ended, 600_000);
    const seen = { end, waits: loop.waits.list };
    loop.kill();
    expect(seen).toMatchObject({ end: { kind: 'failed', error: { message: 'the queue is broken for good' } } });
  });

  it('has one of a record that the task skips in each try of a put, and counts it once', async () => {
    const world = new World();
    let attempts = 0;
    world.sink.beforePut = (records) => {
      for (const record of records) {
        if (record.value === 'X') void world.sink.context.skipRecord(record, new ConnectError(ConnectErrorCode.sinkFailed, 'too wide'));
      }
      if (++attempts <= 5) throw new RetriableError('the connection was lost');
    };
    world.plain(world.ref, 'a', 'X', 'b');
    const { loop, counters } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.until(() => world.committed() === 3);
    const seen = { bodies: world.bodies, skipped: counters.recordsSkipped, written: counters.deadLettersWritten };
    loop.kill();
    expect(seen).toEqual({ bodies: ['X'], skipped: 1, written: 1 });
  });

  it('has one of a record that the task skips in a put that is narrowed down', async () => {
    const world = new World();
    world.sink.beforePut = (records) => {
      for (const record of records) {
        if (record.value === 'X') void world.sink.context.skipRecord(record, new ConnectError(ConnectErrorCode.sinkFailed, 'too wide'));
      }
      if (records.some(({ value }) => value === 'Y')) throw new Error('Y is refused');
    };
    world.plain(world.ref, 'X', 'a', 'b', 'c', 'd', 'e', 'f', 'Y');
    const { loop, counters } = world.loop(world.sink, { settings: tolerant, hasRepeatablePut: true });
    await loop.start();
    await world.clock.until(() => world.committed() === 8);
    const seen = { bodies: world.bodies, skipped: counters.recordsSkipped };
    loop.kill();
    expect(seen).toEqual({ bodies: ['X', 'Y'], skipped: 2 });
  });

  it('has one of a record that the task skips and refuses, too', async () => {
    const world = new World();
    world.sink.beforePut = (records) => {
      for (const record of records) {
        if (record.value !== 'X') continue;
        void world.sink.context.skipRecord(record, new ConnectError(ConnectErrorCode.sinkFailed, 'too wide'));
        throw new Error('X is refused');
      }
    };
    world.plain(world.ref, 'X');
    const { loop, counters } = world.loop(world.sink, { settings: tolerant, hasRepeatablePut: true });
    await loop.start();
    await world.clock.until(() => world.committed() === 1);
    const seen = { bodies: world.bodies, skipped: counters.recordsSkipped };
    loop.kill();
    expect(seen).toEqual({ bodies: ['X'], skipped: 1 });
  });

  it('is not stopped by a message that brokers refuse as a letter', async () => {
    const world = new World();
    world.cluster.refusalOf = (_queue, { body }) =>
      body.length > 1000
        ? new SendFailure('send: the message has 5000 bytes, more than 1000', {
            outcome: 'not-stored',
            retriable: false,
            refusesMessages: true,
          })
        : undefined;
    const big = recordToMessage({ value: Buffer.alloc(5000) }, { topic: 't' });
    world.cluster.queue(world.ref).append([big], world.clock.wallMs());
    world.plain(world.ref, 'a', 'b');
    const decoder = {
      decode: (queue: QueueRef, { body, queueOffset }: { body: Buffer; queueOffset: number }) => {
        if (body.length === 5000) throw new Error('not a text');
        return { topic: queue.topic, queue, offset: queueOffset, value: body.toString() };
      },
    };
    const { loop } = world.loop(world.sink, { settings: tolerant, decoder: decoder });
    await loop.start();
    await world.clock.advance(600_000);
    const seen = { committed: world.committed(), stored: world.sink.storage.values, waits: loop.waits.list };
    loop.kill();
    expect(seen).toMatchObject({ committed: 3, stored: ['a', 'b'] });
  });

  it('shows in its status a send without reply, and sends again after half a minute', async () => {
    const world = new World();
    world.plain(world.ref, 'poison', 'a');
    let asked = 0;
    world.cluster.refusalOf = () => {
      asked++;
      return new SendFailure('no reply', { outcome: 'unknown', retriable: true, settled: new Promise(() => undefined) });
    };
    const { loop } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.advance(600_000);
    const seen = { asked, waits: loop.waits.list, committed: world.committed() };
    loop.kill();
    expect(seen.asked).toBeGreaterThan(10);
    expect(seen.waits).toEqual([expect.objectContaining({ call: 'writing dead letters to topic dead' })]);
  });

  it('reads a refused record again where the broker contradicts itself about it', async () => {
    const world = new SinkWorld();
    const [ref] = world.cluster.addTopic('t', 1) as [QueueRef];
    const [dead] = world.cluster.addTopic('dead', 1) as [QueueRef];
    world.plain(ref, 'a', 'X', 'b');
    const sink = new AskingSink(newSinkStorage());
    sink.beforePut = (records) => {
      if (records.some(({ value }) => value === 'X')) throw new Error('X is too wide');
    };
    // A replica that lags gives nothing, as where the message is gone.
    let calls = 0;
    const { range } = world.cluster.messages;
    const messages = { ...world.cluster.messages, range: ((...given) => (calls++ === 0 ? nothing() : range(...given))) as typeof range };
    const { loop, counters } = world.loop(sink, { settings: tolerant, ports: { messages }, hasRepeatablePut: true });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 3);
    const seen = { letters: world.cluster.queue(dead).messages.map(({ body }) => body.toString()), lost: counters.recordsLost };
    loop.kill();
    expect(seen).toEqual({ letters: ['X'], lost: 0 });
  });

  it('is not flushed again before the letter of a record that it skips between two tries', async () => {
    const world = new World();
    world.plain(world.ref, 'a', 'X', 'b');
    world.cluster.refusalOf = unavailable;
    let flushes = 0;
    world.sink.beforeFlush = () => {
      flushes++;
      if (flushes === 1) throw new RetriableError('the database restarts');
    };
    const { loop, counters } = world.loop(world.sink, { settings: { ...tolerant, backoff: { initialMs: 1000, maxMs: 1000 } } });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    await world.clock.advance(1_010);
    expect(flushes).toBe(1);
    const tooWide = new ConnectError(ConnectErrorCode.sinkFailed, 'too wide');
    void world.sink.context.skipRecord(world.sink.puts.flat()[1]!, tooWide).catch(() => undefined);
    await world.clock.advance(5_000);
    expect(flushes).toBe(1);
    world.cluster.refusalOf = () => undefined;
    await world.clock.until(() => world.committed() === 3);
    expect(world.bodies).toEqual(['X']);
    loop.kill();
  });

  it('has none of a refused message that retention has removed, and counts it as lost', async () => {
    const world = new World();
    world.plain(world.ref, 'X', 'b');
    world.sink.beforePut = (records) => {
      if (!records.some(({ value }) => value === 'X')) return;
      world.cluster.queue(world.ref).minOffset = 1;
      throw new Error('X is too wide');
    };
    const messages = { ...world.cluster.messages, range: () => nothing() };
    const { loop, counters } = world.loop(world.sink, { settings: tolerant, ports: { messages }, hasRepeatablePut: true });
    await loop.start();
    await world.clock.until(() => world.committed() === 2);
    expect(counters).toMatchObject({ recordsLost: 1, deadLettersWritten: 0 });
    loop.kill();
  });
});
