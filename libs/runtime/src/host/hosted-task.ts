import { backoffMs } from '@sluice/time';
import { taskKey, type Config, type DesiredTask, type RestartInfo, type RunState, type TaskError, type TaskReport } from '@sluice/core';
import { ConnectErrorCode, isConnectError, type TaskLogger } from '@sluice/sdk';
import { taskSupervision, type TaskSupervision } from '../config/task-supervision.js';
import type { Clock } from '../ports/clock.port.js';
import { decideRestart, type RestartHistory } from '../retry/restart-policy.js';
import type { ResolvedTask } from '../secrets/resolved-task.js';
import { isSuperseded } from '../task/superseded-error.js';
import type { TaskLoop } from './task-loop.js';
import { ThreadEndedError } from './thread-ended-error.js';

export interface HostedTaskOptions {
  /** Resolves the references of its settings, before each start. Rejects when one has no value. */
  readonly resolve: (task: DesiredTask, signal: AbortSignal) => Promise<ResolvedTask>;
  /** Makes the loop of a task; throws when its settings are wrong. */
  readonly createLoop: (task: ResolvedTask) => TaskLoop;
  /** Version of the connector that its loop would run now. */
  readonly versionOf?: (task: DesiredTask) => string | undefined;
  /**
   * Returns a function for the text of an error with its causes, without the secrets of the task's settings. Each loop has its own: the versions of
   * plugins that the next one takes may name secrets otherwise. The function does not throw.
   */
  readonly describerOf: (task: ResolvedTask) => (error: unknown) => string;
  /** Asks that the task be revoked and assigned again. Rejects when nobody took the request. */
  readonly requestNewGeneration: (task: DesiredTask, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly logger: TaskLogger;
  /** Called after every change of a task's state. */
  readonly onChange: () => void;
  /** Called when a task has failed and its loop has not ended yet: see `TaskLoop.failed`. */
  readonly onFailed: (task: HostedTask, ended: Promise<unknown>) => void;
}

/** Tasks of a node that restart for the same reason do so within this time. */
const SPREAD_MS = 1000;

interface Failure {
  readonly error: unknown;
  readonly ranMs: number;
  /** Something that it sent may still arrive: only a new generation keeps that from counting. */
  readonly isUnsettled: boolean;
}

/**
 * Runs one task of a node, from its assignment to its end. A task that fails restarts as its settings say, with its generation. A source with
 * unsettled sends gets a new one: a send that arrives late must not take effect beside those of the restarted loop. So does every task whose thread
 * has ended.
 */
export class HostedTask {
  readonly key: string;
  /** Resolves when nothing of the task runs any more. */
  readonly done: Promise<void>;
  /** Resolves when the first attempt to start it is over, however it went. */
  readonly tried: Promise<void>;
  #noteTried: () => void = () => undefined;
  readonly #supervision: TaskSupervision;
  #state: RunState = 'RESTARTING';
  #since: number;
  #trace: string | undefined;
  #lastError: TaskError | undefined;
  /** When its loop began to run; `undefined` while it starts or waits for a restart. */
  #ranFrom: { readonly monotonicMs: number; readonly at: number } | undefined;
  #isStarting = false;
  /** What it failed with, and after how long, while its loop has not ended. */
  #failure: Pick<Failure, 'error' | 'ranMs'> | undefined;
  /** When it had no more data; `undefined` while there may be more. */
  #completedAt: number | undefined;
  #restart: RestartInfo | undefined;
  #attempts: number;
  #history: RestartHistory | undefined;
  #isPaused: boolean;
  /** It is paused, and what it had taken before is written. */
  #isStill = false;
  #loop: TaskLoop | undefined;
  /** Of the loop's connector. */
  #version: string | undefined;
  /** Describes the errors of the loop. */
  #describeError: ((error: unknown) => string) | undefined;
  readonly #stopping = new AbortController();
  /** A request for a new generation that is under way or was taken: one is enough. */
  #renewal: Promise<void> | undefined;

