import type { InstanceReport, TaskWait, TaskWarning } from '@sluice/core';
import { type LoopEnd, newTaskCounters, restoreError, type TaskCounters, type TaskLoop } from '@sluice/runtime';
import type { FromThread, LoopEndCopy, LoopView, ToThread } from './thread-messages.js';

export interface ThreadLoopOptions {
  readonly loop: number;
  readonly send: (message: ToThread) => void;
  /** Ends the whole thread, because of this loop. */
  readonly endThread: () => void;
}

/** What a thread says of one of its loops. */
export type LoopNews = Extract<
  FromThread,
  { readonly kind: 'started' | 'completed' | 'start-failed' | 'failed' | 'outdated' | 'still' | 'ended' }
>;

/** The loop of a task that runs in a thread: forwards commands and shows what the thread has reported of it last. */
export class ThreadLoop implements TaskLoop {
  readonly counters: TaskCounters = newTaskCounters();
  readonly warnings: { list: readonly TaskWarning[] } = { list: [] };
  readonly waits: { list: readonly TaskWait[] } = { list: [] };
  instance: InstanceReport | undefined;
  readonly ended: Promise<LoopEnd>;
  readonly failed: Promise<unknown>;
  #end: (end: LoopEnd) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  readonly outdated: Promise<void>;
  #noteOutdated: () => void = () => undefined;
  readonly #started: Promise<void>;
  #noteStarted: () => void = () => undefined;
  #noteNotStarted: (error: unknown) => void = () => undefined;
  #onCompleted: () => void = () => undefined;
  #onStill: (() => void) | undefined;
  #pauses = 0;

  constructor(private readonly options: ThreadLoopOptions) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.outdated = new Promise((resolve) => {
      this.#noteOutdated = resolve;
    });
    this.#started = new Promise((resolve, reject) => {
      this.#noteStarted = resolve;
      this.#noteNotStarted = reject;
    });
    // Whoever starts the loop hears of it; a loop that nobody starts may be lost too.
    this.#started.catch(() => undefined);
  }

  start(onCompleted: () => void = () => undefined): Promise<void> {
    this.#onCompleted = onCompleted;
    this.#send('start');
    return this.#started;
  }

  stop(): Promise<LoopEnd> {
    this.#send('stop');
    return this.ended;
  }

  kill(): void {
    this.#send('kill');
  }

  endThread(): void {
    this.options.endThread();
  }

  pause(onStill: () => void): void {
    this.#pauses += 1;
    this.#onStill = onStill;
    this.options.send({ kind: 'pause', loop: this.options.loop, pause: this.#pauses });
  }

  resume(): void {
    this.#onStill = undefined;
    this.#send('resume');
  }

  /** Takes what the thread says of the loop. */
  take(news: LoopNews): void {
    switch (news.kind) {
      case 'started':
        this.#noteStarted();
        return;
      case 'completed':
        this.#onCompleted();
        return;
      case 'start-failed':
        this.#noteNotStarted(restoreError(news.error));
        return;
      case 'failed':
        this.#fail(restoreError(news.error));
        return;
      case 'outdated':
        this.#noteOutdated();
        return;
      case 'still':
        // One that was resumed meanwhile moves again.
        if (news.pause === this.#pauses) this.#onStill?.();
        return;
      case 'ended': {
        const end = restoredEnd(news.end);
        // The end of a loop that could not start comes before the word of its start, and is the last that is heard of it.
        this.#noteNotStarted(end.kind === 'failed' ? end.error : new Error('The task was stopped before it had started'));
        this.instance = undefined;
        this.#end(end);
        return;
      }
    }
  }

  show({ counters, warnings, waits, instance }: LoopView): void {
    if (counters !== undefined) Object.assign(this.counters, counters);
    if (warnings !== undefined) this.warnings.list = warnings;
    if (waits !== undefined) this.waits.list = waits;
    if (instance !== undefined) this.instance = instance;
  }

  /** Shows what keeps the loop from its end. The thread itself shows nothing any more. */
  showWait(wait: TaskWait): void {
    this.waits.list = [wait];
  }

  /** Notes that the thread has ended before the loop did. */
  lose(error: Error): void {
    this.waits.list = [];
    this.instance = undefined;
    this.#noteNotStarted(error);
    this.#end({ kind: 'failed', error, clean: false });
  }

  #send(kind: 'start' | 'stop' | 'kill' | 'resume'): void {
    this.options.send({ kind, loop: this.options.loop });
  }
}

function restoredEnd(end: LoopEndCopy): LoopEnd {
  return end.kind === 'stopped' ? end : { ...end, error: restoreError(end.error) };
}
