import { describe, expect, it } from '@jest/globals';
import { JsonConverter, jsonConverterSpec, StringConverter } from '@sluice/converters';
import { forEachProperty, maxBodyBytes, messageToRecord, scanTraceContext } from '@sluice/protocol';
import { type ConnectRecord, type RecordHeader, requireConfig } from '@sluice/sdk';
import { ConvertingEncoder } from '../source/record-encoder.js';
import type { SourceLoopSettings } from '../source/source-loop-options.js';
import { oneQueueWorld, testSettings } from '../testing/source-world.js';
import { SpanList } from '../testing/span-list.js';
import { TransformChain } from '../transforms/transform-chain.js';
import { SourceTraces } from './source-traces.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const parentOf = (flags: string): RecordHeader => ({ key: 'traceparent', value: `00-${TRACE}-${SPAN}-${flags}` });
const other = { key: 'other', value: 'x' };

/** Its headers are JSON, which the context of a trace is not. */
const json = new JsonConverter(requireConfig('The header', jsonConverterSpec, { 'schemas.enable': 'false' }));
const encoder = new ConvertingEncoder({ key: new StringConverter(), value: new StringConverter(), header: json });

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SourceLoopSettings>;

interface Given {
  readonly ratio?: number;
  readonly records: readonly (Pick<ConnectRecord, 'value' | 'headers'> & { readonly topic?: string })[];
  readonly apply?: (record: ConnectRecord) => ConnectRecord | undefined;
  readonly settings?: Partial<SourceLoopSettings>;
}

/** Runs a source of these records until its queue, or its dead letters, have all of them, or `isDone`. */
async function run({ ratio = 1, records, apply, settings = {} }: Given, isDone?: () => boolean) {
  const { world, queue } = oneQueueWorld();
  const [dead] = world.cluster.addTopic('dead', 1);
  const letters = world.cluster.queue(dead!).messages;
  const list = new SpanList();
  const listed = records.map((record) => ({ topic: 't', ...record })) as { topic: string; value: string }[];
  const transforms = new TransformChain(apply === undefined ? [] : [{ alias: 'x', transform: { apply } }]);
  const traces = new SourceTraces({
    tracer: list.tracer(world.clock, ratio),
    connector: 'lists',
    index: 0,
    hasStage: !transforms.isEmpty,
    deadLetterTopic: { ...testSettings, ...settings }.errors.deadLetters?.topic,
    hide: (text) => text.replaceAll('s3cret', '[hidden]'),
  });
  const { loop } = world.loop(world.source({ a: listed }), { encoder, transforms, traces, settings });
  await loop.start();
  await world.clock.until(isDone ?? (() => queue.messages.length + letters.length === records.length));
  await world.clock.settle();
  loop.kill();
  await loop.ended;
  return { list, messages: queue.messages, letters };
}

function namesOf(properties: Buffer): readonly string[] {
  const names: string[] = [];
  forEachProperty(properties, (name) => names.push(name));
  return names;
}

