import { describe, expect, it } from '@jest/globals';
import { UniqueIds } from './unique-ids.js';

/** As `MessageClientIDSetter.getNearlyTimeFromID` of the Java client. */
function timeOf(id: string, now: Date): number {
  const sinceMonth = Number.parseInt(id.slice(20, 28), 16);
  const monthStart = (months: number): number => new Date(now.getFullYear(), now.getMonth() - months, 1).getTime();
  return monthStart(0) + sinceMonth >= now.getTime() ? monthStart(1) + sinceMonth : monthStart(0) + sinceMonth;
}

describe('ids of messages', () => {
  it('tell their time as those of the Java client do', () => {
    const now = new Date(2026, 4, 17, 12, 30);
    const id = new UniqueIds().next(now.getTime());
    expect(id).toMatch(/^[0-9A-F]{32}$/);
    expect(timeOf(id, new Date(now.getTime() + 5_000))).toBe(now.getTime());
  });

  it('differ when more are made than a ms has counters, when the clock goes back, and in the next month', () => {
    const ids = new UniqueIds();
    const now = new Date(2026, 0, 1).getTime();
    const made = new Set<string>();
    for (let count = 0; count < 200_000; count += 1) made.add(ids.next(now));
    for (let count = 0; count < 1_000; count += 1) made.add(ids.next(now - 60_000));
    const nextMonth = new Date(2026, 1, 1).getTime();
    for (let count = 0; count < 1_000; count += 1) made.add(ids.next(nextMonth));
    made.add(new UniqueIds().next(now));
    expect(made.size).toBe(202_001);
  });
});
