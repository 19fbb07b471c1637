import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DesiredTask } from '@sluice/core';
import { CallBoard, ThreadEndedError, type LoopEnd, SharedRate } from '@sluice/runtime';
import { TaskThread, type ThreadMemory, type ThreadWorker } from './task-thread.js';
import type { FromThread, ToThread } from './thread-messages.js';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.js';

const taskOf = (connector: string, index = 0): DesiredTask => ({
  id: { connector, index },
  generation: 3,
  type: 'source',
  config: {},
  paused: false,
  committed: false,
});

const LIMITS = { stallMs: 2_000, callTimeoutMs: 60_000, endMs: 60_000 };
const never = (): Promise<never> => new Promise(() => undefined);

/** Stands where the thread's worker stands; the spec says what becomes of it. */
class ScriptedWorker extends EventEmitter {
  readonly received: ToThread[] = [];
  isTerminated = false;
  ignoresClose = false;
  /** Native code keeps it. */
  ignoresTerminate = false;
  /** CPU time, read where the system shows none of the thread. */
  cpuMs = 0;
  readonly performance = { eventLoopUtilization: () => ({ active: this.cpuMs, idle: 0, utilization: 0 }) };

  constructor(private readonly memory: ThreadMemory) {
    super();
  }

  turn(): void {
    Atomics.add(new Int32Array(this.memory.pulse), 1, 1);
  }

  /** What the thread shows of the call of its loop. */
  board(loop: number): CallBoard {
    const created = this.received.find((message) => message.kind === 'create' && message.loop === loop);
    if (created?.kind !== 'create') throw new Error(`no loop ${loop}`);
    return new CallBoard(created.calls);
  }

  postMessage(message: ToThread): void {
    this.received.push(message);
    if (message.kind === 'close' && !this.ignoresClose) setImmediate(() => this.emit('exit', 0));
  }

  terminate(): Promise<number> {
    this.isTerminated = true;
    if (!this.ignoresTerminate) setImmediate(() => this.emit('exit', 1));
    return Promise.resolve(1);
  }

  tell(message: FromThread): void {
    this.emit('message', message);
  }
}

class World {
  readonly workers: ScriptedWorker[] = [];
  readonly logged: string[] = [];
  readonly reconfigured: string[] = [];
  readonly progress: unknown[] = [];
  readonly stuck: string[] = [];
  ends = 0;

  readonly #common: Omit<ThreadPoolOptions, 'size' | 'startThread'> = {
    limits: LIMITS,
    memoryMb: 128,
    onStuck: (message) => this.stuck.push(message),
    describerOf:
      ({ config }) =>
      (error) =>
        String(error).replaceAll(config['password'] ?? 's3cret', '***'),
    services: {
      positions: {
        open: () => Promise.resolve({ free: [], held: [], unsettled: [] }),
        refresh: () => Promise.reject(new Error('no broker')),
      },
      credentialsOf: (cluster) => Promise.resolve({ accessKey: cluster, secretKey: 'k' }),
      loggerOf: (scope) => {
        const write = (text: string): void => {
          this.logged.push(`${typeof scope === 'string' ? scope : `${scope.connector}-${scope.task}`}: ${text}`);
        };
        return { debug: write, info: write, warn: write, error: write };
      },
      requestTaskReconfiguration: (connector) => {
        this.reconfigured.push(connector);
      },
      agreedPairs: (connector) => Promise.resolve(new Map([[connector, 'right']])),
      rateOf: () => new SharedRate(() => 0),
      progressOf: () => ({
        opened: (...told) => this.progress.push(told),
        committed: (...told) => this.progress.push(told),
      }),
    },
  };

  thread(worker?: ThreadWorker): TaskThread {
    return new TaskThread({
      ...this.#common,
      name: 't1',
      start: (memory) => worker ?? this.#newWorker(memory),
      onEnd: () => {
        this.ends += 1;
      },
    });
  }

  pool(size: number): ThreadPool {
    return new ThreadPool({ ...this.#common, size, startThread: (_, memory) => this.#newWorker(memory) });
  }

  worker(index = 0): ScriptedWorker {
    const worker = this.workers[index];
    if (worker === undefined) throw new Error(`no thread ${index} was started`);
    return worker;
  }

  #newWorker(memory: ThreadMemory): ScriptedWorker {
    const worker = new ScriptedWorker(memory);
    this.workers.push(worker);
    return worker;
  }
}

