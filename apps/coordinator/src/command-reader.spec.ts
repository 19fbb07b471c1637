import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClusterNode } from '@sluice/node';
import { OffsetOutOfRangeError, type QueueReaderOptions, type QueueRef } from '@sluice/rocketmq';
import { CommandReader } from './command-reader.js';

const logger = { debug: () => undefined, info: () => undefined, error: () => undefined, warn: () => undefined };

/** A node that reads commands from this client. */
function nodeOn(client: object): ClusterNode {
  const node = {
    client,
    topics: { commands: { name: 'c' } },
    logQueue: { brokerName: 'b' },
    settings: { clusterId: 'x' },
    fail: (error: Error) => {
      throw error;
    },
  };
  return node as unknown as ClusterNode;
}

describe('a commands queue that is said to begin behind its end', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('is begun again once, at its end, and asked again after a pause', async () => {
    const opened: number[] = [];
    const refuse = (queue: QueueRef, { from: offset }: Pick<QueueReaderOptions, 'from'>) => {
      opened.push(offset);
      const error = new OffsetOutOfRangeError(queue, 'below-min', {
        offset,
        nextOffset: 9,
        minOffset: 9,
        maxOffset: 3,
      });
      return { next: () => Promise.reject(error), close: () => undefined };
    };
    const node = nodeOn({
      admin: { minOffset: () => Promise.resolve(9), maxOffset: () => Promise.resolve(3) },
      consumer: { readQueue: refuse },
    });
    const cuts: number[] = [];
    const onCut = (readId: number, minOffset: number): void => {
      cuts.push(minOffset);
      if (cuts.length < 20) reader.readFrom(readId + 1, minOffset);
    };
    const reader = new CommandReader(node, { onCommand: () => undefined, onCut }, logger);
    reader.readFrom(1, 7);
    await jest.advanceTimersByTimeAsync(0);
    expect([cuts, opened]).toEqual([[3], [3]]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([cuts, opened]).toEqual([[3], [3, 3]]);
    await reader.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('commands that cannot be read', () => {
  it('are reported, also those that are held back at first', async () => {
    const warned: string[] = [];
    const body = Buffer.from('noise');
    let isRead = false;
    let readAll = (): void => undefined;
    const whenRead = new Promise<void>((resolve) => {
      readAll = resolve;
    });
    const node = nodeOn({
      admin: { minOffset: () => Promise.resolve(0), maxOffset: () => Promise.resolve(3) },
      consumer: {
        readQueue: (_: QueueRef, { signal }: QueueReaderOptions) => ({
          next: async () => {
            if (!isRead) {
              isRead = true;
              return [0, 1, 2].map((queueOffset) => ({ queueOffset, body }));
            }
            readAll();
            return new Promise((__, reject) => {
              signal?.addEventListener('abort', () => {
                reject(new Error('aborted'));
              });
            });
          },
          close: () => undefined,
        }),
      },
    });
    const listener = { onCommand: () => undefined, onCut: () => undefined };
    const reader = new CommandReader(node, listener, { ...logger, warn: (text) => void warned.push(text) });
    reader.readFrom(1, 0);
    await whenRead;
    await reader.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(warned.map((text) => /^Command at offset \d+/.exec(text)?.[0])).toEqual(['Command at offset 0', 'Command at offset 2']);
    expect(warned[1]).toMatch(/ \(and 1 more before it\)$/);
  });
});
