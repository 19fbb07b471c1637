import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { DesiredTask, InstanceReport, TaskWait, TaskWarning } from '@sluice/core';
import { newCallMemory, newTaskCounters, ThreadEndedError, type LoopEnd, type TaskLoop, SharedRate, TaskFigures } from '@sluice/runtime';
import { ConnectError, ConnectErrorCode, isConnectError } from '@sluice/sdk';
import { ThreadLoop } from './thread-loop.js';
import type { FromThread } from './thread-messages.js';
import { ThreadServer } from './thread-server.js';

const task: DesiredTask = { id: { connector: 'c', index: 0 }, generation: 3, type: 'sink', config: {}, paused: false, committed: false };

class ScriptedLoop implements TaskLoop {
  readonly counters = newTaskCounters();
  readonly warnings: { list: readonly TaskWarning[] } = { list: [] };
  readonly waits: { list: readonly TaskWait[] } = { list: [] };
  instance: InstanceReport | undefined;
  readonly calls: string[] = [];
  onStill: () => void = () => undefined;
  complete: () => void = () => undefined;
  end: (end: LoopEnd) => void = () => undefined;
  readonly ended = new Promise<LoopEnd>((resolve) => {
    this.end = resolve;
  });
  noteOutdated: () => void = () => undefined;
  readonly outdated = new Promise<void>((resolve) => {
    this.noteOutdated = resolve;
  });
  fail: (error: unknown) => void = () => undefined;
  readonly failed = new Promise<unknown>((resolve) => {
    this.fail = resolve;
  });
  startError: Error | undefined;

  start(onCompleted: () => void): Promise<void> {
    this.calls.push('start');
    this.complete = onCompleted;
    if (this.startError === undefined) return Promise.resolve();
    this.end({ kind: 'failed', error: this.startError, clean: true });
    return Promise.reject(this.startError);
  }

  stop(): Promise<LoopEnd> {
    this.calls.push('stop');
    this.end({ kind: 'stopped', clean: true });
    return this.ended;
  }

  kill(): void {
    this.calls.push('kill');
  }

  pause(onStill: () => void): void {
    this.calls.push('pause');
    this.onStill = onStill;
  }

  resume(): void {
    this.calls.push('resume');
  }
}

/** Both sides of the border, in one thread: every message is copied as between two. */
class World {
  readonly inner = new ScriptedLoop();
  createError: Error | undefined;
  readonly sent: FromThread[] = [];
  /** Keeps what the thread says from arriving. */
  isHeldUp = false;
  #waiting: FromThread[] = [];
  /** What packages were asked for, each with what ends their loading. */
  readonly loading: { readonly folders: readonly string[]; readonly end: () => void }[] = [];
  readonly server = new ThreadServer({
    send: (message) => {
      this.#waiting.push(structuredClone(message));
      if (!this.isHeldUp) this.deliver();
    },
    createLoop: () => {
      if (this.createError !== undefined) throw this.createError;
      return this.inner;
    },
    loadPackages: (packages) =>
      new Promise((end) => {
        this.loading.push({ folders: packages.map(({ folder }) => folder), end });
      }),
    onClose: () => undefined,
  });
  readonly outer: ThreadLoop = new ThreadLoop({
    loop: 1,
    send: (message) => {
      this.server.receive(structuredClone(message));
    },
    endThread: () => undefined,
  });

  create(): ThreadLoop {
    const [figures, rate] = [new TaskFigures().memory, new SharedRate(() => 0).memory];
    this.server.receive({ kind: 'create', loop: 1, task, calls: newCallMemory(), figures, rate });
    return this.outer;
  }

  deliver(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) {
      this.sent.push(message);
      if (message.kind === 'shown') for (const view of message.loops) this.outer.show(view);
      else if (
        message.kind === 'started' ||
        message.kind === 'completed' ||
        message.kind === 'start-failed' ||
        message.kind === 'failed' ||
        message.kind === 'outdated' ||
        message.kind === 'still' ||
        message.kind === 'ended'
      ) {
        this.outer.take(message);
      }
    }
  }
}

