import { describe, expect, it } from '@jest/globals';
import type { OngoingCall } from '@sluice/runtime';
import { type LoopActivity, StallWatch, stallVerdict, timeoutVerdict } from './thread-verdict.js';

const NOW = 100_000;
const running = (agoMs: number): OngoingCall => ({ call: 'poll', sinceMs: NOW - agoMs, isRunning: true });
const waiting = (agoMs: number): OngoingCall => ({ call: 'put', sinceMs: NOW - agoMs, isRunning: false });
const loops = (...calls: (OngoingCall | undefined)[]): readonly LoopActivity[] =>
  calls.map((ongoing, index) => ({ loop: index, key: `task-${index}`, ongoing }));

describe('the CPU time that a thread uses without returning to its event loop', () => {
  it('counts from its last turn', () => {
    const watch = new StallWatch();
    expect(watch.next({ turns: 1, cpuMs: 500 })).toBe(0);
    expect(watch.next({ turns: 2, cpuMs: 2_400 })).toBe(0);
    expect(watch.next({ turns: 2, cpuMs: 3_000 })).toBe(600);
    expect(watch.next({ turns: 2, cpuMs: 4_500 })).toBe(2_100);
    expect(watch.next({ turns: 3, cpuMs: 6_000 })).toBe(0);
  });

  it('stays where it is while the thread waits, or the machine has no time for it', () => {
    const watch = new StallWatch();
    watch.next({ turns: 7, cpuMs: 100 });
    for (let reading = 0; reading < 50; reading += 1) expect(watch.next({ turns: 7, cpuMs: 110 })).toBe(10);
  });

  it('is nothing while the thread loads its code', () => {
    const watch = new StallWatch();
    expect(watch.next({ turns: 0, cpuMs: 0 })).toBe(0);
    expect(watch.next({ turns: 0, cpuMs: 9_000 })).toBe(0);
    expect(watch.next({ turns: 1, cpuMs: 9_500 })).toBe(0);
  });
});

describe('why a thread is ended that does not return', () => {
  it('is the call that has not even returned its promise, whatever waits beside it', () => {
    const verdict = stallVerdict(loops(waiting(9_000), running(2_100), undefined), 2_010.4, 2_000, NOW);
    expect(verdict).toEqual({
      reason: 'task task-1 used the CPU for 2010 ms without a pause (task.stall.ms = 2000), in its call poll, which began 2100 ms ago',
      culprits: new Set([1]),
      isKnown: true,
    });
  });

  it('is else one of the calls that wait: they may have resumed', () => {
    const verdict = stallVerdict(loops(undefined, waiting(50), waiting(9_000)), 2_000, 2_000, NOW);
    expect(verdict.reason).toBe(
      'one of 2 tasks used the CPU for 2000 ms without a pause (task.stall.ms = 2000); among them task-1 in its call put, which began 50 ms ago',
    );
    expect(verdict).toMatchObject({ culprits: new Set([1, 2]), isKnown: true });
  });

  it('is anything where no task is called', () => {
    const verdict = stallVerdict(loops(undefined, undefined), 2_000, 2_000, NOW);
    expect(verdict).toEqual({
      reason: 'it used the CPU for 2000 ms without a pause (task.stall.ms = 2000), in no call of a task',
      culprits: new Set([0, 1]),
      isKnown: false,
    });
  });
});

describe('why a thread is ended whose tasks wait', () => {
  it('is a call that waits for longer than its limit', () => {
    expect(timeoutVerdict(loops(undefined, waiting(999), waiting(1_000)), 1_000, NOW)).toEqual({
      reason: 'task task-2 waits in its call put, which began 1000 ms ago (task.call.timeout.ms = 1000)',
      culprits: new Set([2]),
      isKnown: true,
    });
  });

  it('is a call that blocks the thread without using the CPU, and not what waits beside it', () => {
    expect(timeoutVerdict(loops(running(999), waiting(999)), 1_000, NOW)).toBeUndefined();
    expect(timeoutVerdict(loops(waiting(2_000), running(1_000)), 1_000, NOW)).toEqual({
      reason: 'task task-1 blocks its thread in its call poll, which began 1000 ms ago (task.call.timeout.ms = 1000)',
      culprits: new Set([1]),
      isKnown: true,
    });
  });
});
