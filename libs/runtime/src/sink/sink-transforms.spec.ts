import { describe, expect, it } from '@jest/globals';
import { StringConverter } from '@sluice/converters';
import { recordToMessage } from '@sluice/protocol';
import { type Converter, queueKey, RetriableError, type Transform } from '@sluice/sdk';
import { AskingTransform } from '../testing/asking-transform.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';
import { ConvertingDecoder } from './record-decoder.js';
import { createTransforms } from '../transforms/create-transforms.js';
import { TransformChain } from '../transforms/transform-chain.js';

const chainOf = (...transforms: readonly Transform[]): TransformChain =>
  new TransformChain(transforms.map((transform, at) => ({ alias: `t${at}`, transform })));

function oneQueue(): { world: SinkWorld; ref: ReturnType<SinkWorld['cluster']['addTopic']>[number]; sink: TransactionalSink } {
  const world = new SinkWorld();
  const [ref] = world.cluster.addTopic('t', 1);
  return { world, ref: ref!, sink: new TransactionalSink(newSinkStorage()) };
}

const failingOn = (poison: string): Transform => ({
  apply: (record) => {
    if (record.value === poison) throw new Error('no field');
    return record;
  },
});

describe('the transforms of a sink', () => {
  it('give the sink what they make, with the place of the message; what they drop advances the offset', async () => {
    const { world, ref, sink } = oneQueue();
    const rename: Transform = { apply: ({ value }) => (value === 'b' || value === 'd' ? undefined : { topic: 'renamed', value }) };
    world.plain(ref, 'a', 'b', 'c', 'd');
    const { loop, counters } = world.loop(sink, { transforms: chainOf(rename) });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 4);
    loop.kill();
    expect(sink.puts.flat()).toEqual([
      { topic: 'renamed', value: 'a', queue: ref, offset: 0 },
      { topic: 'renamed', value: 'c', queue: ref, offset: 2 },
    ]);
    expect(counters).toMatchObject({ recordsRead: 4, recordsPut: 2, recordsFiltered: 2, recordsSkipped: 0 });
  });

  it('may send records to other topics, whatever these are called: offsets stay those of the topic that is read', async () => {
    const { world, ref, sink } = oneQueue();
    const transforms = createTransforms({
      transforms: 'route',
      'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
      'transforms.route.regex': '(.*)',
      'transforms.route.replacement': 'db.$1',
    });
    world.plain(ref, 'a', 'b');
    const { loop } = world.loop(sink, { transforms });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(ref)}`) === 2);
    loop.kill();
    expect(sink.puts.flat()).toMatchObject([
      { topic: 'db.t', value: 'a', queue: ref, offset: 0 },
      { topic: 'db.t', value: 'b', queue: ref, offset: 1 },
    ]);
    expect([...world.offsets.offsets.keys()]).toEqual([`g ${queueKey(ref)}`]);
  });

  it('fail on a record that one of them cannot take, after those before it were put and flushed', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'a', 'b', 'poisoned', 'c');
    const { loop } = world.loop(sink, { transforms: chainOf(failingOn('poisoned')) });
    await loop.start();
    const end = (await loop.ended) as { readonly error: unknown };
    expect(sink.storage.values).toEqual(['a', 'b']);
    expect(sink.storage.positions.get(queueKey(ref))?.nextOffset).toBe(2);
    expect(String(end.error)).toContain('at offset 2 cannot be transformed: Transform t0: no field. With errors.tolerance=all');
    expect(end.error).toMatchObject({ code: 'CONNECT_TRANSFORM_FAILED' });
  });

  it('skip such a record where that is tolerated', async () => {
    const { world, ref, sink } = oneQueue();
    world.plain(ref, 'a', 'poisoned', 'c');
    const { loop, counters } = world.loop(sink, { transforms: chainOf(failingOn('poisoned')), settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    loop.kill();
    expect(sink.storage.values).toEqual(['a', 'c']);
    expect(counters.recordsSkipped).toBe(1);
  });

  it('prepare as messages arrive, again after an error that may pass; duplicates and barriers never reach the sink', async () => {
    const { world, ref, sink } = oneQueue();
    const asking = new AskingTransform();
    let failures = 0;
    asking.beforeAnswer = () => (failures++ < 2 ? Promise.reject(new RetriableError('the registry is unavailable')) : Promise.resolve());
    world.stamped(ref, 'a', 1, 1, 2);
    world.barrier(ref, 2);
    world.stamped(ref, 'a', 1, 3);
    world.stamped(ref, 'a', 2, 3, 3);
    const { loop, counters } = world.loop(sink, { transforms: chainOf(asking) });
    const started = loop.start();
    await world.clock.until(() => world.waits.list.some(({ call }) => call === 'preparing records'));
    await started;
    await world.clock.until(() => counters.flushes === 1);
    expect(sink.storage.values).toEqual(['<a1>', '<a2>', '<a3>']);
    expect(counters).toMatchObject({ droppedOlderGeneration: 1, droppedRepeatedSeq: 1, conversionErrors: 0 });
    expect(world.waits.list).toEqual([]);
    const stopped = loop.stop();
    await world.clock.until(() => asking.isClosed);
    expect(await stopped).toEqual({ kind: 'stopped', clean: true });
  });

  it('prepare nothing for a message that cannot be converted, which fails at its own offset', async () => {
    const { world, ref, sink } = oneQueue();
    const asking = new AskingTransform();
    world.plain(ref, 'a', 'poison', 'c');
    const { loop } = world.loop(sink, { transforms: chainOf(asking) });
    await loop.start();
    const end = (await loop.ended) as { readonly error: unknown };
    expect(asking.asked).toEqual([['a', 'c']]);
    expect(sink.storage.values).toEqual(['<a>']);
    expect(String(end.error)).toContain('at offset 1 cannot be converted: not a text');
  });

  it('end the task with what a preparation cannot repeat', async () => {
    const { world, ref, sink } = oneQueue();
    const asking = new AskingTransform();
    asking.beforeAnswer = () => Promise.reject(new Error('no such subject'));
    world.plain(ref, 'a');
    const { loop } = world.loop(sink, { transforms: chainOf(asking), settings: { skipsBadRecords: true } });
    void loop.start().catch(() => undefined);
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message: 'no such subject' } });
    expect(sink.storage.values).toEqual([]);
  });

  it('wait for converters that prepare before a message is converted', async () => {
    const { world, ref, sink } = oneQueue();
    const prepared: Uint8Array[] = [];
    const converter: Converter = {
      toBytes: () => null,
      prepareFromBytes: (messages) => {
        prepared.push(...messages.flatMap(({ bytes }) => (bytes === null ? [] : [bytes])));
        return Promise.resolve();
      },
      // The same memory, not equal bytes: what was read to prepare a message is not read again.
      fromBytes: (bytes) => {
        if (bytes === null || !prepared.includes(bytes)) throw new Error('not prepared');
        return { value: Buffer.from(bytes).toString() };
      },
    };
    const decoder = new ConvertingDecoder({ key: converter, value: converter, header: new StringConverter() });
    const parts = ['a', 'b'].map((text) => recordToMessage({ key: 'k', value: Buffer.from(text) }, ref));
    world.cluster.queue(ref).append(parts, world.clock.wallMs());
    const { loop, counters } = world.loop(sink, { decoder });
    await loop.start();
    await world.clock.until(() => counters.flushes === 1);
    loop.kill();
    expect(sink.storage.values).toEqual(['a', 'b']);
    expect(prepared.map((bytes) => Buffer.from(bytes).toString())).toEqual(['k', 'k', 'a', 'b']);
    expect(sink.puts.flat().map(({ key }) => key)).toEqual(['k', 'k']);
  });

  it('come to an end where a batch takes longer than its time', async () => {
    const { world, ref, sink } = oneQueue();
    const transforms = createTransforms({
      transforms: 'slow',
      'transforms.slow.type': 'JsonataTransform',
      'transforms.slow.expression': '($f := function($n){$n = 0 ? "1" : $f($n - 1)}; $f(200))',
      'transforms.slow.batch.timeout.ms': '1',
      'transforms.slow.timeout.ms': '2000',
    });
    world.plain(ref, 'a', 'b', 'c');
    const { loop, counters } = world.loop(sink, { transforms });
    const started = loop.start();
    await world.clock.until(() => counters.recordsPut === 3);
    await started;
    loop.kill();
    expect(sink.puts.flat().map(({ value }) => value)).toEqual(['1', '1', '1']);
  });
});
