import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { taskKey, type DesiredTask } from '@sluice/core';
import type { HeldTask } from '@sluice/runtime';
import { TaskReconciler, type ReconcilerOptions, type TaskHolder } from './task-reconciler.js';

const task = (connector: string, generation: number): DesiredTask => ({
  id: { connector, index: 0 },
  generation,
  type: 'source',
  config: {},
  paused: false,
  committed: false,
});

/** Reports every change at once, as the tasks of a node do; a task that is stopped is gone when it is let go. */
class TellingHolder implements TaskHolder {
  readonly tasks = new Map<string, HeldTask>();
  readonly calls: string[] = [];
  readonly trying = new Map<string, Promise<void>>();
  changed = (): void => undefined;

  held(): ReadonlyMap<string, HeldTask> {
    return new Map(this.tasks);
  }

  start({ id, generation }: DesiredTask): void {
    const key = taskKey(id);
    if (this.tasks.has(key)) throw new Error(`${key} is held already`);
    this.calls.push(`start ${key} ${generation}`);
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

  tried(key: string): Promise<void> {
    return this.trying.get(key) ?? Promise.resolve();
  }

  pause(): void {
    throw new Error('nothing is paused');
  }

  renew(key: string): void {
    this.calls.push(`renew ${key}`);
  }

  resume(): void {
    throw new Error('nothing is resumed');
  }
}

function reconciled(desired: Map<string, DesiredTask>, options?: ReconcilerOptions): { holder: TellingHolder; reconciler: TaskReconciler } {
  const holder = new TellingHolder();
  const reconciler = new TaskReconciler(holder, () => desired, { info: () => undefined }, options);
  holder.changed = () => {
    reconciler.reconcile();
  };
  return { holder, reconciler };
}

const wantedOf = (...names: readonly string[]): Map<string, DesiredTask> =>
  new Map(names.map((name) => [taskKey({ connector: name, index: 0 }), task(name, 1)]));

/** Lets the event loop go round until something holds. */
async function until(holds: () => boolean): Promise<number> {
  for (let turns = 0; turns < 10_000; turns += 1) {
    if (holds()) return turns;
    await turn();
  }
  throw new Error('it does not come');
}

describe('the reconciler of a node’s tasks', () => {
  it('starts and stops each task once, also where every step reports a change', async () => {
    const wanted = wantedOf('a', 'b');
    const { holder, reconciler } = reconciled(wanted);
    reconciler.reconcile();
    await until(() => holder.tasks.size === 2);
    wanted.clear();
    for (const name of ['c', 'd', 'e']) wanted.set(taskKey({ connector: name, index: 0 }), task(name, 2));
    reconciler.reconcile();
    expect(holder.calls.slice(2, 4)).toEqual(['stop a-0', 'stop b-0']);
    await until(() => holder.tasks.size === 5);
    expect(holder.calls).toEqual(['start a-0 1', 'start b-0 1', 'stop a-0', 'stop b-0', 'start c-0 2', 'start d-0 2', 'start e-0 2']);
  });

  it('starts a new generation as soon as the old one is gone', async () => {
    const key = taskKey({ connector: 'a', index: 0 });
    const wanted = wantedOf('a');
    const { holder, reconciler } = reconciled(wanted);
    reconciler.reconcile();
    await until(() => holder.tasks.size === 1);
    wanted.set(key, task('a', 2));
    reconciler.reconcile();
    expect(holder.calls).toEqual(['start a-0 1', 'stop a-0']);
    holder.letGo(key);
    await until(() => holder.tasks.size === 1);
    expect(holder.calls.slice(2)).toEqual(['start a-0 2']);
  });

  it('yields to the event loop between any two of a thousand tasks that it starts', async () => {
    const { holder, reconciler } = reconciled(wantedOf(...Array.from({ length: 1_000 }, (_, n) => `c${n}`)));
    reconciler.reconcile();
    let most = 0;
    for (let before = holder.tasks.size; holder.tasks.size < 1_000; before = holder.tasks.size) {
      await turn();
      most = Math.max(most, holder.tasks.size - before);
    }
    expect(most).toBeLessThanOrEqual(2);
  });

  it('starts no more at a time than it may; one that takes long holds the others up for a while only', async () => {
    const wanted = wantedOf('a', 'b', 'c', 'd');
    const { holder, reconciler } = reconciled(wanted, { maxStarting: 2, startingMs: 30 });
    const done: (() => void)[] = [];
    for (const key of wanted.keys()) holder.trying.set(key, new Promise((resolve) => done.push(resolve)));
    reconciler.reconcile();
    await until(() => holder.tasks.size === 2);
    await turn();
    expect(holder.tasks.size).toBe(2);
    done[0]!();
    await until(() => holder.tasks.size === 3);
    while (holder.tasks.size < 4) await delay(5);
  });

  it('starts nothing that is not wanted any more when its turn comes, and nothing once it is closed', async () => {
    const wanted = wantedOf('a', 'b', 'c');
    const { holder, reconciler } = reconciled(wanted, { maxStarting: 1, startingMs: 60_000 });
    const done: (() => void)[] = [];
    for (const key of wanted.keys()) holder.trying.set(key, new Promise((resolve) => done.push(resolve)));
    reconciler.reconcile();
    await until(() => holder.tasks.size === 1);
    wanted.delete(taskKey({ connector: 'b', index: 0 }));
    done[0]!();
    await until(() => holder.tasks.size === 2);
    expect(holder.calls).toEqual(['start a-0 1', 'start c-0 1']);
    reconciler.close();
    wanted.set(taskKey({ connector: 'd', index: 0 }), task('d', 1));
    reconciler.reconcile();
    done[2]!();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(holder.tasks.size).toBe(2);
  });
});
