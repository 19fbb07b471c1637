import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { encodeStamp, forEachProperty, queueTag, recordToMessage, streamId, taskId } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, RetriableError, type SinkRecord } from '@sluice/sdk';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { SendFailure } from '../ports/record-producer.port.js';
import { AskingSink } from '../testing/asking-sink.js';
import { HoldingSink } from '../testing/holding-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';
import { TransformChain } from '../transforms/transform-chain.js';
import type { SinkLoopSettings } from './sink-loop-options.js';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SinkLoopSettings>;

const unavailable = (): SendFailure => new SendFailure('no permission', { outcome: 'not-stored', retriable: false });

class World extends SinkWorld {
  readonly sink = new AskingSink(newSinkStorage());
  readonly ref: QueueRef;
  readonly dead: QueueRef;

  constructor() {
    super();
    [this.ref] = this.cluster.addTopic('t', 1) as [QueueRef];
    [this.dead] = this.cluster.addTopic('dead', 1) as [QueueRef];
  }

  get letters(): readonly RawMessage[] {
    return this.cluster.queue(this.dead).messages;
  }

  get bodies(): readonly string[] {
    return this.letters.map(({ body }) => body.toString());
  }

  get committed(): number | undefined {
    return this.offsets.offsets.get(`g ${queueKey(this.ref)}`);
  }
}

function propertiesOf({ rawProperties }: RawMessage): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  forEachProperty(rawProperties, (name, value) => found.set(name, value));
  return found;
}

