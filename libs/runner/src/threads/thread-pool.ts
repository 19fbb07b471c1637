import { pause } from '@sluice/time';
import { taskKey, type DesiredTask } from '@sluice/core';
import type { TaskLoop } from '@sluice/runtime';
import { chooseThread } from './choose-thread.js';
import { TaskThread, type TaskThreadOptions, type ThreadWorker } from './task-thread.js';

/** How long threads may take to close their connections, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Places of tasks that run nowhere now are forgotten beyond this. */
const PLACES_KEPT = 1_000;

export interface ThreadPoolOptions extends Omit<TaskThreadOptions, 'name' | 'start' | 'onEnd'> {
  /** How many threads share the tasks. */
  readonly size: number;
  readonly startThread: (name: string, lines: SharedArrayBuffer) => ThreadWorker;
}

/** Runs the tasks of a node in threads. A thread starts with its first task; one that ended is replaced by the next task's. */
export class ThreadPool {
  readonly #threads: (TaskThread | undefined)[];
  /** By task key: the index of the thread that ran it last. */
  readonly #places = new Map<string, number>();
  #started = 0;

  constructor(private readonly options: ThreadPoolOptions) {
    this.#threads = new Array<TaskThread | undefined>(options.size).fill(undefined);
  }

  createLoop(task: DesiredTask): TaskLoop {
    const key = taskKey(task.id);
    const loads = this.#threads.map((thread) => {
      const tasks = thread?.tasks ?? [];
      return { tasks: tasks.length, ofConnector: tasks.filter(({ id }) => id.connector === task.id.connector).length };
    });
    const index = chooseThread(loads, this.#places.get(key));
    this.#places.delete(key);
    this.#places.set(key, index);
    this.#forgetPlaces();
    return this.#threadAt(index).createLoop(task);
  }

  /** Ends all threads, whose loops must have ended; each has some time to close what it has open. */
  async close(): Promise<void> {
    const done = new AbortController();
    const limit = pause(CLOSE_TIMEOUT_MS, done.signal);
    await Promise.all(this.#threads.filter((thread) => thread !== undefined).map((thread) => thread.close(limit)));
    done.abort();
    await limit;
  }

  #threadAt(index: number): TaskThread {
    const running = this.#threads[index];
    if (running !== undefined) return running;
    const { size: _, startThread, ...options } = this.options;
    this.#started += 1;
    const name = `t${this.#started}`;
    const thread: TaskThread = new TaskThread({
      ...options,
      name,
      start: (lines) => startThread(name, lines),
      onEnd: () => {
        if (this.#threads[index] === thread) this.#threads[index] = undefined;
      },
    });
    this.#threads[index] = thread;
    return thread;
  }

  #forgetPlaces(): void {
    if (this.#places.size <= PLACES_KEPT) return;
    const running = new Set(this.#threads.flatMap((thread) => thread?.tasks ?? []).map(({ id }) => taskKey(id)));
    for (const key of this.#places.keys()) if (!running.has(key)) this.#places.delete(key);
  }
}
