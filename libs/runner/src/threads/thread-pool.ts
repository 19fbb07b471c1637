import { taskKey, type DesiredTask } from '@sluice/core';
import { type PluginPackage, type ResolvedTask, sharedNowMs, type TaskLoop } from '@sluice/runtime';
import { newTaskBoards, type TaskBoards } from '../metrics/task-meter.js';
import { chooseThread } from './choose-thread.js';
import { TaskThread, type TaskThreadOptions, type ThreadLimits, type ThreadMemory, type ThreadWorker } from './task-thread.js';

/** How long threads may take to close their connections, and to end where they do not, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;
/** How often the threads are looked at, in milliseconds. */
const CHECK_INTERVAL_MS = 250;
/** How long a task that ended its thread is started in one of its own, in milliseconds. */
const ALONE_FOR_MS = 600_000;
/** Places of tasks that run nowhere now are forgotten beyond this. */
const PLACES_KEPT = 1_000;

export interface ThreadPoolOptions extends Omit<TaskThreadOptions, 'name' | 'start' | 'onEnd'> {
  /** How many threads share the tasks. */
  readonly size: number;
  readonly limits: ThreadLimits;
  readonly startThread: (name: string, memory: ThreadMemory) => ThreadWorker;
}

/**
 * Runs the tasks of a node in threads. A thread starts with its first task; one that ended is replaced by the next task's. A task that ended its
 * thread runs alone for a while, so that it takes nobody with it again.
 */
export class ThreadPool {
  readonly #threads: (TaskThread | undefined)[];
  /** Threads of one task each, as many as those that are shared at most. */
  readonly #alone = new Set<TaskThread>();
  /** Threads that are being ended, in whose places others run. */
  readonly #ending = new Set<TaskThread>();
  readonly #closing = new Set<Promise<void>>();
  /** By task key: until when it is started in a thread of its own. */
  readonly #aloneUntil = new Map<string, number>();
  /** By task key: the index of the thread that ran it last. */
  readonly #places = new Map<string, number>();
  #started = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ThreadPoolOptions) {
    this.#threads = new Array<TaskThread | undefined>(options.size).fill(undefined);
  }

  createLoop(task: ResolvedTask, boards: TaskBoards = newTaskBoards()): TaskLoop {
    const key = taskKey(task.id);
    const runsAlone = (this.#aloneUntil.get(key) ?? 0) > sharedNowMs() && this.#alone.size < this.options.size;
    return runsAlone ? this.#createAlone(task, boards) : this.#threadFor(key, task).createLoop(task, boards);
  }

  /** Has the threads load plugin packages before the loops that are created from now on. */
  loadPackages(packages: readonly PluginPackage[]): void {
    for (const thread of this.#running()) thread.loadPackages(packages);
  }

  /** Ends the threads that take too long. */
  check(): void {
    for (const thread of this.#running()) thread.check(this.options.limits);
  }

  /** Ends all threads, whose loops must have ended; each has some time to close what it has open. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running().map((thread) => thread.close(CLOSE_TIMEOUT_MS)));
    await Promise.all(this.#closing);
  }

  #running(): readonly TaskThread[] {
    return [...this.#threads, ...this.#alone, ...this.#ending].filter((thread) => thread !== undefined);
  }

  #threadFor(key: string, { id }: DesiredTask): TaskThread {
    const loads = this.#threads.map((thread) => {
      const tasks = thread === undefined || thread.isEnding ? [] : thread.tasks;
      return { tasks: tasks.length, ofConnector: tasks.filter((each) => each.id.connector === id.connector).length };
    });
    const index = chooseThread(loads, this.#places.get(key));
    this.#notePlace(key, index);
    const running = this.#threads[index];
    if (running?.isEnding === false) return running;
    if (running !== undefined) this.#ending.add(running);
    const thread: TaskThread = this.#start(() => {
      this.#ending.delete(thread);
      if (this.#threads[index] === thread) this.#threads[index] = undefined;
    });
    this.#threads[index] = thread;
    return thread;
  }

  #createAlone(task: ResolvedTask, boards: TaskBoards): TaskLoop {
    const thread: TaskThread = this.#start(() => this.#alone.delete(thread));
    this.#alone.add(thread);
    const loop = thread.createLoop(task, boards);
    void loop.ended.then(() => {
      const closing = thread.close(CLOSE_TIMEOUT_MS).finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    });
    return loop;
  }

  #start(onEnd: () => void): TaskThread {
    const { size: _, startThread, limits: __, ...options } = this.options;
    this.#started += 1;
    const name = `t${this.#started}`;
    this.#timer ??= setInterval(() => {
      this.check();
    }, CHECK_INTERVAL_MS).unref();
    return new TaskThread({
      ...options,
      name,
      start: (memory) => startThread(name, memory),
      onEnd: (culprits) => {
        this.#separate(culprits);
        onEnd();
      },
    });
  }

  #separate(culprits: readonly DesiredTask[]): void {
    const nowMs = sharedNowMs();
    for (const [key, untilMs] of this.#aloneUntil) if (untilMs <= nowMs) this.#aloneUntil.delete(key);
    for (const { id } of culprits) this.#aloneUntil.set(taskKey(id), nowMs + ALONE_FOR_MS);
  }

  #notePlace(key: string, index: number): void {
    this.#places.set(key, index);
    if (this.#places.size <= PLACES_KEPT) return;
    const running = new Set(this.#threads.flatMap((thread) => thread?.tasks ?? []).map(({ id }) => taskKey(id)));
    for (const each of this.#places.keys()) if (each !== key && !running.has(each)) this.#places.delete(each);
  }
}
