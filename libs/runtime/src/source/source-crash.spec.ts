import { describe, expect, it } from '@jest/globals';
import type { SourceTask } from '@sluice/sdk';
import fc from 'fast-check';
import type { LoopEnd } from '../task/loop-end.js';
import type { PositionStore } from '../ports/position-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import { CrashingProcess } from '../testing/crashing-process.js';
import { FakeBatch, type SendFate } from '../testing/fake-cluster.js';
import type { ListedRecord, ListSource } from '../testing/list-source.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { SourceWorld } from '../testing/source-world.js';
import { KeyedQueueStoppedError, type QueueKeys } from './queue-keys.js';

/** What becomes of a batch that is cut off by the crash of its sender. */
type CutOff = 'lost' | 'late' | 'part-then-late';

interface Life {
  /** The step at which the process dies or, when `isStop`, is asked to stop. */
  readonly crashAtStep: number;
  readonly isStop: boolean;
  readonly cutOff: CutOff;
  /** The step of the next life at which late batches land. */
  readonly landAtStep: number;
  /** How many tasks the process runs. With another number than before the partitions are dealt again. */
  readonly tasks: number;
}

interface Story {
  readonly lives: readonly Life[];
  readonly fates: readonly ('store' | 'store-unknown' | 'lose-unknown' | 'part-unknown' | 'reject')[];
  readonly topics: number;
  readonly queues: number;
  readonly pollSize: number;
  /** The first of these sends closes queue 0 of every topic for writing; the second opens it and closes queue 1. */
  readonly closeAtSends: readonly [number, number] | undefined;
  /** Keys choose the queues, and so each partition has several. */
  readonly isKeyed?: boolean;
}

const LAST_LIFE: Life = { crashAtStep: Infinity, isStop: false, cutOff: 'lost', landAtStep: 0, tasks: 1 };

/** Five keys, which the records of each file have in turn. */
const fiveKeys: QueueKeys = { by: { kind: 'key' }, bytesOf: ({ value }) => Buffer.from(keyOf(value as string)) };