describe('the loop of a task in a thread', () => {
  it('starts, stops and ends as the loop in the thread does', async () => {
    const world = new World();
    const loop = world.create();
    await loop.start();
    world.inner.counters.recordsPut = 5;
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    // What the loop did last is known when its end is.
    expect(loop.counters.recordsPut).toBe(5);
    expect(world.inner.calls).toEqual(['start', 'stop']);
  });

  it('is created once the packages are loaded that were asked for before; loops that exist do not wait', async () => {
    const world = new World();
    const load = (folder: string): void => {
      world.server.receive({ kind: 'packages', packages: [{ folder, name: folder, version: '1.0.0', stamp: '' }] });
    };
    load('a');
    const loop = world.create();
    const started = loop.start();
    load('b');
    loop.pause(() => undefined);
    await turn();
    expect([world.loading.map(({ folders }) => folders), world.inner.calls]).toEqual([[['a']], []]);
    world.loading[0]?.end();
    await started;
    expect(world.loading.map(({ folders }) => folders)).toEqual([['a'], ['b']]);
    loop.resume();
    expect(world.inner.calls).toEqual(['start', 'pause', 'resume']);
    await loop.stop();
    world.loading[1]?.end();
  });

  it.each(['stop', 'kill'] as const)('ends at a %s while it waits for packages, and is never made', async (order) => {
    const world = new World();
    world.server.receive({ kind: 'packages', packages: [] });
    const loop = world.create();
    const started = loop.start();
    void loop[order]();
    await expect(started).rejects.toThrow('The task was stopped before it had started');
    expect(await loop.ended).toEqual({ kind: 'stopped', clean: true });
    loop.kill();
    world.loading[0]?.end();
    await turn();
    expect([world.inner.calls, world.sent.map(({ kind }) => kind)]).toEqual([[], ['ended']]);
  });

  it('completes as the loop in the thread does', async () => {
    const world = new World();
    const loop = world.create();
    let completions = 0;
    await loop.start(() => (completions += 1));
    expect(completions).toBe(0);
    world.inner.complete();
    expect(completions).toBe(1);
    await loop.stop();
  });

  it('fails to start with the error of the thread', async () => {
    const world = new World();
    world.inner.startError = new ConnectError(ConnectErrorCode.lockHeld, 'taken');
    const failure = await world
      .create()
      .start()
      .catch((error: unknown) => error);
    expect(isConnectError(failure) && failure.code).toBe(ConnectErrorCode.lockHeld);
  });

  it('fails to start, and has ended, where its settings are wrong', async () => {
    const world = new World();
    world.createError = new ConnectError(ConnectErrorCode.configInvalid, 'wrong');
    const loop = world.create();
    await expect(loop.start()).rejects.toThrow('wrong');
    expect(await loop.ended).toMatchObject({ kind: 'failed', clean: true });
  });

  it('shows counters, warnings and waits, and repeats none that did not change', async () => {
    const world = new World();
    const loop = world.create();
    await loop.start();
    const { inner, server, sent } = world;
    inner.counters.recordsRead = 3;
    inner.warnings.list = [{ at: 1, message: 'odd' }];
    const wait = { call: 'put', error: 'busy', since: 2 };
    inner.waits.list = [wait];
    server.show();
    expect(loop).toMatchObject({ counters: { recordsRead: 3 }, warnings: { list: [{ message: 'odd' }] }, waits: { list: [wait] } });
    const before = sent.length;
    server.show();
    expect(sent).toHaveLength(before);
    inner.waits.list = [];
    server.show();
    expect(loop.waits.list).toEqual([]);
    expect(sent.at(-1)).toEqual({ kind: 'shown', loops: [{ loop: 1, waits: [] }] });
    await loop.stop();
  });

  it("shows the connector's instance, and none once the loop has ended or its thread is gone", async () => {
    const world = new World();
    const loop = world.create();
    const { inner, server, sent } = world;
    inner.instance = { state: 'RESTARTING' };
    await loop.start();
    expect(loop.instance).toEqual({ state: 'RESTARTING' });
    inner.instance = { state: 'FAILED', trace: 'Error: gone' };
    server.show();
    expect(loop.instance).toEqual({ state: 'FAILED', trace: 'Error: gone' });
    const before = sent.length;
    server.show();
    expect(sent).toHaveLength(before);
    await loop.stop();
    expect(loop.instance).toBeUndefined();
    const { outer } = new World();
    outer.show({ loop: 1, instance: { state: 'RUNNING' } });
    outer.lose(new Error('gone'));
    expect(outer.instance).toBeUndefined();
  });

  it('says that its instance needs a new generation, and what its task failed with, before it has ended', async () => {
    const world = new World();
    const loop = world.create();
    await loop.start();
    world.inner.noteOutdated();
    await loop.outdated;
    world.inner.fail(new ConnectError(ConnectErrorCode.sourceFailed, 'broken'));
    expect(await loop.failed).toMatchObject({ code: ConnectErrorCode.sourceFailed, message: 'broken' });
    await loop.stop();
  });

  it('is still only while it was not resumed since: what the thread said before comes too late', async () => {
    const world = new World();
    const loop = world.create();
    await loop.start();
    const stills: string[] = [];
    loop.pause(() => stills.push('first'));
    world.isHeldUp = true;
    world.inner.onStill();
    loop.resume();
    loop.pause(() => stills.push('second'));
    world.deliver();
    expect(stills).toEqual([]);
    world.inner.onStill();
    world.deliver();
    expect(stills).toEqual(['second']);
    await Promise.resolve(world.inner.stop()).then(() => turn());
  });

  it('has failed without a clean end when its thread is gone, also while it starts', async () => {
    const { outer } = new World();
    const starting = outer.start();
    const gone = new ThreadEndedError({ reason: 'it left', isCulprit: true });
    outer.lose(gone);
    await expect(starting).rejects.toBe(gone);
    expect(await outer.ended).toEqual({ kind: 'failed', error: gone, clean: false });
  });

  it('asks the main thread, and takes its answers and errors', async () => {
    const { server } = new World();
    const first = server.ask({ kind: 'credentials', of: 'data' });
    const second = server.ask({ kind: 'credentials', of: 'runtime' });
    server.receive({ kind: 'answered', question: 2, answer: { error: { kind: 'text', text: 'no' } } });
    server.receive({ kind: 'answered', question: 1, answer: { value: { accessKey: 'a' } } });
    expect(await first).toEqual({ accessKey: 'a' });
    await expect(second).rejects.toBe('no');
  });
});
