import { taskKey, type Config, type ConnectorType, type RunState, type TaskId, type TaskReport } from '@sluice/core';
import { isRetriable, type TaskLogger } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import { backoffMs, type BackoffLimits } from '../retry/backoff.js';
import { errorTrace } from './error-trace.js';
import type { TaskLoop } from './task-loop.js';

/** A task as the log assigns it. */
export interface AssignedTask {
  readonly id: TaskId;
  readonly generation: number;
  readonly type: ConnectorType;
  readonly config: Config;
  readonly paused: boolean;
  /** Positions were committed before: a missing one is an error. */
  readonly committed: boolean;
}

export interface TaskHostOptions {
  /** Makes the loop of a task; throws when its settings are wrong. */
  readonly createLoop: (task: AssignedTask) => TaskLoop;
  readonly clock: Clock;
  readonly logger: TaskLogger;
  /** Called after every change of a task's state. */
  readonly onChange: () => void;
  /** Called when a task could not be stopped: only the end of the process stops it for certain. */
  readonly onStuck: (task: AssignedTask) => void;
  /** Longest time between the request to stop a task and its end. */
  readonly stopTimeoutMs: number;
}

export interface HostedTask {
  readonly generation: number;
  readonly paused: boolean;
  readonly isStopping: boolean;
}

interface Entry {
  readonly task: AssignedTask;
  state: RunState;
  since: number;
  trace: string | undefined;
  paused: boolean;
  loop: TaskLoop | undefined;
  readonly stopping: AbortController;
  /** Resolves when nothing of the task runs any more. */
  done: Promise<void>;
}

const restartBackoff: BackoffLimits = { initialMs: 1000, maxMs: 30_000 };

/**
 * Runs the tasks of a node, each in a loop of its own. A task that fails stays FAILED until it is stopped; a start that fails with a
 * retriable error is made again. A task counts as gone only when its loop has ended.
 */
export class TaskHost {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: TaskHostOptions) {}

  /** By task key: every task that is not certainly stopped, and those that failed. */
  held(): ReadonlyMap<string, HostedTask> {
    return new Map(
      [...this.entries].map(([key, { task, paused, stopping }]) => [
        key,
        { generation: task.generation, paused, isStopping: stopping.signal.aborted },
      ]),
    );
  }

  reports(): readonly TaskReport[] {
    return [...this.entries.values()].map(({ task, state, since, trace, loop }) => ({
      id: task.id,
      generation: task.generation,
      state,
      since,
      ...(trace === undefined ? {} : { trace }),
      committed: task.committed || (loop?.counters.positionWrites ?? 0) > 0,
      counters: { ...loop?.counters },
    }));
  }

  start(task: AssignedTask): void {
    const key = taskKey(task.id);
    if (this.entries.has(key)) throw new Error(`Task ${key} is held already`);
    const entry: Entry = {
      task,
      state: 'RESTARTING',
      since: this.options.clock.wallMs(),
      trace: undefined,
      paused: task.paused,
      loop: undefined,
      stopping: new AbortController(),
      done: Promise.resolve(),
    };
    this.entries.set(key, entry);
    entry.done = this.run(entry);
  }

  pause(key: string): void {
    this.setPaused(key, true);
  }

  resume(key: string): void {
    this.setPaused(key, false);
  }

  /** Resolves when the task is gone, or was reported as stuck. */
  async stop(key: string): Promise<void> {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    if (!entry.stopping.signal.aborted) {
      entry.stopping.abort(new Error('The task was asked to stop'));
      if (entry.state !== 'FAILED') this.change(entry, 'STOPPING');
      void entry.loop?.stop();
    }
    if (await this.endsInTime(entry)) {
      this.entries.delete(key);
      this.options.onChange();
    } else {
      this.options.onStuck(entry.task);
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.entries.keys()].map((key) => this.stop(key)));
  }

  private async run(entry: Entry): Promise<void> {
    const { clock, logger } = this.options;
    const { signal } = entry.stopping;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await this.runOnce(entry);
        return;
      } catch (error) {
        if (entry.stopping.signal.aborted) return;
        if (!isRetriable(error)) {
          this.fail(entry, error);
          return;
        }
        entry.trace = errorTrace(error);
        const waitMs = backoffMs(attempt, restartBackoff, clock.random());
        logger.warn(
          `Task ${taskKey(entry.task.id)} could not start and tries again in ${waitMs.toFixed(0)} ms: ${String(error)}`,
        );
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }

  /** Rejects when the start fails; resolves when the loop has ended. */
  private async runOnce(entry: Entry): Promise<void> {
    const loop = this.options.createLoop(entry.task);
    entry.loop = loop;
    if (entry.paused) loop.pause();
    await loop.start();
    entry.trace = undefined;
    if (!entry.stopping.signal.aborted) this.change(entry, entry.paused ? 'PAUSED' : 'RUNNING');
    const end = await loop.ended;
    if (end.kind === 'failed' && !entry.stopping.signal.aborted) this.fail(entry, end.error);
    else if (end.kind === 'failed')
      this.options.logger.warn(`Task ${taskKey(entry.task.id)} failed while it stopped: ${String(end.error)}`);
  }

  private fail(entry: Entry, error: unknown): void {
    entry.trace = errorTrace(error);
    this.options.logger.error(`Task ${taskKey(entry.task.id)} failed: ${entry.trace}`);
    this.change(entry, 'FAILED');
  }

  private setPaused(key: string, paused: boolean): void {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.paused === paused) return;
    entry.paused = paused;
    if (paused) entry.loop?.pause();
    else entry.loop?.resume();
    if (entry.state === 'RUNNING' || entry.state === 'PAUSED') this.change(entry, paused ? 'PAUSED' : 'RUNNING');
    else this.options.onChange();
  }

  private change(entry: Entry, state: RunState): void {
    if (entry.state === state) return;
    entry.state = state;
    entry.since = this.options.clock.wallMs();
    this.options.onChange();
  }

  private async endsInTime(entry: Entry): Promise<boolean> {
    const { clock, stopTimeoutMs } = this.options;
    const timer = new AbortController();
    const done = entry.done.then(() => true);
    const limit = (ms: number): Promise<boolean> =>
      clock.sleep(ms, timer.signal).then(
        () => false,
        () => false,
      );
    try {
      if (await Promise.race([done, limit(stopTimeoutMs)])) return true;
      entry.loop?.kill();
      return await Promise.race([done, limit(stopTimeoutMs)]);
    } finally {
      timer.abort();
    }
  }
}
