import { describe, expect, it } from '@jest/globals';
import { type ConnectRecord, RetriableError, type Transform } from '@sluice/sdk';
import { AskingTransform } from '../testing/asking-transform.js';
import { readEverything } from '../testing/read-valid.js';
import { listOf, oneQueueWorld } from '../testing/source-world.js';
import { createTransforms } from '../transforms/create-transforms.js';
import { TransformChain } from '../transforms/transform-chain.js';

const chainOf = (...transforms: readonly Transform[]): TransformChain =>
  new TransformChain(transforms.map((transform, at) => ({ alias: `t${at}`, transform })));

/** Keeps nothing of a record but its topic and value. */
const bare = (change: (value: string) => string | undefined): Transform => ({
  apply: ({ topic, value }) => {
    const changed = change(value as string);
    return changed === undefined ? undefined : { topic, value: changed };
  },
});

/** Some milliseconds for a record, and 1 ms for a batch: each call does one record. */
const slowChain = (): TransformChain =>
  createTransforms({
    transforms: 'copy,slow',
    'transforms.copy.type': 'InsertHeader',
    'transforms.copy.header': 'h',
    'transforms.copy.value.literal': 'x',
    'transforms.slow.type': 'JsonataTransform',
    'transforms.slow.expression': '($f := function($n){$n = 0 ? "1" : $f($n - 1)}; $f(200))',
    'transforms.slow.batch.timeout.ms': '1',
    'transforms.slow.timeout.ms': '2000',
  });

