import type { InstanceReport, TaskWait, TaskWarning } from '@sluice/core';
import {
  copyError,
  type LoopEnd,
  newTaskCounters,
  type PluginPackage,
  type ResolvedTask,
  restoreError,
  type TaskCounters,
  type TaskLoop,
} from '@sluice/runtime';
import type { FromThread, LoopView, Question, SharedMemory, ToThread } from './thread-messages.js';

/** How old the counters, warnings and waits may be that the main thread shows, in milliseconds. */
const SHOW_INTERVAL_MS = 250;

type ToCreate = Extract<ToThread, { readonly kind: 'create' }>;

export interface ThreadServerOptions {
  readonly send: (message: FromThread) => void;
  /** Makes the loop of a task; throws when its settings are wrong. */
  readonly createLoop: (task: ResolvedTask, loop: number, shared: SharedMemory) => TaskLoop;
  /** Loads plugin packages; what is wrong with one is no error of this. */
  readonly loadPackages: (packages: readonly PluginPackage[]) => Promise<void>;
  /** Called once the main thread wants the thread to end; its loops have ended or are given up. */
  readonly onClose: () => void;
}

interface Held {
  readonly loop: TaskLoop;
  /** What the main thread knows. */
  shown: {
    readonly counters: TaskCounters;
    readonly warnings: readonly TaskWarning[];
    readonly waits: readonly TaskWait[];
    readonly instance?: InstanceReport | undefined;
  };
}

/** Carries out in a task thread what the main thread commands, and reports what becomes of the loops. */
export class ThreadServer {
  readonly #loops = new Map<number, Held>();
  readonly #questions = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>();
  /** What is to be done with loops that wait for packages, in order; absent while none are loaded. */
  #held: ToThread[] | undefined;
  readonly #heldLoops = new Set<number>();
  #lastQuestion = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ThreadServerOptions) {}

  receive(message: ToThread): void {
    if (this.#held !== undefined && this.#waits(message)) {
      // A package may take long to load: a loop that waits for it must not keep its task from its end.
      if (message.kind === 'stop' || message.kind === 'kill') this.#drop(this.#held, message.loop);
      else this.#held.push(message);
      return;
    }
    switch (message.kind) {
      case 'create':
        this.#create(message);
        return;
      case 'start':
        void this.#start(message.loop);
        return;
      case 'stop':
        void this.#loops.get(message.loop)?.loop.stop();
        return;
      case 'kill':
        this.#loops.get(message.loop)?.loop.kill();
        return;
      case 'pause':
        this.#pause(message.loop, message.pause);
        return;
      case 'resume':
        this.#loops.get(message.loop)?.loop.resume();
        return;
      case 'answered': {
        const asked = this.#questions.get(message.question);
        this.#questions.delete(message.question);
        if ('error' in message.answer) asked?.reject(restoreError(message.answer.error));
        else asked?.resolve(message.answer.value);
        return;
      }
      case 'packages':
        void this.#load(message.packages);
        return;
      case 'close':
        this.#held?.splice(0);
        clearInterval(this.#timer);
        for (const { loop } of this.#loops.values()) loop.kill();
        this.options.onClose();
        return;
    }
  }

  /** Resolves with the main thread's answer, which has the type that belongs to the question. */
  ask(what: Question): Promise<unknown> {
    this.#lastQuestion += 1;
    const question = this.#lastQuestion;
    return new Promise((resolve, reject) => {
      this.#questions.set(question, { resolve, reject });
      this.options.send({ kind: 'asked', question, what });
    });
  }

  /** Reports what has changed of the loops. */
  show(): void {
    const loops = [...this.#loops].map(([loop, held]) => newsOf(loop, held)).filter((view) => view !== undefined);
    if (loops.length > 0) this.options.send({ kind: 'shown', loops });
  }

  /** Loops that exist are not delayed. */
  #waits(message: ToThread): boolean {
    if (message.kind === 'packages') return true;
    if (!('loop' in message)) return false;
    if (message.kind === 'create') this.#heldLoops.add(message.loop);
    return this.#heldLoops.has(message.loop);
  }

  /** Ends a loop that was never made. */
  #drop(held: ToThread[], number: number): void {
    this.#heldLoops.delete(number);
    this.#held = held.filter((message) => !('loop' in message) || message.loop !== number);
    this.options.send({ kind: 'ended', loop: number, end: { kind: 'stopped', clean: true } });
  }

  async #load(packages: readonly PluginPackage[]): Promise<void> {
    this.#held = [];
    await this.options.loadPackages(packages);
    const held = this.#held;
    this.#held = undefined;
    this.#heldLoops.clear();
    for (const message of held) this.receive(message);
  }

