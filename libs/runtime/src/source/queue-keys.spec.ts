import { describe, expect, it } from '@jest/globals';
import { queueKey, type ConnectRecord, type SourceRecord } from '@sluice/sdk';
import { createConverters } from '../converters/create-converters.js';
import { parseSourceSettings } from '../config/connector-settings.js';
import { queueByOf } from '../config/loop-settings.js';
import type { ListSource } from '../testing/list-source.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { listOf, SourceWorld, textEncoder, valuesOf } from '../testing/source-world.js';
import { convertedQueueKeys, placeOf, type QueueKeys } from './queue-keys.js';

const base = { name: 'c', 'connector.class': 'X' };

function keysOf(settings: Readonly<Record<string, string>>): QueueKeys {
  const config = { ...base, ...settings };
  return convertedQueueKeys(queueByOf(parseSourceSettings(config))!, createConverters(config));
}

/** A value's digit after the topic is its key; those with 9 have none. */
const lastDigit: QueueKeys = {
  by: { kind: 'key' },
  bytesOf: ({ value }) => {
    const digit = (value as string).slice(-1);
    return digit === '9' ? undefined : Buffer.from(digit);
  },
};

/** Makes the positions of some records long. */
function withBigPositions(source: ListSource, big: string, isBig: (record: SourceRecord) => boolean): ListSource {
  const poll = source.poll.bind(source);
  source.poll = async (signal) =>
    (await poll(signal)).map((record) => (isBig(record) ? { ...record, position: { ...record.position, big } } : record));
  return source;
}

