import { describe, expect, it } from '@jest/globals';
import { DURATION_BOUNDS, FigureSum, SINK_STAGES, SOURCE_STAGES, TASK_OPERATIONS, TaskFigures } from './task-figures.js';

describe('the figures of a task', () => {
  it('put durations into the bucket of the first bound that is not below', () => {
    const figures = new TaskFigures();
    for (const ms of [0, 1, 1.5, 20, 21, 60_000, 60_001]) figures.observe('put', ms);
    const sum = new FigureSum();
    figures.addTo(sum);
    expect(sum.timesOf('put').counts).toEqual([2, 1, 1, 1, 0, 0, 0, 1, 1]);
    expect(sum.timesOf('put').counts).toHaveLength(DURATION_BOUNDS.length + 1);
    expect(sum.timesOf('put').sum).toBeCloseTo(120.0445, 9);
  });

  it('keep operations and stages apart, and add up over runs', () => {
    const runs = [new TaskFigures(), new TaskFigures()];
    const stages = [...new Set([...SOURCE_STAGES, ...SINK_STAGES])];
    for (const figures of runs) {
      for (const [index, operation] of TASK_OPERATIONS.entries()) figures.observe(operation, (index + 1) * 1000);
      for (const [index, stage] of stages.entries()) for (let n = 0; n <= index; n++) figures.noteError(stage);
      figures.noteCommit(7);
      figures.limitBuffer({ records: 5, bytes: 5 });
    }
    const ofRuns = new FigureSum();
    for (const figures of runs) figures.addTo(ofRuns);
    const sum = new FigureSum();
    ofRuns.addTo(sum);
    expect(TASK_OPERATIONS.map((operation) => sum.timesOf(operation).sum)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(stages.map((stage) => sum.errorsAt(stage))).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  });

  it('are seen by whoever has their memory', () => {
    const figures = new TaskFigures();
    const elsewhere = new TaskFigures(figures.memory);
    expect(elsewhere.lastCommitMs).toBe(0);
    figures.noteCommit(1234);
    expect(elsewhere.lastCommitMs).toBe(1234);
    expect(elsewhere.fillOf({ records: 5, bytes: 5 })).toBe(0);
    figures.limitBuffer({ records: 10, bytes: 100 });
    expect(elsewhere.fillOf({ records: 5, bytes: 20 })).toBe(0.5);
    expect(elsewhere.fillOf({ records: 1, bytes: 80 })).toBe(0.8);
  });
});
