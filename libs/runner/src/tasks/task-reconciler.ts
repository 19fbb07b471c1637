import { setImmediate as turn } from 'node:timers/promises';
import type { DesiredTask } from '@sluice/core';
import type { ScopedLogger } from '@sluice/node';
import type { HeldTask } from '@sluice/runtime';
import { planTasks } from './plan-tasks.js';

/** What holds the tasks of a node. */
export interface TaskHolder {
  held(): ReadonlyMap<string, HeldTask>;
  start(task: DesiredTask): void;
  /** Resolves when the first attempt to start a task is over, however it went. */
  tried(key: string): Promise<void>;
  stop(key: string): Promise<void>;
  pause(key: string): void;
  resume(key: string): void;
  /** Has the task come back with a new generation. May be called again until it does. */
  renew(key: string): void;
}

export interface ReconcilerOptions {
  /** Tasks that are being started at a time. */
  readonly maxStarting: number;
  /** After this time a task that is still being started holds up no other one, in milliseconds. */
  readonly startingMs: number;
}

const defaults: ReconcilerOptions = { maxStarting: 16, startingMs: 2_000 };

/**
 * Starts, stops and pauses tasks until they match the assignment. It stops tasks at once. It starts a few at a time and yields to the event loop after
 * each. A thousand tasks that come together must not keep the node from renewing its lease.
 */
export class TaskReconciler {
  #isRunning = false;
  #isWanted = false;
  #isClosed = false;
  #isStarting = false;
  #starting = 0;
  /** Keys of the tasks that are to be started, in their order. */
  #waiting: readonly string[] = [];

  constructor(
    private readonly holder: TaskHolder,
    private readonly desired: () => ReadonlyMap<string, DesiredTask>,
    private readonly logger: Pick<ScopedLogger, 'info'>,
    private readonly options: ReconcilerOptions = defaults,
  ) {}

  /** Matches tasks and assignment. A call from within, as when a task reports that it stops, takes effect once the current one is done. */
  reconcile(): void {
    this.#isWanted = true;
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        this.#once();
      }
    } finally {
      this.#isRunning = false;
    }
    void this.#startWaiting();
  }

  /** Starts nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  #once(): void {
    const { holder, logger } = this;
    const plan = planTasks(this.desired(), holder.held());
    for (const key of plan.stop) {
      logger.info(`Stopping ${key}`);
      void holder.stop(key);
    }
    for (const key of plan.pause) holder.pause(key);
    for (const key of plan.resume) holder.resume(key);
    for (const key of plan.renew) holder.renew(key);
    this.#waiting = plan.start;
  }

  async #startWaiting(): Promise<void> {
    if (this.#isStarting) return;
    this.#isStarting = true;
    try {
      while (this.#starting < this.options.maxStarting) {
        const [key, ...others] = this.#waiting;
        if (key === undefined) return;
        this.#waiting = others;
        const task = this.desired().get(key);
        if (task !== undefined) this.#start(key, task);
        await turn();
      }
    } finally {
      this.#isStarting = false;
    }
  }

  #start(key: string, task: DesiredTask): void {
    this.logger.info(`Starting ${key}, generation ${task.generation}`);
    this.holder.start(task);
    this.#starting += 1;
    let isOver = false;
    const over = (): void => {
      clearTimeout(timer);
      if (isOver) return;
      isOver = true;
      this.#starting -= 1;
      void this.#startWaiting();
    };
    const timer = setTimeout(over, this.options.startingMs).unref();
    void this.holder.tried(key).then(over, over);
  }
}
