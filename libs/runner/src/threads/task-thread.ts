import type { Worker } from 'node:worker_threads';
import type { DesiredTask } from '@sluice/core';
import { copyError, ThreadEndedError, type PositionStore, type TaskLoop } from '@sluice/runtime';
import type { Credentials } from '@sluice/rocketmq';
import type { ScopedLogger } from '@sluice/node';
import type { SinkProgress } from '../metrics/sink-progress.js';
import { newLineCount, noteArrival } from './log-relay.js';
import { ThreadLoop } from './thread-loop.js';
import type { Answer, ClusterName, FromThread, Question, ToThread } from './thread-messages.js';

/** What the main thread does for its task threads. */
export interface ThreadServices {
  readonly positions: Pick<PositionStore, 'open' | 'refresh'>;
  readonly credentialsOf: (cluster: ClusterName) => Promise<Credentials>;
  readonly loggerOf: (scope: string) => ScopedLogger;
  readonly requestTaskReconfiguration: (connector: string) => void;
  /** Keeps how far a loop has read and committed; `undefined` for loops that do neither. */
  readonly progressOf: (task: DesiredTask) => SinkProgress | undefined;
}

/** What a {@link TaskThread} needs of a worker thread. */
export interface ThreadWorker extends Pick<Worker, 'terminate'> {
  postMessage(message: ToThread): void;
  on(event: 'message', listener: (message: FromThread) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
}

export interface TaskThreadOptions {
  /** Shown in the log and in errors. */
  readonly name: string;
  readonly start: (lines: SharedArrayBuffer) => ThreadWorker;
  /** What the heap of the thread may hold, in MB; `undefined` for what Node allows. */
  readonly memoryMb: number | undefined;
  readonly services: ThreadServices;
  /** The text of an error with its causes, without the secrets of any of the tasks. */
  readonly describeFailure: (error: unknown, tasks: readonly DesiredTask[]) => string;
  readonly onEnd: () => void;
}

interface HeldLoop {
  readonly loop: ThreadLoop;
  readonly task: DesiredTask;
  readonly progress: SinkProgress | undefined;
}

/** Why a thread is being ended, and through which of its loops. */
interface Ending {
  readonly reason: string;
  readonly culprits: ReadonlySet<number>;
}

/** One task thread, seen from the main thread. */
export class TaskThread {
  readonly #worker: ThreadWorker;
  readonly #lines = newLineCount();
  readonly #loops = new Map<number, HeldLoop>();
  readonly #exited: Promise<void>;
  #lastLoop = 0;
  #failure: Error | undefined;
  #ending: Ending | undefined;
  #isClosing = false;
  #hasExited = false;

  constructor(private readonly options: TaskThreadOptions) {
    this.#worker = options.start(this.#lines);
    this.#worker.on('message', (message) => {
      this.#receive(message);
    });
    this.#worker.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#hasExited = true;
        this.#noteExit(code);
        resolve();
      });
    });
  }

  /** The tasks whose loops run here. */
  get tasks(): readonly DesiredTask[] {
    return [...this.#loops.values()].map(({ task }) => task);
  }

  createLoop(task: DesiredTask): TaskLoop {
    this.#lastLoop += 1;
    const loop = this.#lastLoop;
    const proxy = new ThreadLoop({
      loop,
      send: (message) => {
        this.#send(message);
      },
      endThread: () => {
        this.end({ reason: `task ${task.id.connector}-${task.id.index} did not stop`, culprits: new Set([loop]) });
      },
    });
    this.#loops.set(loop, { loop: proxy, task, progress: this.options.services.progressOf(task) });
    this.#send({ kind: 'create', loop, task });
    return proxy;
  }

  /** Ends the thread at once. Its loops are lost when it is gone. */
  end(ending: Ending): void {
    this.#ending ??= ending;
    void this.#worker.terminate();
  }

  /** Lets the thread close what it has open; ends it where that takes longer than `limit`. */
  async close(limit: Promise<void>): Promise<void> {
    this.#isClosing = true;
    this.#send({ kind: 'close' });
    await Promise.race([this.#exited, limit]);
    if (this.#hasExited) return;
    this.options.services.loggerOf('tasks').warn(`Thread ${this.options.name} does not close and is ended`);
    await this.#worker.terminate();
    await this.#exited;
  }

  #send(message: ToThread): void {
    if (!this.#hasExited) this.#worker.postMessage(message);
  }

  #receive(message: FromThread): void {
    const { services } = this.options;
    switch (message.kind) {
      case 'started':
      case 'completed':
      case 'start-failed':
      case 'still':
        this.#loops.get(message.loop)?.loop.take(message);
        return;
      case 'ended': {
        const held = this.#loops.get(message.loop);
        this.#loops.delete(message.loop);
        held?.loop.take(message);
        return;
      }
      case 'shown':
        for (const view of message.loops) this.#loops.get(view.loop)?.loop.show(view);
        return;
      case 'asked':
        void this.#answer(message.question, message.what);
        return;
      case 'logged':
        noteArrival(this.#lines);
        services.loggerOf(message.scope)[message.level](message.text);
        return;
      case 'reconfigure':
        services.requestTaskReconfiguration(message.connector);
        return;
      case 'opened':
        this.#loops.get(message.loop)?.progress?.opened(message.queue, message.from);
        return;
      case 'committed':
        this.#loops.get(message.loop)?.progress?.committed(message.group, message.positions, message.resets);
        return;
    }
  }

  async #answer(question: number, what: Question): Promise<void> {
    let answer: Answer;
    try {
      answer = { value: await this.#find(what) };
    } catch (error) {
      answer = { error: copyError(error) };
    }
    this.#send({ kind: 'answered', question, answer });
  }

  #find(what: Question): Promise<unknown> {
    const { positions, credentialsOf } = this.options.services;
    switch (what.kind) {
      case 'open':
        return positions.open(what.task);
      case 'refresh':
        return positions.refresh(what.task, what.beforeMs);
      case 'credentials':
        return credentialsOf(what.of);
    }
  }

  /** Nothing of the thread runs any more. */
  #noteExit(code: number): void {
    const { name, services, onEnd } = this.options;
    const lost = [...this.#loops];
    // What one connector threw may name secrets of its own, and is shown for all.
    const trace = this.#failure && this.options.describeFailure(this.#failure, this.tasks);
    this.#loops.clear();
    const reason = this.#ending?.reason ?? this.#reasonOf(code, trace);
    if (lost.length > 0 || !this.#isClosing) {
      services.loggerOf('tasks').error(`Thread ${name} with ${lost.length} task(s) has ended: ${reason}`);
    }
    // Without a hint each of them may have done it.
    const culprits = this.#ending?.culprits ?? new Set(lost.map(([loop]) => loop));
    // A task that restarts finds this thread gone.
    onEnd();
    for (const [number, { loop }] of lost) {
      loop.lose(new ThreadEndedError({ reason, isCulprit: culprits.has(number), cause: trace }));
    }
  }

  #reasonOf(code: number, trace: string | undefined): string {
    if (trace === undefined) return `it left with exit code ${code}`;
    const { memoryMb } = this.options;
    if ((this.#failure as NodeJS.ErrnoException | undefined)?.code !== 'ERR_WORKER_OUT_OF_MEMORY') {
      return `nobody caught an error: ${trace.split('\n', 1)[0] ?? ''}`;
    }
    return memoryMb === undefined
      ? "it passed Node's own limit of memory; task.thread.memory.mb sets another"
      : `it passed its memory limit, task.thread.memory.mb = ${memoryMb}`;
  }
}
