import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import * as fc from 'fast-check';
import { chooseQueue } from './choose-queue.js';

function queuesOf(brokers: number, perBroker: number): QueueRef[] {
  return Array.from({ length: brokers * perBroker }, (_, at) => ({
    topic: 't',
    brokerName: `broker-${Math.floor(at / perBroker)}`,
    queueId: at % perBroker,
  }));
}

/** How many partitions each queue gets when tasks that do not know each other choose for so many each. */
function spread(queues: readonly QueueRef[], connector: string, tasks: number, each: number): number[] {
  const total = new Map(queues.map((queue) => [queueKey(queue), 0]));
  for (let taskIndex = 0; taskIndex < tasks; taskIndex++) {
    const loads = new Map<string, number>();
    for (let n = 0; n < each; n++) {
      const queue = chooseQueue({ queues, connector, taskIndex, loads, idleLoads: new Map() });
      const key = queueKey(queue!);
      loads.set(key, (loads.get(key) ?? 0) + 1);
      total.set(key, (total.get(key) ?? 0) + 1);
    }
  }
  return [...total.values()];
}

describe('the choice of a queue', () => {
  it('spreads the partitions of a task evenly', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.nat(40), (...args) => {
        const [connector, brokers, perBroker, partitions] = args;
        const counts = spread(queuesOf(brokers, perBroker), connector, 1, partitions);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    [8, 4, 1],
    [8, 2, 2],
    [8, 2, 4],
    [8, 3, 2],
    [16, 4, 4],
    [5, 5, 1],
  ])('gives no two partitions one of %i queues when %i tasks choose for %i each', (queues, tasks, each) => {
    expect(Math.max(...spread(queuesOf(1, queues), 'c', tasks, each))).toBe(1);
  });

  it('has the brokers take turns', () => {
    const queues = queuesOf(2, 4);
    const brokers = new Set([0, 1].map((taskIndex) => chosen(queues, taskIndex)?.brokerName));
    expect(brokers.size).toBe(2);
  });

  it('avoids what runs first, then what nobody works on', () => {
    const queues = queuesOf(1, 4);
    const key = (queueId: number): string => queueKey(queues[queueId]!);
    const loads = new Map([0, 1, 2].map((id) => [key(id), 1]));
    expect(chosen(queues, 0, loads, new Map([[key(3), 9]]))?.queueId).toBe(3);
    expect(chosen(queues, 0, new Map(), new Map([0, 1, 3].map((id) => [key(id), 1])))?.queueId).toBe(2);
  });
});

function chosen(
  queues: readonly QueueRef[],
  taskIndex: number,
  loads: ReadonlyMap<string, number> = new Map(),
  idleLoads: ReadonlyMap<string, number> = new Map(),
): QueueRef | undefined {
  return chooseQueue({ queues, connector: 'c', taskIndex, loads, idleLoads });
}
