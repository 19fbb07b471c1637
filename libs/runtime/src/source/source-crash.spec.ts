import { describe, expect, it } from '@jest/globals';
import type { SourceTask } from '@sluice/sdk';
import fc from 'fast-check';
import type { LoopEnd } from '../loop-end.js';
import type { PositionStore } from '../ports/position-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import { CrashingProcess } from '../spec-support/crashing-process.js';
import { FakeBatch, type SendFate } from '../spec-support/fake-cluster.js';
import type { ListedRecord, ListSource } from '../spec-support/list-source.js';
import { readEverything, readValid } from '../spec-support/read-valid.js';
import { SourceWorld } from '../spec-support/source-world.js';

/** What becomes of a batch that is cut off by the crash of its sender. */
type CutOff = 'lost' | 'late' | 'part-then-late';

interface Life {
  /** The step at which the process dies or, when `isStop`, is asked to stop. */
  readonly crashAtStep: number;
  readonly isStop: boolean;
  readonly cutOff: CutOff;
  /** The step of the next life at which late batches land. */
  readonly landAtStep: number;
}

interface Story {
  readonly lives: readonly Life[];
  readonly fates: readonly ('store' | 'store-unknown' | 'lose-unknown' | 'part-unknown' | 'reject')[];
  readonly topics: number;
  readonly queues: number;
  readonly pollSize: number;
}

const files = ['a', 'b', 'c'];
const recordsPerFile = 24;

function lists(topics: number): Record<string, ListedRecord[]> {
  return Object.fromEntries(
    files.map((file, f) => [
      file,
      Array.from({ length: recordsPerFile }, (_, n) => ({
        topic: `t${(f * 7 + n * (n + 3)) % topics}`,
        value: `${file}${n}`,
      })),
    ]),
  );
}

/** The outward calls of one life, each of which may be its last. */
function portsOf(
  world: SourceWorld,
  process: CrashingProcess,
  life: Life,
): {
  producer: RecordProducer;
  messages: QueueMessages;
  positions: PositionStore;
} {
  const { producer, messages } = world.cluster;
  const cutOff = (queue: Parameters<RecordProducer['send']>[0], batch: unknown): void => {
    if (life.cutOff === 'lost' || !(batch instanceof FakeBatch)) return;
    const target = world.cluster.queue(queue);
    const sent = [...batch.messages];
    if (life.cutOff === 'part-then-late')
      target.append(sent.slice(0, Math.ceil(sent.length / 2)), world.clock.wallMs());
    world.cluster.late.push({ queue: target, messages: sent });
  };
  return {
    producer: {
      queues: (topic) => process.call(() => producer.queues(topic)),
      newBatch: () => producer.newBatch(),
      send: (queue, batch, signal) =>
        process.call(
          () => producer.send(queue, batch, signal),
          () => {
            cutOff(queue, batch);
          },
        ),
    },
    messages: {
      ...messages,
      read: (queue, from, signal) => {
        const reader = messages.read(queue, from, signal);
        return {
          next: () => process.call(() => reader.next()),
          close: () => {
            reader.close();
          },
        };
      },
    },
    positions: {
      open: (task) => process.call(() => world.positions.open(task)),
      write: (task, change) => process.call(() => world.positions.write(task, change)),
    },
  };
}

function mortal(source: ListSource, process: CrashingProcess): SourceTask {
  return {
    start: (context) => process.call(() => source.start(context)),
    poll: (signal) => process.call(() => source.poll(signal)),
    commit: (positions) => process.call(() => source.commit(positions)),
    stop: () => process.call(() => source.stop()),
  };
}

