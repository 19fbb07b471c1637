import { describe, expect, it } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { LeaseBoard, SharedLease } from './shared-lease.js';

class World {
  monotonic = 1_000;
  wall = 50_000;
  sleeps = 0;
  onSleep: () => void = () => undefined;
  readonly clocks = { monotonicMs: (): number => this.monotonic, wallMs: (): number => this.wall };
  readonly board = new LeaseBoard(this.clocks);
  readonly lease = new SharedLease(
    this.board.memory,
    {
      sleep: (_, signal) => {
        signal.throwIfAborted();
        this.sleeps += 1;
        this.onSleep();
        return Promise.resolve();
      },
    },
    this.clocks,
  );

  show(remainingMs: number, doubt: { readonly doubtfulUpTo: number; readonly gaps: number } = { doubtfulUpTo: -1, gaps: 0 }): void {
    this.board.show({ held: remainingMs > 0, remainingMs, ...doubt });
  }

  pass(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }
}

describe('the lease in a task thread', () => {
  it('does not last longer for a halt of the machine while it is shown', () => {
    let now = 1_000_000;
    const clocks = { monotonicMs: () => now, wallMs: () => now };
    const board = new LeaseBoard(clocks);
    const endsAt = now + 5_000;
    board.show({
      held: true,
      gaps: 0,
      doubtfulUpTo: -1,
      get remainingMs(): number {
        const left = endsAt - now;
        now += 20_000;
        return left;
      },
    });
    expect(new SharedLease(board.memory, { sleep: () => Promise.resolve() }, clocks).held).toBe(false);
  });

  it('is not held before the main thread has shown it', () => {
    const { lease } = new World();
    expect(lease).toMatchObject({ held: false, doubtfulUpTo: -1, gaps: 0 });
  });

  it('ends at its time without a word of the main thread', () => {
    const world = new World();
    world.show(2_000);
    world.pass(1_999);
    expect(world.lease.held).toBe(true);
    world.pass(1);
    expect(world.lease.held).toBe(false);
  });

  it('ends while the machine is suspended, which the monotonic clock does not count', () => {
    const world = new World();
    world.show(2_000);
    world.wall += 2_000;
    expect(world.lease.held).toBe(false);
  });

  it('ends also where the wall clock is set back', () => {
    const world = new World();
    world.show(2_000);
    world.pass(2_000);
    world.wall -= 60_000;
    expect(world.lease.held).toBe(false);
  });

  it('is over at once when the node has lost it', () => {
    const world = new World();
    world.show(2_000);
    world.board.show({ held: false, remainingMs: 2_000, doubtfulUpTo: 7, gaps: 1 });
    expect(world.lease).toMatchObject({ held: false, doubtfulUpTo: 7, gaps: 1 });
  });

  it('never begins where the node has no contact yet', () => {
    const world = new World();
    world.board.show({ held: false, remainingMs: -Infinity, doubtfulUpTo: -1, gaps: 0 });
    expect(world.lease.held).toBe(false);
  });

  it('is waited for until the main thread shows it, or the wait is given up', async () => {
    const world = new World();
    world.onSleep = () => {
      if (world.sleeps === 3) world.show(1_000);
    };
    await world.lease.whenHeld(new AbortController().signal);
    expect(world.sleeps).toBe(3);
    world.pass(1_000);
    await expect(world.lease.whenHeld(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('is on a clock that all threads of the process share', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const end = Atomics.load(new BigInt64Array(workerData), 0);
      parentPort.postMessage(Number(end - process.hrtime.bigint() / 1000000n));
    `;
    const board = new LeaseBoard();
    board.show({ held: true, remainingMs: 600_000, doubtfulUpTo: -1, gaps: 0 });
    const worker = new Worker(code, { eval: true, workerData: board.memory });
    const leftMs = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(600_000);
  });
});
