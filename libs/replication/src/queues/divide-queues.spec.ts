import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import * as fc from 'fast-check';
import { divideQueues } from './divide-queues.js';

const QUEUES: readonly QueueRef[] = [
  { topic: 'b', brokerName: 'x', queueId: 0 },
  { topic: 'a', brokerName: 'y', queueId: 10 },
  { topic: 'a', brokerName: 'y', queueId: 2 },
  { topic: 'a', brokerName: 'x', queueId: 0 },
];

function shown(tasks: readonly (readonly QueueRef[])[]): string[] {
  return tasks.map((queues) => queues.map(queueKey).join(' '));
}

describe('divideQueues', () => {
  it('spreads single queues', () => {
    expect(shown(divideQueues(QUEUES, 2, 'queue'))).toEqual(['a@x:0 a@y:10', 'a@y:2 b@x:0']);
  });

  it('keeps topics together', () => {
    expect(shown(divideQueues(QUEUES, 3, 'topic'))).toEqual(['a@x:0 a@y:2 a@y:10', 'b@x:0']);
  });

  it('makes no task for nothing', () => {
    expect(divideQueues([], 3, 'queue')).toEqual([]);
  });

  it('divides evenly, each queue once, in whatever order they come', () => {
    const queue = fc.record({ topic: fc.constantFrom('a', 'b', 'c', 'd'), brokerName: fc.constantFrom('x', 'y'), queueId: fc.nat(4) });
    const some = fc.uniqueArray(queue, { selector: queueKey, maxLength: 30 });
    fc.assert(
      fc.property(
        some,
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom('topic' as const, 'queue' as const),
        (queues, maxTasks, granularity) => {
          const tasks = divideQueues(queues, maxTasks, granularity);
          const units = tasks.map((own) => new Set(own.map((one) => (granularity === 'topic' ? one.topic : queueKey(one)))));
          const total = new Set(units.flatMap((own) => [...own])).size;
          expect(tasks).toHaveLength(Math.min(maxTasks, total));
          for (const own of units) {
            expect(own.size).toBeGreaterThanOrEqual(Math.floor(total / tasks.length));
            expect(own.size).toBeLessThanOrEqual(Math.ceil(total / tasks.length));
          }
          expect(units.reduce((sum, own) => sum + own.size, 0)).toBe(total);
          expect(tasks.flat().map(queueKey).sort()).toEqual(queues.map(queueKey).sort());
          expect(divideQueues([...queues].reverse(), maxTasks, granularity)).toEqual(tasks);
        },
      ),
    );
  });
});
