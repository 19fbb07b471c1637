import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  AuthorizationError,
  ConnectFailedError,
  FrameTooLargeError,
  InvalidArgumentError,
  MalformedDataError,
  OffsetOutOfRangeError,
  RequestAbortedError,
  TopicNotFoundError,
} from '../errors.js';
import { MessageUnreadableError } from './logical-messages.js';
import type { PullAnswer, PullOptions } from './pull.js';
import type { PullBudget } from './pull-budget.js';
import { QueueReader } from './queue-reader.js';
import type { QueueReaderOptions, QueueReaderSource, QueueReaderState } from './queue-reader-options.js';

const QUEUE = { topic: 't', brokerName: 'b', queueId: 0 };

const ANSWER = { request: 'PULL_MESSAGE', address: 'a:1', responseCode: 16, remark: 'no' };

function messageBytes(offset: number, tag = ''): Buffer {
  const properties = tag === '' ? '' : `TAGS\u0001${tag}`;
  const bytes = Buffer.alloc(92 + properties.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(0xda_a3_20_a7, 4);
  bytes.writeBigInt64BE(BigInt(offset), 20);
  bytes.writeUInt8(1, 88);
  bytes.writeUInt16BE(properties.length, 90);
  bytes.write(properties, 92);
  return bytes;
}

/** A queue in memory with a broker's limits, failures and long polls. */
class FakeQueue implements QueueReaderSource {
  readonly client = new AbortController();
  readonly closing = this.client.signal;
  min = 0;
  max = 0;
  capOf: () => number = () => 32;
  failureOf: (pull: PullOptions) => Error | undefined = () => undefined;
  bytesOf: (offset: number) => Buffer = messageBytes;
  pulls = 0;
  suspended = 0;
  inFlight = 0;
  mostInFlight = 0;
  invalidations = 0;
  #wake: (() => void)[] = [];

  append(count: number): void {
    this.max += count;
    for (const wake of this.#wake.splice(0)) wake();
  }

  invalidateRoute(): void {
    this.invalidations += 1;
  }

  async pull(options: PullOptions): Promise<PullAnswer> {
    this.pulls += 1;
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const failure = this.failureOf(options);
      if (failure !== undefined) throw failure;
      if (options.offset === this.max && (options.suspendMs ?? 0) > 0) await this.#suspend(options);
      return this.#answer(options);
    } finally {
      this.inFlight -= 1;
    }
  }

  async #suspend(options: PullOptions): Promise<void> {
    this.suspended += 1;
    await new Promise<void>((resolve, reject) => {
      this.#wake.push(resolve);
      setTimeout(resolve, options.suspendMs).unref();
      options.signal?.addEventListener('abort', () => {
        reject(new RequestAbortedError('pull', 'unknown'));
      });
    });
    this.suspended -= 1;
  }

  #answer({ offset, maxMessages = 32 }: PullOptions): PullAnswer {
    const { min: minOffset, max: maxOffset } = this;
    const base = { body: Buffer.alloc(0), minOffset, maxOffset, brokerId: 0 };
    if (offset < minOffset) return { ...base, kind: 'offset-moved', nextOffset: minOffset };
    if (offset > maxOffset) return { ...base, kind: 'offset-moved', nextOffset: maxOffset };
    const count = Math.min(maxMessages, this.capOf(), maxOffset - offset);
    if (count === 0) return { ...base, kind: 'empty', nextOffset: offset };
    const body = Buffer.concat(Array.from({ length: count }, (_, index) => this.bytesOf(offset + index)));
    return { ...base, kind: 'found', body, nextOffset: offset + count };
  }
}

function readerOf(queue: FakeQueue, options: Partial<QueueReaderOptions> = {}): QueueReader {
  const retryBackoff = { initialMs: 1, maxMs: 2 };
  return new QueueReader(QUEUE, { from: 0, group: 'g', suspendMs: 1_000, retryBackoff, ...options }, queue);
}

