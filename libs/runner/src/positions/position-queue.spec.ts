import type { PositionQueueCopy } from '@sluice/node';
import { describe, expect, it } from '@jest/globals';
import { encodePosition, type ClusterTopics, type PositionMessage } from '@sluice/protocol';
import { FrameTooLargeError, type PullOptions, type RocketMqClient } from '@sluice/rocketmq';
import { PositionQueue, QueueNotShownError, type PositionsPull } from './position-queue.js';
import { RocketMqPositionStore } from './rocketmq-position-store.js';

const owner = { index: 0, generation: 1 };
const routes = [{ topic: 't', brokerName: 'b', queueId: 0 }];

/** A position of connector `c`, in partition `p`. */
function write(line: number): Buffer {
  const position = { partition: { file: 'p' }, position: { line }, nextSeq: line + 1, routes, owner, revision: line };
  const message: PositionMessage = {
    kind: 'write',
    connector: 'c',
    ...owner,
    partitions: [position],
    scans: [],
    settled: [],
  };
  return encodePosition(message);
}

/** A queue of a broker, in memory. */
class FakeQueue {
  messages: Buffer[] = [];
  minOffset = 0;
  pulls = 0;
  /** Called before each pull is answered. */
  beforeAnswer: () => void = () => undefined;

  write(...lines: readonly number[]): this {
    this.messages.push(...lines.map(write));
    return this;
  }

  /** How many messages fit into an answer: few, so that a reading takes several pulls. */
  perAnswer = 2;

  readonly pull = (offset: number): Promise<PositionsPull> => {
    this.pulls += 1;
    this.beforeAnswer();
    const { minOffset } = this;
    const maxOffset = this.messages.length;
    const bounds = { minOffset, maxOffset };
    if (offset < minOffset) return Promise.resolve({ kind: 'offset-moved', messages: [], nextOffset: minOffset, ...bounds });
    if (offset > maxOffset) return Promise.resolve({ kind: 'offset-moved', messages: [], nextOffset: maxOffset, ...bounds });
    const messages = this.messages.slice(offset, offset + this.perAnswer).map((body, index) => ({
      queueOffset: offset + index,
      storeTimestamp: 1000 * (offset + index),
      body,
    }));
    const nextOffset = offset + messages.length;
    return Promise.resolve({ kind: messages.length > 0 ? 'found' : 'empty', messages, nextOffset, ...bounds });
  };
}

