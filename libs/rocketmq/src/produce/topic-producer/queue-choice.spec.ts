import { describe, expect, it } from '@jest/globals';
import { QueueChoice, slotOf } from './queue-choice.js';

const queuesOf = (count: number): { topic: string; brokerName: string; queueId: number }[] =>
  Array.from({ length: count }, (_, queueId) => ({ topic: 't', brokerName: 'b', queueId }));

describe('the choice of a queue', () => {
  it('takes turns among those that are usable', () => {
    const choice = new QueueChoice(queuesOf(4));
    const next = (isUsable: (id: number) => boolean = () => true): number | undefined =>
      choice.next((queue) => isUsable(queue.queueId))?.queueId;
    expect([next(), next(), next(), next(), next()]).toEqual([0, 1, 2, 3, 0]);
    expect([next((id) => id !== 1), next((id) => id === 1), next(() => false), next()]).toEqual([2, 1, undefined, 2]);
    expect(new QueueChoice([]).next(() => true)).toBeUndefined();
  });

  it('is the same for a key every time, and even over the queues', () => {
    const choice = new QueueChoice(queuesOf(8));
    const counts = new Map<number, number>();
    for (let key = 0; key < 8_000; key += 1) {
      const queueId = choice.ofSlot(slotOf(`key-${key}`))!.queueId;
      counts.set(queueId, (counts.get(queueId) ?? 0) + 1);
    }
    expect(choice.ofSlot(slotOf('some'))).toEqual(new QueueChoice(queuesOf(8)).ofSlot(slotOf('some')));
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
    expect(counts.size).toBe(8);
    expect(new QueueChoice([]).ofSlot(slotOf('some'))).toBeUndefined();
  });

  it('moves no key but those that a new queue takes', () => {
    const before = new QueueChoice(queuesOf(8));
    const after = new QueueChoice(queuesOf(9));
    let moved = 0;
    for (let key = 0; key < 5_000; key += 1) {
      const [was, is] = [before.ofSlot(slotOf(String(key)))!, after.ofSlot(slotOf(String(key)))!];
      if (was.queueId === is.queueId) continue;
      expect(is.queueId).toBe(8);
      moved += 1;
    }
    expect(moved).toBeGreaterThan(350);
    expect(moved).toBeLessThan(800);
  });
});