async function take(reader: QueueReader, count: number): Promise<number[]> {
  const offsets: number[] = [];
  while (offsets.length < count) for (const message of await reader.next()) offsets.push(message.queueOffset);
  return offsets;
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('QueueReader', () => {
  it('gives every message once and in order, whatever the limits, failures and appends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        fc.integer(),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 64 }),
        async (caps, seed, appends, ahead, maxMessagesPerPull) => {
          const queue = new FakeQueue();
          const random = randomFrom(seed);
          queue.capOf = () => caps[Math.floor(random() * caps.length)]!;
          queue.failureOf = () => (random() < 0.1 ? new ConnectFailedError('a:1', 'refused') : undefined);
          const reader = readerOf(queue, { ahead, maxMessagesPerPull });
          const total = appends.reduce((sum, count) => sum + count, 0);
          const writing = (async () => {
            for (const count of appends) {
              queue.append(count);
              await new Promise((resolve) => setImmediate(resolve));
            }
          })();
          expect(await take(reader, total)).toEqual(upTo(total));
          expect(reader.position).toBe(total);
          await writing;
          reader.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps as many pulls in flight as allowed while there is a backlog', async () => {
    const queue = new FakeQueue();
    queue.append(2_000);
    const reader = readerOf(queue, { ahead: 4 });
    expect(await take(reader, 2_000)).toEqual(upTo(2_000));
    expect(queue.mostInFlight).toBeGreaterThanOrEqual(4);
    expect(queue.mostInFlight).toBeLessThan(8);
    expect(queue.pulls).toBeLessThan(2_000 / 32 + 30);
    reader.close();
  });

  it('pulls only for its caller where nothing may be pulled ahead', async () => {
    const queue = new FakeQueue();
    queue.append(10);
    const reader = readerOf(queue, { ahead: 0 });
    await take(reader, 10);
    queue.append(3);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(queue.pulls).toBe(1);
    queue.append(4);
    expect((await reader.next()).map(({ queueOffset }) => queueOffset)).toEqual(upTo(7, 10));
    reader.close();
  });

  it('stops pulling ahead when the answers nobody took are too large together', async () => {
    const queue = new FakeQueue();
    queue.append(2_000);
    const reader = readerOf(queue, { ahead: 50, maxBufferedBytes: 3 * 32 * 92 });
    await take(reader, 1_000);
    expect(queue.mostInFlight).toBeLessThanOrEqual(4);
    reader.close();
  });

  it('shares a budget with other readers, counts what is not taken, and takes all of it back when it ends', async () => {
    let [bytes, messages, mostMessages] = [0, 0, 0];
    const budget: PullBudget = {
      hasRoom: (more, moreMessages) => bytes + more < 100_000 && messages + moreMessages <= 160,
      add: (more, moreMessages) => {
        bytes += more;
        messages += moreMessages;
        mostMessages = Math.max(mostMessages, messages);
      },
    };
    const queues = [new FakeQueue(), new FakeQueue()];
    const readers = queues.map((queue) => readerOf(queue, { ahead: 50, maxMessagesPerPull: 32, budget }));
    for (const queue of queues) queue.append(2_000);
    await Promise.all(readers.map((reader) => take(reader, 1_000)));
    expect(mostMessages).toBeGreaterThan(96);
    // Each reader's first pull needs no room.
    expect(mostMessages).toBeLessThanOrEqual(160 + 64);
    for (const reader of readers) reader.close();
    expect([bytes, messages]).toEqual([0, 0]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([bytes, messages]).toEqual([0, 0]);
  });

  it('counts nothing in its budget while it waits at the head', async () => {
    let [bytes, messages] = [0, 0];
    const budget: PullBudget = {
      hasRoom: () => true,
      add: (moreBytes, moreMessages) => {
        bytes += moreBytes;
        messages += moreMessages;
      },
    };
    const queues = [new FakeQueue(), new FakeQueue()];
    queues[0]?.append(10);
    const readers = queues.map((queue) => readerOf(queue, { budget, suspendMs: 60_000 }));
    if (readers[0] !== undefined) await take(readers[0], 10);
    const waiting = readers.map((reader) => reader.next());
    while (queues.some(({ suspended }) => suspended === 0)) await new Promise((resolve) => setImmediate(resolve));
    expect([bytes, messages]).toEqual([0, 0]);
    for (const queue of queues) queue.append(3);
    await Promise.all(waiting);
    for (const reader of readers) reader.close();
    expect([bytes, messages]).toEqual([0, 0]);
  });

  it('waits at the head with one suspended pull, and an append wakes it', async () => {
    const queue = new FakeQueue();
    queue.append(10);
    const reader = readerOf(queue);
    await take(reader, 10);
    const waiting = reader.next();
    while (queue.suspended === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(queue.inFlight).toBe(1);
    queue.append(1);
    expect((await waiting).map((message) => message.queueOffset)).toEqual([10]);
    reader.close();
  });

  it('gives an empty list when its time is over and continues with the same pull', async () => {
    const queue = new FakeQueue();
    const reader = readerOf(queue);
    expect(await reader.next({ timeoutMs: 20 })).toEqual([]);
    expect(await reader.next({ timeoutMs: 20 })).toEqual([]);
    expect(queue.pulls).toBe(1);
    queue.append(1);
    expect(await reader.next()).toHaveLength(1);
    reader.close();
  });

  it('reports offsets outside of the queue, keeps its position, and continues where a seek puts it', async () => {
    const queue = new FakeQueue();
    queue.append(10);
    queue.min = 5;
    const below = readerOf(queue, { from: 2 });
    await expect(below.next()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      reason: 'below-min',
      range: { offset: 2, minOffset: 5 },
    });
    expect(below.position).toBe(2);
    below.seek(5);
    expect(await take(below, 5)).toEqual(upTo(5, 5));
    const beyond = readerOf(queue, { from: 11 });
    await expect(beyond.next()).rejects.toBeInstanceOf(OffsetOutOfRangeError);
    await expect(beyond.next()).rejects.toMatchObject({ reason: 'beyond-max' });
    below.close();
    beyond.close();
  });

  it('reports failures and recovery, and asks for a new route', async () => {
    const queue = new FakeQueue();
    queue.append(3);
    let left = 2;
    queue.failureOf = () => ((left -= 1) >= 0 ? new ConnectFailedError('a:1', 'refused') : undefined);
    const states: QueueReaderState[] = [];
    const reader = readerOf(queue, { onState: (state) => states.push(state) });
    expect(await take(reader, 3)).toEqual([0, 1, 2]);
    expect(states).toMatchObject([{ kind: 'retrying', failures: 1 }, { kind: 'retrying', failures: 2 }, { kind: 'reading' }]);
    expect(queue.invalidations).toBe(2);
    reader.close();
  });

  it.each([
    ['a failure that it retries', new ConnectFailedError('a:1', 'refused'), ['retrying', 'reading']],
    ['a refusal that it throws', new AuthorizationError(ANSWER), ['reading']],
  ])('reports that the broker answers again after %s, without waiting for a message', async (_what, failure, told) => {
    const queue = new FakeQueue();
    const states: string[] = [];
    let onAnswered: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (onAnswered = resolve));
    const reader = readerOf(queue, {
      suspendMs: 300,
      onState: ({ kind }) => {
        states.push(kind);
        if (kind === 'reading') onAnswered();
      },
    });
    let left = 1;
    const suspendTimes: unknown[] = [];
    queue.failureOf = ({ suspendMs }) => {
      suspendTimes.push(suspendMs);
      return (left -= 1) >= 0 ? failure : undefined;
    };
    let waiting = reader.next();
    if (!failure.retriable) {
      await expect(waiting).rejects.toBe(failure);
      waiting = reader.next();
    }
    await answered;
    expect([states, suspendTimes.slice(0, 2)]).toEqual([told, [300, 0]]);
    queue.append(1);
    expect(await waiting).toHaveLength(1);
    reader.close();
  });

  it('takes a topic that is gone for a restart only after it has read from it', async () => {
    const queue = new FakeQueue();
    queue.failureOf = () => new TopicNotFoundError('t');
    const reader = readerOf(queue);
    await expect(reader.next()).rejects.toBeInstanceOf(TopicNotFoundError);
    queue.failureOf = () => undefined;
    queue.append(1);
    expect(await take(reader, 1)).toEqual([0]);
    let left = 3;
    queue.failureOf = () => ((left -= 1) >= 0 ? new TopicNotFoundError('t') : undefined);
    queue.append(1);
    expect(await take(reader, 1)).toEqual([1]);
    reader.close();
  });

  it('asks for less where an answer is longer than the client reads, down to one message', async () => {
    const queue = new FakeQueue();
    queue.capOf = () => 512;
    queue.append(1_000);
    const tooLarge = new FrameTooLargeError(2_000, 1_000);
    queue.failureOf = ({ maxMessages = 32 }) => (maxMessages > 10 ? tooLarge : undefined);
    const reader = readerOf(queue);
    const offsets: number[] = [];
    while (offsets.length < 1_000) offsets.push(...(await reader.next()).map((message) => message.queueOffset));
    expect(offsets).toEqual(Array.from({ length: 1_000 }, (_, offset) => offset));
    queue.failureOf = () => tooLarge;
    queue.append(1);
    await expect(reader.next()).rejects.toBe(tooLarge);
    expect(reader.position).toBe(1_000);
    reader.close();
  });

  it('is a loop over its messages, which its end closes', async () => {
    const queue = new FakeQueue();
    queue.append(100);
    const reader = readerOf(queue, { suspendMs: 60_000 });
    const offsets: number[] = [];
    for await (const { queueOffset } of reader) {
      offsets.push(queueOffset);
      if (queueOffset === 70) break;
    }
    expect(offsets).toEqual(Array.from({ length: 71 }, (_, offset) => offset));
    await expect(reader.next()).rejects.toBeInstanceOf(RequestAbortedError);
  });

  it('ends a loop at close without an error, and at the abort of its signal with one', async () => {
    const queue = new FakeQueue();
    queue.append(1);
    const abort = new AbortController();
    for (const end of ['close', 'abort'] as const) {
      const reader = readerOf(queue, { suspendMs: 60_000, signal: abort.signal });
      const ends = async (): Promise<string> => {
        for await (const { queueOffset } of reader) {
          expect(queueOffset).toBe(0);
          setImmediate(() => {
            if (end === 'close') reader.close();
            else abort.abort();
          });
        }
        return 'over';
      };
      if (end === 'close') await expect(ends()).resolves.toBe('over');
      else await expect(ends()).rejects.toBeInstanceOf(RequestAbortedError);
    }
  });

  it('throws what retrying cannot cure', async () => {
    const queue = new FakeQueue();
    queue.failureOf = () => new MalformedDataError('stored message', 'x');
    const reader = readerOf(queue);
    await expect(reader.next()).rejects.toBeInstanceOf(MalformedDataError);
    reader.close();
  });

  it.each([{ filter: undefined }, { filter: { tags: 'a || b' } }])(
    'stays before a message whose bytes are malformed, and says what is behind it, with $filter',
    async ({ filter }) => {
      const queue = new FakeQueue();
      queue.append(100);
      const reader = readerOf(queue, { maxMessagesPerPull: 32, filter });
      queue.bytesOf = (offset) => (offset === 53 ? Buffer.alloc(50) : messageBytes(offset, 'a'));
      expect(await take(reader, 53)).toEqual(upTo(53));
      await expect(reader.next()).rejects.toMatchObject({
        code: 'MESSAGE_UNREADABLE',
        queueOffset: 53,
        nextOffset: 54,
        cause: { code: 'MALFORMED_DATA' },
      });
      await expect(reader.next()).rejects.toBeInstanceOf(MessageUnreadableError);
      expect(reader.position).toBe(53);
      reader.seek(54);
      expect(await take(reader, 46)).toEqual(upTo(46, 54));
      queue.append(2_000);
      const { pulls } = queue;
      expect(await take(reader, 2_000)).toEqual(upTo(2_000, 100));
      expect(queue.pulls - pulls).toBeLessThan(150);
      reader.close();
    },
  );

  it('pulls a malformed answer again, whose bytes may have changed on their way', async () => {
    const queue = new FakeQueue();
    queue.append(2);
    queue.bytesOf = () => {
      queue.bytesOf = messageBytes;
      return Buffer.alloc(50);
    };
    const reader = readerOf(queue);
    expect(await take(reader, 2)).toEqual([0, 1]);
    reader.close();
  });

  it('ends a waiting next at close, at the abort of its signal and when the client closes', async () => {
    const ends: ((reader: QueueReader, abort: AbortController, queue: FakeQueue) => string)[] = [
      (reader) => (reader.close(), 'REQUEST_ABORTED'),
      (_, abort) => (abort.abort(), 'REQUEST_ABORTED'),
      (_, __, queue) => (queue.client.abort(), 'CLIENT_CLOSED'),
    ];
    for (const isFailing of [false, true]) {
      for (const end of ends) {
        const queue = new FakeQueue();
        if (isFailing) queue.failureOf = () => new ConnectFailedError('a:1', 'refused');
        const abort = new AbortController();
        const reader = readerOf(queue, { signal: abort.signal, retryBackoff: { initialMs: 60_000, maxMs: 60_000 } });
        const waiting = reader.next();
        const outcome = waiting.catch((error: unknown) => error);
        await reader.next().catch(() => undefined);
        while (isFailing ? queue.invalidations === 0 : queue.suspended === 0) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        const code = end(reader, abort, queue);
        expect(await outcome).toMatchObject({ code });
        await expect(reader.next()).rejects.toMatchObject({ code });
        reader.close();
      }
    }
  });

  it('refuses two callers at once and offsets that are none', async () => {
    const queue = new FakeQueue();
    const reader = readerOf(queue);
    const waiting = reader.next();
    await expect(reader.next()).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(() => {
      reader.seek(0);
    }).toThrow(InvalidArgumentError);
    queue.append(1);
    await waiting;
    expect(() => readerOf(queue, { from: -1 })).toThrow(InvalidArgumentError);
    expect(() => readerOf(queue, { ahead: -1 })).toThrow(InvalidArgumentError);
    reader.close();
  });
});
