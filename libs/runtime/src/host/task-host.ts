import { taskKey, type Config, type DesiredTask, type TaskReport } from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { RestartHistory } from '../retry/restart-policy.js';
import { HostedTask, type HostedTaskOptions } from './hosted-task.js';

export interface TaskHostOptions extends Omit<HostedTaskOptions, 'onFailed'> {
  /** Called when a task could not be stopped: only the end of the process stops it for certain. */
  readonly onStuck: (task: DesiredTask) => void;
  /** How long a task that was given up may take to end, in milliseconds. */
  readonly killTimeoutMs: number;
}

/** A task that is not certainly stopped on this node, as a plan needs to know it. */
export interface HeldTask {
  readonly generation: number;
  readonly paused: boolean;
  readonly isStopping: boolean;
  /** See `HostedTask.instanceConfig`. */
  readonly instanceConfig?: Config | undefined;
}

/** A new generation that was asked for comes within moments, or the task went elsewhere meanwhile. */
const HISTORY_KEPT_MS = 60_000;

/**
 * Runs the tasks of a node, each in a loop of its own. A task is gone only when its loop has ended; one that fails for good is held until it is
 * stopped.
 */
export class TaskHost {
  readonly #tasks = new Map<string, HostedTask>();
  readonly #histories = new Map<string, { readonly history: RestartHistory; readonly untilMs: number }>();
  readonly #stuck = new Set<HostedTask>();
  readonly #ofTasks: HostedTaskOptions;

  constructor(private readonly options: TaskHostOptions) {
    this.#ofTasks = {
      ...options,
      onFailed: (task, ended) => {
        void this.#endsInTime(task, ended).then((ends) => {
          if (!ends) this.#noteStuck(task);
        });
      },
    };
  }

  /** By task key, as it stands at any time: every task that is not certainly stopped, and those that failed. */
  held(): ReadonlyMap<string, HeldTask> {
    return this.#tasks;
  }

  reports(): readonly TaskReport[] {
    return [...this.#tasks.values()].map((task) => task.report());
  }

  start(task: DesiredTask): void {
    const key = taskKey(task.id);
    if (this.#tasks.has(key)) throw new ConnectError(ConnectErrorCode.conflict, `Task ${key} is held already`);
    this.#tasks.set(key, new HostedTask(task, this.#ofTasks, this.#takeHistory(key)));
  }

  /** Resolves when the first attempt to start a task is over; at once where it is not held. */
  async tried(key: string): Promise<void> {
    await this.#tasks.get(key)?.tried;
  }

  /** Has the task come back with a new generation, for its connector's instance. */
  renew(key: string): void {
    void this.#tasks.get(key)?.renew();
  }

  pause(key: string): void {
    this.#tasks.get(key)?.setPaused(true);
  }

  resume(key: string): void {
    this.#tasks.get(key)?.setPaused(false);
  }

  /** Resolves when the task is gone, or was reported as stuck. */
  async stop(key: string): Promise<void> {
    const task = this.#tasks.get(key);
    if (task === undefined || this.#stuck.has(task)) return;
    task.stop();
    if (!(await this.#endsInTime(task, task.done))) {
      this.#noteStuck(task);
      return;
    }
    if (this.#tasks.get(key) !== task) return;
    this.#tasks.delete(key);
    this.#keepHistory(key, task.restartHistory);
    this.options.onChange();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#tasks.keys()].map((key) => this.stop(key)));
  }

  #keepHistory(key: string, history: RestartHistory | undefined): void {
    const nowMs = this.options.clock.nowMs();
    for (const [each, { untilMs }] of this.#histories) if (untilMs < nowMs) this.#histories.delete(each);
    if (history !== undefined) this.#histories.set(key, { history, untilMs: nowMs + HISTORY_KEPT_MS });
  }

  #takeHistory(key: string): RestartHistory | undefined {
    const kept = this.#histories.get(key);
    this.#histories.delete(key);
    return kept === undefined || kept.untilMs < this.options.clock.nowMs() ? undefined : kept.history;
  }

  #noteStuck(task: HostedTask): void {
    if (this.#stuck.has(task)) return;
    this.#stuck.add(task);
    this.options.onStuck(task.task);
  }

  /** Gives the task its time to stop, then gives it up and waits for its end once more; at last it ends the task's thread. */
  async #endsInTime(task: HostedTask, ended: Promise<unknown>): Promise<boolean> {
    const { clock, killTimeoutMs } = this.options;
    if (await endsWithin(clock, ended, task.shutdownTimeoutMs)) return true;
    task.kill();
    if (await endsWithin(clock, ended, killTimeoutMs)) return true;
    return task.endThread() && endsWithin(clock, ended, killTimeoutMs);
  }
}

async function endsWithin(clock: Clock, done: Promise<unknown>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(limitMs, timer.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([done.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
