import type { Worker } from 'node:worker_threads';
import { pause } from '@sluice/time';
import { taskKey, type DesiredTask } from '@sluice/core';
import {
  type CallBoard,
  copyError,
  errorTrace,
  sharedNowMs,
  type PluginPackage,
  type ResolvedTask,
  type SharedRate,
  ThreadEndedError,
  type PositionStore,
  type TaskLoop,
} from '@sluice/runtime';
import type { Credentials } from '@sluice/rocketmq';
import type { LogScope, ScopedLogger } from '@sluice/node';
import type { SinkProgress } from '../metrics/sink-progress.js';
import { newTaskBoards, type TaskBoards } from '../metrics/task-meter.js';
import { newSpanCount, noteSpans, type ThreadSpans } from '../traces/span-relay.js';
import { newLineCount, noteArrival } from './log-relay.js';
import type { ThreadData } from './thread-data.js';
import { ThreadLoop } from './thread-loop.js';
import type { Answer, ClusterName, FromThread, Question, ToThread } from './thread-messages.js';
import { newPulse, readPulse } from './thread-pulse.js';
import { crashVerdict, type LoopActivity, StallWatch, stallVerdict, timeoutVerdict, type ThreadVerdict } from './thread-verdict.js';

/** What the main thread does for its task threads. */
export interface ThreadServices {
  readonly positions: Pick<PositionStore, 'open' | 'refresh'>;
  readonly credentialsOf: (cluster: ClusterName) => Promise<Credentials>;
  readonly loggerOf: (scope: LogScope) => ScopedLogger;
  readonly requestTaskReconfiguration: (connector: string) => void;
  readonly agreedPairs: (connector: string) => Promise<ReadonlyMap<string, string>>;
  /** What the task shares with those of its connector, also in other threads. */
  readonly rateOf: (task: DesiredTask) => SharedRate;
  /** Takes what a thread has traced; absent where none traces. */
  readonly traced?: ((traced: ThreadSpans) => void) | undefined;
  /** Keeps how far a loop has read and committed; `undefined` for loops that do neither. */
  readonly progressOf: (task: ResolvedTask) => SinkProgress | undefined;
}

/** What a {@link TaskThread} needs of a worker thread. */
export interface ThreadWorker extends Pick<Worker, 'terminate' | 'performance'> {
  postMessage(message: ToThread): void;
  on(event: 'message', listener: (message: FromThread) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
}

/** Memory that a thread and the main thread share. */
export type ThreadMemory = Pick<ThreadData, 'lines' | 'pulse' | 'spans'>;

/** How long a thread, or a call in it, may take; in milliseconds. */
export interface ThreadLimits {
  /** CPU time without a turn of the event loop. */
  readonly stallMs: number;
  readonly callTimeoutMs: number;
  /** From its end on, until it is gone. */
  readonly endMs: number;
}

export interface TaskThreadOptions {
  /** Shown in the log and in errors. */
  readonly name: string;
  readonly start: (memory: ThreadMemory) => ThreadWorker;
  /** What the heap of the thread may hold, in MB; `undefined` for what Node allows. */
  readonly memoryMb: number | undefined;
  readonly services: ThreadServices;
  /** Returns a function for the text of an error with its causes, without the secrets of a task that is created now. It does not throw. */
  readonly describerOf: (task: ResolvedTask) => (error: unknown) => string;
  /** Called when nothing of the thread runs any more, with the tasks that are known to be the cause. */
  readonly onEnd: (culprits: readonly DesiredTask[]) => void;
  /** Called when the thread does not end: only the end of the process, by a signal, ends it. */
  readonly onStuck: (message: string) => void;
}

interface HeldLoop {
  readonly loop: ThreadLoop;
  readonly task: DesiredTask;
  readonly board: CallBoard;
  readonly progress: SinkProgress | undefined;
}

/** Of tasks that ran in a thread, those whose secrets are known. */
const MAX_SERVED = 1_000;

/** One task thread, seen from the main thread. */
export class TaskThread {
  readonly #worker: ThreadWorker;
  readonly #lines = newLineCount();
  readonly #pulse = newPulse();
  readonly #spans = newSpanCount();
  readonly #stalls = new StallWatch();
  readonly #loops = new Map<number, HeldLoop>();
  readonly #exited: Promise<void>;
  /** Describe errors without the secrets of the tasks that ran here: one that nobody catches may come from what one of them has left behind. */
  readonly #describers = new Map<string, (error: unknown) => string>();
  #hasForgotten = false;
  #lastLoop = 0;
  #failure: Error | undefined;
  #ending: ThreadVerdict | undefined;
  /** When it was ended, by {@link sharedNowMs}. */
  #endedMs = 0;
  #isStuck = false;
  #isClosing = false;
  #hasExited = false;