function keyOf(value: string): string {
  return String(Number(value.slice(1)) % 5);
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

/** The lists of each of so many tasks; every number of tasks deals them in another way. */
function dealt(input: Record<string, ListedRecord[]>, tasks: number): Record<string, ListedRecord[]>[] {
  const shares = Array.from({ length: tasks }, (): Record<string, ListedRecord[]> => ({}));
  for (const [at, [file, list]] of Object.entries(input).entries()) {
    const share = shares[(at + tasks) % tasks];
    if (share !== undefined) share[file] = list;
  }
  return shares;
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
    const sent = [...batch.messages];
    if (life.cutOff === 'part-then-late') {
      world.cluster.queue(queue).append(sent.slice(0, Math.ceil(sent.length / 2)), world.clock.wallMs());
    }
    world.cluster.delay(queue, sent);
  };
  return {
    producer: {
      queues: (topic) => process.call(() => producer.queues(topic)),
      lookUpQueue: (queue) => process.call(() => producer.lookUpQueue(queue)),
      newBatch: (expectedBytes) => producer.newBatch(expectedBytes),
      giveBack: (batch) => {
        producer.giveBack(batch);
      },
      sendMessage: (queue, message, signal) => process.call(() => producer.sendMessage(queue, message, signal)),
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
      refresh: (task, beforeMs) => process.call(() => world.positions.refresh(task, beforeMs)),
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
    const closed = story.closeAtSends?.indexOf(sends) ?? -1;
    if (closed >= 0 && story.queues > 1) closeQueues(world, story.topics, closed);
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
  let tasksBefore: number | undefined;
  const lives = [...story.lives, LAST_LIFE];
  for (const life of lives) {
    if (life.tasks !== tasksBefore) world.retask();
    tasksBefore = life.tasks;
    let stop = (): unknown => undefined;
    const process = new CrashingProcess(life.isStop ? Infinity : life.crashAtStep, (step) => {
      if (step >= landAtStep) world.cluster.landLate();
      if (life.isStop && step === life.crashAtStep) stop();
    });
    const sources = dealt(input, life.tasks).map((lists) => world.source(lists, story.pollSize));
    const loops = sources.map((source, index) => {
      const { loop } = world.loop(mortal(source, process), {
        index,
        ports: portsOf(world, process, life),
        settings: { flushIntervalMs: 7, maxUnavailableMs: 40 },
        ...(story.isKeyed === true ? { queueKeys: fiveKeys } : {}),
      });
      return loop;
    });
    const ends: LoopEnd[] = [];
    for (const loop of loops) void loop.ended.then((end) => ends.push(end));
    stop = () => {
      for (const loop of loops) void loop.stop();
    };
    for (const loop of loops) loop.start().catch(() => undefined);
    const isExhausted = (): boolean => sources.every((source) => source.isExhausted);
    const isDone = (): boolean => {
      if (isExhausted()) world.cluster.landLate();
      if (!process.isAlive || ends.length > 0) return true;
      return isExhausted() && validCount(world) >= files.length * recordsPerFile;
    };
    await world.clock.until(isDone, 60_000);
    if (process.isAlive) {
      stop();
      await world.clock.until(() => ends.length === loops.length || !process.isAlive);
      const isQueueStopped = ends.some((end) => end.kind === 'failed' && end.error instanceof KeyedQueueStoppedError);
      // A new generation takes the queues that are left.
      if (isQueueStopped && life === lives.at(-1)) lives.push({ ...LAST_LIFE });
      if (!isQueueStopped) for (const end of ends) expect(end).toEqual({ kind: 'stopped', clean: expect.any(Boolean) });
      if (life === lives.at(-1)) expect(ends).toEqual([{ kind: 'stopped', clean: true }]);
    }
    landAtStep = life.landAtStep;
  }
  world.cluster.landLate();
  return world;
}

function closeQueues(world: SourceWorld, topics: number, queueId: number): void {
  world.cluster.stopped.clear();
  for (let topic = 0; topic < topics; topic++) {
    const ref = world.cluster.queuesOf(`t${topic}`).find((queue) => queue.queueId === queueId);
    if (ref !== undefined) world.cluster.refuse(ref);
  }
}

function validCount(world: SourceWorld): number {
  return [...world.cluster.queues.values()].reduce((sum, queue) => sum + readValid(queue).length, 0);
}

function byKey(values: readonly string[]): readonly (readonly string[])[] {
  return [...new Set(values.map(keyOf))].map((key) => values.filter((value) => keyOf(value) === key));
}

/** `maySplit`: partitions have moved, so the records of one stand in several queues. */
function expectExactlyTheInput(world: SourceWorld, topics: number, maySplit = false, orders: 'queues' | 'keys' = 'queues'): void {
  const input = lists(topics);
  for (const file of files) {
    for (let topic = 0; topic < topics; topic++) {
      const expected = input[file]?.filter((record) => record.topic === `t${topic}`).map(({ value }) => value) ?? [];
      const found = world.cluster
        .queuesOf(`t${topic}`)
        .map((queue) => readValid(world.cluster.queue(queue)).filter((value) => value.startsWith(file)))
        .filter((values) => values.length > 0);
      if (!maySplit) expect(found).toEqual(expected.length === 0 ? [] : [expected]);
      const order = (value: string): number => expected.indexOf(value);
      // Once a queue is closed, its keys join others in the queues that are left: the order of each key stays.
      const ordered = orders === 'keys' ? found.flatMap((values) => byKey(values)) : found;
      for (const values of ordered) expect(values).toEqual([...values].sort((a, b) => order(a) - order(b)));
      expect(found.flat().sort()).toEqual([...expected].sort());
    }
  }
}

const lifeArbitrary: fc.Arbitrary<Life> = fc.record({
  crashAtStep: fc.integer({ min: 1, max: 70 }),
  isStop: fc.boolean(),
  cutOff: fc.constantFrom('lost', 'late', 'part-then-late'),
  landAtStep: fc.integer({ min: 1, max: 40 }),
  tasks: fc.integer({ min: 1, max: 3 }),
});

const storyArbitrary: fc.Arbitrary<Story> = fc.record({
  lives: fc.array(lifeArbitrary, { maxLength: 5 }),
  fates: fc.array(fc.constantFrom('store', 'store', 'store', 'store-unknown', 'lose-unknown', 'part-unknown', 'reject'), {
    maxLength: 6,
  }),
  topics: fc.integer({ min: 1, max: 3 }),
  queues: fc.integer({ min: 1, max: 3 }),
  pollSize: fc.integer({ min: 1, max: 9 }),
  closeAtSends: fc.option(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 40 })), {
    nil: undefined,
  }),
});

