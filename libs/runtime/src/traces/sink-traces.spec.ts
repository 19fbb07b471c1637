import { describe, expect, it } from '@jest/globals';
import { JsonConverter, jsonConverterSpec, StringConverter } from '@sluice/converters';
import { forEachProperty, recordToMessage, traceProperties } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, requireConfig, RetriableError, type SinkRecord } from '@sluice/sdk';
import type { SinkLoopSettings } from '../sink/sink-loop-options.js';
import { ConvertingDecoder } from '../sink/record-decoder.js';
import { AskingSink } from '../testing/asking-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { SpanList } from '../testing/span-list.js';
import { ManualClock } from '../testing/manual-clock.js';
import { newSinkStorage } from '../testing/transactional-sink.js';
import { TransformChain } from '../transforms/transform-chain.js';
import { SinkTraces } from './sink-traces.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SinkLoopSettings>;

class World extends SinkWorld {
  readonly sink = new AskingSink(newSinkStorage());
  readonly list = new SpanList();
  readonly ref: QueueRef;
  readonly dead: QueueRef;

  constructor(readonly ratio = 0) {
    super();
    [this.ref] = this.cluster.addTopic('t', 1) as [QueueRef];
    [this.dead] = this.cluster.addTopic('dead', 1) as [QueueRef];
  }

  /** Puts a message into the queue that a traced sender has written. */
  carrying(value: string, isSampled = true): void {
    const { body, properties } = recordToMessage({ value: Buffer.from(value) }, { topic: 't' });
    this.sent(body, properties + traceProperties({ traceId: TRACE, spanId: SPAN, isSampled }));
  }

  sent(body: Buffer, properties: string): void {
    this.cluster.queue(this.ref).append([{ body, properties }], this.clock.wallMs());
  }

  get traces(): SinkTraces {
    return new SinkTraces({
      tracer: this.list.tracer(this.clock, this.ratio),
      connector: 'sink',
      index: 0,
      group: 'g',
      deadLetterTopic: 'dead',
      hide: (text) => text.replaceAll('s3cret', '[hidden]'),
    });
  }

  /** Runs the sink until offsets up to `end` are committed. */
  async run(end: number, options: Parameters<SinkWorld['loop']>[1] = {}): Promise<void> {
    const { loop } = this.loop(this.sink, { traces: this.traces, ...options });
    await loop.start();
    await this.clock.until(() => this.offsets.offsets.get(`g ${queueKey(this.ref)}`) === end);
    await this.clock.settle();
    loop.kill();
    await loop.ended;
  }
}