  constructor(private readonly options: TaskThreadOptions) {
    this.#worker = options.start({ lines: this.#lines, pulse: this.#pulse, spans: this.#spans });
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

  /** The thread is being ended: what is started in it is lost. */
  get isEnding(): boolean {
    return this.#ending !== undefined || this.#hasExited;
  }

  /** @param boards where the thread shows the calls of the task, and what it measures */
  createLoop(task: ResolvedTask, { calls, figures }: TaskBoards = newTaskBoards()): TaskLoop {
    this.#noteServed(task);
    this.#lastLoop += 1;
    const loop = this.#lastLoop;
    const proxy = new ThreadLoop({
      loop,
      send: (message) => {
        this.#send(message);
      },
      endThread: () => {
        this.end({ reason: `task ${taskKey(task.id)} did not stop`, culprits: new Set([loop]), isKnown: true });
      },
    });
    this.#loops.set(loop, { loop: proxy, task, board: calls, progress: this.options.services.progressOf(task) });
    const rate = this.options.services.rateOf(task).memory;
    this.#send({ kind: 'create', loop, task, calls: calls.memory, figures: figures.memory, rate });
    return proxy;
  }

  /** Has the thread load plugin packages before the loops that are created from now on. */
  loadPackages(packages: readonly PluginPackage[]): void {
    this.#send({ kind: 'packages', packages });
  }

  /** Ends the thread at once. Its loops are lost when it is gone. */
  end(why: ThreadVerdict): void {
    if (this.#ending === undefined) {
      this.#ending = why;
      this.#endedMs = sharedNowMs();
    }
    void this.#worker.terminate();
  }

  /** Ends the thread where it does not return to its event loop, or a call in it takes too long. Reports one that was ended and is still there. */
  check({ stallMs, callTimeoutMs, endMs }: ThreadLimits): void {
    if (this.#hasExited) return;
    const nowMs = sharedNowMs();
    if (this.#ending !== undefined) {
      if (nowMs - this.#endedMs >= endMs) this.#reportStuck();
      return;
    }
    const cpuMs = this.#stalls.next(readPulse(this.#pulse, this.#worker));
    const verdict =
      cpuMs >= stallMs ? stallVerdict(this.#activities(), cpuMs, stallMs, nowMs) : timeoutVerdict(this.#activities(), callTimeoutMs, nowMs);
    if (verdict !== undefined) this.end(verdict);
  }

  /** Lets the thread close what it has open; ends it where that takes longer than `limitMs`, and reports it where its end does too. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true;
    this.#send({ kind: 'close' });
    if (await this.#exitsWithin(limitMs)) return;
    this.options.services.loggerOf('tasks').warn(`Thread ${this.options.name} does not close and is ended`);
    this.end({ reason: 'it did not close', culprits: new Set(), isKnown: false });
    if (!(await this.#exitsWithin(limitMs))) this.#reportStuck();
  }

  async #exitsWithin(limitMs: number): Promise<boolean> {
    const over = new AbortController();
    const limit = pause(limitMs, over.signal);
    await Promise.race([this.#exited, limit]);
    over.abort();
    await limit;
    return this.#hasExited;
  }

  /** Reports once that native code keeps the thread, which no order reaches: nobody knows what its tasks do. */
  #reportStuck(): void {
    if (this.#isStuck) return;
    this.#isStuck = true;
    const { name, services, onStuck } = this.options;
    const forMs = sharedNowMs() - this.#endedMs;
    const reason = this.#ending?.reason ?? '';
    const message = `Thread ${name} with ${this.#loops.size} task(s) does not end, ${forMs} ms after its end was ordered because ${reason}`;
    services.loggerOf('tasks').error(message);
    const wait = { call: 'ending the thread', error: `${message}. The runner ends its process`, since: Date.now() - forMs };
    for (const { loop } of this.#loops.values()) loop.showWait(wait);
    onStuck(`${message}. Native code keeps it: only the end of the process stops its tasks for certain`);
  }

  #activities(): readonly LoopActivity[] {
    return [...this.#loops].map(([loop, { task, board }]) => ({ loop, key: taskKey(task.id), ongoing: board.ongoing }));
  }

  #noteServed(task: ResolvedTask): void {
    const version = task.config['connector.plugin.version'] ?? '';
    this.#describers.set(`${taskKey(task.id)}@${task.generation} ${version}`, this.options.describerOf(task));
    const [oldest] = this.#describers.keys();
    if (this.#describers.size <= MAX_SERVED || oldest === undefined) return;
    this.#describers.delete(oldest);
    this.#hasForgotten = true;
  }

  /** The text of an error that nobody caught, without the secrets of any task that ran here. */
  #traceOf(failure: Error): string {
    if (this.#hasForgotten) return `${failure.name}, whose text may name secrets of tasks that ran here long ago`;
    const text = [...this.#describers.values()].reduce<unknown>((error, describe) => describe(error), failure);
    return typeof text === 'string' ? text : errorTrace(text);
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
      case 'failed':
      case 'outdated':
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
      case 'traced':
        noteSpans(this.#spans, message.traced);
        services.traced?.(message.traced);
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
    const { positions, credentialsOf, agreedPairs } = this.options.services;
    switch (what.kind) {
      case 'open':
        return positions.open(what.task);
      case 'refresh':
        return positions.refresh(what.task, what.beforeMs);
      case 'credentials':
        return credentialsOf(what.of);
      case 'pairs':
        return agreedPairs(what.connector);
    }
  }

  /** Nothing of the thread runs any more. */
  #noteExit(code: number): void {
    const { name, services, onEnd } = this.options;
    const lost = [...this.#loops];
    // What one connector threw may name secrets of its own, and is shown for all.
    const trace = this.#failure && this.#traceOf(this.#failure);
    const { reason, culprits, isKnown } = this.#ending ?? crashVerdict(this.#activities(), this.#reasonOf(code, trace));
    this.#loops.clear();
    if (lost.length > 0 || !this.#isClosing) {
      services.loggerOf('tasks').error(`Thread ${name} with ${lost.length} task(s) has ended: ${reason}`);
    }
    // A task that restarts finds this thread gone.
    onEnd(isKnown ? lost.filter(([loop]) => culprits.has(loop)).map(([, { task }]) => task) : []);
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