describe('what chooses the queue of a record', () => {
  const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());
  const record = (parts: Partial<ConnectRecord>): ConnectRecord => ({ topic: 't', value: 'v', ...parts });

  it('is its source partition unless the settings say otherwise', () => {
    expect(queueByOf(parseSourceSettings(base))).toBeUndefined();
  });

  it('is the key as it is sent', () => {
    const keys = keysOf({ 'queue.by': 'key', 'key.converter': 'JsonConverter', 'key.converter.schemas.enable': 'false' });
    expect(text(keys.bytesOf(record({ key: { id: 7 } })))).toBe('{"id":7}');
    expect(keys.bytesOf(record({}))).toBeUndefined();
    expect(keys.bytesOf(record({ key: null }))).toBeUndefined();
  });

  it('is the first value of a header', () => {
    const keys = keysOf({ 'queue.by': 'header', 'queue.by.header': 'tenant' });
    const headers = [
      { key: 'other', value: 'x' },
      { key: 'tenant', value: 'a' },
      { key: 'tenant', value: 'b' },
    ];
    expect(text(keys.bytesOf(record({ headers })))).toBe('a');
    expect(text(keys.bytesOf(record({ headers: [{ key: 'tenant', value: Buffer.from('bytes') }] })))).toBe('bytes');
    expect(keys.bytesOf(record({ headers: [{ key: 'tenant', value: null }] }))).toBeUndefined();
    expect(keys.bytesOf(record({ headers: [] }))).toBeUndefined();
    expect(keys.bytesOf(record({}))).toBeUndefined();
  });

  it.each([
    [{ 'queue.by': 'random' }, 'queue.by', 'partition, key, header'],
    [{ 'queue.by': 'header' }, 'queue.by.header', 'needs the name of a header'],
    [{ 'queue.by': 'key', 'queue.by.header': 'h' }, 'queue.by.header', 'It has no effect with queue.by=key'],
    [{ 'queue.by.header': 'h' }, 'queue.by.header', 'It has no effect with queue.by=partition'],
  ])('is refused by name: %j', (settings, field, allowed) => {
    const refused = (): unknown => parseSourceSettings({ ...base, ...settings });
    expect(refused).toThrow(field);
    expect(refused).toThrow(allowed);
  });

  it('spreads keys evenly, equal ones alike', () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (let n = 0; n < 8000; n++) {
      const place = placeOf(Buffer.from(`user-${n}`), 8);
      expect(placeOf(Buffer.from(`user-${n}`), 8)).toBe(place);
      counts[place]! += 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('a source whose keys choose the queues', () => {
  it('keeps the records of a key in one queue, in order, and uses several queues for one partition', async () => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 4);
    const { loop, counters } = world.loop(world.source({ a: listOf(60) }, 7), { queueKeys: lastDigit });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 60);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    const found = queues.map((queue) => readEverything(world.cluster.queue(queue)));
    expect(found.filter(({ length }) => length > 0).length).toBeGreaterThan(2);
    expect(found.flat()).toHaveLength(60);
    for (let digit = 0; digit < 10; digit++) {
      const own = found.map((values) => values.filter((value) => value.endsWith(String(digit)))).filter(({ length }) => length > 0);
      expect(own).toEqual([[0, 1, 2, 3, 4, 5].map((tens) => `t${tens === 0 ? '' : tens}${digit}`)]);
    }
  });

  it('commits a position only when all records before it are acknowledged, in whatever queue', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 4);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = (queue: unknown, batch: { messages: readonly { body: Buffer }[] }) =>
      batch.messages.some(({ body }) => body.toString() === 't0') ? ({ kind: 'hold', until: held } as const) : ({ kind: 'store' } as const);
    world.cluster.fate = first;
    const source = world.source({ a: listOf(40) }, 10);
    const { loop, counters } = world.loop(source, { queueKeys: lastDigit });
    await loop.start();
    await world.clock.until(() => counters.recordsSent > 10);
    await world.clock.advance(10_000);
    expect(source.committed).toEqual([]);
    release();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 40);
    await loop.stop();
  });

  it('lists two queues of each topic in a position, however many there are', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 64);
    world.cluster.addTopic('u', 64);
    const both = listOf(100).flatMap((record) => [record, { ...record, topic: 'u' }]);
    const perRecord: QueueKeys = { ...lastDigit, bytesOf: ({ value }) => Buffer.from(value as string) };
    const source = world.source({ a: both }, 10);
    const { loop } = world.loop(source, { queueKeys: perRecord });
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 200);
    await loop.stop();
    const used = [...world.cluster.queues.values()].filter(({ messages }) => messages.length > 0);
    expect(used.length).toBeGreaterThan(80);
    const listed = world.positions.writes.flatMap(({ partitions }) => partitions.map(({ routes }) => routes.map(queueKey).sort()));
    const last = listed.at(-1)!;
    expect(last.map((key) => key[0])).toEqual(['t', 't', 'u', 'u']);
    expect(used.map(({ ref }) => queueKey(ref))).toEqual(expect.arrayContaining(last));
    expect(Math.max(...listed.map(({ length }) => length))).toBe(4);
  });

  it('takes no more of a partition than a position can list behind a record that waits', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 2);
    const big = 'x'.repeat(7000);
    let isDown = true;
    world.cluster.fate = (queue) => (isDown && queue.queueId === 0 ? { kind: 'reject', retriable: true } : { kind: 'store' });
    const source = withBigPositions(world.source({ a: listOf(2000) }, 100), big, () => true);
    const { loop, counters } = world.loop(source, { queueKeys: lastDigit });
    await loop.start();
    await world.clock.advance(60_000);
    expect(counters.recordsSent).toBeGreaterThan(100);
    expect(counters.recordsSent + counters.bufferedRecords).toBeLessThanOrEqual(300);
    isDown = false;
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 2000);
    await loop.stop();
  });

  it('lists a long position as long only while that waits itself', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 2);
    const list = [...listOf(1)];
    const source = withBigPositions(world.source({ a: list }, 100), 'x'.repeat(7000), ({ value }) => value === 't0');
    let isDown = false;
    world.cluster.fate = (queue) => (isDown && queue.queueId === 0 ? { kind: 'reject', retriable: true } : { kind: 'store' });
    const { loop, counters } = world.loop(source, { queueKeys: lastDigit });
    await loop.start();
    await world.clock.until(() => source.committed.length === 1);
    isDown = true;
    list.push(...listOf(2000).slice(1));
    await world.clock.advance(60_000);
    expect(counters.recordsSent + counters.bufferedRecords).toBeGreaterThan(1500);
    isDown = false;
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 2000);
    await loop.stop();
  });

  it('fails where a queue takes no messages any more; its next generation uses the others, without loss or duplicates', async () => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 3);
    const first = world.loop(world.source({ a: listOf(60) }, 7), { queueKeys: lastDigit });
    let sends = 0;
    world.cluster.fate = () => {
      if (++sends === 4) world.cluster.refuse(queues[1]!);
      return { kind: 'store' };
    };
    await first.loop.start();
    let end: unknown;
    void first.loop.ended.then((ended) => (end = ended));
    await world.clock.until(() => world.waits.list.length > 0);
    expect(world.waits.list).toMatchObject([
      {
        error: expect.stringMatching(
          /has taken no messages for \d s\. After 10 s the task restarts with the queues that take messages then\./,
        ),
      },
    ]);
    await world.clock.until(() => end !== undefined);
    // A new generation: this one's numbers would look repeated in other queues.
    expect(end).toMatchObject({
      kind: 'failed',
      clean: false,
      error: {
        code: 'CONNECT_UNAVAILABLE',
        retriable: true,
        message: expect.stringMatching(
          /^Queue t@broker-a:1 has taken no messages for 1\d s\. With queue\.by=key a record has one queue while the task runs: the task restarts/,
        ),
      },
    });
    // Nothing was uncertain: what is in the queues is listed, and they are not examined.
    expect(world.positions.writes.at(-1)).toMatchObject({ settled: [{ index: 0 }] });
    expect(world.positions.writes.at(-1)?.partitions[0]?.ahead?.length).toBeGreaterThan(0);
    const second = world.loop(world.source({ a: listOf(60) }, 7), { queueKeys: lastDigit });
    const endedMs = world.clock.nowMs();
    await second.loop.start();
    expect(world.clock.nowMs()).toBe(endedMs);
    const found = (): readonly string[] => queues.flatMap((queue) => readEverything(world.cluster.queue(queue)));
    await world.clock.until(() => found().length >= 60);
    await second.loop.stop();
    expect([...found()].sort()).toEqual(
      listOf(60)
        .map(({ value }) => value)
        .sort(),
    );
  });

  it('leaves the examination of its queues to its next generation where the one that stopped may have more than was acknowledged', async () => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 3);
    const lost = queueKey(queues[1]!);
    world.cluster.fate = (queue) => {
      if (queueKey(queue) !== lost || world.cluster.queue(queue).messages.length === 0) return { kind: 'store' };
      world.cluster.stopped.set(lost, 'unavailable');
      return { kind: 'store-unknown' };
    };
    const first = world.loop(world.source({ a: listOf(60) }, 7), { queueKeys: lastDigit });
    await first.loop.start();
    let end: unknown;
    void first.loop.ended.then((ended) => (end = ended));
    await world.clock.until(() => end !== undefined, 400_000);
    expect(end).toMatchObject({ kind: 'failed', clean: false, error: { code: 'CONNECT_UNAVAILABLE' } });
    world.cluster.stopped.clear();
    world.cluster.fate = () => ({ kind: 'store' });
    const second = world.loop(world.source({ a: listOf(60) }, 7), { queueKeys: lastDigit });
    await second.loop.start();
    const found = (): readonly string[] => queues.flatMap((queue) => readValid(world.cluster.queue(queue)));
    await world.clock.until(() => found().length >= 60);
    await second.loop.stop();
    expect([...found()].sort()).toEqual(
      listOf(60)
        .map(({ value }) => value)
        .sort(),
    );
  });

  it('may have its partitions choose again, which then stay with one of their queues', async () => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 4);
    const first = world.loop(world.source({ a: listOf(30) }), { queueKeys: lastDigit });
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 30);
    await first.loop.stop();
    const second = world.loop(world.source({ a: listOf(50) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 20);
    await second.loop.stop();
    const later = queues.map((queue) => readValid(world.cluster.queue(queue)).filter((value) => Number(value.slice(1)) >= 30));
    expect(later.filter(({ length }) => length > 0)).toEqual([
      listOf(50)
        .slice(30)
        .map(({ value }) => value),
    ]);
  });

  it('skips a record whose key cannot be converted', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 2);
    const queueKeys: QueueKeys = {
      ...lastDigit,
      bytesOf: (record) => {
        if (record.value === 't1') throw new Error('no key');
        return lastDigit.bytesOf(record);
      },
    };
    const source = world.source({ a: listOf(3) });
    const { loop, counters } = world.loop(source, { queueKeys, encoder: textEncoder, settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 3);
    await loop.stop();
    expect(counters).toMatchObject({ recordsSent: 2, recordsSkipped: 1 });
    expect(world.logger.lines.some((line) => line.includes('no key'))).toBe(true);
  });

  it('leaves a queue that keys chose before and that is closed now alone', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('t', 3);
    const first = world.loop(world.source({ a: listOf(30) }), { queueKeys: lastDigit });
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 30);
    await first.loop.stop();
    // The one that a partition would stay with.
    const last = world.positions.writes.at(-1)!.partitions[0]!.routes.at(-1)!;
    world.cluster.stopped.set(queueKey(last), 'closed');
    const second = world.loop(world.source({ a: listOf(60) }), { queueKeys: lastDigit });
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 30);
    await world.clock.advance(60_000);
    expect(await second.loop.stop()).toEqual({ kind: 'stopped', clean: true });
  });

  it('does not end settled while a send of unknown outcome may still land', async () => {
    const world = new SourceWorld();
    const queues = world.cluster.addTopic('t', 3);
    const lost = queueKey(queues[1]!);
    const source = (): ReturnType<SourceWorld['source']> => world.source({ a: listOf(60) }, 7);
    let isSent = false;
    world.cluster.fate = (queue, batch) => {
      const isBarrier = batch.messages.some(({ properties }) => properties.includes('sluice-b'));
      if (queueKey(queue) !== lost || isBarrier || world.cluster.queue(queue).messages.length === 0) return { kind: 'store' };
      if (!isSent) {
        isSent = true;
        return { kind: 'part-unknown', count: 0 };
      }
      // The broker goes away once the queue was examined.
      world.cluster.stopped.set(lost, 'unavailable');
      return { kind: 'reject', retriable: true };
    };
    const first = world.loop(source(), { queueKeys: lastDigit });
    await first.loop.start();
    let hasEnded = false;
    void first.loop.ended.then(() => (hasEnded = true));
    await world.clock.until(() => hasEnded, 400_000);
    expect(isSent).toBe(true);
    world.cluster.stopped.clear();
    world.cluster.landLate();
    world.cluster.fate = () => ({ kind: 'store' });
    const second = world.loop(source(), { queueKeys: lastDigit });
    await second.loop.start();
    const found = (): readonly string[] => queues.flatMap((queue) => readValid(world.cluster.queue(queue)));
    await world.clock.until(() => new Set(found()).size >= 60);
    await second.loop.stop();
    expect([...found()].sort()).toEqual(valuesOf(60).toSorted());
  });
});
