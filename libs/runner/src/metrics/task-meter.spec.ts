import { describe, expect, it } from '@jest/globals';
import { newTaskCounters, type LoopEnd, type TaskCounters } from '@sluice/runtime';
import { TaskMeter } from './task-meter.js';

class Loop {
  readonly counters: TaskCounters = newTaskCounters();
  end: (end: LoopEnd) => void = () => undefined;
  readonly ended = new Promise<LoopEnd>((resolve) => {
    this.end = resolve;
  });
}

const failed: LoopEnd = { kind: 'failed', error: new Error('full'), clean: false };
const always = (): boolean => true;

describe('the meter of tasks', () => {
  const startIn = (meter: TaskMeter, index: number): Loop => meter.counted({ connector: 'a', index }, () => new Loop());

  it('adds up the tasks of a connector, and never counts backwards when one restarts', async () => {
    const meter = new TaskMeter();
    const first = startIn(meter, 0);
    const second = startIn(meter, 1);
    first.counters.recordsSent = 10;
    second.counters.recordsSent = 5;
    expect(meter.totals(always).get('a')?.counters.recordsSent).toBe(15);
    first.end(failed);
    await first.ended;
    expect(meter.totals(always).get('a')?.counters.recordsSent).toBe(15);
    const again = startIn(meter, 0);
    again.counters.recordsSent = 2;
    expect(meter.totals(always).get('a')).toMatchObject({ counters: { recordsSent: 17 }, failures: 1, restarts: 1 });
  });

  it('counts a task that cannot be made as a failure, and its next start as a restart', () => {
    const meter = new TaskMeter();
    const id = { connector: 'a', index: 0 };
    expect(() =>
      meter.counted(id, (): Loop => {
        throw new Error('no such class');
      }),
    ).toThrow('no such class');
    expect(meter.totals(always).get('a')).toMatchObject({ failures: 1, restarts: 0 });
    startIn(meter, 0);
    expect(meter.totals(always).get('a')).toMatchObject({ failures: 1, restarts: 1 });
  });

  it('takes a start after an orderly stop for no restart', async () => {
    const meter = new TaskMeter();
    const first = startIn(meter, 0);
    first.end({ kind: 'stopped', clean: true });
    await first.ended;
    startIn(meter, 0);
    expect(meter.totals(always).get('a')).toMatchObject({ failures: 0, restarts: 0 });
  });

  it('has in its buffers only what running tasks hold', async () => {
    const meter = new TaskMeter();
    const first = startIn(meter, 0);
    Object.assign(first.counters, { bufferedRecords: 7, bufferedBytes: 70 });
    expect(meter.totals(always).get('a')?.counters).toMatchObject({ bufferedRecords: 7, bufferedBytes: 70 });
    first.end(failed);
    await first.ended;
    expect(meter.totals(always).get('a')?.counters).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
  });

  it('forgets a connector that is gone once nothing of it runs', async () => {
    const meter = new TaskMeter();
    const first = startIn(meter, 0);
    expect(meter.totals(() => false).has('a')).toBe(true);
    first.end({ kind: 'stopped', clean: true });
    await first.ended;
    expect(meter.totals(() => false).has('a')).toBe(false);
  });
});
