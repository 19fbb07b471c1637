import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClusterTopics } from '@sluice/protocol';
import { OffsetOutOfRangeError, type QueueReaderOptions, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import { ReportsChannel } from './reports-channel.js';

type Next = (from: number) => Promise<readonly { queueOffset: number; body: Buffer }[]>;

const logger = { debug: () => undefined, info: () => undefined, error: () => undefined, warn: () => undefined };
const never = new Promise<never>(() => undefined);

/** A channel on one queue that ends at offset 4 and is read from offset 2. */
function channelOn(opened: number[], next: Next): ReportsChannel {
  const client = {
    admin: { maxOffset: () => Promise.resolve(4), offsetByTime: () => Promise.resolve(2) },
    consumer: {
      pull: () => Promise.resolve({ messages: [] }),
      readQueue: (_: QueueRef, { from, signal }: QueueReaderOptions & { from: number }) => {
        opened.push(from);
        let at = from;
        const aborted = new Promise<never>((__, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        });
        aborted.catch(() => undefined);
        return {
          next: async () => {
            const messages = await Promise.race([next(at), aborted]);
            at += messages.length;
            return messages;
          },
          close: () => undefined,
        };
      },
    },
  } as unknown as RocketMqClient;
  return new ReportsChannel(client, { reports: { name: 'r', queues: 1 } } as ClusterTopics, 'b', 'g', logger);
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