describe('the dead letters of a sink', () => {
  it('are the original messages, without stamps, and say where and why they failed; the offset follows', async () => {
    const world = new World();
    const stamp = encodeStamp(
      { task: taskId('s', 0), stream: streamId('s', { file: 'a' }), generation: 1, seq: 1, position: { position: 1 } },
      queueTag(world.ref),
    );
    const headers = [
      { key: 'h', value: 'one' },
      { key: 'h', value: Buffer.from([0, 1]) },
    ];
    const given = { key: 'k', value: Buffer.from('poison'), headers, timestamp: 5, rocketmq: { tag: 'T', shardingKey: 'S' } };
    const stamped = recordToMessage(given, { topic: 't' }, stamp);
    world.cluster.queue(world.ref).append([stamped], 2_000, { bornAt: 1_234 });
    world.plain(world.ref, 'good');
    const { loop, counters } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.until(() => world.committed === 2);
    expect(world.sink.values).toEqual(['good']);
    expect(world.bodies).toEqual(['poison']);
    const [letter] = world.letters;
    expect(letter?.bornTimestamp).toBe(1_234);
    const plain = new Map<string, string>();
    forEachProperty(Buffer.from(recordToMessage(given, { topic: 't' }).properties), (name, value) => plain.set(name, value));
    const properties = propertiesOf(letter!);
    expect(Object.fromEntries([...properties].filter(([name]) => !name.startsWith('__connect.')))).toEqual(Object.fromEntries(plain));
    expect(properties.get('__connect.errors.topic')).toBe('t');
    expect(properties.get('__connect.errors.offset')).toBe('0');
    expect(properties.get('__connect.errors.broker.name')).toBe('broker-a');
    expect(properties.get('__connect.errors.connector.name')).toBe('sink');
    expect(properties.get('__connect.errors.exception.message')).toBe('not a text');
    expect(counters).toMatchObject({ deadLettersWritten: 1, deadLetterFailures: 0, recordsSkipped: 1, recordErrors: 1, errorsLogged: 1 });
    loop.kill();
  });

  it('have no context where nobody asked for it, and show no secret', async () => {
    for (const hasContext of [false, true]) {
      const world = new World();
      world.plain(world.ref, 'bad');
      const apply = (): never => {
        throw new Error('cannot log in with s3cret');
      };
      const { loop } = world.loop(world.sink, {
        settings: { ...tolerant, errors: { ...tolerant.errors, deadLetters: { topic: 'dead', hasContext } } },
        transforms: new TransformChain([{ alias: 'x', transform: { apply } }]),
      });
      await loop.start();
      await world.clock.until(() => world.letters.length === 1);
      const properties = propertiesOf(world.letters[0]!);
      expect([...properties.keys()].some((name) => name.startsWith('__connect.'))).toBe(hasContext);
      if (hasContext) {
        expect(properties.get('__connect.errors.stage')).toBe('TRANSFORMATION');
        expect(properties.get('__connect.errors.exception.message')).toContain('cannot log in with [hidden]');
        expect(properties.get('__connect.errors.exception.stacktrace')).toContain('[hidden]');
        expect(world.letters[0]!.rawProperties.toString()).not.toContain('s3cret');
      }
      loop.kill();
    }
  });

  it('are written before the sink flushes and the offset is committed; the status says why they are not', async () => {
    const world = new World();
    world.plain(world.ref, 'a', 'poison', 'b');
    world.cluster.refusalOf = unavailable;
    const { loop, counters } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.advance(20_000);
    // The others are put meanwhile; what is before the letter is not made durable.
    expect(world.sink.values).toEqual(['a', 'b']);
    expect(world.sink.storage.values).toEqual([]);
    expect(world.committed).toBe(0);
    expect(counters.deadLetterFailures).toBeGreaterThan(2);
    expect(loop.waits.list).toEqual([expect.objectContaining({ call: 'writing dead letters to topic dead', error: 'no permission' })]);
    world.cluster.refusalOf = () => undefined;
    await world.clock.until(() => world.committed === 3);
    expect(world.bodies).toEqual(['poison']);
    expect(world.sink.storage.values).toEqual(['a', 'b']);
    expect(loop.waits.list).toEqual([]);
    loop.kill();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('that cannot be written leave their records to the next owner, also where the task stops', async () => {
    const world = new World();
    world.plain(world.ref, 'a', 'poison');
    world.cluster.refusalOf = unavailable;
    const { loop } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.advance(3_000);
    const stopped = loop.stop();
    await world.clock.advance(6_000);
    expect(await stopped).toEqual({ kind: 'stopped', clean: false });
    expect(world.committed).toBe(0);
    world.cluster.refusalOf = () => undefined;
    const next = world.loop(new AskingSink(world.sink.storage), { settings: tolerant });
    await next.loop.start();
    await world.clock.until(() => world.committed === 2);
    expect(world.sink.storage.values).toEqual(['a']);
    expect(world.bodies).toEqual(['poison']);
    next.loop.kill();
  });

  it('go to another queue where one takes none, and those of one queue stay in order', async () => {
    const world = new World();
    const queues = world.cluster.addTopic('dead', 3);
    world.plain(world.ref, 'a', ...Array.from({ length: 20 }, () => 'poison'));
    const first = createHash('sha256').update(queueKey(world.ref)).digest().readUInt32BE(0) % 3;
    world.cluster.refusalOf = ({ queueId }) => (queueId === first ? unavailable() : undefined);
    const { loop, counters } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.until(() => world.committed === 21);
    const places = queues.map((queue) =>
      world.cluster.queue(queue).messages.map((one) => Number(propertiesOf(one).get('__connect.errors.offset'))),
    );
    expect(places.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    for (const each of places) expect(each).toEqual([...each].sort((a, b) => a - b));
    expect(places[first]).toEqual([]);
    expect(counters).toMatchObject({ deadLettersWritten: 20, deadLetterFailures: 20 });
    loop.kill();
  });

  it('whose outcome is unknown are not written again where they turn out to be stored', async () => {
    const world = new World();
    world.plain(world.ref, 'poison');
    let asked = 0;
    const settled = Promise.resolve('stored' as const);
    world.cluster.refusalOf = () => {
      asked++;
      return new SendFailure('reply lost', { outcome: 'unknown', retriable: true, settled });
    };
    const { loop, counters } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.until(() => world.committed === 1);
    expect(asked).toBe(1);
    expect(counters).toMatchObject({ deadLettersWritten: 1, deadLetterFailures: 0 });
    loop.kill();
  });

  it('need their topic: a task whose topic is missing and may not be created says so', async () => {
    const world = new World();
    world.cluster.producer.queues = () =>
      Promise.reject(
        new SendFailure('Topic dead does not exist; topic.creation.enable is false', { outcome: 'not-stored', retriable: false }),
      );
    const { loop } = world.loop(world.sink, { settings: tolerant });
    await expect(loop.start()).rejects.toThrow(
      'The dead letter topic dead cannot be used: Topic dead does not exist; topic.creation.enable is false',
    );
    const without = world.loop(new AskingSink(newSinkStorage()));
    await without.loop.start();
    without.loop.kill();
  });
});

describe('records that the target of a sink refuses', () => {
  const refusing = (
    sink: AskingSink,
    refused: readonly string[],
    error = (value: unknown): Error => new Error(`row ${String(value)} is too wide`),
  ): void => {
    sink.beforePut = (records) => {
      const bad = records.find(({ value }) => refused.includes(value as string));
      if (bad !== undefined) throw error(bad.value);
    };
  };
  const hundred = Array.from({ length: 100 }, (_, n) => `r${n + 1}`);

  it('are narrowed down: of 100 records with number 50 refused 99 are written, in order, and one is a dead letter', async () => {
    const world = new World();
    refusing(world.sink, ['r50']);
    world.plain(world.ref, ...hundred);
    const { loop, counters } = world.loop(world.sink, { settings: tolerant, hasRepeatablePut: true });
    await loop.start();
    await world.clock.until(() => world.committed === 100);
    expect(world.sink.storage.values).toEqual(hundred.filter((value) => value !== 'r50'));
    expect(world.bodies).toEqual(['r50']);
    const properties = propertiesOf(world.letters[0]!);
    expect(properties.get('__connect.errors.stage')).toBe('TASK_PUT');
    expect(properties.get('__connect.errors.offset')).toBe('49');
    expect(properties.get('__connect.errors.exception.message')).toBe('row r50 is too wide');
    expect(counters).toMatchObject({ recordsPut: 99, recordsSkipped: 1, recordsRefused: 1, recordErrors: 1, deadLettersWritten: 1 });
    expect(world.sink.calls.filter((call) => call === 'put').length).toBeLessThan(20);
    loop.kill();
  });

  it('are narrowed down in at most two calls a record, where all fail', async () => {
    const world = new World();
    let calls = 0;
    world.sink.beforePut = () => {
      calls++;
      throw new Error('no');
    };
    world.plain(world.ref, ...hundred.slice(0, 32));
    const { loop } = world.loop(world.sink, { settings: tolerant, hasRepeatablePut: true });
    await loop.start();
    await world.clock.until(() => world.committed === 32);
    expect(calls).toBeLessThan(64);
    expect(world.bodies).toEqual(hundred.slice(0, 32));
    loop.kill();
  });

  it.each([
    ['the sink does not say that it takes records again', { settings: tolerant, hasRepeatablePut: false }],
    ['there is no dead letter topic', { settings: { skipsBadRecords: true }, hasRepeatablePut: true }],
    ['nothing is tolerated', { settings: { ...tolerant, skipsBadRecords: false }, hasRepeatablePut: true }],
  ])('fail the task where %s: nothing of the call is flushed', async (_why, options) => {
    const world = new World();
    refusing(world.sink, ['r2']);
    world.plain(world.ref, 'r1', 'r2', 'r3');
    const { loop } = world.loop(world.sink, options);
    await loop.start();
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message: 'row r2 is too wide' } });
    expect(world.committed).toBe(0);
    expect(world.letters).toEqual([]);
  });

  it('are not blamed for an error of the moment that lasts', async () => {
    const world = new World();
    refusing(world.sink, ['r2'], () => new RetriableError('the database is unavailable'));
    world.plain(world.ref, 'r1', 'r2', 'r3');
    const { loop, counters } = world.loop(world.sink, { settings: { ...tolerant, retryTimeoutMs: 5_000 }, hasRepeatablePut: true });
    await loop.start();
    await world.clock.advance(10_000);
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message: 'the database is unavailable' } });
    expect(world.letters).toEqual([]);
    expect(counters.recordErrors).toBe(0);
    expect(counters.recordFailures).toBeGreaterThan(1);
  });

  it('that the task skips itself are read again for their dead letters, also outside of calls and long after', async () => {
    const world = new World();
    const held: SinkRecord[] = [];
    const sink = new HoldingSink([], 0);
    const put = sink.put.bind(sink);
    sink.put = async (records) => {
      held.push(...records);
      return put(records);
    };
    sink.keeps = 100;
    world.plain(world.ref, 'a', 'b', 'c');
    const { loop, counters } = world.loop(sink, { settings: tolerant });
    await loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    await world.clock.advance(60_000);
    const written = sink.context.skipRecord(held[1]!, new ConnectError(ConnectErrorCode.sinkFailed, 'too wide'));
    expect(world.letters).toEqual([]);
    await written;
    expect(world.bodies).toEqual(['b']);
    expect(propertiesOf(world.letters[0]!).get('__connect.errors.exception.message')).toBe('too wide');
    expect(counters).toMatchObject({ recordsSkipped: 1, recordsRefused: 1, deadLettersWritten: 1 });
    loop.kill();
  });

  it('that the task skips within a flush are dead letters before the offset is committed', async () => {
    const world = new World();
    world.plain(world.ref, 'a', 'b');
    world.cluster.refusalOf = unavailable;
    let isRefused = false;
    world.sink.beforeFlush = () => {
      if (isRefused) return;
      isRefused = true;
      void world.sink.context.skipRecord(world.sink.puts.flat()[0]!, new ConnectError(ConnectErrorCode.sinkFailed, 'too wide'));
    };
    const { loop } = world.loop(world.sink, { settings: tolerant });
    await loop.start();
    await world.clock.advance(10_000);
    expect(isRefused).toBe(true);
    expect(world.committed).toBe(0);
    world.cluster.refusalOf = () => undefined;
    await world.clock.until(() => world.committed === 2);
    expect(world.bodies).toEqual(['a']);
    loop.kill();
  });
});

describe('the log of records that are left out', () => {
  it.each([
    [{ logs: true, logsContents: false }, /^warn A record was skipped\. The record .* at offset 0 cannot be converted: not a text$/, 1],
    [{ logs: true, logsContents: true }, /not a text\. It was made at 2023-.*, has 6 bytes, and these properties: sluice-key=k KEYS=k$/, 1],
    [{ logs: false, logsContents: true }, undefined, 0],
  ])('says with %j what it is asked for', async (errors, line, errorsLogged) => {
    const world = new World();
    const message = recordToMessage({ key: 'k', value: Buffer.from('poison') }, { topic: 't' });
    world.cluster.queue(world.ref).append([message], world.clock.wallMs());
    const settings = { skipsBadRecords: true, errors: { ...errors, deadLetters: undefined } };
    const { loop, counters } = world.loop(world.sink, { settings });
    await loop.start();
    await world.clock.until(() => world.committed === 1);
    const lines = world.logger.lines.filter((each) => each.includes('skipped'));
    expect(lines).toEqual(line === undefined ? [] : [expect.stringMatching(line)]);
    expect(counters).toMatchObject({ recordsSkipped: 1, errorsLogged });
    loop.kill();
  });
});