  constructor(
    readonly task: DesiredTask,
    private readonly options: HostedTaskOptions,
    /** Left by the generation before, when that asked for this one. */
    before?: RestartHistory,
  ) {
    this.key = taskKey(task.id);
    this.#supervision = taskSupervision(task.config);
    this.#since = options.clock.wallMs();
    this.#isPaused = task.paused;
    this.#attempts = before?.attempts ?? 0;
    this.#lastError = before?.lastError;
    this.tried = new Promise((resolve) => {
      this.#noteTried = resolve;
    });
    this.done = this.#run().finally(this.#noteTried);
  }

  get generation(): number {
    return this.task.generation;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** The settings that the connector's instance runs with; `undefined` where there is none. */
  get instanceConfig(): Config | undefined {
    return this.#loop?.instance === undefined ? undefined : this.task.connectorConfig;
  }

  /** Set once the task has asked for a new generation. */
  get restartHistory(): RestartHistory | undefined {
    return this.#history;
  }

  /** How long the task may take to stop by itself, in milliseconds. */
  get shutdownTimeoutMs(): number {
    return this.#supervision.shutdownTimeoutMs;
  }

  report(): TaskReport {
    const { task } = this;
    const loop = this.#loop;
    const warnings = loop?.warnings.list ?? [];
    const waits = loop?.waits.list ?? [];
    const [longest] = waits;
    // A sink whose start waits, as for a lock, did not fail: the wait says all.
    const waiting = this.#isStarting && task.type === 'sink' && this.#state === 'RESTARTING' ? longest : undefined;
    const state = waiting === undefined ? this.#state : 'RUNNING';
    const since = waiting?.since ?? this.#since;
    const trace = waiting === undefined ? this.#trace : undefined;
    const restart = waiting === undefined ? this.#restart : undefined;
    const lastError = this.#shownError();
    const completedAt = this.#completedAt;
    const instance = loop?.instance;
    return {
      id: task.id,
      generation: task.generation,
      state,
      ...(this.#version === undefined ? {} : { version: this.#version }),
      since,
      ...(completedAt === undefined ? {} : { completedAt }),
      ...(trace === undefined ? {} : { trace }),
      ...(lastError === undefined ? {} : { lastError }),
      ...(restart === undefined ? {} : { restart }),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...(waits.length === 0 ? {} : { waits }),
      committed: task.committed || (loop?.counters.positionWrites ?? 0) > 0,
      counters: { ...loop?.counters },
      ...(instance === undefined ? {} : { instance }),
    };
  }

  setPaused(paused: boolean): void {
    if (this.#isPaused === paused) return;
    this.#isPaused = paused;
    this.#isStill = false;
    if (paused) this.#pauseLoop();
    else this.#loop?.resume();
    if (this.#state === 'RUNNING' || this.#state === 'PAUSED') this.#change('RUNNING');
    else this.options.onChange();
  }

  /** Asks once for a new generation, until that is taken. */
  renew(): Promise<void> {
    return (this.#renewal ??= this.#askForNewGeneration());
  }

  stop(): void {
    if (this.isStopping) return;
    this.#stopping.abort(new Error('The task was asked to stop'));
    if (this.#state !== 'FAILED') this.#change('STOPPING');
    void this.#loop?.stop();
  }

  /** Gives up at once: nothing more is written. */
  kill(): void {
    this.#loop?.kill();
  }

  /** Ends the task's thread, and with it the task. Returns `false` where it has none of its own. */
  endThread(): boolean {
    if (this.#loop?.endThread === undefined) return false;
    this.#loop.endThread();
    return true;
  }

  async #run(): Promise<void> {
    const { clock } = this.options;
    const { signal } = this.#stopping;
    // The one who starts the task knows it before the first change is reported.
    await Promise.resolve();
    while (!signal.aborted) {
      const failure = await this.#runOnce();
      if (failure === undefined || this.isStopping) return;
      const { error } = failure;
      if (error instanceof ThreadEndedError && !error.isCulprit) {
        this.#noteSuccession(error, true);
        await this.#waitForNewGeneration();
        return;
      }
      if (isSuperseded(error)) {
        const isSource = this.task.type === 'source';
        this.#noteSuccession(error, isSource);
        if (isSource) {
          await this.#waitForNewGeneration();
          return;
        }
        // All sinks of the node do the same now.
        await clock.sleep(clock.random() * SPREAD_MS, signal).catch(() => undefined);
        continue;
      }
      const delayMs = this.#noteFailure(failure);
      if (delayMs === undefined) return;
      await clock.sleep(delayMs, signal).catch(() => undefined);
      if (failure.isUnsettled) {
        await this.#waitForNewGeneration();
        return;
      }
    }
  }

  /** Resolves when the loop has ended; with the reason if that was a failure. */
  async #runOnce(): Promise<Failure | undefined> {
    const { resolve, createLoop, versionOf, describerOf, clock } = this.options;
    let startedMs: number | undefined;
    try {
      this.#describeError = describerOf(this.task);
      this.#version = versionOf?.(this.task);
      const task = await resolve(this.task, this.#stopping.signal);
      this.#stopping.signal.throwIfAborted();
      this.#describeError = describerOf(task);
      const loop = (this.#loop = createLoop(task));
      void loop.failed?.then(this.#noteFailed.bind(this, loop));
      void loop.outdated?.then(this.renew.bind(this));
      this.#isStill = false;
      if (this.#isPaused) this.#pauseLoop();
      this.#isStarting = true;
      await loop.start(() => {
        this.#completedAt = clock.wallMs();
        this.options.onChange();
      });
      this.#isStarting = false;
      startedMs = clock.nowMs();
      if (this.#failure === undefined) {
        this.#ranFrom = { monotonicMs: startedMs, at: clock.wallMs() };
        if (!this.isStopping) this.#noteRunning();
      }
      this.#noteTried();
      const end = await loop.ended;
      if (end.kind === 'stopped') return undefined;
      if (this.isStopping) this.#warn(`failed while it stopped: ${this.#describe(end.error).trace}`);
      const isUnsettled = end.error instanceof ThreadEndedError || (this.task.type === 'source' && !end.clean);
      return { error: end.error, ranMs: clock.nowMs() - startedMs, ...this.#failure, isUnsettled };
    } catch (error) {
      this.#noteTried();
      return { error, ranMs: 0, ...this.#failure, isUnsettled: error instanceof ThreadEndedError };
    } finally {
      this.#failure = undefined;
      this.#isStarting = false;
      this.#ranFrom = undefined;
      this.#completedAt = undefined;
    }
  }

  /** The last error, as resolved once the task has run for so long that its next failure begins a new row. */
  #shownError(): TaskError | undefined {
    const [lastError, ranFrom] = [this.#lastError, this.#ranFrom];
    if (lastError === undefined || ranFrom === undefined) return lastError;
    const isSound = this.options.clock.nowMs() - ranFrom.monotonicMs >= this.#supervision.restart.backoff.maxMs;
    return isSound ? { ...lastError, resolvedAt: ranFrom.at } : lastError;
  }

  #noteRunning(): void {
    this.#trace = undefined;
    this.#restart = undefined;
    this.#change(this.#isStill ? 'PAUSED' : 'RUNNING');
  }

  /** Shows the failure at once: what follows is decided when the loop has ended, which takes as long as the instance of the connector. */
  #noteFailed(loop: TaskLoop, error: unknown): void {
    if (this.isStopping) return;
    const { clock, onFailed } = this.options;
    const { trace, message } = this.#describe(error);
    this.#failure = { error, ranMs: this.#ranFrom === undefined ? 0 : clock.nowMs() - this.#ranFrom.monotonicMs };
    this.#trace = trace;
    this.#lastError = { at: clock.wallMs(), message };
    this.#isStarting = false;
    this.#ranFrom = undefined;
    this.#completedAt = undefined;
    this.#warn(`failed, and waits for the instance of its connector to stop: ${message}`);
    this.#noteTried();
    this.#change('RESTARTING');
    onFailed(this, loop.ended);
  }

  #pauseLoop(): void {
    this.#loop?.pause(() => {
      this.#isStill = true;
      if (this.#state === 'RUNNING') this.#change('PAUSED');
    });
  }

  /** Notes a restart that the restart policy does not count: the task itself did not fail. */
  #noteSuccession({ message }: Error, isShown: boolean): void {
    const { clock, logger } = this.options;
    const text = `Task ${this.key} restarts. ${message}`;
    if (isShown) {
      this.#lastError = { at: clock.wallMs(), message };
      logger.warn(text);
    } else logger.info(text);
    this.#restart = undefined;
    this.#change('RESTARTING');
  }

  /** Returns the delay before the restart; `undefined` when there will be none. */
  #noteFailure({ error, ranMs }: Failure): number | undefined {
    const { clock, logger } = this.options;
    const { trace, message } = this.#describe(error);
    const at = clock.wallMs();
    this.#trace = trace;
    this.#lastError = { at, message };
    const { restart: policy } = this.#supervision;
    const decision = decideRestart(policy, { error, ranMs, attempts: this.#attempts }, clock.random());
    if (decision.kind !== 'restart') {
      this.#restart = undefined;
      const why = decision.kind === 'final' ? '' : ` for good after ${this.#attempts} restart(s)`;
      logger.error(`Task ${this.key} failed${why}: ${this.#shown(error, trace)}`);
      this.#change('FAILED');
      return undefined;
    }
    const { attempt, delayMs } = decision;
    this.#attempts = attempt;
    const { maxAttempts } = policy;
    this.#restart = { attempt, at: at + Math.round(delayMs), ...(maxAttempts === undefined ? {} : { maxAttempts }) };
    this.#warn(`failed and restarts in ${delayMs.toFixed(0)} ms (restart ${attempt}): ${this.#shown(error, trace)}`);
    this.#change('RESTARTING');
    return delayMs;
  }

  /** Asks until it is taken; what follows is that the task is stopped here. */
  async #waitForNewGeneration(): Promise<void> {
    if (this.#lastError === undefined || this.isStopping) return;
    this.#history = { attempts: this.#attempts, lastError: this.#lastError };
    await this.renew();
  }

  async #askForNewGeneration(): Promise<void> {
    const { clock, requestNewGeneration } = this.options;
    const { signal } = this.#stopping;
    const { backoff } = this.#supervision.restart;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await requestNewGeneration(this.task, signal);
        return;
      } catch (error) {
        if (this.isStopping) return;
        const waitMs = backoffMs(attempt, backoff, clock.random());
        this.#warn(`gets no new generation yet and asks again in ${waitMs.toFixed(0)} ms: ${String(error)}`);
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }

  /** Shortens what operators can fix, such as a missing folder, to one line; its trace goes to the debug log. */
  #shown(error: unknown, trace: string): string {
    if (!isConnectError(error) || error.code === ConnectErrorCode.internal) return trace;
    this.options.logger.debug(`Task ${this.key}: ${trace}`);
    return trace.split(/\n\s+at /, 1)[0] ?? trace;
  }

  #describe(error: unknown): { readonly trace: string; readonly message: string } {
    const describe = (this.#describeError ??= this.options.describerOf(this.task));
    const trace = describe(error);
    return { trace, message: trace.split('\n', 1)[0] ?? '' };
  }

  #warn(text: string): void {
    this.options.logger.warn(`Task ${this.key} ${text}`);
  }

  /** Reports every change, also of one error to the next. */
  #change(state: RunState): void {
    if (this.#state !== state) {
      this.#state = state;
      this.#since = this.options.clock.wallMs();
    }
    this.options.onChange();
  }
}
