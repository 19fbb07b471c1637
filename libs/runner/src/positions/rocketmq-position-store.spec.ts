import { describe, expect, it } from '@jest/globals';
import { decodePosition, type ClusterTopics, type PositionMessage } from '@sluice/protocol';
import type { PullOptions, RocketMqClient } from '@sluice/rocketmq';
import { RocketMqPositionStore } from './rocketmq-position-store.js';
import type { SourceOwners } from './source-owners.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const queue = { topic: 't', brokerName: 'b', queueId: 0 };

/** One positions queue of a broker, in memory, with the store of a node on it. */
class World {
  readonly bodies: Buffer[] = [];
  owners: SourceOwners = { asOf: 0, live: new Map(), tasksSince: 0, hasCommitted: false };
  failing = false;
  readonly store: RocketMqPositionStore;

  constructor() {
    const send = (_: unknown, { body }: { readonly body: Buffer }): Promise<unknown> => {
      if (this.failing) return Promise.reject(new Error('the broker is stopped'));
      this.bodies.push(body);
      return Promise.resolve({ firstOffset: this.bodies.length - 1 });
    };
    const pull = ({ offset }: PullOptions): Promise<unknown> => {
      const maxOffset = this.bodies.length;
      const messages = this.bodies.slice(offset).map((body, at) => ({ queueOffset: offset + at, storeTimestamp: 0, body }));
      const kind = messages.length > 0 ? 'found' : 'empty';
      return Promise.resolve({ kind, messages, nextOffset: maxOffset, minOffset: 0, maxOffset });
    };
    const client = { producer: { send }, consumer: { pull } } as unknown as RocketMqClient;
    const topics = { positions: { name: 'p', queues: 1 } } as ClusterTopics;
    this.store = new RocketMqPositionStore(client, topics, 'b', 'g', () => this.owners, silent);
  }

  assign(count: number, from: number): void {
    const live = new Map(Array.from({ length: count }, (_, index) => [index, from + index]));
    this.owners = { asOf: from + count, live, tasksSince: 0, hasCommitted: false };
  }

  get barriers(): readonly (PositionMessage & { readonly kind: 'barrier' })[] {
    return this.bodies.map((body) => decodePosition(body)).filter((message) => message.kind === 'barrier');
  }
}

const task = (index: number, generation: number) => ({ connector: 'c', index, generation });

describe('the positions of a connector', () => {
  it('are fenced by one barrier for all tasks that open during another one, as of a time after each has asked', async () => {
    const world = new World();
    world.assign(1_000, 10);
    const first = world.store.open(task(0, 10));
    world.assign(1_000, 5_000);
    await Promise.all([first, ...Array.from({ length: 999 }, (_, at) => world.store.open(task(at + 1, 5_001 + at)))]);
    expect(world.barriers.map(({ asOf, live }) => [asOf, live.length])).toEqual([
      [1_010, 1_000],
      [6_000, 1_000],
    ]);
    await world.store.open(task(7, 5_007));
    expect(world.barriers).toHaveLength(3);
  });

  it('are fenced against every generation that the barrier does not name, whichever task asked for it', async () => {
    const world = new World();
    world.assign(2, 10);
    await Promise.all([world.store.open(task(0, 10)), world.store.open(task(1, 11))]);
    const position = (index: number, generation: number, line: number) => ({
      partition: { file: `f${index}` },
      position: { line },
      nextSeq: line + 1,
      routes: [queue],
      owner: { index, generation },
      revision: line,
    });
    const write = (index: number, generation: number, line: number) =>
      world.store.write(task(index, generation), {
        partitions: [position(index, generation, line)],
        scans: [],
        settled: [],
      });
    await write(0, 10, 1);
    await write(1, 11, 1);
    world.assign(2, 20);
    const opened = await Promise.all([world.store.open(task(0, 20)), world.store.open(task(1, 21))]);
    await write(0, 10, 2);
    await write(1, 11, 2);
    const later = await world.store.open(task(0, 20));
    for (const { free } of [...opened, later]) expect(free.map((each) => each.position)).toEqual([{ line: 1 }, { line: 1 }]);
  });

  it('are fenced by the next barrier where one could not be stored', async () => {
    const world = new World();
    world.assign(3, 10);
    world.failing = true;
    const opening = [0, 1, 2].map((index) => world.store.open(task(index, 10 + index)));
    const outcomes = await Promise.allSettled(opening);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    world.failing = false;
    await expect(world.store.open(task(0, 10))).resolves.toEqual({ free: [], held: [], unsettled: [] });
    expect(world.barriers).toHaveLength(1);
  });
});