/** Records of equal keys stand in one queue, for no queue was closed. */
function expectKeysInOneQueue(world: SourceWorld, topics: number): void {
  const queuesOfKey = new Map<string, Set<string>>();
  for (const [name, queue] of world.cluster.queues) {
    for (const value of readValid(queue)) {
      const key = `${queue.ref.topic} ${keyOf(value)}`;
      queuesOfKey.set(key, (queuesOfKey.get(key) ?? new Set()).add(name));
    }
  }
  expect([...queuesOfKey.values()].filter(({ size }) => size !== 1)).toEqual([]);
  expect(queuesOfKey.size).toBeGreaterThanOrEqual(topics);
}

describe('a source whose process dies or is stopped', () => {
  it('leaves every record exactly once for readers that drop duplicates ones, wherever it died and whatever lands late', async () => {
    await fc.assert(
      fc.asyncProperty(storyArbitrary, async (story) => {
        expectExactlyTheInput(await live(story), story.topics, story.closeAtSends !== undefined);
      }),
      { numRuns: Number(process.env['SLUICE_CRASH_RUNS'] ?? 150) },
    );
  });

  it('does so where keys choose the queues, which may be closed meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(storyArbitrary, async (story) => {
        const world = await live({ ...story, isKeyed: true });
        expectExactlyTheInput(world, story.topics, true, story.closeAtSends === undefined ? 'queues' : 'keys');
        if (story.closeAtSends === undefined) expectKeysInOneQueue(world, story.topics);
      }),
      { numRuns: Number(process.env['SLUICE_CRASH_RUNS'] ?? 150) },
    );
  });

  it.each(['lost', 'late', 'part-then-late'] as const)(
    'does so at each of its first 60 steps where keys choose among three queues, with a batch that is %s',
    async (cutOff) => {
      for (let crashAtStep = 1; crashAtStep <= 60; crashAtStep++) {
        const lives = [{ crashAtStep, isStop: false, cutOff, landAtStep: 12, tasks: 1 }];
        const world = await live({ lives, fates: [], topics: 1, queues: 3, pollSize: 4, closeAtSends: undefined, isKeyed: true });
        expectExactlyTheInput(world, 1, true);
        expectKeysInOneQueue(world, 1);
      }
    },
  );

  it.each([
    ['lost', 1],
    ['late', 1],
    ['part-then-late', 1],
    ['part-then-late', 2],
    ['late', 3],
  ] as const)('does so at each of its first 60 steps, with a batch that is %s, and one task after %i', async (cutOff, tasks) => {
    let duplicates = 0;
    for (let crashAtStep = 1; crashAtStep <= 60; crashAtStep++) {
      const lives = [{ crashAtStep, isStop: false, cutOff, landAtStep: 12, tasks }];
      const world = await live({ lives, fates: [], topics: 1, queues: 2, pollSize: 4, closeAtSends: undefined });
      expectExactlyTheInput(world, 1);
      for (const queue of world.cluster.queues.values()) duplicates += readEverything(queue).length - readValid(queue).length;
    }
    // What lands after the barrier of the next generation is there, and dropped.
    expect(duplicates > 0).toBe(cutOff !== 'lost');
  });
});
