import { describe, expect, it } from '@jest/globals';
import { PendingBounds } from './pending-bounds.js';
import type { FlushGroup } from './pending-message.js';

const LIMITS = { maxPendingMessages: 10, maxPendingBytes: 1_000, maxWaitingSends: 5 };

describe('flushes', () => {
  it('leave nothing behind, and each waits for what was sent before it alone', async () => {
    const bounds = new PendingBounds(LIMITS);
    const groups = new Set<FlushGroup>();
    for (let count = 0; count < 1_000; count += 1) await bounds.untilSettled(undefined);
    const first = bounds.join();
    const ended: string[] = [];
    const flush = (name: string): void => {
      void bounds.untilSettled(undefined).then(() => ended.push(name));
    };
    for (let count = 0; count < 1_000; count += 1) flush('1');
    const second = bounds.join();
    expect(second).not.toBe(first);
    flush('2');
    flush('2 again');
    const third = bounds.join();
    for (const group of [first, second, third]) groups.add(group);
    expect(groups.size).toBe(3);
    second.unsettled -= 1;
    bounds.wake();
    await Promise.resolve();
    expect(ended).toEqual([]);
    first.unsettled -= 1;
    bounds.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect([...new Set(ended)].sort()).toEqual(['1', '2', '2 again']);
    expect(ended).toHaveLength(1_002);
    expect(bounds.flushGroups).toBe(1);
    third.unsettled -= 1;
    await bounds.untilSettled(undefined);
    expect(bounds.flushGroups).toBe(0);
  });
});
