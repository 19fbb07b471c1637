import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { beginPulse, newPulse, readPulse, type ThreadReading } from './thread-pulse.js';

/** Spins until the first message to it has come, which it looks for without returning to its event loop; then waits in it. */
const SPINNING = `
  const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads');
  const cells = new Int32Array(workerData);
  Atomics.store(cells, 0, Number(require('node:fs').readlinkSync('/proc/thread-self').split('/').at(-1)));
  while (receiveMessageOnPort(parentPort) === undefined);
  setInterval(() => Atomics.add(cells, 1, 1), 10);
`;

const onLinux = process.platform === 'linux' ? describe : describe.skip;

const until = async (read: () => ThreadReading, isReached: (reading: ThreadReading) => boolean): Promise<ThreadReading> => {
  for (;;) {
    const reading = read();
    if (isReached(reading)) return reading;
    await delay(5);
  }
};

describe('the pulse of a thread', () => {
  it('shows that its event loop turns, until it is ended', async () => {
    const memory = newPulse();
    const read = (): ThreadReading =>
      readPulse(memory, { performance: { eventLoopUtilization: () => ({ active: 1, idle: 0, utilization: 0 }) } });
    expect(read().turns).toBe(0);
    const end = beginPulse(memory);
    await until(read, ({ turns }) => turns >= 2);
    end();
  });

  it('has the time in which the event loop waited for nothing where the system shows no CPU time', () => {
    const reading = readPulse(newPulse(), { performance: { eventLoopUtilization: () => ({ active: 123, idle: 0, utilization: 0 }) } });
    expect(reading).toEqual({ turns: 0, cpuMs: 123 });
  });
});

onLinux('the CPU time of a thread', () => {
  it('grows while it spins without a turn, and no more once it waits', async () => {
    const memory = newPulse();
    const worker = new Worker(SPINNING, { eval: true, workerData: memory });
    try {
      const read = (): ThreadReading => readPulse(memory, worker);
      const spinning = await until(read, ({ cpuMs = 0 }) => cpuMs >= 300);
      expect(spinning.turns).toBe(0);
      worker.postMessage('enough');
      const before = await until(read, ({ turns }) => turns >= 1);
      const after = await until(read, ({ turns }) => turns >= before.turns + 10);
      expect((after.cpuMs ?? Infinity) - (before.cpuMs ?? 0)).toBeLessThan(100);
    } finally {
      await worker.terminate();
    }
  });

  it('shows no CPU time where that of the thread cannot be read, and does not take another for it', () => {
    const memory = newPulse();
    const worker = { performance: { eventLoopUtilization: () => ({ active: 600_000, idle: 0, utilization: 1 }) } };
    expect(readPulse(memory, worker as never).cpuMs).toBe(600_000);
    // No thread has this number.
    Atomics.store(new Int32Array(memory), 0, 2 ** 30);
    expect(readPulse(memory, worker as never).cpuMs).toBeUndefined();
  });
});
