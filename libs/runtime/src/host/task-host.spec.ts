import { describe, expect, it } from '@jest/globals';
import { RetriableError, type TaskLogger } from '@sluice/sdk';
import type { LoopEnd } from '../loop-end.js';
import { newTaskCounters } from '../ports/task-counters.port.js';
import { ManualClock } from '../spec-support/manual-clock.js';
import { TaskHost, type AssignedTask } from './task-host.js';
import type { TaskLoop } from './task-loop.js';

const silent: TaskLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const task: AssignedTask = {
  id: { connector: 'c', index: 0 },
  generation: 7,
  type: 'source',
  config: {},
  paused: false,
  committed: false,
};

/** A loop that starts, ends and hangs as told. */
class ScriptedLoop implements TaskLoop {
  readonly counters = newTaskCounters();
  readonly calls: string[] = [];
  readonly ended: Promise<LoopEnd>;
  end: (end: LoopEnd) => void = () => undefined;

  constructor(
    private readonly startError?: Error,
    private readonly ignoresStop = false,
    private readonly ignoresKill = false,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  start(): Promise<void> {
    this.calls.push('start');
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

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }
}

function hostOf(...loops: ScriptedLoop[]): {
  host: TaskHost;
  clock: ManualClock;
  states: () => string[];
  stuck: string[];
} {
  const clock = new ManualClock();
  const seen: string[] = [];
  const stuck: string[] = [];
  const left = [...loops];
  const host: TaskHost = new TaskHost({
    createLoop: () => {
      const loop = left.shift();
      if (loop === undefined) throw new Error('no loop left');
      return loop;
    },
    clock,
    logger: silent,
    onChange: () => seen.push(host.reports()[0]?.state ?? 'gone'),
    onStuck: ({ id }) => stuck.push(id.connector),
    stopTimeoutMs: 1000,
  });
  return { host, clock, states: () => seen, stuck };
}

describe('TaskHost', () => {
  it('reports a task from its start to its end, and as gone only when its loop has ended', async () => {
    const loop = new ScriptedLoop();
    const { host, clock, states } = hostOf(loop);
    host.start(task);
    expect(host.reports()).toMatchObject([{ id: task.id, generation: 7, state: 'RESTARTING' }]);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    await host.stop('c-0');
    expect(host.reports()).toEqual([]);
    expect(states()).toEqual(['RUNNING', 'STOPPING', 'gone']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps a failed task with the full trace until it is stopped', async () => {
    const loop = new ScriptedLoop();
    const { host, clock } = hostOf(loop);
    host.start(task);
    await clock.settle();
    loop.end({ kind: 'failed', error: new Error('broken', { cause: new Error('pipe') }) });
    await clock.settle();
    expect(host.reports()).toMatchObject([
      { state: 'FAILED', trace: expect.stringMatching(/broken[^]*Caused by: Error: pipe/) },
    ]);
    await host.stop('c-0');
    expect(host.reports()).toEqual([]);
  });

  it('starts again after a start that failed with a retriable error, and not after another one', async () => {
    const good = new ScriptedLoop();
    const { host, clock } = hostOf(new ScriptedLoop(new RetriableError('not yet')), good);
    host.start(task);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RESTARTING', trace: expect.stringContaining('not yet') }]);
    await clock.advance(1000);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    expect(host.reports()[0]).not.toHaveProperty('trace');

    const bad = hostOf(new ScriptedLoop(new Error('never')));
    bad.host.start(task);
    await bad.clock.settle();
    expect(bad.host.reports()).toMatchObject([{ state: 'FAILED' }]);
  });

  it('pauses and resumes without a new start', async () => {
    const loop = new ScriptedLoop();
    const { host, clock } = hostOf(loop);
    host.start({ ...task, paused: true });
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'PAUSED' }]);
    host.resume('c-0');
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    expect(loop.calls).toEqual(['pause', 'start', 'resume']);
  });

  it('kills a task that does not stop in time', async () => {
    const loop = new ScriptedLoop(undefined, true);
    const { host, clock, stuck } = hostOf(loop);
    host.start(task);
    await clock.settle();
    const stopped = host.stop('c-0');
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'STOPPING' }]);
    await clock.advance(1000);
    await stopped;
    expect(loop.calls).toEqual(['start', 'stop', 'kill']);
    expect(host.reports()).toEqual([]);
    expect(stuck).toEqual([]);
  });

  it('never calls a task gone that does not even end when killed', async () => {
    const loop = new ScriptedLoop(undefined, true, true);
    const { host, clock, stuck } = hostOf(loop);
    host.start(task);
    await clock.settle();
    const stopped = host.stop('c-0');
    await clock.settle();
    await clock.advance(1000);
    await clock.settle();
    await clock.advance(1000);
    await stopped;
    expect(stuck).toEqual(['c']);
    expect(host.held().get('c-0')).toEqual({ generation: 7, paused: false, isStopping: true });
  });
});
