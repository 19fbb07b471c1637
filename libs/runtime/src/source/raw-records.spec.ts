import { describe, expect, it } from '@jest/globals';
import { forEachProperty, scanBarrier, scanStamp } from '@sluice/protocol';
import type { ConnectRecord, NamedQueue, QueueRef, RawRecord, SourceRecord } from '@sluice/sdk';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { SendFailure } from '../ports/record-producer.port.js';
import type { ListSource } from '../testing/list-source.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { listOf, SourceWorld, valuesOf } from '../testing/source-world.js';
import { createConverters } from '../converters/create-converters.js';
import { ConvertingEncoder, RawEncoder } from './record-encoder.js';
import type { SourceLoopSettings } from './source-loop-options.js';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: true, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SourceLoopSettings>;

const LONG_MS = 600_000;
const ZLIB = 0x301;
const on = (queueId: number): NamedQueue => ({ brokerName: 'broker-a', queueId });

type Change = (value: string, record: SourceRecord) => Partial<RawRecord> & Partial<Omit<ConnectRecord, 'raw'>> & { readonly none?: true };

/** Two queues of `t`, and records whose values are the bodies of messages. */
class World extends SourceWorld {
  readonly queues: readonly QueueRef[] = this.cluster.addTopic('t', 2);
  readonly dead = this.cluster.queue(this.cluster.addTopic('dead', 1)[0]!);

  /** Every partition names queue 1, where `change` says nothing else. */
  rawSource(lists: ListSource['lists'], change: Change = () => ({}), pollSize = 10): ListSource {
    const source = this.source(lists, pollSize);
    const poll = source.poll.bind(source);
    source.poll = async (signal) =>
      (await poll(signal)).map((record) => {
        const text = record.value as string;
        const {
          flag = 0,
          sysFlag = 0,
          bornAt,
          body = Buffer.from(text),
          properties = Buffer.from('a\u00011\u0002'),
          none,
          ...rest
        } = change(text, record);
        const raw = { body, properties, flag, sysFlag, bornAt };
        return { ...record, value: null, rocketmq: { queue: on(1) }, ...(none ? {} : { raw }), ...rest };
      });
    return source;
  }

  run(source: ListSource, settings: Partial<SourceLoopSettings> = {}) {
    return this.loop(source, { encoder: new RawEncoder(), isRaw: true, settings });
  }

  messages(queueId: number): readonly RawMessage[] {
    return this.cluster.queue(this.queues[queueId]!).messages;
  }

  valid(queueId: number): readonly string[] {
    return readValid(this.cluster.queue(this.queues[queueId]!));
  }

  get routes(): unknown {
    return this.positions.writes.flatMap(({ partitions }) => partitions).at(-1)?.routes;
  }
}

/** What a message has beside its body. */
function headOf({ bornTimestamp, compressed, flag = 0 }: RawMessage): readonly unknown[] {
  return [compressed?.sysFlag ?? 0, bornTimestamp, flag];
}