  #create({ loop: number, task, ...shared }: ToCreate): void {
    const { createLoop, send } = this.options;
    let loop: TaskLoop;
    try {
      loop = createLoop(task, number, shared);
    } catch (caught) {
      const error = copyError(caught);
      send({ kind: 'start-failed', loop: number, error });
      send({ kind: 'ended', loop: number, end: { kind: 'failed', error, clean: true } });
      return;
    }
    this.#loops.set(number, { loop, shown: { counters: newTaskCounters(), warnings: [], waits: [] } });
    this.#timer ??= setInterval(() => {
      this.show();
    }, SHOW_INTERVAL_MS);
    void loop.failed?.then((error) => {
      this.show();
      send({ kind: 'failed', loop: number, error: copyError(error) });
    });
    void loop.outdated?.then(() => {
      send({ kind: 'outdated', loop: number });
    });
    void loop.ended.then((end) => {
      this.show();
      this.#loops.delete(number);
      if (this.#loops.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
      send({ kind: 'ended', loop: number, end: copiedEnd(end) });
    });
  }

  async #start(number: number): Promise<void> {
    const held = this.#loops.get(number);
    if (held === undefined) return;
    try {
      await held.loop.start(() => {
        this.show();
        this.options.send({ kind: 'completed', loop: number });
      });
      this.show();
      this.options.send({ kind: 'started', loop: number });
    } catch (error) {
      this.options.send({ kind: 'start-failed', loop: number, error: copyError(error) });
    }
  }

  #pause(number: number, pause: number): void {
    this.#loops.get(number)?.loop.pause(() => {
      this.show();
      this.options.send({ kind: 'still', loop: number, pause });
    });
  }
}

function copiedEnd(end: LoopEnd): Extract<FromThread, { kind: 'ended' }>['end'] {
  return end.kind === 'stopped' ? end : { ...end, error: copyError(end.error) };
}

/** Returns what of a loop differs from what was reported before, and notes it as reported. */
function newsOf(number: number, held: Held): LoopView | undefined {
  const { loop, shown } = held;
  const counters = isSame(shown.counters, loop.counters) ? undefined : { ...loop.counters };
  const warnings = isSameList(shown.warnings, loop.warnings.list) ? undefined : loop.warnings.list;
  const waits = isSameList(shown.waits, loop.waits.list) ? undefined : loop.waits.list;
  // A keeper makes a new object for each change.
  const instance = shown.instance === loop.instance ? undefined : loop.instance;
  if (counters === undefined && warnings === undefined && waits === undefined && instance === undefined) return undefined;
  held.shown = {
    counters: counters ?? shown.counters,
    warnings: warnings ?? shown.warnings,
    waits: waits ?? shown.waits,
    instance: instance ?? shown.instance,
  };
  return {
    loop: number,
    ...(counters === undefined ? {} : { counters }),
    ...(warnings === undefined ? {} : { warnings }),
    ...(waits === undefined ? {} : { waits }),
    ...(instance === undefined ? {} : { instance }),
  };
}

function isSame(before: TaskCounters, now: TaskCounters): boolean {
  for (const name of Object.keys(now) as (keyof TaskCounters)[]) if (before[name] !== now[name]) return false;
  return true;
}

function isSameList(before: readonly unknown[], now: readonly unknown[]): boolean {
  return before.length === now.length && before.every((each, index) => each === now[index]);
}
