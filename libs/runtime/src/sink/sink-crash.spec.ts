import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef, type SinkTask } from '@sluice/sdk';
import fc from 'fast-check';
import type { SinkLoopPorts } from './sink-loop-options.js';
import { CrashingProcess } from '../testing/crashing-process.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, type SinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

/** What a source and its predecessors wrote into a queue, duplicates included. */
type Writing =
  | { readonly kind: 'next'; readonly file: string; readonly count: number }
  | { readonly kind: 'repeat'; readonly file: string; readonly count: number }
  | { readonly kind: 'hand-over' }
  | { readonly kind: 'zombie'; readonly file: string; readonly count: number }
  | { readonly kind: 'plain'; readonly count: number };

interface Story {
  readonly writings: readonly (readonly Writing[])[];
  readonly crashes: readonly number[];
  /** The queues grow while the sink lives, a piece per life. */
  readonly pieces: number;
  /** Of each life: the queue whose broker is unavailable at its beginning, if there is such a queue. */
  readonly outages: readonly number[];
}

class Writer {
  #generation = 1;
  #plain = 0;
  readonly #seqs = new Map<string, number>();
  readonly #tails = new Map<string, readonly number[]>();

  constructor(
    private readonly world: SinkWorld,
    private readonly ref: QueueRef,
  ) {
    world.barrier(ref, 1);
  }

