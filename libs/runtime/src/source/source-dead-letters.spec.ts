import { describe, expect, it } from '@jest/globals';
import { JsonConverter, jsonConverterSpec, StringConverter } from '@sluice/converters';
import { forEachProperty, maxBodyBytes, messageToRecord } from '@sluice/protocol';
import {
  ConnectError,
  ConnectErrorCode,
  requireConfig,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  schemas,
} from '@sluice/sdk';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { SendFailure } from '../ports/record-producer.port.js';
import { SourceWorld } from '../testing/source-world.js';
import { TransformChain } from '../transforms/transform-chain.js';
import { ConvertingEncoder } from './record-encoder.js';
import type { SourceLoopSettings } from './source-loop-options.js';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SourceLoopSettings>;

const json = new JsonConverter(requireConfig('The value', jsonConverterSpec, {}));
const encoder = new ConvertingEncoder({ key: new StringConverter(), value: json, header: new StringConverter() });

/** Gives its records once, one after the other position. */
class Given implements SourceTask {
  context!: SourceTaskContext;
  readonly outcomes: (readonly [unknown, boolean])[] = [];

  constructor(
    private readonly world: SourceWorld,
    private readonly make: (context: SourceTaskContext) => readonly Partial<SourceRecord>[],
  ) {}

  start(context: SourceTaskContext): Promise<void> {
    this.context = context;
    return Promise.resolve();
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const done = Number(this.context.position({ file: 'a' })?.['position'] ?? 0);
    const records = this.#isPolled ? [] : this.make(this.context).slice(done);
    this.#isPolled = true;
    if (records.length === 0) await this.world.clock.sleep(100, signal).catch(() => undefined);
    return records.map((record, n) => {
      const place = { topic: 't', value: null, partition: { file: 'a' }, position: { position: done + n + 1 } };
      return { ...place, ...record };
    });
  }
  #isPolled = false;

  commitRecord(record: SourceRecord, metadata: unknown): void {
    this.outcomes.push([record.value, metadata !== undefined]);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

function propertiesOf({ rawProperties }: RawMessage): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  forEachProperty(rawProperties, (name, value) => found.set(name, value));
  return found;
}

class World extends SourceWorld {
  readonly queue;
  readonly dead;

  constructor() {
    super();
    this.queue = this.cluster.queue(this.cluster.addTopic('t', 1)[0]!);
    this.dead = this.cluster.queue(this.cluster.addTopic('dead', 1)[0]!);
  }

  get position(): unknown {
    return this.positions.writes.flatMap(({ partitions }) => partitions).at(-1)?.position;
  }