const failureOf = (end: LoopEnd): ThreadEndedError => {
  if (end.kind !== 'failed' || !(end.error instanceof ThreadEndedError)) throw new Error(`not lost with its thread: ${end.kind}`);
  expect(end.clean).toBe(false);
  return end.error;
};

describe('a task thread', () => {
  it('shows no secret of a task that has ended, whose timer crashes it', async () => {
    const world = new World();
    const thread = world.thread();
    const first = { ...taskOf('a'), config: { password: 'hunter2' } };
    void thread.createLoop(first);
    const other = thread.createLoop(taskOf('b'));
    world.worker().tell({ kind: 'ended', loop: 1, end: { kind: 'stopped', clean: true } });
    world.worker().emit('error', new Error('cannot reconnect as admin:hunter2'));
    world.worker().emit('exit', 1);
    expect(failureOf(await other.ended).message).toContain('cannot reconnect as admin:***');
    expect(world.logged.join()).not.toContain('hunter2');
  });

  it('takes its tasks with it when it crashes, each a possible cause, without the secrets of any', async () => {
    const world = new World();
    const thread = world.thread();
    const loops = [thread.createLoop(taskOf('a')), thread.createLoop(taskOf('b'))];
    world.worker().emit('error', new Error('bad password s3cret'));
    world.worker().emit('exit', 1);
    for (const loop of loops) {
      const error = failureOf(await loop.ended);
      expect(error.message).toBe('The thread of the task has ended: nobody caught an error: Error: bad password ***');
      expect(error).toMatchObject({ isCulprit: true, cause: 'Error: bad password ***' });
    }
    expect(world.ends).toBe(1);
    expect(world.logged).toEqual(['tasks: Thread t1 with 2 task(s) has ended: nobody caught an error: Error: bad password ***']);
  });

  it('names the memory limit that it passed', async () => {
    const world = new World();
    const loop = world.thread().createLoop(taskOf('a'));
    world.worker().emit('error', Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
    world.worker().emit('exit', 1);
    expect(failureOf(await loop.ended).message).toContain('it passed its memory limit, task.thread.memory.mb = 128');
  });

  it('is ended for a task that does not stop; the others are no cause', async () => {
    const world = new World();
    const thread = world.thread();
    const stuck = thread.createLoop(taskOf('stuck'));
    const other = thread.createLoop(taskOf('other'));
    stuck.endThread?.();
    expect(world.worker().isTerminated).toBe(true);
    expect(failureOf(await stuck.ended).isCulprit).toBe(true);
    const error = failureOf(await other.ended);
    expect(error.isCulprit).toBe(false);
    expect(error.message).toContain('task stuck-0 did not stop');
  });

  it('loses no loop that has ended before, and knows what each thread message is about', async () => {
    const world = new World();
    const thread = world.thread();
    const loop = thread.createLoop(taskOf('a'));
    const worker = world.worker();
    const queue = { topic: 't', brokerName: 'b', queueId: 1 };
    worker.tell({ kind: 'reconfigure', connector: 'a' });
    worker.tell({ kind: 'opened', loop: 1, queue, from: 5 });
    worker.tell({ kind: 'committed', loop: 1, group: 'g', positions: [{ queue, nextOffset: 6 }], resets: [] });
    worker.tell({ kind: 'logged', level: 'info', scope: 'a-0', text: 'hello' });
    worker.tell({ kind: 'ended', loop: 1, end: { kind: 'stopped', clean: true } });
    worker.emit('exit', 0);
    expect(await loop.ended).toEqual({ kind: 'stopped', clean: true });
    expect(world.reconfigured).toEqual(['a']);
    expect(world.progress).toEqual([
      [queue, 5],
      ['g', [{ queue, nextOffset: 6 }], []],
    ]);
    expect(world.logged[0]).toBe('a-0: hello');
  });

  it('does not leave a start without an answer whose loop ends first', async () => {
    const world = new World();
    const thread = world.thread();
    const failing = thread.createLoop(taskOf('a')).start();
    const stopped = thread.createLoop(taskOf('b')).start();
    const error = { kind: 'text', text: 'locked' } as const;
    world.worker().tell({ kind: 'ended', loop: 1, end: { kind: 'failed', error, clean: true } });
    world.worker().tell({ kind: 'start-failed', loop: 1, error });
    world.worker().tell({ kind: 'ended', loop: 2, end: { kind: 'stopped', clean: true } });
    await expect(failing).rejects.toBe('locked');
    await expect(stopped).rejects.toThrow('The task was stopped before it had started');
  });

  it('gets answers of the main thread, errors too', async () => {
    const world = new World();
    world.thread();
    const worker = world.worker();
    const task = { connector: 'a', index: 0, generation: 3 };
    worker.tell({ kind: 'asked', question: 1, what: { kind: 'open', task } });
    worker.tell({ kind: 'asked', question: 2, what: { kind: 'refresh', task, beforeMs: 0 } });
    worker.tell({ kind: 'asked', question: 3, what: { kind: 'credentials', of: 'data' } });
    worker.tell({ kind: 'asked', question: 4, what: { kind: 'pairs', connector: 'c' } });
    await new Promise((resolve) => setImmediate(resolve));
    const answers = worker.received.flatMap((message) =>
      message.kind === 'answered' ? [[message.question, message.answer] as const] : [],
    );
    expect(new Map(answers)).toEqual(
      new Map<number, unknown>([
        [1, { value: { free: [], held: [], unsettled: [] } }],
        [2, { error: expect.objectContaining({ message: 'no broker' }) }],
        [3, { value: { accessKey: 'data', secretKey: 'k' } }],
        [4, { value: new Map([['c', 'right']]) }],
      ]),
    );
  });
});

describe('a task thread that does not return', () => {
  it('gives a thread that is being ended no more tasks', async () => {
    const world = new World();
    const pool = world.pool(1);
    const lost = pool.createLoop(taskOf('a'));
    lost.endThread?.();
    const kept = pool.createLoop(taskOf('b'));
    expect(world.workers).toHaveLength(2);
    expect(failureOf(await lost.ended).message).toContain('did not stop');
    world.worker(1).tell({ kind: 'ended', loop: 1, end: { kind: 'stopped', clean: true } });
    expect(await kept.ended).toEqual({ kind: 'stopped', clean: true });
    await pool.close();
  });

  it('is ended once it has used the CPU for too long, for the task that is called', async () => {
    const world = new World();
    const thread = world.thread();
    const spinning = thread.createLoop(taskOf('spin'));
    const other = thread.createLoop(taskOf('other'));
    const worker = world.worker();
    worker.turn();
    thread.check(LIMITS);
    void worker.board(2).run('poll', never);
    worker.board(1).run('poll', () => {
      worker.cpuMs = 1_900;
      thread.check(LIMITS);
      expect(worker.isTerminated).toBe(false);
      worker.cpuMs = 2_000;
      thread.check(LIMITS);
    });
    expect(worker.isTerminated).toBe(true);
    const error = failureOf(await spinning.ended);
    expect(error.isCulprit).toBe(true);
    expect(error.message).toContain('task spin-0 used the CPU for 2000 ms without a pause (task.stall.ms = 2000), in its call poll');
    expect(failureOf(await other.ended).isCulprit).toBe(false);
  });

  it('is not ended while its event loop turns, however busy it is', () => {
    const world = new World();
    const thread = world.thread();
    thread.createLoop(taskOf('busy'));
    const worker = world.worker();
    for (worker.cpuMs = 0; worker.cpuMs < 60_000; worker.cpuMs += 1_500) {
      worker.turn();
      thread.check(LIMITS);
    }
    expect(worker.isTerminated).toBe(false);
  });

  it('is ended for a call that waits for too long', async () => {
    const world = new World();
    const thread = world.thread();
    const hung = thread.createLoop(taskOf('hung'));
    const worker = world.worker();
    void worker.board(1).run('put', never);
    thread.check(LIMITS);
    expect(worker.isTerminated).toBe(false);
    thread.check({ ...LIMITS, callTimeoutMs: 0 });
    expect(failureOf(await hung.ended).message).toContain('task hung-0 waits in its call put');
  });
});

describe('a task thread that does not close in time', () => {
  it('is ended', async () => {
    const world = new World();
    const thread = world.thread();
    world.worker().ignoresClose = true;
    await thread.close(0);
    expect(world.worker().isTerminated).toBe(true);
    expect(world.logged).toEqual(['tasks: Thread t1 does not close and is ended']);
  });

  it('is left behind where it does not end either: the runner has to kill its process', async () => {
    const world = new World();
    const thread = world.thread();
    Object.assign(world.worker(), { ignoresClose: true, ignoresTerminate: true });
    await thread.close(0);
    expect(world.stuck).toEqual([
      expect.stringMatching(/^Thread t1 with 0 task\(s\) does not end, .* because it did not close\. Native code/),
    ]);
  });
});

describe('a task thread that does not end', () => {
  it('keeps its tasks, which nobody may run then, and is reported once, in the status of the tasks too', () => {
    const world = new World();
    const thread = world.thread();
    const loop = thread.createLoop(taskOf('native'));
    let hasEnded = false;
    void loop.ended.then(() => (hasEnded = true));
    world.worker().ignoresTerminate = true;
    world
      .worker()
      .board(1)
      .run('put', () => {
        thread.check({ ...LIMITS, callTimeoutMs: 0 });
      });
    expect(world.worker().isTerminated).toBe(true);
    thread.check(LIMITS);
    expect(world.stuck).toEqual([]);
    expect(loop.waits.list).toEqual([]);
    for (let n = 0; n < 2; n += 1) thread.check({ ...LIMITS, endMs: 0 });
    expect(world.stuck).toEqual([
      expect.stringMatching(
        /^Thread t1 with 1 task\(s\) does not end, \d+ ms after .* because task native-0 blocks its thread in its call put/,
      ),
    ]);
    expect(loop.waits.list).toEqual([
      expect.objectContaining({ call: 'ending the thread', error: expect.stringContaining('ends its process') }),
    ]);
    expect(hasEnded).toBe(false);
    expect(world.ends).toBe(0);
  });

  it('is a real one in a system call that does not return, until it does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-thread-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const code = `require('node:fs').readSync(require('node:fs').openSync(${JSON.stringify(pipe)}, 'r+'), Buffer.alloc(1))`;
    const worker = new Worker(code, { eval: true });
    const exited = once(worker, 'exit');
    await once(worker, 'online');
    const world = new World();
    const thread = world.thread(worker);
    try {
      await thread.close(200);
      expect(world.stuck).toHaveLength(1);
      expect(world.ends).toBe(0);
    } finally {
      await writeFile(pipe, 'x');
      await exited;
      await rm(folder, { recursive: true });
    }
    expect(world.ends).toBe(1);
  });
});

