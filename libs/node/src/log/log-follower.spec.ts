import { describe, expect, it } from '@jest/globals';
import { emptyState } from '@sluice/core';
import type { PullOptions, QueueReaderOptions, QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { LogFollower } from './log-follower.js';

const warned: string[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  error: () => undefined,
  warn: (text: string): void => void warned.push(text),
};

describe('a log that has lost the end that was found at the start', () => {
  it('is followed up to the end that is left, and each message that is skipped is reported', async () => {
    const body = Buffer.from('noise');
    const maxOffset = 2;
    const aborted = (signal: AbortSignal | undefined) =>
      new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
    const client = {
      consumer: {
        pull: ({ offset }: PullOptions) => {
          const messages = offset < maxOffset ? [{ queueOffset: offset, body }] : [];
          const kind = messages.length > 0 ? 'found' : 'empty';
          return Promise.resolve({ kind, messages, nextOffset: offset + messages.length, minOffset: 0, maxOffset });
        },
        readQueue: (_: QueueRef, { from, signal }: QueueReaderOptions & { from: number }) => {
          let at = from;
          return {
            next: () => {
              if (at >= maxOffset) return aborted(signal);
              return Promise.resolve([{ queueOffset: at++, body }]);
            },
            close: () => undefined,
          };
        },
      },
    } as unknown as RocketMqClient;
    const queue = { topic: 't', brokerName: 'b', queueId: 0 };
    const bounds = () => Promise.resolve({ minOffset: 0, maxOffset: 9 });
    const follower = new LogFollower(client, queue, 'g', emptyState(), logger, { bounds });
    const starting = new AbortController();
    await follower.begin(starting.signal);
    const running = follower.run();
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort();
    }, 5_000);
    await follower.proveHead(limit.signal);
    clearTimeout(timer);
    expect(follower.behind).toBe(0);
    follower.close();
    await running;
    await new Promise((resolve) => setImmediate(resolve));
    expect(warned.map((text) => /^Offset \d+/.exec(text)?.[0])).toEqual(['Offset 0', 'Offset 1']);
  });
});
