import { describe, expect, it } from '@jest/globals';
import { newTaskCounters, type LoopEnd, type TaskCounters } from '@sluice/runtime';
import { type TaskBoards, TaskMeter, type TaskTotals } from './task-meter.js';

class Loop {
  readonly counters: TaskCounters = newTaskCounters();
  end: (end: LoopEnd) => void = () => undefined;
  readonly ended = new Promise<LoopEnd>((resolve) => {
    this.end = resolve;
  });
}

const anyMeter = (): TaskMeter => newMeter(100, new Set(['a-0', 'a-1']));
const newMeter = (maxTasks: number, held: ReadonlySet<string>, nowMs = (): number => 0): TaskMeter =>
  new TaskMeter({ maxTasks, held: () => held, nowMs });

const failed: LoopEnd = { kind: 'failed', error: new Error('full'), clean: false };
const always = (): boolean => true;

/** A loop of a task, and what it measures. */
interface Started {
  readonly loop: Loop;
  readonly boards: TaskBoards;
}

function startOf(meter: TaskMeter, connector: string, index: number): Started {
  let shown: TaskBoards | undefined;
  const loop = meter.counted({ connector, index }, (boards) => {
    shown = boards;
    return new Loop();
  });
  return { loop, boards: shown! };
}

const countOf = ({ sum }: TaskTotals): number => sum.timesOf('put').counts.reduce((all, each) => all + each, 0);

describe('the figures of single tasks', () => {
  it('continue where a task restarts, and go with the task', async () => {
    const held = new Set(['a-0']);
    const meter = newMeter(2, held);
    const first = startOf(meter, 'a', 0);
    first.loop.counters.recordsPut = 5;
    first.loop.counters.bufferedRecords = 3;
    first.boards.figures.observe('put', 1);
    first.boards.figures.noteCommit(40);
    expect(meter.tasks().own).toMatchObject([{ counters: { recordsPut: 5, bufferedRecords: 3 }, lastCommitMs: 40, boards: first.boards }]);
    first.loop.end(failed);
    await first.loop.ended;
    expect(meter.tasks().own).toMatchObject([{ counters: { recordsPut: 5, bufferedRecords: 0 }, lastCommitMs: 40, boards: undefined }]);
    const second = startOf(meter, 'a', 0);
    second.loop.counters.recordsPut = 2;
    second.boards.figures.observe('put', 1);
    const [task] = meter.tasks().own;
    expect(task).toMatchObject({ key: 'a-0', counters: { recordsPut: 7 }, lastCommitMs: 40, boards: second.boards });
    expect(countOf(task!)).toBe(2);
    second.loop.end({ kind: 'stopped', clean: true });
    await second.loop.ended;
    held.clear();
    expect(meter.tasks()).toMatchObject({ own: [], folded: [] });
  });

  it('begin the age of a commit when the node gets the task', () => {
    const meter = newMeter(1, new Set(['a-0']), () => 900);
    startOf(meter, 'a', 0);
    expect(meter.tasks().own).toMatchObject([{ lastCommitMs: 900 }]);
  });

  it('are counted together beyond the limit, and nothing that was counted there falls', async () => {
    const held = new Set(['a-0', 'a-1', 'b-0']);
    const meter = newMeter(1, held);
    const own = startOf(meter, 'a', 0);
    const others = [startOf(meter, 'a', 1), startOf(meter, 'b', 0)] as const;
    for (const { loop, boards } of [own, ...others]) {
      loop.counters.recordsPut = 10;
      boards.figures.observe('put', 1);
    }
    const before = meter.tasks();
    expect(before.own.map(({ key }) => key)).toEqual(['a-0']);
    expect(before.folded.map(({ key }) => key)).toEqual(['a-1', 'b-0']);
    expect(before.foldedTotals.counters.recordsPut).toBe(20);
    expect(countOf(before.foldedTotals)).toBe(2);
    // One that was folded goes, and so does the one with figures of its own: its place is free for the next start.
    for (const { loop } of [own, ...others]) loop.end(failed);
    await Promise.all([own, ...others].map(({ loop }) => loop.ended));
    held.delete('a-0');
    held.delete('a-1');
    expect(meter.tasks().foldedTotals.counters.recordsPut).toBe(20);
    const again = startOf(meter, 'b', 0);
    again.loop.counters.recordsPut = 3;
    const after = meter.tasks();
    expect(after.own).toMatchObject([{ key: 'b-0', counters: { recordsPut: 3 } }]);
    expect(after.folded).toEqual([]);
    expect(after.foldedTotals.counters.recordsPut).toBe(20);
    expect(countOf(after.foldedTotals)).toBe(2);
  });

  it('are all counted together where none may have its own', () => {
    const meter = newMeter(0, new Set(['a-0']));
    startOf(meter, 'a', 0).loop.counters.recordsPut = 4;
    expect(meter.tasks()).toMatchObject({ own: [], folded: [{ key: 'a-0' }], foldedTotals: { counters: { recordsPut: 4 } } });
  });
});

describe('the meter of tasks', () => {
  const startIn = (meter: TaskMeter, index: number): Loop => meter.counted({ connector: 'a', index }, () => new Loop());

  it('adds up the tasks of a connector, and never counts backwards when one restarts', async () => {
    const meter = anyMeter();
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
    const meter = anyMeter();
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
    const meter = anyMeter();
    const first = startIn(meter, 0);
    first.end({ kind: 'stopped', clean: true });
    await first.ended;
    startIn(meter, 0);
    expect(meter.totals(always).get('a')).toMatchObject({ failures: 0, restarts: 0 });
  });

  it('has in its buffers only what running tasks hold', async () => {
    const meter = anyMeter();
    const first = startIn(meter, 0);
    Object.assign(first.counters, { bufferedRecords: 7, bufferedBytes: 70 });
    expect(meter.totals(always).get('a')?.counters).toMatchObject({ bufferedRecords: 7, bufferedBytes: 70 });
    first.end(failed);
    await first.ended;
    expect(meter.totals(always).get('a')?.counters).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
  });

  it('forgets a connector that is gone once nothing of it runs', async () => {
    const meter = anyMeter();
    const first = startIn(meter, 0);
    expect(meter.totals(() => false).has('a')).toBe(true);
    first.end({ kind: 'stopped', clean: true });
    await first.ended;
    expect(meter.totals(() => false).has('a')).toBe(false);
  });
});