describe('a source of raw records', () => {
  it('sends messages as they are to the queue that they name, with the stamp as the last property', async () => {
    const world = new World();
    const properties = Buffer.from('k\u0001\u00ff\u00fe\u0003\u0002sluice-p\u0001old\u0002TAGS\u0001T', 'latin1');
    const change: Change = () => ({ properties, flag: -5, sysFlag: ZLIB, bornAt: 1234 });
    const { loop, counters } = world.run(world.rawSource({ a: listOf(3) }, change));
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 3);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.messages(0)).toEqual([]);
    expect(world.messages(1).map(({ body }) => body.toString())).toEqual(valuesOf(3));
    expect(world.messages(1).map(headOf)).toEqual(valuesOf(3).map(() => [ZLIB, 1234, -5]));
    for (const { rawProperties } of world.messages(1)) {
      const stamp = scanStamp(rawProperties)!;
      expect(rawProperties.toString('latin1')).toBe(`k\u0001\u00ff\u00fe\u0003\u0002TAGS\u0001T\u0002sluice-p\u0001${stamp}\u0002`);
      expect(stamp).not.toBe('old');
    }
    expect(world.routes).toEqual([world.queues[1]]);
  });

  it('has in one batch only messages with the same compression and time, in their order', async () => {
    const world = new World();
    const heads = [
      [0, 7],
      [0, 7],
      [ZLIB, 7],
      [ZLIB, 8],
      [ZLIB, 8],
      [0, undefined],
      [0, 7],
    ] as const;
    const change: Change = (value) => {
      const [sysFlag, bornAt] = heads[Number(value.slice(1))]!;
      return { sysFlag, bornAt, flag: Number(value.slice(1)) };
    };
    const { loop, counters } = world.run(world.rawSource({ a: listOf(7) }, change));
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 7);
    await loop.stop();
    expect(world.cluster.sends.map(({ count }) => count)).toEqual([2, 1, 2, 1, 1]);
    const sent = world.messages(1);
    expect(sent.map(({ body }) => body.toString())).toEqual(valuesOf(7));
    expect(sent.map(headOf)).toEqual(heads.map(([sysFlag, bornAt], n) => [sysFlag, bornAt ?? sent[5]!.storeTimestamp, n]));
    expect(sent[5]!.bornTimestamp).toBeGreaterThan(8);
    expect(counters.bufferedBytes).toBe(0);
  });

  it('sends no batch for a record that not even an empty one takes', async () => {
    const world = new World();
    world.cluster.maxBatchBytes = 500;
    const change: Change = (value) => (value === 't0' ? { body: Buffer.alloc(1000), sysFlag: ZLIB } : {});
    const { loop, counters } = world.run(world.rawSource({ a: listOf(2) }, change, 1), tolerant);
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 1 && counters.deadLettersWritten === 1);
    await loop.stop();
    expect(world.cluster.sends.map(({ count }) => count)).toEqual([1]);
    expect([world.valid(1), counters.recordsSkipped, counters.bufferedBytes]).toEqual([['t1'], 1, 0]);
  });

  it('counts the memory of batches with one message each: few of them wait for a broker', async () => {
    const world = new World();
    world.cluster.fate = () => ({ kind: 'hold', until: new Promise(() => undefined) });
    const source = world.rawSource({ a: listOf(2000) }, (value) => ({ bornAt: Number(value.slice(1)) }), 2000);
    const { loop, counters } = world.run(source, { maxBufferedBytes: 1024 * 1024 });
    await loop.start();
    await world.clock.until(() => counters.bufferedRecords > 0);
    await world.clock.advance(5000);
    expect(counters.bufferedRecords).toBeGreaterThan(30);
    expect(counters.bufferedRecords).toBeLessThan(80);
    loop.kill();
  });

  it('resumes after crashes and lost answers without loss or duplicates, and with all that a message has', async () => {
    const world = new World();
    let sends = 0;
    world.cluster.fate = (_queue, { count }) => {
      sends++;
      if (sends % 4 === 0) return { kind: 'lose-unknown' };
      return sends % 3 === 0 ? { kind: 'part-unknown', count: count >> 1 } : { kind: 'store' };
    };
    const numberOf = (value: string): number => Number(value.slice(1));
    const change: Change = (value) => {
      const number = numberOf(value);
      return { flag: number, sysFlag: number % 7 === 0 ? ZLIB : 0, bornAt: 100 + (number >> 3) };
    };
    for (let run = 0; run < 4; run++) {
      const { loop } = world.run(world.rawSource({ a: listOf(100), b: listOf(100) }, change, 7));
      const from = sends;
      void loop.start().catch(() => undefined);
      await world.clock.until(() => sends > from + 9 || world.valid(1).length >= 200);
      loop.kill();
      await loop.ended;
      world.cluster.landLate();
    }
    world.cluster.fate = () => ({ kind: 'store' });
    const { loop } = world.run(world.rawSource({ a: listOf(100), b: listOf(100) }, change, 7));
    await loop.start();
    await world.clock.until(() => world.valid(1).length >= 200);
    await loop.stop();
    expect([...world.valid(1)].sort()).toEqual([...valuesOf(100), ...valuesOf(100)].sort());
    const records = world.messages(1).filter(({ rawProperties }) => scanBarrier(rawProperties) === undefined);
    expect(records.length).toBeGreaterThan(200);
    for (const message of records) {
      const number = numberOf(message.body.toString());
      expect(headOf(message)).toEqual([number % 7 === 0 ? ZLIB : 0, 100 + (number >> 3), number]);
    }
  });

  it('fails where a partition names another queue later, also after a restart, and says both', async () => {
    const world = new World();
    const change: Change = (value) => ({ rocketmq: { queue: on(Number(value === 't2')) } });
    const both = /Partition \{"file":"a"\} has its records in queue t@broker-a:0, and one names queue t@broker-a:1/;
    for (const settings of [{}, tolerant]) {
      const { loop } = world.run(world.rawSource({ a: listOf(3) }, change, 1), settings);
      await loop.start().catch(() => undefined);
      let end: unknown;
      void loop.ended.then((how) => (end = how));
      await world.clock.until(() => end !== undefined);
      expect(end).toMatchObject({ kind: 'failed', error: { message: expect.stringMatching(both) as unknown as string } });
    }
    expect(world.valid(0)).toEqual(['t0', 't1']);
    expect([world.messages(1), world.dead.messages]).toEqual([[], []]);
    // Another topic is another queue.
    const { loop } = world.run(world.rawSource({ a: listOf(3) }, () => ({ topic: 'other', rocketmq: { queue: on(0) } })));
    await loop.start();
    expect(await loop.ended).toMatchObject({
      error: { message: expect.stringContaining('one names queue other@broker-a:0') as unknown as string },
    });
  });

  it.each(['closed', 'refusing', 'unavailable'] as const)(
    'waits for a queue that is %s, and neither moves nor creates anything',
    async (state) => {
      const world = new World();
      const key = 't@broker-a:1';
      world.cluster.stopped.set(key, state);
      if (state === 'closed') world.cluster.stopped.set(key, 'refusing');
      const asked: string[] = [];
      const { queues } = world.cluster.producer;
      world.cluster.producer.queues = (topic) => {
        asked.push(topic);
        return queues(topic);
      };
      const { loop, counters } = world.run(world.rawSource({ a: listOf(20) }));
      await loop.start();
      await world.clock.advance(LONG_MS);
      expect(counters.recordsSent).toBe(0);
      expect(world.waits.list).toEqual([expect.objectContaining({ call: `sending to queue ${key}` })]);
      expect(JSON.stringify(world.waits.list)).toContain(
        'waits for it without end: its source names this queue, and no other stands in for it',
      );
      world.cluster.stopped.delete(key);
      await world.clock.until(() => counters.recordsSent === 20);
      expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
      expect(readEverything(world.cluster.queue(world.queues[1]!))).toEqual(valuesOf(20));
      expect([world.messages(0), world.warnings.list, asked]).toEqual([[], [], []]);
    },
  );

  it('waits without end for a topic that is gone, and creates none', async () => {
    const world = new World();
    for (const queueId of [0, 1]) world.cluster.stopped.set(`t@broker-a:${queueId}`, 'unavailable');
    const asked: string[] = [];
    world.cluster.producer.queues = (topic) => {
      asked.push(topic);
      return Promise.resolve([]);
    };
    const { loop, counters } = world.run(world.rawSource({ a: listOf(2) }));
    await loop.start();
    await world.clock.advance(LONG_MS);
    expect([counters.recordsSent, asked]).toEqual([0, []]);
    expect(counters.sendRetries).toBeGreaterThan(1);
    loop.kill();
  });

  it.each<[string, Change, string]>([
    ['that is not raw', () => ({ none: true }), 'it is not raw, and its connector is one of raw records'],
    ['with a key', () => ({ key: 'k' }), 'a raw record has the value null, no key and no headers: they would be lost'],
    ['with headers', () => ({ headers: [] }), 'a raw record has the value null, no key and no headers'],
    ['with a value', () => ({ value: 'v' }), 'a raw record has the value null, no key and no headers'],
    ['that names no queue', () => ({ rocketmq: {} }), 'it names no queue; a raw record names that of its partition in rocketmq.queue'],
    ['that names a place', () => ({ rocketmq: { queue: 1 } }), 'it names queue 1; expected of a raw record are brokerName and queueId'],
    ['that names no broker', () => ({ rocketmq: { queue: on(-1) } }), 'it names queue {"brokerName":"broker-a","queueId":-1}; expected'],
  ])('leaves out a record %s, or fails', async (_what, wrong, reason) => {
    const world = new World();
    const change: Change = (value, record) => (value === 't1' ? wrong(value, record) : {});
    const { loop, counters } = world.run(world.rawSource({ a: listOf(3) }, change), tolerant);
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2 && counters.deadLettersWritten === 1);
    await loop.stop();
    expect(world.valid(1)).toEqual(['t0', 't2']);
    expect(world.logger.lines.join('\n')).toContain(`of partition {"file":"a"}, before position {"position":2}: ${reason}`);
    const strict = new World();
    const failing = strict.run(strict.rawSource({ a: listOf(3) }, change));
    await failing.loop.start();
    expect(await failing.loop.ended).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining(reason) as unknown as string },
    });
  });

  it('keeps in the dead letter the message itself: where it is too large, and where the broker refuses it', async () => {
    const world = new World();
    world.cluster.fate = (_queue, { messages }) => ({ kind: messages.some(({ body }) => body.toString() === 't1') ? 'refuse' : 'store' });
    const long = Buffer.from(`long\u0001${'x'.repeat(32_700)}\u0002`);
    const change: Change = (value) => ({
      flag: 9,
      sysFlag: ZLIB,
      bornAt: 77,
      properties: value === 't2' ? long : Buffer.from('TAGS\u0001T\u0002own\u0001ä\u0002sluice-p\u0001old\u0002'),
    });
    const { loop, counters } = world.run(world.rawSource({ a: listOf(4) }, change), tolerant);
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2 && counters.deadLettersWritten === 2);
    await loop.stop();
    expect(world.valid(1)).toEqual(['t0', 't3']);
    const letters = [...world.dead.messages].sort((a, b) => a.body.compare(b.body));
    expect(letters.map(({ body }) => body.toString())).toEqual(['t1', 't2']);
    expect(letters.map(headOf)).toEqual([
      [ZLIB, 77, 9],
      [ZLIB, 77, 9],
    ]);
    const [refused, tooLarge] = letters.map(({ rawProperties }) => {
      const found = new Map<string, string>();
      forEachProperty(rawProperties, (name, value) => found.set(name, value));
      return found;
    });
    expect(Object.fromEntries(refused!)).toMatchObject({ TAGS: 'T', own: 'ä', '__connect.errors.topic': 't' });
    expect(refused!.has('sluice-p')).toBe(false);
    expect(tooLarge!.get('__connect.errors.omitted')).toBe('the properties, which have 32706 bytes');
    expect(tooLarge!.get('__connect.errors.exception.message')).toContain('its properties and the stamp take');
    expect(world.logger.lines.join('\n')).toContain('It was made at 1970-01-01T00:00:00.077Z, has 2 bytes, and these properties: ');
  });

  it.each([
    ['more than a letter has room for', 'x'.repeat(32_400), 32_405],
    ['no UTF-8, and grow as text', '\u00ff'.repeat(20_000), 60_005],
  ])('keeps the body of a refused message in the dead letter where its properties are %s', async (_what, value, bytes) => {
    const world = new World();
    world.cluster.fate = (_queue, { messages }) => ({ kind: messages.some(({ body }) => body.toString() === 't1') ? 'refuse' : 'store' });
    world.cluster.refusalOf = (_queue, { properties }) =>
      Buffer.byteLength(properties) <= 32_000
        ? undefined
        : new SendFailure('the properties are too long', { outcome: 'not-stored', retriable: false, refusesMessages: true });
    const change: Change = (text) => (text === 't1' ? { properties: Buffer.from(`own\u0001${value}\u0002`, 'latin1') } : {});
    const { loop, counters } = world.run(world.rawSource({ a: listOf(3) }, change), tolerant);
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2 && counters.deadLettersWritten === 1);
    await loop.stop();
    const [letter] = world.dead.messages;
    expect(letter!.body.toString()).toBe('t1');
    const found = new Map<string, string>();
    forEachProperty(letter!.rawProperties, (name, text) => found.set(name, text));
    expect(found.get('__connect.errors.omitted')).toBe(`the properties, which have ${bytes} bytes`);
    expect(found.get('__connect.errors.topic')).toBe('t');
  });

  it('is the only one whose records may be raw', async () => {
    const world = new World();
    const { loop } = world.loop(
      world.rawSource({ a: listOf(1) }, () => ({ rocketmq: {} })),
      {
        encoder: new ConvertingEncoder(createConverters({})),
      },
    );
    await loop.start();
    const message = expect.stringContaining('it is raw, and its connector is not one of raw records') as unknown as string;
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message } });
  });
});