describe('the threads of a runner', () => {
  it('start with their first task, and share the tasks', () => {
    const world = new World();
    const pool = world.pool(2);
    expect(world.workers).toHaveLength(0);
    for (const connector of ['a', 'b', 'c', 'd']) pool.createLoop(taskOf(connector));
    expect(world.workers.map(({ received }) => received.length)).toEqual([2, 2]);
  });

  it('are replaced when one ends, while the tasks of the others continue', async () => {
    const world = new World();
    const pool = world.pool(2);
    const first = pool.createLoop(taskOf('a'));
    let isOtherOver = false;
    void pool.createLoop(taskOf('b')).ended.then(() => (isOtherOver = true));
    world.worker().emit('exit', 3);
    expect(failureOf(await first.ended).message).toContain('it left with exit code 3');
    pool.createLoop(taskOf('a'));
    expect(world.workers).toHaveLength(3);
    expect(world.worker(2).received).toMatchObject([{ kind: 'create', task: { id: { connector: 'a' } } }]);
    expect(isOtherOver).toBe(false);
  });

  it('take in no task that ended one: it runs alone, and its thread closes with it', async () => {
    const world = new World();
    const pool = world.pool(1);
    const spinning = pool.createLoop(taskOf('spin'));
    const other = pool.createLoop(taskOf('other'));
    const worker = world.worker();
    worker.turn();
    pool.check();
    worker.cpuMs = 5_000;
    worker.board(1).run('poll', () => {
      pool.check();
    });
    await Promise.all([spinning.ended, other.ended]);
    pool.createLoop(taskOf('other'));
    pool.createLoop(taskOf('spin'));
    pool.createLoop(taskOf('more'));
    const created = world.workers.map(({ received }) => received.map((message) => message.kind === 'create' && message.task.id.connector));
    expect(created).toEqual([['spin', 'other'], ['other', 'more'], ['spin']]);
    world.worker(2).tell({ kind: 'ended', loop: 1, end: { kind: 'stopped', clean: true } });
    await pool.close();
    expect(world.workers.slice(1).map(({ received }) => received.at(-1)?.kind)).toEqual(['close', 'close']);
  });

  it('close in order when the runner stops', async () => {
    const world = new World();
    const pool = world.pool(2);
    for (const connector of ['a', 'b']) pool.createLoop(taskOf(connector));
    for (const worker of world.workers) worker.tell({ kind: 'ended', loop: 1, end: { kind: 'stopped', clean: true } });
    await pool.close();
    expect(world.workers.map(({ received }) => received.at(-1)?.kind)).toEqual(['close', 'close']);
    expect(world.workers.map(({ isTerminated }) => isTerminated)).toEqual([false, false]);
    expect(world.logged).toEqual([]);
  });
});
