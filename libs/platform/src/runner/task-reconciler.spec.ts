import { describe, expect, it } from '@jest/globals';
import { taskKey, type DesiredTask } from '@sluice/core';
import type { HeldTask } from './plan-tasks.js';
import { TaskReconciler, type TaskHolder } from './task-reconciler.js';

const task = (connector: string, generation: number): DesiredTask => ({
  id: { connector, index: 0 },
  generation,
  type: 'source',
  config: {},
  paused: false,
  committed: false,
});

/** Tells of every change at once, as the tasks of a node do; a task that is stopped is gone when it is let go. */
class TellingHolder implements TaskHolder {
  readonly tasks = new Map<string, HeldTask>();
  readonly calls: string[] = [];
  changed = (): void => undefined;

  held(): ReadonlyMap<string, HeldTask> {
    return new Map(this.tasks);
  }

  start({ id, generation }: DesiredTask): void {
    const key = taskKey(id);
    if (this.tasks.has(key)) throw new Error(`${key} is held already`);
    this.calls.push(`start ${key} ${String(generation)}`);
    this.tasks.set(key, { generation, paused: false, isStopping: false });
    this.changed();
  }

  stop(key: string): Promise<void> {
    this.calls.push(`stop ${key}`);
    this.tasks.set(key, { ...this.tasks.get(key)!, isStopping: true });
    this.changed();
    return Promise.resolve();
  }

  letGo(key: string): void {
    this.tasks.delete(key);
    this.changed();
  }

  pause(): void {
    throw new Error('nothing is paused');
  }

  resume(): void {
    throw new Error('nothing is resumed');
  }
}

function reconciled(desired: Map<string, DesiredTask>): { holder: TellingHolder; reconciler: TaskReconciler } {
  const holder = new TellingHolder();
  const reconciler = new TaskReconciler(holder, () => desired, { info: () => undefined });
  holder.changed = () => {
    reconciler.reconcile();
  };
  return { holder, reconciler };
}

describe('the reconciler of a node’s tasks', () => {
  it('starts and stops each task once, also where every step tells of a change', () => {
    const wanted = new Map(['a', 'b'].map((name) => [taskKey({ connector: name, index: 0 }), task(name, 1)]));
    const { holder, reconciler } = reconciled(wanted);
    reconciler.reconcile();
    wanted.clear();
    for (const name of ['c', 'd', 'e']) wanted.set(taskKey({ connector: name, index: 0 }), task(name, 2));
    reconciler.reconcile();
    expect(holder.calls).toEqual([
      'start a-0 1',
      'start b-0 1',
      'stop a-0',
      'stop b-0',
      'start c-0 2',
      'start d-0 2',
      'start e-0 2',
    ]);
  });

  it('starts a new generation as soon as the old one is gone', () => {
    const key = taskKey({ connector: 'a', index: 0 });
    const wanted = new Map([[key, task('a', 1)]]);
    const { holder, reconciler } = reconciled(wanted);
    reconciler.reconcile();
    wanted.set(key, task('a', 2));
    reconciler.reconcile();
    expect(holder.calls).toEqual(['start a-0 1', 'stop a-0']);
    holder.letGo(key);
    expect(holder.calls.slice(2)).toEqual(['start a-0 2']);
  });

  it('goes on after a step that failed', () => {
    const wanted = new Map([[taskKey({ connector: 'a', index: 0 }), task('a', 1)]]);
    const { holder, reconciler } = reconciled(wanted);
    const start = holder.start.bind(holder);
    holder.start = () => {
      throw new Error('no room');
    };
    expect(() => {
      reconciler.reconcile();
    }).toThrow('no room');
    holder.start = start;
    reconciler.reconcile();
    expect(holder.calls).toEqual(['start a-0 1']);
  });
});
