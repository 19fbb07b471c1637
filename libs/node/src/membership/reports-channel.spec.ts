import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { encodeProbe, type ClusterTopics } from '@sluice/protocol';
import { OffsetOutOfRangeError, type QueueReaderOptions, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import { ReportsChannel } from './reports-channel.js';

type Next = (from: number) => Promise<readonly { queueOffset: number; storeTimestamp?: number; body: Buffer }[]>;

const warned: string[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  error: () => undefined,
  warn: (text: string): void => void warned.push(text),
};
const never = new Promise<never>(() => undefined);

/** A channel on one queue that ends at offset 4 and is read from offset 2. */
function channelOn(opened: number[], next: Next): ReportsChannel {
  const client = {
    admin: { maxOffset: () => Promise.resolve(4), offsetByTime: () => Promise.resolve(2) },
    consumer: {
      pull: () => Promise.resolve({ messages: [] }),
      readQueue: (_: QueueRef, { from, signal }: QueueReaderOptions & { from: number }) => {
        opened.push(from);
        const aborted = new Promise<never>((__, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        });
        aborted.catch(() => undefined);
        const reader = {
          position: from,
          maxOffset: 4,
          next: async () => {
            const messages = await Promise.race([next(reader.position), aborted]);
            reader.position += messages.length;
            reader.maxOffset = Math.max(4, reader.position);
            return messages;
          },
          close: () => undefined,
        };
        return reader;
      },
    },
  } as unknown as RocketMqClient;
  return new ReportsChannel(client, { reports: { name: 'r', queues: 1 } } as ClusterTopics, 'b', 'g', logger);
}

/** Messages of a broker that stores one in two milliseconds, from an offset on. */
function probesFrom(queueOffset: number, count: number): ReturnType<Next> {
  const body = encodeProbe({ nodeId: 'c1', incarnation: 'c1#1', sentAt: 1 });
  const messages = Array.from({ length: count }, (_, i) => queueOffset + i).map((at) => ({
    queueOffset: at,
    storeTimestamp: 2 * at,
    body,
  }));
  return Promise.resolve(messages);
}

describe('following the reports', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('says when it has read up to where the queue ended', async () => {
    const ended = new AbortController();
    const waiting: (() => void)[] = [];
    const next: Next = async (from) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return [{ queueOffset: from, body: Buffer.from('noise') }];
    };
    let listening = 0;
    const following = channelOn([], next).follow(
      () => undefined,
      ended.signal,
      () => (listening += 1),
    );
    const seen: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await jest.advanceTimersByTimeAsync(0);
      seen.push(listening);
      waiting.shift()?.();
    }
    await jest.advanceTimersByTimeAsync(0);
    ended.abort();
    await following;
    expect([...seen, listening]).toEqual([0, 0, 1, 1]);
  });

  it('notifies of what an answer holds at once, and nothing of before', async () => {
    const ended = new AbortController();
    const told: [number, number, number][] = [];
    const next: Next = (from) => (from === 2 ? probesFrom(from, 6) : never);
    const following = channelOn([], next).follow((messages, queue, storedAt) => {
      told.push([messages.length, queue, storedAt]);
    }, ended.signal);
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toEqual([[4, 0, 14]]);
    ended.abort();
    await following;
  });

  it('lets the messages of a busy queue come together, and reads a quiet one as they come', async () => {
    const ended = new AbortController();
    let everyMs = 4;
    let last = 3;
    let pulls = 0;
    const latencies: number[] = [];
    /** As a broker answers: with all that is there, or once something comes. */
    const next: Next = async (from) => {
      pulls += 1;
      while (last < from) await new Promise((resolve) => setTimeout(resolve, 1));
      return probesFrom(from, last + 1 - from);
    };
    const storedAt: number[] = [];
    const store = (): void => {
      last += 1;
      storedAt[last] = performance.now();
      writing = setTimeout(store, everyMs);
    };
    let writing = setTimeout(store, everyMs);
    let read = 4;
    const following = channelOn([], next).follow((messages) => {
      for (let i = 0; i < messages.length; i += 1) latencies.push(performance.now() - (storedAt[read + i] ?? 0));
      read += messages.length;
    }, ended.signal);
    await jest.advanceTimersByTimeAsync(1_000);
    [pulls, latencies.length] = [0, 0];
    await jest.advanceTimersByTimeAsync(4_000);
    expect(pulls).toBeGreaterThanOrEqual(36);
    expect(pulls).toBeLessThanOrEqual(41);
    expect(latencies.length).toBeGreaterThan(900);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(102);

    everyMs = 50;
    await jest.advanceTimersByTimeAsync(1_000);
    latencies.length = 0;
    await jest.advanceTimersByTimeAsync(4_000);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(2);
    ended.abort();
    clearTimeout(writing);
    await following;
  });

  it('reports messages that it cannot read, also those that it holds back at first', async () => {
    const ended = new AbortController();
    const body = Buffer.from('noise');
    const noise = [2, 3, 4, 5].map((queueOffset) => ({ queueOffset, storeTimestamp: 1, body }));
    const next: Next = (from) => (from === 2 ? Promise.resolve(noise) : never);
    warned.length = 0;
    const following = channelOn([], next).follow(() => undefined, ended.signal);
    await jest.advanceTimersByTimeAsync(0);
    expect(warned).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(warned.slice(1)).toEqual([`${String(warned[0])} (and 2 more before it)`]);
    ended.abort();
    await following;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('pauses where every offset of the queue is refused', async () => {
    const ended = new AbortController();
    const opened: number[] = [];
    const next: Next = (offset) => {
      if (opened.length > 20) return never;
      const range = { offset, nextOffset: 9, minOffset: 9, maxOffset: 3 };
      return Promise.reject(new OffsetOutOfRangeError({ topic: 'r', brokerName: 'b', queueId: 0 }, 'below-min', range));
    };
    const following = channelOn(opened, next).follow(() => undefined, ended.signal);
    await jest.advanceTimersByTimeAsync(0);
    expect(opened).toEqual([2, 3]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(opened).toEqual([2, 3, 3]);
    ended.abort();
    await following;
  });
});