describe('the trace of a record of a source', () => {
  it('has a span for the whole and one for each step; its message carries the context of the sending', async () => {
    const { list, messages } = await run({ records: [{ value: 'one' }], apply: (record) => record });
    expect(list.tree).toEqual([
      'source lists: acknowledged',
      'source lists > transform',
      'source lists > convert',
      'source lists > send t',
    ]);
    const [root, , , send] = list.spans;
    expect(scanTraceContext(messages[0]!.rawProperties)).toEqual({ traceId: root?.traceId, spanId: send?.spanId, isSampled: true });
    expect(root?.attributes).toMatchObject({
      'messaging.system': 'rocketmq',
      'messaging.destination.name': 't',
      'messaging.destination.partition.id': '0',
      'messaging.message.body.size': 3,
      'sluice.connector': 'lists',
      'sluice.task': 0,
      'sluice.broker': 'broker-a',
      'sluice.queue': 0,
      'sluice.offset': 0,
    });
    expect(send?.kind).toBe('producer');
    expect(list.spans.every(({ startMs, endMs }) => startMs >= 1_700_000_000_000 && endMs >= startMs)).toBe(true);
  });

  it('continues that of its headers, which reaches the message once, and keeps the state of vendors', async () => {
    const headers = [other, parentOf('01'), { key: 'tracestate', value: 'a=b' }];
    const { list, messages } = await run({ ratio: 0, records: [{ value: 'one', headers }, { value: 'two' }] });
    expect(list.tree).toEqual(['remote > source lists: acknowledged', 'source lists > convert', 'source lists > send t']);
    const [root] = list.spans;
    expect(root).toMatchObject({ traceId: TRACE, state: 'a=b', parent: { spanId: SPAN, isRemote: true } });
    const [first, second] = messages;
    expect(scanTraceContext(first!.rawProperties)).toEqual({
      traceId: TRACE,
      spanId: list.named('send t').spanId,
      isSampled: true,
      state: 'a=b',
    });
    const names = namesOf(first!.rawProperties);
    expect(names.filter((name) => name === 'traceparent')).toHaveLength(1);
    expect(names.filter((name) => name === 'tracestate')).toHaveLength(1);
    expect(names.filter((name) => name.startsWith('sluice-h'))).toEqual([]);
    expect(messageToRecord({ body: first!.body, properties: first!.rawProperties }).headers[0]).toEqual({ key: 'other', value: '"x"' });
    expect(namesOf(second!.rawProperties)).not.toContain('traceparent');
  });

  it('is not begun where its headers say so: they pass as they are', async () => {
    const { list, messages } = await run({ ratio: 1, records: [{ value: 'one', headers: [parentOf('00')] }] });
    expect(list.spans).toEqual([]);
    expect(scanTraceContext(messages[0]!.rawProperties)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: false });
  });

  it('is begun as another one, and counted, where its headers are invalid', async () => {
    const headers = [{ key: 'traceparent', value: 'nonsense' }];
    const { list, messages } = await run({ records: [{ value: 'one', headers }] });
    expect(list.counts.invalidContexts).toBe(1);
    expect(scanTraceContext(messages[0]!.rawProperties)).toMatchObject({ traceId: list.spans[0]?.traceId });
    expect(list.spans[0]?.parent).toBeUndefined();
  });

  it('says why the record was left out, without secrets, and where it went; the dead letter carries it on', async () => {
    const apply = (): never => {
      throw new Error('no place for s3cret');
    };
    const { list, letters } = await run({ records: [{ value: 'one', headers: [other] }], apply, settings: tolerant });
    expect(list.tree).toEqual(['source lists: dead-letter', 'source lists > transform', 'source lists > send dead']);
    const [root] = list.spans;
    expect(root).toMatchObject({
      error: 'Transform x: no place for [hidden]',
      attributes: { 'sluice.error.stage': 'TRANSFORMATION', 'sluice.dead_letter.topic': 'dead', 'error.type': 'TransformError' },
    });
    expect(root?.events.map(({ name }) => name)).toEqual(['exception']);
    expect(JSON.stringify(list.spans)).not.toContain('s3cret');
    expect(scanTraceContext(letters[0]!.rawProperties)).toEqual({ traceId: root?.traceId, spanId: root?.spanId, isSampled: true });
    expect(namesOf(letters[0]!.rawProperties)).toContain('other');
  });

  /** What a plugin in JavaScript may return. */
  const noHeaders: readonly (readonly [string, unknown])[] = [
    ['a list with null', [null]],
    ['an object', { a: 1 }],
    ['a map', new Map([['a', 1]])],
    ['a text', 'a=b'],
    ['null', null],
  ];
  it.each(noHeaders.flatMap(([name, headers]) => [0, 1].map((ratio) => [name, ratio, headers] as const)))(
    'changes nothing of a record whose headers are none: it fails in the header converter: %s, sample ratio %d',
    async (_name, ratio, headers) => {
      const bad = { value: 'one', headers: headers as readonly RecordHeader[] };
      const { messages, letters, list } = await run({ ratio, records: [bad, { value: 'two' }], settings: tolerant });
      expect(messages.map(({ body }) => body.toString())).toEqual(['two']);
      expect(letters.map(({ rawProperties }) => rawProperties.toString())).toEqual([expect.stringContaining('HEADER_CONVERTER')]);
      const roots = list.spans.filter(({ name }) => name === 'source lists');
      expect(roots.map(({ attributes }) => attributes['sluice.error.stage'])).toEqual(ratio === 0 ? [] : ['HEADER_CONVERTER', undefined]);
    },
  );

  it('ends where a transform drops the record', async () => {
    let dropped = 0;
    const apply = (): undefined => {
      dropped++;
      return undefined;
    };
    const { list } = await run({ records: [{ value: 'one' }], apply }, () => dropped === 1);
    expect(list.tree).toEqual(['source lists: filtered', 'source lists > transform']);
  });

  it('ends with its task where no transform takes the record', async () => {
    let failed = 0;
    const apply = (): never => {
      failed++;
      throw new Error('no place');
    };
    const { list } = await run({ records: [{ value: 'one' }], apply }, () => failed === 1);
    expect(list.tree).toEqual(['source lists: interrupted', 'source lists > transform']);
    expect(list.spans[0]?.error).toBe('Transform x: no place');
  });

  it('leaves a message alone that has no room for a context', async () => {
    const { list, messages } = await run({ records: [{ value: 'x'.repeat(maxBodyBytes) }] });
    expect(list.spans[0]?.attributes).toMatchObject({ 'sluice.outcome': 'acknowledged', 'sluice.context.carried': false });
    expect(namesOf(messages[0]!.rawProperties)).not.toContain('traceparent');
  });
});