async function live(story: Story): Promise<SourceWorld> {
  const world = new SourceWorld();
  for (let topic = 0; topic < story.topics; topic++) world.cluster.addTopic(`t${topic}`, story.queues);
  const input = lists(story.topics);
  let sends = 0;
  world.cluster.fate = (_queue, batch): SendFate => {
    const kind = story.fates[sends++] ?? 'store';
    switch (kind) {
      case 'part-unknown':
        return { kind, count: Math.floor(batch.count / 2) };
      case 'reject':
        return { kind, retriable: true };
      case 'store':
      case 'store-unknown':
      case 'lose-unknown':
        return { kind };
    }
  };
  let landAtStep = Infinity;
  for (const life of [
    ...story.lives,
    { crashAtStep: Infinity, isStop: false, cutOff: 'lost', landAtStep: 0 } as const,
  ]) {
    let stop = (): unknown => undefined;
    const process = new CrashingProcess(life.isStop ? Infinity : life.crashAtStep, (step) => {
      if (step >= landAtStep) world.cluster.landLate();
      if (life.isStop && step === life.crashAtStep) stop();
    });
    const source = world.source(input, story.pollSize);
    const { loop } = world.loop(mortal(source, process), {
      ports: portsOf(world, process, life),
      settings: { flushIntervalMs: 7 },
    });
    let ended: LoopEnd | undefined;
    void loop.ended.then((end) => (ended = end));
    stop = () => loop.stop();
    const started = loop.start();
    started.catch(() => undefined);
    const isDone = (): boolean => {
      if (source.isExhausted) world.cluster.landLate();
      if (!process.isAlive || ended !== undefined) return true;
      return source.isExhausted && validCount(world) >= files.length * recordsPerFile;
    };
    await world.clock.until(isDone, 60_000);
    if (process.isAlive) {
      void loop.stop();
      await world.clock.until(() => ended !== undefined || !process.isAlive);
      expect(ended?.kind ?? 'stopped').toBe('stopped');
      if (life.crashAtStep === Infinity) expect(ended).toEqual({ kind: 'stopped', clean: true });
    }
    landAtStep = life.landAtStep;
  }
  world.cluster.landLate();
  return world;
}

function validCount(world: SourceWorld): number {
  return [...world.cluster.queues.values()].reduce((sum, queue) => sum + readValid(queue).length, 0);
}

function expectExactlyTheInput(world: SourceWorld, topics: number): void {
  const input = lists(topics);
  for (const file of files) {
    for (let topic = 0; topic < topics; topic++) {
      const expected = input[file]?.filter((record) => record.topic === `t${topic}`).map(({ value }) => value) ?? [];
      const found = world.cluster
        .queuesOf(`t${topic}`)
        .map((queue) => readValid(world.cluster.queue(queue)).filter((value) => value.startsWith(file)))
        .filter((values) => values.length > 0);
      expect(found).toEqual(expected.length === 0 ? [] : [expected]);
    }
  }
}

const lifeArbitrary: fc.Arbitrary<Life> = fc.record({
  crashAtStep: fc.integer({ min: 1, max: 70 }),
  isStop: fc.boolean(),
  cutOff: fc.constantFrom('lost', 'late', 'part-then-late'),
  landAtStep: fc.integer({ min: 1, max: 40 }),
});

const storyArbitrary: fc.Arbitrary<Story> = fc.record({
  lives: fc.array(lifeArbitrary, { maxLength: 5 }),
  fates: fc.array(
    fc.constantFrom('store', 'store', 'store', 'store-unknown', 'lose-unknown', 'part-unknown', 'reject'),
    {
      maxLength: 6,
    },
  ),
  topics: fc.integer({ min: 1, max: 3 }),
  queues: fc.integer({ min: 1, max: 3 }),
  pollSize: fc.integer({ min: 1, max: 9 }),
});

describe('a source whose process dies or is stopped', () => {
  it('leaves every record exactly once for readers that drop doubled ones, wherever it died and whatever lands late', async () => {
    await fc.assert(
      fc.asyncProperty(storyArbitrary, async (story) => {
        expectExactlyTheInput(await live(story), story.topics);
      }),
      { numRuns: Number(process.env['SLUICE_CRASH_RUNS'] ?? 150) },
    );
  });

  it.each(['lost', 'late', 'part-then-late'] as const)(
    'does so at each of its first 60 steps, with a batch that is %s',
    async (cutOff) => {
      let doubled = 0;
      for (let crashAtStep = 1; crashAtStep <= 60; crashAtStep++) {
        const lives = [{ crashAtStep, isStop: false, cutOff, landAtStep: 12 }];
        const world = await live({ lives, fates: [], topics: 1, queues: 2, pollSize: 4 });
        expectExactlyTheInput(world, 1);
        for (const queue of world.cluster.queues.values())
          doubled += readEverything(queue).length - readValid(queue).length;
      }
      // What lands after the barrier of the next generation is there, and dropped.
      expect(doubled > 0).toBe(cutOff !== 'lost');
    },
  );
});