describe('the trace of a record of a sink', () => {
  it('continues that of its message, with a step for each call, until the offset is committed', async () => {
    const world = new World();
    world.plain(world.ref, 'first');
    world.carrying('second');
    await world.run(2, { transforms: new TransformChain([{ alias: 'x', transform: { apply: (record) => record } }]) });
    expect(world.sink.values).toEqual(['first', 'second']);
    expect(world.list.tree).toEqual([
      'remote > process t: committed',
      'process t > convert',
      'process t > transform',
      'process t > put',
      'process t > flush',
      'process t > commit',
    ]);
    const [root, ...steps] = world.list.spans;
    expect(root).toMatchObject({
      traceId: TRACE,
      parent: { spanId: SPAN, isRemote: true },
      kind: 'consumer',
      attributes: {
        'messaging.system': 'rocketmq',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 't',
        'messaging.destination.partition.id': '0',
        'messaging.consumer.group.name': 'g',
        'sluice.connector': 'sink',
        'sluice.task': 0,
        'sluice.broker': 'broker-a',
        'sluice.queue': 0,
        'sluice.offset': 1,
      },
    });
    expect(root?.error).toBeUndefined();
    expect(steps.every(({ traceId }) => traceId === TRACE)).toBe(true);
  });

  it('is not begun where its message says so, and is where it carries none and is chosen', async () => {
    const world = new World(1);
    world.carrying('first', false);
    world.plain(world.ref, 'second');
    await world.run(2);
    expect(world.list.tree.filter((line) => line.includes('process t:'))).toEqual(['process t: committed']);
    expect(world.list.spans[0]?.attributes['sluice.offset']).toBe(1);
    expect(world.list.spans[0]?.traceId).not.toBe(TRACE);
  });

  it('counts a context that is invalid, and the record passes', async () => {
    const world = new World();
    world.sent(Buffer.from('one'), 'traceparent\u000100-xyz\u0002');
    await world.run(1);
    expect(world.list.counts.invalidContexts).toBe(1);
    expect(world.list.spans).toEqual([]);
  });

  it('has each try of a put; an error that the record got over stays an event', async () => {
    const world = new World();
    world.carrying('one');
    const put: string[] = [];
    let tries = 0;
    world.sink.put = (records: readonly SinkRecord[]) => {
      tries++;
      if (tries === 1) return Promise.reject(new RetriableError('busy with s3cret'));
      put.push(...records.map(({ value }) => value as string));
      return Promise.resolve();
    };
    await world.run(1);
    expect(put).toEqual(['one']);
    const puts = world.list.spans.filter(({ name }) => name === 'put');
    expect(puts.map(({ error }) => error)).toEqual(['busy with [hidden]', undefined]);
    const [root] = world.list.spans;
    expect(root).toMatchObject({ error: undefined, attributes: { 'sluice.outcome': 'committed' } });
    expect(root?.attributes).not.toHaveProperty('error.type');
    expect(root?.events).toMatchObject([{ name: 'exception', attributes: { 'sluice.error.stage': 'TASK_PUT' } }]);
    expect(JSON.stringify(world.list.spans)).not.toContain('s3cret');
  });

  it('says where a record went that cannot be converted; its dead letter has the context once', async () => {
    const world = new World();
    world.carrying('poison');
    world.plain(world.ref, 'good');
    await world.run(2, { settings: tolerant });
    expect(world.list.tree).toEqual(['remote > process t: dead-letter', 'process t > convert', 'process t > send dead']);
    expect(world.list.spans[0]).toMatchObject({
      error: 'not a text',
      attributes: { 'sluice.dead_letter.topic': 'dead', 'sluice.error.stage': 'ROCKETMQ_CONSUME' },
    });
    const [letter] = world.cluster.queue(world.dead).messages;
    const found: string[] = [];
    forEachProperty(letter!.rawProperties, (name, value) => {
      if (name === 'traceparent') found.push(value);
    });
    expect(found).toEqual([`00-${TRACE}-${SPAN}-01`]);
  });

  it('says where a record went that the sink refuses among others', async () => {
    const world = new World();
    world.carrying('bad');
    world.carrying('good');
    const put: string[] = [];
    world.sink.put = (records: readonly SinkRecord[]) => {
      if (records.some(({ value }) => value === 'bad')) return Promise.reject(new Error('refused'));
      put.push(...records.map(({ value }) => value as string));
      return Promise.resolve();
    };
    await world.run(2, { settings: tolerant, hasRepeatablePut: true });
    expect(put).toEqual(['good']);
    const roots = world.list.spans.filter(({ name }) => name === 'process t');
    expect(
      roots.map(({ attributes }) => [attributes['sluice.offset'], attributes['sluice.outcome'], attributes['sluice.error.stage']]),
    ).toEqual([
      [0, 'dead-letter', 'TASK_PUT'],
      [1, 'committed', undefined],
    ]);
  });

  it.each([0, 2])(
    'keeps why the task refused the record through its context, although the put succeeds after %d failures',
    async (failures) => {
      const world = new World();
      world.carrying('bad');
      let tries = 0;
      world.sink.put = (records: readonly SinkRecord[]) => {
        const problem = new ConnectError(ConnectErrorCode.conversionFailed, 'no such table');
        for (const record of records) void world.sink.context.skipRecord(record, problem);
        return ++tries > failures ? Promise.resolve() : Promise.reject(new RetriableError('busy'));
      };
      await world.run(1, { settings: tolerant });
      expect(tries).toBe(failures + 1);
      const root = world.list.named('process t');
      expect([root.error, root.attributes['sluice.outcome'], root.attributes['sluice.error.stage']]).toEqual([
        'no such table',
        'dead-letter',
        'TASK_PUT',
      ]);
    },
  );

  it('shows an error of many records that is searched for secrets once', () => {
    const clock = new ManualClock();
    const list = new SpanList();
    let hidden = 0;
    const hide = (text: string): string => {
      hidden++;
      return text;
    };
    const traces = new SinkTraces({
      tracer: list.tracer(clock, 1),
      connector: 'c',
      index: 0,
      group: 'g',
      deadLetterTopic: undefined,
      hide,
    });
    const queue = { topic: 't', brokerName: 'b', queueId: 0 };
    const message = {
      body: Buffer.alloc(1),
      bodyBytes: 1,
      rawProperties: Buffer.alloc(0),
      propertiesBytes: 0,
      bornTimestamp: 1,
      storeTimestamp: 1,
    };
    const messages = Array.from({ length: 100 }, (_, queueOffset) => ({ ...message, queueOffset }));
    const records = (traces.begin(queue, messages) ?? []).map((trace) => {
      const record = { queue, offset: trace.offset, topic: 't', value: 'v' } as unknown as SinkRecord;
      trace.taken(record);
      return record;
    });
    traces.puts(records)?.failed(new Error('cannot insert'), 0);
    traces.end();
    expect(list.spans.filter(({ error }) => error === 'cannot insert')).toHaveLength(200);
    expect(hidden).toBe(3);
  });

  it('ends with its task', async () => {
    const world = new World();
    world.carrying('one');
    world.sink.put = () => Promise.reject(new Error('refused'));
    const { loop } = world.loop(world.sink, { traces: world.traces });
    await loop.start();
    await world.clock.until(() => world.list.spans.length > 0);
    expect(await loop.ended).toMatchObject({ kind: 'failed' });
    expect(world.list.tree[0]).toBe('remote > process t: interrupted');
    expect(world.list.spans[0]).toMatchObject({ error: 'refused', attributes: { 'sluice.error.stage': 'TASK_PUT' } });
  });

  it('leaves its context a text, whatever converter the headers have', () => {
    const json = new JsonConverter(requireConfig('The header', jsonConverterSpec, { 'schemas.enable': 'false' }));
    const decoder = new ConvertingDecoder({ key: new StringConverter(), value: new StringConverter(), header: json });
    const world = new World();
    world.sent(Buffer.from('v'), `n\u00017\u0002traceparent\u0001other text\u0002tracestate\u0001a=b\u0002`);
    const [message] = world.cluster.queue(world.ref).messages;
    expect(decoder.decode(world.ref, message!).headers?.map(({ key, value }) => [key, value])).toEqual([
      ['n', 7],
      ['traceparent', 'other text'],
      ['tracestate', 'a=b'],
    ]);
  });
});
