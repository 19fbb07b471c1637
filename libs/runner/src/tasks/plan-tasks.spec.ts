import { describe, expect, it } from '@jest/globals';
import type { Config, DesiredTask } from '@sluice/core';
import type { HeldTask } from '@sluice/runtime';
import { planTasks } from './plan-tasks.js';

const desired = (...tasks: [key: string, generation: number, paused?: boolean][]): ReadonlyMap<string, DesiredTask> =>
  new Map(
    tasks.map(([key, generation, paused = false]) => [
      key,
      { id: { connector: key, index: 0 }, generation, type: 'source', config: {}, paused, committed: false },
    ]),
  );
const held = (...tasks: [key: string, generation: number, more?: Partial<HeldTask>][]): ReadonlyMap<string, HeldTask> =>
  new Map(tasks.map(([key, generation, more]) => [key, { generation, paused: false, isStopping: false, ...more }]));
const nothing = { start: [], stop: [], pause: [], resume: [], renew: [] };

describe('planTasks', () => {
  it('leaves a task alone that runs at the right generation', () => {
    expect(planTasks(desired(['a', 3]), held(['a', 3]))).toEqual(nothing);
  });

  it('starts what is missing and stops what is not wanted', () => {
    expect(planTasks(desired(['a', 3]), held(['b', 1]))).toEqual({ ...nothing, start: ['a'], stop: ['b'] });
  });

  it('stops another generation first and starts the new one only when the old one is gone', () => {
    expect(planTasks(desired(['a', 4]), held(['a', 3]))).toEqual({ ...nothing, stop: ['a'] });
    expect(planTasks(desired(['a', 4]), held(['a', 3, { isStopping: true }]))).toEqual(nothing);
    expect(planTasks(desired(['a', 4]), held())).toEqual({ ...nothing, start: ['a'] });
  });

  it('pauses and resumes without a stop', () => {
    expect(planTasks(desired(['a', 3, true]), held(['a', 3]))).toEqual({ ...nothing, pause: ['a'] });
    expect(planTasks(desired(['a', 3]), held(['a', 3, { paused: true }]))).toEqual({ ...nothing, resume: ['a'] });
  });

  it("renews a task whose connector's instance has old settings, and no other one", () => {
    const wanted = (connectorConfig: Config): ReadonlyMap<string, DesiredTask> =>
      new Map([...desired(['a', 3])].map(([key, task]) => [key, { ...task, connectorConfig }]));
    const instanceConfig = { tables: 'x', 'tasks.max': '1' };
    expect(planTasks(wanted({ ...instanceConfig, tables: 'y' }), held(['a', 3, { instanceConfig }]))).toEqual({ ...nothing, renew: ['a'] });
    expect(planTasks(wanted({ ...instanceConfig, 'tasks.max': '2' }), held(['a', 3, { instanceConfig }]))).toEqual(nothing);
    const both = { ...nothing, renew: ['a'], resume: ['a'] };
    expect(planTasks(wanted({ tables: 'y' }), held(['a', 3, { instanceConfig, paused: true }]))).toEqual(both);
    expect(planTasks(wanted({ tables: 'y' }), held(['a', 3]))).toEqual(nothing);
    expect(planTasks(wanted({ tables: 'y' }), held(['a', 3, { instanceConfig, isStopping: true }]))).toEqual(nothing);
    expect(planTasks(wanted({ tables: 'y' }), held(['a', 2, { instanceConfig }]))).toEqual({ ...nothing, stop: ['a'] });
  });
});
