import { describe, expect, it } from '@jest/globals';
import type { OffsetStore, QueueMessages, MessageReader } from '@sluice/runtime';
import type { QueueRef } from '@sluice/sdk';
import { SinkLag } from './sink-lag.js';
import { watchedPorts } from './sink-progress.js';

const queueOf = (queueId: number): QueueRef => ({ topic: 't', brokerName: 'b', queueId });
const silentReader: MessageReader = { next: () => new Promise(() => undefined), close: () => undefined };
const { signal } = new AbortController();

/** Queues with ends that grow by hand, and tasks that read them. */
class World {
  readonly ends = new Map<number, number>();
  readonly held = new Set(['out-0', 'out-1']);
  readonly errors: string[] = [];
  nowMs = 0;
  answerHung: (end: number) => void = () => undefined;
  readonly hung = new Promise<number>((resolve) => (this.answerHung = resolve));
  isUnavailable = false;
  /** Of those that a loop brought, by its place. */
  readonly released: number[] = [];
  #loops = 0;
  readonly lag = new SinkLag({
    held: () => this.held,
    onError: (_, error) => this.errors.push(error.message),
    nowMs: () => this.nowMs,
  });
  readonly #messages: QueueMessages = {
    unreadableQueues: () => Promise.resolve([]),
    queues: () => Promise.resolve([]),
    topics: () => Promise.resolve([]),
    minOffset: () => Promise.resolve(0),
    endOffset: ({ queueId, brokerName }) => {
      if (brokerName === 'hung') return this.hung;
      return this.isUnavailable ? Promise.reject(new Error('unavailable')) : Promise.resolve(this.ends.get(queueId) ?? 0);
    },
    read: () => silentReader,
    range: () => {
      throw new Error('not asked for');
    },
  };
  readonly #offsets: OffsetStore = {
    read: () => Promise.resolve(undefined),
    commit: () => Promise.resolve([]),
    takeReset: (_, reset) => Promise.resolve(reset),
    foreignConsumers: () => Promise.resolve([]),
  };

  loop(index: number, generation = 1): { readonly messages: QueueMessages; readonly offsets: OffsetStore } {
    const id = { connector: 'out', index };
    this.#loops += 1;
    const loop = this.#loops;
    const endOffset = this.#messages.endOffset.bind(this.#messages);
    const release = (): void => {
      this.released.push(loop);
    };
    return watchedPorts({ messages: this.#messages, offsets: this.#offsets }, this.lag.watch({ id, generation }, { endOffset, release }));
  }

  get messagesBehind(): number | undefined {
    return this.lag.byConnector().get('out')?.messages;
  }
}

describe('the lag of sinks', () => {
  it('releases the ends of a task when its next loop brings others, when the task is gone, and at the end', async () => {
    const world = new World();
    world.loop(0);
    world.loop(1);
    expect(world.released).toEqual([]);
    world.loop(0);
    expect(world.released).toEqual([1]);
    world.loop(0, 2);
    expect(world.released).toEqual([1, 3]);
    world.held.delete('out-1');
    await world.lag.measure();
    expect(world.released).toEqual([1, 3, 2]);
    await world.lag.stop();
    expect(world.released).toEqual([1, 3, 2, 4]);
  });

  it('is what the queues of all tasks hold beyond what is committed', async () => {
    const world = new World();
    world.ends.set(0, 100).set(1, 50);
    const first = world.loop(0);
    first.messages.read(queueOf(0), 40, signal);
    world.loop(1).messages.read(queueOf(1), 50, signal);
    expect(world.messagesBehind).toBeUndefined();
    await world.lag.measure();
    expect(world.messagesBehind).toBe(60);
    await first.offsets.commit('g', [{ queue: queueOf(0), nextOffset: 90 }]);
    expect(world.messagesBehind).toBe(10);
    world.ends.set(1, 55);
    await world.lag.measure();
    expect(world.messagesBehind).toBe(15);
  });

  it('grows while a task stalls, and keeps to what is committed when it reads a queue again', async () => {
    const world = new World();
    world.ends.set(0, 10);
    const { messages } = world.loop(0);
    messages.read(queueOf(0), 0, signal);
    messages.read(queueOf(0), 8, signal);
    await world.lag.measure();
    expect(world.messagesBehind).toBe(10);
    world.ends.set(0, 30);
    await world.lag.measure();
    expect(world.messagesBehind).toBe(30);
  });

  it('resumes where a restarted loop begins, and no old loop changes it', async () => {
    const world = new World();
    world.ends.set(0, 100);
    const before = world.loop(0);
    before.messages.read(queueOf(0), 0, signal);
    await world.lag.measure();
    const after = world.loop(0);
    expect(world.messagesBehind).toBe(100);
    after.messages.read(queueOf(0), 20, signal);
    await before.offsets.commit('g', [{ queue: queueOf(0), nextOffset: 99 }]);
    expect(world.messagesBehind).toBe(80);
  });

  it('leaves out queues of an older generation, and tasks that the node holds no more', async () => {
    const world = new World();
    world.ends.set(0, 100).set(1, 7);
    world.loop(0).messages.read(queueOf(0), 0, signal);
    world.loop(0, 2).messages.read(queueOf(1), 0, signal);
    await world.lag.measure();
    expect(world.messagesBehind).toBe(7);
    world.held.clear();
    expect(world.messagesBehind).toBeUndefined();
  });

  it('reports how old its figures are while brokers do not answer', async () => {
    const world = new World();
    world.ends.set(0, 10);
    world.loop(0).messages.read(queueOf(0), 0, signal);
    await world.lag.measure();
    world.nowMs = 4000;
    world.isUnavailable = true;
    await world.lag.measure();
    expect(world.lag.byConnector().get('out')).toEqual({ messages: 10, ageMs: 4000 });
    expect(world.errors).toEqual(['unavailable']);
  });

  it('learns the ends on other brokers while one does not answer', async () => {
    const world = new World();
    const { messages } = world.loop(0);
    for (let queueId = 100; queueId < 150; queueId++) messages.read({ ...queueOf(queueId), brokerName: 'hung' }, 0, signal);
    messages.read(queueOf(0), 0, signal);
    for (const end of [10, 20]) {
      world.ends.set(0, end);
      void world.lag.measure();
      await new Promise((resolve) => setImmediate(resolve));
      expect(world.messagesBehind).toBe(end);
    }
    world.answerHung(1);
    await world.lag.measure();
    expect(world.messagesBehind).toBe(70);
  });

  it('stops, also in the middle of its questions', async () => {
    const world = new World();
    world.loop(0).messages.read(queueOf(0), 0, signal);
    world.lag.start();
    await world.lag.stop();
  });
});
