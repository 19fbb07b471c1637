import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { queueKey, type QueueRef } from '@sluice/sdk';
import { movedText } from '../config/loop-settings.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';
import { DivisionWatch } from './division-watch.js';
import {
  divideQueues,
  type Division,
  type Granularity,
  isUneven,
  type MovedUnits,
  NOTHING_MOVED,
  ownsQueue,
  unitOf,
} from './queue-division.js';

const topics = fc.uniqueArray(
  fc.record({
    topic: fc.stringMatching(/^[a-z]{1,6}$/),
    brokers: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    queues: fc.integer({ min: 1, max: 9 }),
  }),
  { selector: ({ topic }) => topic, maxLength: 8 },
);
const counts = fc.integer({ min: 1, max: 9 });
const granularities = fc.constantFrom<Granularity>('queue', 'topic');

type Topics = readonly { readonly topic: string; readonly brokers: readonly string[]; readonly queues: number }[];

function queuesOf(all: Topics): readonly QueueRef[] {
  return all.flatMap(({ topic, brokers, queues }) =>
    brokers.flatMap((brokerName) => Array.from({ length: queues }, (_, queueId) => ({ topic, brokerName, queueId }))),
  );
}

/** The number of the one task that owns each queue, by the queue's key. */
function ownersOf(queues: readonly QueueRef[], { count, granularity, moved }: Division): ReadonlyMap<string, number> {
  const found = queues.map((queue) => ({
    key: queueKey(queue),
    owners: moved.flatMap((each, index) => (ownsQueue(queue, { index, count, granularity, moved: each }) ? [index] : [])),
  }));
  expect(found.filter(({ owners }) => owners.length !== 1)).toEqual([]);
  return new Map(found.map(({ key, owners }) => [key, owners[0] ?? -1]));
}

/** How many units each task has. */
function loadsOf(queues: readonly QueueRef[], division: Division): readonly number[] {
  const owners = ownersOf(queues, division);
  const units = Array.from({ length: division.count }, () => new Set<string>());
  for (const queue of queues) units[owners.get(queueKey(queue)) ?? -1]?.add(unitOf(queue, division.granularity));
  return units.map(({ size }) => size);
}

function nothingMoved(count: number): readonly MovedUnits[] {
  return Array.from({ length: count }, () => ({ taken: new Set<string>(), given: new Set<string>() }));
}

/** The fewest units that have to move so that no task has more than one more than another. */
function fewestMoves(loads: readonly number[]): number {
  const total = loads.reduce((sum, load) => sum + load, 0);
  const [least, extra] = [Math.floor(total / loads.length), total % loads.length];
  const sorted = [...loads].sort((a, b) => b - a);
  return sorted.reduce((sum, load, rank) => sum + Math.max(0, load - least - (rank < extra ? 1 : 0)), 0);
}

