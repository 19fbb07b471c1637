import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { factsFromPs, isStillRunning, parseProcStat, processFacts } from './process-identity.js';

describe('parseProcStat', () => {
  it('finds state, thread count and start time behind a name with spaces and parentheses', () => {
    const stat = '42 (a) b (c)) S 1 42 42 0 -1 4194560 900 0 5 0 71 12 0 0 20 0 37 0 987654 2787704 5000';
    expect(parseProcStat(stat)).toEqual({ state: 'S', threads: 37, startTicks: '987654' });
  });
});

describe('the identity of a process', () => {
  it('holds while the process runs, and only for its start time and command line', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'marker-one'], { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      const identity = await processFacts(child.pid!);
      if (identity === undefined) throw new Error('the child does not run');
      await expect(isStillRunning(identity, 'marker-one')).resolves.toBe(true);
      await expect(isStillRunning(identity, 'marker-two')).resolves.toBe(false);
      await expect(isStillRunning({ ...identity, startedAt: '1' }, 'marker-one')).resolves.toBe(false);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await expect(isStillRunning(identity, 'marker-one')).resolves.toBe(false);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is found through ps too', async () => {
    const facts = await factsFromPs(process.pid);
    expect(facts?.pid).toBe(process.pid);
    expect(facts?.command).toContain('node');
    expect(facts?.startedAt).toMatch(/^\w{3} +\w{3} +\d+ \d\d:\d\d:\d\d \d{4}$/);
  });
});
