import type { DesiredTask } from '@sluice/core';
import type { ScopedLog } from '../logging/node-log.js';
import { planTasks, type HeldTask } from './plan-tasks.js';

/** What holds the tasks of a node. */
export interface TaskHolder {
  held(): ReadonlyMap<string, HeldTask>;
  start(task: DesiredTask): void;
  stop(key: string): Promise<void>;
  pause(key: string): void;
  resume(key: string): void;
}

/** Has a node hold what it should. */
export class TaskReconciler {
  private isRunning = false;
  private isWanted = false;

  constructor(
    private readonly holder: TaskHolder,
    private readonly desired: () => ReadonlyMap<string, DesiredTask>,
    private readonly log: Pick<ScopedLog, 'info'>,
  ) {}

  /** May be called out of what it does itself, as when a task tells that it stops: what is held is looked at again once that is done. */
  reconcile(): void {
    this.isWanted = true;
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (this.isWanted) {
        this.isWanted = false;
        this.once();
      }
    } finally {
      this.isRunning = false;
    }
  }

  private once(): void {
    const { holder, log } = this;
    const desired = this.desired();
    const plan = planTasks(desired, holder.held());
    for (const key of plan.stop) {
      log.info(`Stopping ${key}`);
      void holder.stop(key);
    }
    for (const key of plan.pause) holder.pause(key);
    for (const key of plan.resume) holder.resume(key);
    for (const key of plan.start) {
      const task = desired.get(key);
      if (task === undefined) continue;
      log.info(`Starting ${key}, generation ${String(task.generation)}`);
      holder.start(task);
    }
  }
}
