import type { DesiredTask, InstanceReport, TaskWait, TaskWarning } from '@sluice/core';
import type { TaskLogger } from '@sluice/sdk';
import { errorTrace } from '../task/error-text.js';
import { TaskHost } from '../host/task-host.js';
import type { TaskLoop } from '../host/task-loop.js';
import { newTaskCounters } from '../ports/task-counters.port.js';
import type { LoopEnd } from '../task/loop-end.js';
import { ManualClock } from './manual-clock.js';

const silent: TaskLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
/** A source that restarts twice. */
export const restartingTask: DesiredTask = {
  id: { connector: 'c', index: 0 },
  generation: 7,
  type: 'source',
  config: {
    'restart.max.attempts': '2',
    'restart.backoff.initial.ms': '1000',
    'restart.backoff.max.ms': '60000',
    'task.shutdown.timeout.ms': '3000',
  },
  paused: false,
  committed: false,
};

/** A loop that starts, ends and hangs as asked. */
export class ScriptedLoop implements TaskLoop {
  readonly counters = newTaskCounters();
  readonly warnings: { list: readonly TaskWarning[] } = { list: [] };
  readonly waits: { list: readonly TaskWait[] } = { list: [] };
  instance: InstanceReport | undefined;
  readonly calls: string[] = [];
  onStill: () => void = () => undefined;
  complete: () => void = () => undefined;
  readonly ended: Promise<LoopEnd>;
  end: (end: LoopEnd) => void = () => undefined;
  readonly outdated: Promise<void>;
  noteOutdated: () => void = () => undefined;
  readonly failed: Promise<unknown>;
  /** Has it fail, without an end yet. */
  fail: (error: unknown) => void = () => undefined;

  constructor(
    private readonly startError?: Error,
    private readonly ignoresStop = false,
    private readonly ignoresKill = false,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    this.outdated = new Promise((resolve) => {
      this.noteOutdated = resolve;
    });
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  start(onCompleted: () => void): Promise<void> {
    this.calls.push('start');
    this.complete = onCompleted;
    return this.startError === undefined ? Promise.resolve() : Promise.reject(this.startError);
  }

  stop(): Promise<LoopEnd> {
    this.calls.push('stop');
    if (!this.ignoresStop) this.end({ kind: 'stopped', clean: true });
    return this.ended;
  }

  kill(): void {
    this.calls.push('kill');
    if (!this.ignoresKill) this.end({ kind: 'stopped', clean: false });
  }

  pause(onStill: () => void): void {
    this.calls.push('pause');
    this.onStill = onStill;
  }

  resume(): void {
    this.calls.push('resume');
  }
}

export interface HostWorld {
  readonly host: TaskHost;
  /** Of the connector that a loop would have; set it. Errors of that loop begin with it. */
  version: string | undefined;
  readonly clock: ManualClock;
  readonly states: string[];
  readonly stuck: string[];
  readonly logged: string[];
  /** Requests for a new generation; the test answers them. */
  readonly requests: { readonly resolve: () => void; readonly reject: (error: Error) => void }[];
}

/** Returns a host that is given these loops, one after the other. */
export function hostOf(...loops: ScriptedLoop[]): HostWorld {
  const clock = new ManualClock();
  const states: string[] = [];
  const stuck: string[] = [];
  const logged: string[] = [];
  const requests: HostWorld['requests'] = [];
  const left = [...loops];
  const host: TaskHost = new TaskHost({
    resolve: (task) => Promise.resolve(task),
    createLoop: () => {
      const loop = left.shift();
      if (loop === undefined) throw new Error('no loop left');
      return loop;
    },
    versionOf: () => world.version,
    describerOf: () => {
      const { version } = world;
      return (error) => (version === undefined ? errorTrace(error) : `${version}: ${errorTrace(error)}`);
    },
    requestNewGeneration: () =>
      new Promise((resolve, reject) => {
        requests.push({ resolve, reject });
      }),
    clock,
    logger: {
      ...silent,
      debug: (text) => logged.push(`debug ${text}`),
      warn: (text) => logged.push(`warn ${text}`),
      error: (text) => logged.push(`error ${text}`),
    },
    onChange: () => states.push(host.reports()[0]?.state ?? 'gone'),
    onStuck: ({ id }) => stuck.push(id.connector),
    killTimeoutMs: 1000,
  });
  const world: HostWorld = { host, version: undefined, clock, states, stuck, logged, requests };
  return world;
}