  given(...records: readonly Partial<SourceRecord>[]): Given {
    return new Given(this, () => records);
  }
}

const wrong = { schema: schemas.int32, value: 'no number' };

describe('the dead letters of a source', () => {
  it('hold the value as JSON with its schema, and key, headers, tag and time; the position follows', async () => {
    const world = new World();
    const source = world.given(
      { value: 'a', schema: schemas.string },
      { ...wrong, key: 'k', headers: [{ key: 'h', value: 'x' }], timestamp: 7, rocketmq: { tag: 'T', keys: ['k1'] } },
      { value: 'b', schema: schemas.string },
    );
    const { loop, counters } = world.loop(source, { encoder, settings: tolerant });
    await loop.start();
    await world.clock.until(() => JSON.stringify(world.position) === '{"position":3}');
    expect(world.queue.messages).toHaveLength(2);
    const [letter] = world.dead.messages;
    // It does not fit its schema: it is written without.
    expect(letter?.body.toString()).toBe('{"schema":null,"payload":"no number"}');
    const { key, headers, timestamp } = messageToRecord({ body: letter!.body, properties: letter!.rawProperties });
    expect([key, timestamp, headers[0]]).toEqual(['k', 7, { key: 'h', value: 'x' }]);
    const properties = propertiesOf(letter!);
    expect([...properties.keys()]).not.toContain('sluice-p');
    expect([properties.get('TAGS'), properties.get('KEYS')]).toEqual(['T', 'k1']);
    expect(properties.get('__connect.errors.stage')).toBe('VALUE_CONVERTER');
    expect(properties.get('__connect.errors.class.name')).toBe('JsonConverter');
    expect(properties.get('__connect.errors.topic')).toBe('t');
    expect(properties.get('__connect.errors.source.partition')).toBe('{"file":"a"}');
    expect(properties.get('__connect.errors.source.position')).toBe('{"position":2}');
    expect(counters).toMatchObject({ deadLettersWritten: 1, recordsSkipped: 1, recordErrors: 1, recordsSent: 2 });
    await world.clock.until(() => source.outcomes.length === 3);
    expect(source.outcomes).toContainEqual(['no number', false]);
    loop.kill();
  });

  it('hold what the source gave where a transform fails, with its schema', async () => {
    const world = new World();
    const apply = (): never => {
      throw new Error('no such field');
    };
    const transforms = new TransformChain([{ alias: 'x', transform: { apply } }]);
    const { loop } = world.loop(world.given({ value: 7, schema: schemas.int32 }), { encoder, transforms, settings: tolerant });
    await loop.start();
    await world.clock.until(() => world.dead.messages.length === 1);
    expect(world.dead.messages[0]!.body.toString()).toBe('{"schema":{"type":"int32","optional":false},"payload":7}');
    expect(propertiesOf(world.dead.messages[0]!).get('__connect.errors.stage')).toBe('TRANSFORMATION');
    loop.kill();
  });

  it('come before the position: while none can be written nothing behind is taken, and the status says why', async () => {
    const world = new World();
    world.cluster.refusalOf = () => new SendFailure('no permission', { outcome: 'not-stored', retriable: false });
    const { loop, counters } = world.loop(
      world.given({ value: 'a', schema: schemas.string }, wrong, { value: 'b', schema: schemas.string }),
      {
        encoder,
        settings: tolerant,
      },
    );
    await loop.start();
    await world.clock.advance(20_000);
    expect(world.position).toEqual({ position: 1 });
    expect(world.queue.messages).toHaveLength(1);
    expect(loop.waits.list).toEqual([expect.objectContaining({ call: 'writing dead letters to topic dead', error: 'no permission' })]);
    const stopped = loop.stop();
    await world.clock.advance(6_000);
    expect((await stopped).kind).toBe('stopped');
    expect(world.position).toEqual({ position: 1 });
    world.cluster.refusalOf = () => undefined;
    const again = world.given({ value: 'a', schema: schemas.string }, wrong, { value: 'b', schema: schemas.string });
    const next = world.loop(again, { encoder, settings: tolerant });
    await next.loop.start();
    await world.clock.until(() => JSON.stringify(world.position) === '{"position":3}');
    expect(world.queue.messages).toHaveLength(2);
    expect(world.dead.messages).toHaveLength(1);
    expect(counters.deadLettersWritten).toBe(0);
    next.loop.kill();
  });

  it('leave out what no message can hold, and say so', async () => {
    const world = new World();
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const source = world.given(
      { value: Buffer.alloc(maxBodyBytes + 1), schema: schemas.bytes, key: 'big' },
      { value: 'x', schema: schemas.string, rocketmq: { tag: 'a|b' }, key: 'kept' },
      { value: 'x', schema: schemas.string, headers: [{ key: 'h', value: 'h'.repeat(40_000) }] },
      { value: cyclic as never },
    );
    const { loop } = world.loop(source, { encoder, settings: tolerant });
    await loop.start();
    await world.clock.until(() => JSON.stringify(world.position) === '{"position":4}');
    const [big, tagged, wide, endless] = world.dead.messages.map((message) => ({
      ...messageToRecord({ body: message.body, properties: message.rawProperties }),
      omitted: propertiesOf(message).get('__connect.errors.omitted'),
      stage: propertiesOf(message).get('__connect.errors.stage'),
    }));
    expect(big).toMatchObject({ value: null, key: 'big', omitted: expect.stringMatching(/^the value, which has \d+ bytes as JSON$/) });
    expect(big?.stage).toBe('ROCKETMQ_PRODUCE');
    expect(tagged).toMatchObject({ key: 'kept', omitted: 'tag, keys and sharding key', stage: 'ROCKETMQ_PRODUCE' });
    expect(wide).toMatchObject({ omitted: 'the headers', stage: 'ROCKETMQ_PRODUCE' });
    expect(wide?.value?.toString()).toContain('"payload":"x"');
    expect(endless?.value?.toString()).toContain('[Circular *1]');
    loop.kill();
  });

  it('stand for input that cannot be read, without a value', async () => {
    const world = new World();
    const source = new Given(world, (context) => [
      context.unreadable({ file: 'a' }, { position: 1 }, new ConnectError(ConnectErrorCode.sourceFailed, 'the line is no JSON')),
      { value: 'b', schema: schemas.string },
    ]);
    const { loop } = world.loop(source, { encoder, settings: tolerant });
    await loop.start();
    await world.clock.until(() => JSON.stringify(world.position) === '{"position":2}');
    const [letter] = world.dead.messages;
    expect(messageToRecord({ body: letter!.body, properties: letter!.rawProperties }).value).toBeNull();
    const properties = propertiesOf(letter!);
    expect(properties.get('__connect.errors.stage')).toBe('TASK_POLL');
    expect(properties.get('__connect.errors.source.position')).toBe('{"position":1}');
    expect(properties.get('__connect.errors.exception.message')).toBe('the line is no JSON');
    expect(source.outcomes).toEqual([['b', true]]);
    loop.kill();
  });

  it('are announced by the log with their contents, where that is asked for', async () => {
    const world = new World();
    const settings = { skipsBadRecords: true, errors: { logs: true, logsContents: true, deadLetters: undefined } };
    const { loop } = world.loop(world.given({ ...wrong, key: 'k' }), { encoder, settings });
    await loop.start();
    await world.clock.until(() => JSON.stringify(world.position) === '{"position":1}');
    expect(world.logger.lines.find((line) => line.includes('skipped'))).toContain(
      'It has key {"schema":null,"payload":"k"}, value {"schema":null,"payload":"no number"}',
    );
    loop.kill();
  });
});
