import { describe, expect, it } from '@jest/globals';
import { forEachProperty, messageToRecord, scanStamp } from '@sluice/protocol';
import type { RecordMetadata, SourceRecord } from '@sluice/sdk';
import { SendFailure } from '../ports/record-producer.port.js';
import type { FakeBatch } from '../testing/fake-cluster.js';
import { SourceWorld, valuesOf, listOf } from '../testing/source-world.js';
import type { SourceLoopSettings } from './source-loop-options.js';

const tolerant = {
  skipsBadRecords: true,
  errors: { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: true } },
} satisfies Partial<SourceLoopSettings>;

class World extends SourceWorld {
  readonly queue;
  readonly dead;
  /** What the broker refuses, as values. */
  refused: readonly string[] = [];
  /** The most messages of a send. */
  maxCount = Infinity;

  constructor() {
    super();
    this.queue = this.cluster.queue(this.cluster.addTopic('t', 1)[0]!);
    this.dead = this.cluster.queue(this.cluster.addTopic('dead', 1)[0]!);
    this.cluster.fate = (_queue, batch) => ({ kind: this.#refuses(batch) ? 'refuse' : 'store' });
  }

  #refuses({ messages }: FakeBatch): boolean {
    return messages.length > this.maxCount || messages.some(({ body }) => this.refused.includes(body.toString()));
  }

  get values(): readonly string[] {
    return this.queue.messages.filter(({ rawProperties }) => scanStamp(rawProperties) !== undefined).map(({ body }) => body.toString());
  }

  get position(): unknown {
    return this.positions.writes.flatMap(({ partitions }) => partitions).at(-1)?.position;
  }

  async untilPosition(position: number): Promise<void> {
    await this.clock.until(() => JSON.stringify(this.position) === JSON.stringify({ position }));
  }
}

const without = (...values: readonly string[]): readonly string[] => valuesOf(100).filter((value) => !values.includes(value));

describe('records of a source that a broker refuses', () => {
  it('are narrowed down: of 100 records with number 50 refused 99 are in the topic, in order, and one is a dead letter', async () => {
    const world = new World();
    world.refused = ['t49'];
    const source = world.source({ a: listOf(100) }, 100);
    const outcomes: (readonly [unknown, boolean])[] = [];
    const { loop, counters } = world.loop(
      Object.assign(source, {
        commitRecord: ({ value }: SourceRecord, metadata: RecordMetadata | undefined) => {
          outcomes.push([value, metadata !== undefined]);
        },
      }),
      { settings: tolerant },
    );
    await loop.start();
    await world.untilPosition(100);
    expect(world.values).toEqual(without('t49'));
    expect(world.dead.messages.map(({ body }) => body.toString())).toEqual(['t49']);
    const properties = new Map<string, string>();
    forEachProperty(world.dead.messages[0]!.rawProperties, (name, value) => properties.set(name, value));
    expect(properties.get('__connect.errors.stage')).toBe('ROCKETMQ_PRODUCE');
    expect(properties.get('__connect.errors.topic')).toBe('t');
    expect(properties.get('__connect.errors.source.position')).toBe('{"position":50}');
    expect([...properties.keys()]).not.toContain('sluice-p');
    expect(counters).toMatchObject({ recordsSent: 99, recordsSkipped: 1, recordErrors: 1, deadLettersWritten: 1 });
    expect(counters).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
    await world.clock.until(() => outcomes.length === 100);
    expect(outcomes).toEqual(valuesOf(100).map((value) => [value, value !== 't49']));
    expect(world.cluster.sends.length).toBeLessThan(30);
    expect((await Promise.all([loop.stop(), world.clock.advance(5_000)]))[0]).toEqual({ kind: 'stopped', clean: true });
  });

  it('are found among several, and where nothing else is left', async () => {
    for (const refused of [['t0', 't1', 't98', 't99'], valuesOf(100)]) {
      const world = new World();
      world.refused = refused;
      const { loop } = world.loop(world.source({ a: listOf(100) }, 100), { settings: tolerant });
      await loop.start();
      await world.untilPosition(100);
      expect(world.values).toEqual(without(...refused));
      expect(world.dead.messages.map(({ body }) => body.toString())).toEqual(refused);
      loop.kill();
    }
  });

  it('are not those of a batch that is too large only together', async () => {
    const world = new World();
    world.maxCount = 10;
    const { loop, counters } = world.loop(world.source({ a: listOf(100) }, 100), { settings: tolerant });
    await loop.start();
    await world.untilPosition(100);
    expect(world.values).toEqual(valuesOf(100));
    expect(counters).toMatchObject({ recordsSkipped: 0, recordsSent: 100 });
    loop.kill();
  });

  it('keep the position while their dead letters cannot be written; the next owner sends nothing twice', async () => {
    const world = new World();
    world.refused = ['t49'];
    world.cluster.refusalOf = () => new SendFailure('no permission', { outcome: 'not-stored', retriable: false });
    const first = world.loop(world.source({ a: listOf(100) }, 100), { settings: tolerant });
    await first.loop.start();
    await world.clock.advance(10_000);
    expect(world.values).toEqual(valuesOf(49));
    expect(world.position).toBeUndefined();
    expect(first.loop.waits.list).toContainEqual(expect.objectContaining({ call: 'writing dead letters to topic dead' }));
    await Promise.all([first.loop.stop(), world.clock.advance(10_000)]);
    world.cluster.refusalOf = () => undefined;
    const next = world.loop(world.source({ a: listOf(100) }, 100), { settings: tolerant });
    await next.loop.start();
    await world.untilPosition(100);
    expect(world.values).toEqual(without('t49'));
    expect(world.dead.messages).toHaveLength(1);
    next.loop.kill();
  });

  it('are found also where replies are lost between the parts', async () => {
    const world = new World();
    world.refused = ['t49'];
    const { fate } = world.cluster;
    let stored = 0;
    world.cluster.fate = (queue, batch) => {
      const kind = fate(queue, batch);
      if (kind.kind !== 'store') return kind;
      stored++;
      return stored % 2 === 1 ? { kind: 'store-unknown' } : stored % 4 === 0 ? { kind: 'lose-unknown' } : kind;
    };
    const { loop } = world.loop(world.source({ a: listOf(100) }, 100), { settings: tolerant });
    await loop.start();
    await world.untilPosition(100);
    expect(world.values).toEqual(without('t49'));
    expect(world.dead.messages.map(({ body }) => body.toString())).toEqual(['t49']);
    loop.kill();
  });

  it('are dead letters without their value where the broker refuses that too', async () => {
    const world = new World();
    world.refused = ['t1'];
    world.cluster.refusalOf = (_queue, { body }) =>
      body.toString() === 't1'
        ? new SendFailure('the message is illegal', { outcome: 'not-stored', retriable: false, refusesMessages: true })
        : undefined;
    const { loop, counters } = world.loop(world.source({ a: listOf(3) }, 3), { settings: tolerant });
    await loop.start();
    await world.untilPosition(3);
    const [letter] = world.dead.messages;
    const { value, headers } = messageToRecord({ body: letter!.body, properties: letter!.rawProperties });
    expect(value).toBeNull();
    expect(headers.find(({ key }) => key === '__connect.errors.omitted')?.value).toBe(
      'the value, which has 2 bytes: the broker refuses it',
    );
    expect(counters).toMatchObject({ deadLettersWritten: 1, deadLetterFailures: 1 });
    loop.kill();
  });

  it('fail the task where there is no dead letter topic', async () => {
    const world = new World();
    world.refused = ['t1'];
    const { loop } = world.loop(world.source({ a: listOf(3) }, 3), { settings: { skipsBadRecords: true } });
    await loop.start();
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { message: 'the message is illegal' } });
  });
});