describe('a positions queue', () => {
  const warnings: string[] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    error: () => undefined,
    warn: (text: string) => {
      warnings.push(text);
    },
  };
  const reading = (queue: FakeQueue): PositionQueue => {
    warnings.length = 0;
    return new PositionQueue(0, 'q', queue.pull, logger);
  };
  const lineIn = (positions: PositionQueue): unknown => {
    const stored = positions.get('c')?.storedFor({ index: 0, generation: 2 }, { asOf: 2, live: new Map(), tasksSince: 0 });
    return stored?.free[0]?.position?.['line'];
  };

  it('is folded up to its end, over several pulls', async () => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5);
    const positions = reading(queue);
    await positions.readUpTo();
    expect(lineIn(positions)).toBe(5);
    queue.write(6, 7);
    await positions.readUpTo();
    expect(lineIn(positions)).toBe(7);
    expect(warnings).toEqual([]);
  });

  it('is folded up to its end where each message fills an answer alone, and read again when it is cut meanwhile', async () => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5);
    queue.perAnswer = 1;
    const positions = reading(queue);
    await positions.readUpTo();
    expect([lineIn(positions), warnings]).toEqual([5, []]);
    queue.write(6, 7);
    const pulls = queue.pulls;
    queue.beforeAnswer = () => {
      // Between the look at the last message and the pull of those that follow it.
      if (queue.pulls !== pulls + 2) return;
      queue.messages.length = 2;
      queue.write(20, 21, 22, 23, 24);
    };
    await positions.readUpTo();
    const fresh = reading(queue);
    await fresh.readUpTo();
    expect(await positions.copy()).toEqual(await fresh.copy());
    expect(lineIn(positions)).toBe(24);
  });

  it.each([
    ['after it was cut and has grown to more than before', [1, 2, 3], [20, 21, 22, 23]],
    ['after it was cut and has grown to as many as before', [1, 2, 3], [20, 21, 22]],
    ['after it was cut', [1, 2, 3], []],
    ['created again, with fewer', [], [20, 21]],
    ['created again, with more', [], [20, 21, 22, 23, 24, 25, 26, 27]],
  ])('is read from its beginning %s', async (_, kept, written) => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5, 6);
    const positions = reading(queue);
    await positions.readUpTo();
    expect(lineIn(positions)).toBe(6);
    queue.messages = [];
    queue.write(...kept, ...written);
    await positions.readUpTo();
    const fresh = reading(queue);
    await fresh.readUpTo();
    expect(await positions.copy()).toEqual(await fresh.copy());
    expect(lineIn(positions)).toBe(written.at(-1) ?? kept.at(-1));
  });

  it('reports that it was cut, with what it knew', async () => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5, 6);
    const positions = reading(queue);
    await positions.readUpTo();
    queue.messages.length = 3;
    queue.write(20, 21, 22, 23);
    await positions.readUpTo();
    expect(warnings).toEqual([
      'Positions queue q was cut or created again: the message at offset 5 is another one. It is read from its beginning',
    ]);
  });

  it('is read from its beginning when it is cut between two pulls of one reading', async () => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5, 6);
    const positions = reading(queue);
    queue.beforeAnswer = () => {
      if (queue.pulls !== 3) return;
      queue.messages.length = 1;
      queue.write(20, 21, 22, 23, 24);
    };
    await positions.readUpTo();
    expect(lineIn(positions)).toBe(24);
    const fresh = reading(queue);
    await fresh.readUpTo();
    expect(await positions.copy()).toEqual(await fresh.copy());
  });

  it('is copied in turns of the event loop, as far as it was read when the copy began', async () => {
    const positions = reading(new FakeQueue().write(1, 2, 3));
    const empty = { floor: 0, floors: [], partitions: [], scans: [] };
    const connectors = Array.from({ length: 50_000 }, (_, n) => ({ connector: `c${n}`, ...empty }));
    positions.restore({ queueId: 0, nextOffset: 0, connectors });
    let turns = 0;
    let isCopying = true;
    const count = (): void => {
      turns += 1;
      if (isCopying) setImmediate(count);
    };
    setImmediate(count);
    const copying = positions.copy();
    await positions.readUpTo();
    const { nextOffset, connectors: copied } = await copying;
    isCopying = false;
    expect(turns).toBeGreaterThan(1);
    expect([nextOffset, copied.length]).toEqual([0, connectors.length]);
    expect(await positions.copy()).toMatchObject({ nextOffset: 3, connectors: { length: connectors.length + 1 } });
  });

  it('resumes from a copy of the same queue, and not from one of another', async () => {
    const queue = new FakeQueue().write(1, 2, 3);
    const first = reading(queue);
    await first.readUpTo();
    const copy = JSON.parse(JSON.stringify(await first.copy())) as PositionQueueCopy;
    queue.write(4);
    const second = reading(queue);
    second.restore(copy);
    await second.readUpTo();
    expect([lineIn(second), queue.pulls]).toEqual([4, 3]);
    const recreated = new FakeQueue().write(30, 31, 32, 33);
    const third = reading(recreated);
    third.restore(copy);
    await third.readUpTo();
    expect(lineIn(third)).toBe(33);
    expect(warnings).toHaveLength(1);
  });

  it('keeps what it knows where retention has taken the last message that was read, and reports a gap', async () => {
    const queue = new FakeQueue().write(1, 2, 3);
    const positions = reading(queue);
    await positions.readUpTo();
    queue.minOffset = 3;
    await positions.readUpTo();
    expect([lineIn(positions), warnings]).toEqual([3, []]);
    queue.write(4, 5, 6);
    queue.minOffset = 5;
    await positions.readUpTo();
    expect(lineIn(positions)).toBe(6);
    expect(warnings).toEqual(['Retention has taken offsets 3 to 4 of positions queue q before they were read']);
    expect(positions.bounds).toEqual({ minOffset: 5, endOffset: 6 });
  });

  it('waits for a message that was acknowledged and is not shown yet', async () => {
    const queue = new FakeQueue().write(1);
    const positions = reading(queue);
    queue.beforeAnswer = () => {
      if (queue.pulls === 2) queue.write(2);
    };
    await positions.readUpTo(2);
    expect(lineIn(positions)).toBe(2);
    await expect(positions.readUpTo(9)).rejects.toThrow('shows nothing at offset 2 although it reaches to 9');
  });

  it('is not read in a loop where it is said to begin behind its end', async () => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5);
    const positions = reading(queue);
    await positions.readUpTo();
    queue.messages.length = 2;
    queue.minOffset = 4;
    queue.beforeAnswer = () => {
      if (queue.pulls > 100) throw new Error('asked too often');
    };
    await expect(positions.readUpTo(6)).rejects.toThrow(QueueNotShownError);
    // What is written then is read once it can be.
    queue.write(20, 21, 22, 23);
    await positions.readUpTo(6);
    expect(lineIn(positions)).toBe(23);
  });

  it('is not read in a loop where it becomes shorter with each answer', async () => {
    const queue = new FakeQueue().write(1, 2, 3, 4, 5, 6);
    const positions = reading(queue);
    await positions.readUpTo();
    queue.minOffset = 9;
    queue.beforeAnswer = () => {
      if (queue.messages.length > 0) queue.messages.length -= 1;
      if (queue.pulls > 100) throw new Error('asked too often');
    };
    await expect(positions.readUpTo(6)).rejects.toThrow(QueueNotShownError);
  });

  it('is read one message at a time where more make an answer that is too long to be read', async () => {
    const queue = new FakeQueue().write(1, 2, 3);
    queue.perAnswer = 1;
    const pull = ({ offset, maxMessages }: PullOptions) =>
      maxMessages === 1 ? queue.pull(offset) : Promise.reject(new FrameTooLargeError(17_000_000, 16_777_216));
    const client = { consumer: { pull } } as unknown as RocketMqClient;
    const topics = { positions: { name: 'p', queues: 1 } } as ClusterTopics;
    const nobody = () => {
      throw new Error('no task opens');
    };
    const store = new RocketMqPositionStore(client, topics, 'b', 'g', nobody, logger);
    await store.catchUp();
    expect((await store.snapshot()).queues[0]?.nextOffset).toBe(3);
  });
});
