import { describe, expect, it } from '@jest/globals';
import { progressOf } from './queue-stats.js';

describe('the progress of a group', () => {
  it('is what is not committed and what is pulled, by queue', () => {
    const row = (brokerName: string, queueId: number, brokerOffset: number, consumerOffset: number, pullOffset: number) => ({
      queue: { topic: 't', brokerName, queueId },
      brokerOffset,
      consumerOffset,
      pullOffset,
      lastTimestamp: 0,
    });
    const progress = progressOf([row('b', 1, 10, 4, 6), row('b', 0, 5, 5, -1), row('a', 0, 3, 8, 8)]);
    expect(progress.totalLag).toBe(6);
    expect(progress.queues.map(({ queue, lag, inFlight }) => [queue.brokerName, queue.queueId, lag, inFlight])).toEqual([
      ['a', 0, 0, 0],
      ['b', 0, 0, 0],
      ['b', 1, 6, 2],
    ]);
  });
});
