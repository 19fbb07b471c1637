import { describe, expect, it } from '@jest/globals';
import { JsonConverter, jsonConverterSpec, StringConverter } from '@sluice/converters';
import { requireConfig, type SourceRecord, type SourceTask, type SourceTaskContext, schemas } from '@sluice/sdk';
import { SendFailure } from '../ports/record-producer.port.js';
import { ConvertingEncoder } from './record-encoder.js';
import type { SourceLoopSettings } from './source-loop-options.js';
import { SourceWorld } from '../testing/source-world.js';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SourceLoopSettings>;
const json = new JsonConverter(requireConfig('The value', jsonConverterSpec, {}));
const encoder = new ConvertingEncoder({ key: new StringConverter(), value: json, header: new StringConverter() });

class Given implements SourceTask {
  context!: SourceTaskContext;
  #isPolled = false;
  constructor(
    private readonly world: SourceWorld,
    private readonly records: readonly Partial<SourceRecord>[],
  ) {}
  start(context: SourceTaskContext): Promise<void> {
    this.context = context;
    return Promise.resolve();
  }
  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const records = this.#isPolled ? [] : this.records;
    this.#isPolled = true;
    if (records.length === 0) await this.world.clock.sleep(100, signal).catch(() => undefined);
    return records.map((record, n) => ({ topic: 't', value: null, partition: { file: 'a' }, position: { position: n + 1 }, ...record }));
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

class World extends SourceWorld {
  readonly queue = this.cluster.queue(this.cluster.addTopic('t', 1)[0]!);
  readonly dead = this.cluster.queue(this.cluster.addTopic('dead', 1)[0]!);
  get position(): unknown {
    return this.positions.writes.flatMap(({ partitions }) => partitions).at(-1)?.position;
  }
}

const good = { value: 'b', schema: schemas.string };

describe('a source whose record makes a poor letter', () => {
  it.each([
    ['headers', { headers: null as never, ...good }],
    ['rocketmq', { rocketmq: null as never, schema: schemas.int32, value: 'no number' }],
    ['a header without a value', { headers: [null as never], ...good }],
    [
      'its JSON',
      {
        value: {
          toJSON: () => {
            throw new Error('x');
          },
        } as never,
      },
    ],
    [
      'its text',
      {
        value: {
          get a() {
            throw new Error('getter');
          },
        } as never,
      },
    ],
    ['a timestamp', { timestamp: 'now' as never, ...good }],
    ['no value', { value: undefined as never }],
  ])('is not stopped by a bad part: %s', async (_, bad) => {
    const world = new World();
    const { loop, counters } = world.loop(new Given(world, [bad, good]), { encoder, settings: tolerant });
    await loop.start();
    await world.clock.advance(120_000);
    const seen = { position: world.position, waits: loop.waits.list, failures: counters.deadLetterFailures };
    loop.kill();
    expect(seen).toMatchObject({ position: { position: 2 } });
  });

  it('is not stopped by JSON that is larger than brokers take', async () => {
    const world = new World();
    const limit = 1024 * 1024; // maxMessageSize of the brokers
    world.cluster.maxBatchBytes = limit;
    world.cluster.refusalOf = (_queue, { body }) =>
      body.length > limit
        ? new SendFailure('CODE: 13 the message is illegal', { outcome: 'not-stored', retriable: false, refusesMessages: true })
        : undefined;
    const bad = { value: Buffer.alloc(900_000), schema: schemas.bytes, rocketmq: { tag: 'a|b' } };
    const { loop } = world.loop(new Given(world, [bad, good]), { encoder, settings: tolerant });
    await loop.start();
    await world.clock.advance(20_000);
    const seen = { position: world.position, waits: loop.waits.list };
    loop.kill();
    expect(seen).toMatchObject({ position: { position: 2 } });
  });
});