  write(writing: Writing): void {
    const { world, ref } = this;
    switch (writing.kind) {
      case 'next': {
        const from = (this.#seqs.get(writing.file) ?? 0) + 1;
        this.#seqs.set(writing.file, from + writing.count - 1);
        const seqs = sequence(from, writing.count);
        world.stamped(ref, writing.file, this.#generation, ...seqs);
        this.#tails.set(writing.file, seqs);
        return;
      }
      case 'repeat':
        // The tail of what this generation wrote, as a resend puts it there again.
        world.stamped(ref, writing.file, this.#generation, ...(this.#tails.get(writing.file) ?? []).slice(-writing.count));
        return;
      case 'hand-over':
        this.#generation++;
        this.#tails.clear();
        world.barrier(ref, this.#generation);
        return;
      case 'zombie':
        if (this.#generation > 1) {
          const from = (this.#seqs.get(writing.file) ?? 0) + 1;
          world.stamped(ref, writing.file, this.#generation - 1, ...sequence(from, writing.count));
        }
        return;
      case 'plain':
        world.plain(ref, ...sequence(this.#plain, writing.count).map((n) => `plain${n}`));
        this.#plain += writing.count;
        return;
    }
  }
}

function sequence(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

function mortalPorts(world: SinkWorld, process: CrashingProcess): Partial<SinkLoopPorts> {
  const { messages } = world.cluster;
  return {
    messages: {
      ...messages,
      queues: (topic) => process.call(() => messages.queues(topic)),
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
    offsets: {
      read: (group, queue) => process.call(() => world.offsets.read(group, queue)),
      commit: (group, positions) => process.call(() => world.offsets.commit(group, positions)),
      takeReset: (group, reset) => process.call(() => world.offsets.takeReset(group, reset)),
      foreignConsumers: (group, queue) => process.call(() => world.offsets.foreignConsumers(group, queue)),
    },
  };
}

function mortalSink(storage: SinkStorage, process: CrashingProcess): SinkTask {
  const sink = new TransactionalSink(storage);
  return {
    start: () => process.call(() => sink.start()),
    open: (queues) => process.call(() => sink.open(queues)),
    put: (records, signal) => process.call(() => sink.put(records, signal)),
    flush: (positions) => process.call(() => sink.flush(positions)),
    close: () => process.call(() => sink.close()),
    stop: () => process.call(() => sink.stop()),
  };
}

async function live(
  story: Story,
): Promise<{ readonly world: SinkWorld; readonly storage: SinkStorage; readonly refs: readonly QueueRef[] }> {
  const world = new SinkWorld();
  // Each queue has a broker of its own.
  const refs = story.writings.flatMap((_, n) => world.cluster.addTopic('t', 1, `broker-${n}`));
  const writers = refs.map((ref) => new Writer(world, ref));
  const storage = newSinkStorage();
  const lives = [...story.crashes, Infinity];
  for (const [life, crashAtStep] of lives.entries()) {
    for (const [queue, writings] of story.writings.entries()) {
      const size = Math.ceil(writings.length / story.pieces);
      const end = life === lives.length - 1 ? writings.length : (life + 1) * size;
      for (const writing of writings.slice(life * size, end)) writers[queue]?.write(writing);
    }
    const unavailable = refs[story.outages[life] ?? -1];
    if (unavailable !== undefined) {
      world.offsets.unavailable.add(unavailable.brokerName);
      world.cluster.stopped.set(queueKey(unavailable), 'unavailable');
    }
    const process = new CrashingProcess(crashAtStep);
    const { loop } = world.loop(mortalSink(storage, process), {
      ports: mortalPorts(world, process),
      settings: { flushIntervalMs: 5, maxPutRecords: 7 },
    });
    let hasEnded = false;
    void loop.ended.then(() => (hasEnded = true));
    loop.start().catch(() => undefined);
    await world.clock.advance(60);
    world.offsets.unavailable.clear();
    world.cluster.stopped.clear();
    if (unavailable !== undefined) await world.clock.advance(300);
    if (!process.isAlive) continue;
    void loop.stop();
    await world.clock.until(() => hasEnded || !process.isAlive);
  }
  return { world, storage, refs };
}

const file = fc.constantFrom('a', 'b');
const count = fc.integer({ min: 1, max: 9 });
const writing: fc.Arbitrary<Writing> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('next' as const), file, count }) },
  fc.record({ kind: fc.constant('repeat' as const), file, count }),
  fc.record({ kind: fc.constant('hand-over' as const) }),
  fc.record({ kind: fc.constant('zombie' as const), file, count }),
  fc.record({ kind: fc.constant('plain' as const), count }),
);

describe('a sink that stores positions with its data, whose process dies', () => {
  it('has every record exactly once and in order, wherever it died', async () => {
    let doubled = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          writings: fc.array(fc.array(writing, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
          crashes: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 5 }),
          pieces: fc.integer({ min: 1, max: 5 }),
          outages: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
        }),
        async (story) => {
          const { world, storage, refs } = await live(story);
          const expected = refs.map((ref) => readValid(world.cluster.queue(ref)));
          for (const ref of refs) doubled += readEverything(world.cluster.queue(ref)).length - readValid(world.cluster.queue(ref)).length;
          expect([...storage.values].sort()).toEqual(expected.flat().sort());
          if (refs.length === 1) expect(storage.values).toEqual(expected[0]);
        },
      ),
      { numRuns: Number(process.env['SLUICE_CRASH_RUNS'] ?? 150) },
    );
    expect(doubled).toBeGreaterThan(0);
  });

  it('does so at each of its first 50 steps', async () => {
    const writings: Writing[] = [
      { kind: 'next', file: 'a', count: 9 },
      { kind: 'repeat', file: 'a', count: 3 },
      { kind: 'hand-over' },
      { kind: 'zombie', file: 'a', count: 2 },
      { kind: 'next', file: 'a', count: 9 },
      { kind: 'repeat', file: 'a', count: 3 },
      { kind: 'next', file: 'b', count: 9 },
    ];
    for (let step = 1; step <= 50; step++) {
      const { storage } = await live({ writings: [writings], crashes: [step, step], pieces: 3, outages: [] });
      expect(storage.values).toEqual([...sequence(1, 18).map((seq) => `a${seq}`), ...sequence(1, 9).map((seq) => `b${seq}`)]);
    }
  });
});