describe('the transforms of a source', () => {
  it('send what they make; what they drop advances the position', async () => {
    const { world, queue } = oneQueueWorld();
    const source = world.source({ a: listOf(4) });
    const transforms = chainOf(bare((value) => (value === 't1' || value === 't3' ? undefined : `${value}!`)));
    const { loop, counters } = world.loop(source, { transforms });
    await loop.start();
    await world.clock.until(() => counters.recordsFiltered === 2 && counters.recordsSent === 2);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['t0!', 't2!']);
    expect(source.committed.at(-1)?.position).toEqual({ position: 4 });
    expect(counters).toMatchObject({ conversionErrors: 0, recordsSkipped: 0 });
  });

  it('may drop everything: the position is stored, and a restart resumes behind it', async () => {
    const { world, queue } = oneQueueWorld();
    const drop = chainOf({ apply: () => undefined });
    const { loop, counters } = world.loop(world.source({ a: listOf(3) }), { transforms: drop });
    await loop.start();
    await world.clock.until(() => counters.recordsFiltered === 3);
    await loop.stop();
    expect(readEverything(queue)).toEqual([]);
    const second = world.source({ a: listOf(4) });
    const next = world.loop(second);
    await next.loop.start();
    await world.clock.until(() => next.counters.recordsSent === 1);
    await next.loop.stop();
    expect(second.startedAt).toEqual({ a: { position: 3 } });
    expect(readEverything(queue)).toEqual(['t3']);
  });

  it('choose the topic, and by it the queue', async () => {
    const { world, queue } = oneQueueWorld();
    const [other] = world.cluster.addTopic('other', 1);
    const route = chainOf({ apply: (record) => (record.value === 't1' ? { ...record, topic: 'other' } : record) });
    const { loop, counters } = world.loop(world.source({ a: listOf(3) }), { transforms: route });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 3);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['t0', 't2']);
    expect(readEverything(world.cluster.queue(other!))).toEqual(['t1']);
  });

  it('skip, or fail on, a record that they send to a topic which cannot exist', async () => {
    const { world, queue } = oneQueueWorld();
    const route = chainOf({ apply: (record) => (record.value === 't1' ? { ...record, topic: 'a b' } : record) });
    const tolerant = world.loop(world.source({ a: listOf(3) }), { transforms: route, settings: { skipsBadRecords: true } });
    await tolerant.loop.start();
    await world.clock.until(() => tolerant.counters.recordsSent === 2);
    await tolerant.loop.stop();
    expect(readEverything(queue)).toEqual(['t0', 't2']);
    expect(tolerant.counters).toMatchObject({ recordsSkipped: 1, conversionErrors: 1 });
    const strict = world.loop(world.source({ b: listOf(3) }), { transforms: route });
    await strict.loop.start();
    const end = (await strict.loop.ended) as { readonly error: unknown };
    expect(String(end.error)).toMatch(
      /of partition \{"file":"b"\}, before position \{"position":2\}: a transform gave .* Topic "a b" cannot/,
    );
    expect(end.error).toMatchObject({ code: 'CONNECT_TRANSFORM_FAILED' });
  });

  it('skip, or fail on, a record that one of them cannot take', async () => {
    const { world, queue } = oneQueueWorld();
    const failing = chainOf(
      bare((value) => {
        if (value === 't1') throw new TypeError('no field');
        return value;
      }),
    );
    const tolerant = world.loop(world.source({ a: listOf(3) }), { transforms: failing, settings: { skipsBadRecords: true } });
    await tolerant.loop.start();
    await world.clock.until(() => tolerant.counters.recordsSent === 2);
    await tolerant.loop.stop();
    expect(readEverything(queue)).toEqual(['t0', 't2']);
    expect(tolerant.counters).toMatchObject({ recordsSkipped: 1, recordsFiltered: 0 });
    const strict = world.loop(world.source({ b: listOf(3) }), { transforms: failing });
    await strict.loop.start();
    const end = (await strict.loop.ended) as { readonly error: unknown };
    expect(String(end.error)).toMatch(/Transform t0: no field\. With errors\.tolerance=all the task skips such records/);
  });

  it('prepare batch by batch, again after an error that may pass, which the status shows; then they are closed', async () => {
    const { world, queue } = oneQueueWorld();
    const asking = new AskingTransform();
    let failures = 0;
    asking.beforeAnswer = () => (failures++ < 2 ? Promise.reject(new RetriableError('the registry is unavailable')) : Promise.resolve());
    const { loop, counters } = world.loop(world.source({ a: listOf(5) }), { transforms: chainOf(asking) });
    await loop.start();
    await world.clock.until(() => world.waits.list.some(({ call }) => call === 'preparing records'));
    await world.clock.until(() => counters.recordsSent === 5);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['<t0>', '<t1>', '<t2>', '<t3>', '<t4>']);
    expect(asking.asked).toEqual([
      ['t0', 't1', 't2'],
      ['t0', 't1', 't2'],
      ['t0', 't1', 't2'],
      ['t3', 't4'],
    ]);
    expect(world.waits.list).toEqual([]);
    expect(asking.isClosed).toBe(true);
  });

  it('end the task with what a preparation cannot repeat', async () => {
    const { world, queue } = oneQueueWorld();
    const asking = new AskingTransform();
    asking.beforeAnswer = () => Promise.reject(new Error('no such subject'));
    const { loop } = world.loop(world.source({ a: listOf(3) }), { transforms: chainOf(asking), settings: { skipsBadRecords: true } });
    await loop.start();
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message: 'no such subject' } });
    expect(readEverything(queue)).toEqual([]);
  });

  it('let the converters prepare with what they have made', async () => {
    const { world } = oneQueueWorld();
    const prepared: unknown[] = [];
    const encoder = {
      prepare: (records: readonly ConnectRecord[]): Promise<void> => {
        prepared.push(records.map(({ value }) => value));
        return Promise.resolve();
      },
      encode: ({ value }: ConnectRecord) => ({ body: Buffer.from(value as string), properties: '' }),
    };
    const transforms = chainOf(bare((value) => (value === 't1' ? undefined : `${value}!`)));
    const { loop, counters } = world.loop(world.source({ a: listOf(3) }), { transforms, encoder });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2);
    await loop.stop();
    expect(prepared).toEqual([['t0!', 't2!']]);
  });

  it('stop a task that waits for a preparation', async () => {
    const { world } = oneQueueWorld();
    const asking = new AskingTransform();
    asking.beforeAnswer = () => Promise.reject(new RetriableError('the registry is unavailable'));
    const { loop } = world.loop(world.source({ a: listOf(3) }), { transforms: chainOf(asking) });
    await loop.start();
    await world.clock.until(() => asking.asked.length >= 2);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
  });

  it('are applied to a record once, also where a later preparation or a converter has to ask again', async () => {
    const { world, queue } = oneQueueWorld();
    const seen = new Set<unknown>();
    const distinct: Transform = {
      apply: ({ topic, value }) => {
        if (seen.has(value)) return undefined;
        seen.add(value);
        return { topic, value };
      },
    };
    const asking = new AskingTransform();
    let [failures, asked] = [0, 0];
    asking.beforeAnswer = () => (failures++ < 2 ? Promise.reject(new RetriableError('busy')) : Promise.resolve());
    const encoder = {
      prepare: (): Promise<void> => (asked++ < 2 ? Promise.reject(new RetriableError('the registry is unavailable')) : Promise.resolve()),
      encode: ({ value }: ConnectRecord) => ({ body: Buffer.from(value as string), properties: '' }),
    };
    const { loop, counters } = world.loop(world.source({ a: listOf(3) }), { transforms: chainOf(distinct, asking), encoder });
    await loop.start();
    await world.clock.until(() => counters.recordsSent + counters.recordsFiltered === 3);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['<t0>', '<t1>', '<t2>']);
    expect(counters.recordsFiltered).toBe(0);
  });

  it('come to an end where a batch takes longer than its time, behind a transform that makes new records', async () => {
    const { world, queue } = oneQueueWorld();
    const { loop, counters } = world.loop(world.source({ a: listOf(5) }), { transforms: slowChain() });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 5);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['1', '1', '1', '1', '1']);
  });
});