describe('the division of queues over tasks', () => {
  it('gives each queue to one task and no task more than one unit more than another', () => {
    fc.assert(
      fc.property(topics, counts, granularities, (all, count, granularity) => {
        const queues = queuesOf(all);
        const division = divideQueues(queues, { count, granularity }, []);
        const loads = loadsOf(queues, division);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        const total = loads.reduce((sum, load) => sum + load, 0);
        expect(loads.filter((load) => isUneven(load, total, count))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('moves nothing while topics only grow, and then the fewest that make it even', () => {
    fc.assert(
      fc.property(topics, topics, counts, granularities, (first, more, count, granularity) => {
        const names = new Set(first.map(({ topic }) => topic));
        const old = queuesOf(first);
        const before = divideQueues(old, { count, granularity }, []);
        const grown = first.map((each, n) => ({ ...each, queues: each.queues + (n % 3) }));
        const queues = queuesOf([...grown, ...more.filter(({ topic }) => !names.has(topic))]);
        // The same division read with more queues: those that were there stay.
        const read = ownersOf(queues, before);
        expect([...ownersOf(old, before)].filter(([key, owner]) => read.get(key) !== owner)).toEqual([]);
        const after = divideQueues(queues, { count, granularity }, before.moved);
        const owners = ownersOf(queues, after);
        const moved = new Set(
          queues.filter((queue) => owners.get(queueKey(queue)) !== read.get(queueKey(queue))).map((q) => unitOf(q, granularity)),
        );
        expect(moved.size).toBe(fewestMoves(loadsOf(queues, before)));
        const loads = loadsOf(queues, after);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });

  it('is the same again, whatever the order of the queues', () => {
    fc.assert(
      fc.property(topics, counts, granularities, (all, count, granularity) => {
        const queues = queuesOf(all);
        const first = divideQueues(queues, { count, granularity }, []);
        expect(divideQueues([...queues].reverse(), { count, granularity }, first.moved)).toEqual(first);
      }),
    );
  });

  it('is written alike again where nothing has changed', () => {
    const changed: string[] = [];
    for (let count = 2; count <= 8; count += 1) {
      for (let topics = 1; topics <= 12; topics += 1) {
        const queues = Array.from({ length: topics }, (_, n) =>
          Array.from({ length: (n % 3) + 1 }, (_queue, queueId) => ({ topic: `t${n}`, brokerName: 'b', queueId })),
        ).flat();
        const first = divideQueues(queues, { count, granularity: 'queue' }, []);
        const second = divideQueues(queues, { count, granularity: 'queue' }, first.moved);
        for (let index = 0; index < count; index += 1) {
          const [before, after] = [first, second].map(({ moved }) => movedText(moved[index], 'queue'));
          if (before !== after) changed.push(`${count} tasks, ${topics} topics, task ${index}: ${before ?? ''} to ${after ?? ''}`);
        }
      }
    }
    expect(changed).toEqual([]);
  });

  it('keeps all queues of a topic in one task, where whole topics are divided', () => {
    const queues = queuesOf([
      { topic: 'orders', brokers: ['a', 'b'], queues: 8 },
      { topic: 'payments', brokers: ['a'], queues: 1 },
    ]);
    const owners = ownersOf(queues, divideQueues(queues, { count: 2, granularity: 'topic' }, []));
    const of = (topic: string): readonly number[] => [
      ...new Set([...owners].flatMap(([key, owner]) => (key.startsWith(`${topic}@`) ? [owner] : []))),
    ];
    expect([...of('orders'), ...of('payments')].sort()).toEqual([0, 1]);
  });

  it('leaves queues where they are that no task has to give', () => {
    const queues = queuesOf([{ topic: 'orders', brokers: ['a'], queues: 8 }]);
    expect(divideQueues(queues, { count: 4, granularity: 'queue' }, []).moved).toEqual(nothingMoved(4));
  });
});

describe('the watch for an uneven division', () => {
  function watch() {
    const requests: string[] = [];
    const watched = new DivisionWatch({ count: 2, request: () => requests.push('request'), info: () => undefined });
    const look = (own: number, total: number, times = 1): number => {
      for (let n = 0; n < times; n++) watched.saw(own, total);
      return requests.length;
    };
    return look;
  }

  it('requests another division once topics have grown and it stays uneven, and rarely again', () => {
    const look = watch();
    expect(look(2, 4, 10)).toBe(0);
    expect(look(2, 5, 10)).toBe(0);
    expect(look(2, 6, 2)).toBe(0);
    expect(look(2, 7, 2)).toBe(0);
    expect(look(2, 7)).toBe(1);
    expect(look(2, 7, 19)).toBe(1);
    expect(look(2, 7)).toBe(2);
  });

  it('requests nothing when queues vanish or come back', () => {
    const look = watch();
    look(4, 8);
    expect(look(4, 4, 50)).toBe(0);
    expect(look(4, 8, 50)).toBe(0);
  });

  it('requests one for a task without any', () => {
    expect(watch()(0, 2, 3)).toBe(1);
  });
});

describe('a sink task whose share is not even', () => {
  it('reads new queues at once, and requests another division', async () => {
    const world = new SinkWorld();
    const sink = new TransactionalSink(newSinkStorage(), false);
    // The rule gives both topics to the first of two tasks.
    const { loop, counters } = world.loop(sink, {
      settings: { refreshIntervalMs: 4000 },
      subscription: {
        topics: { kind: 'names', names: ['a', 'b'] },
        share: { index: 0, count: 2, granularity: 'topic', moved: NOTHING_MOVED },
      },
    });
    await loop.start();
    for (const topic of ['a', 'b']) {
      const [queue] = world.cluster.addTopic(topic, 1);
      if (queue !== undefined) world.plain(queue, 'v');
    }
    await world.clock.until(() => counters.recordsPut === 2, 5000);
    expect(world.reconfigurationRequests).toBe(0);
    await world.clock.until(() => world.reconfigurationRequests === 1, 20_000);
    loop.kill();
  });
});
