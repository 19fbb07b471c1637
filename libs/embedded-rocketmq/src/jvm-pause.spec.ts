import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { guardCommand, pauseJvm } from './jvm-pause.js';
import type { JvmProcess } from './jvm-process.js';
import { pollUntil } from './poll-until.js';
import { parseProcStat, processFacts } from './process-identity.js';

async function waitForState(pid: number, state: string): Promise<void> {
  const found = await pollUntil(
    async () => (parseProcStat(await readFile(`/proc/${pid}/stat`, 'latin1'))?.state === state ? true : undefined),
    { everyMs: 10, timeoutMs: 20_000 },
  );
  expect(found).toBe(true);
}

async function sleeper(): Promise<{ jvm: JvmProcess; end: () => Promise<void> }> {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const facts = await processFacts(child.pid!);
  if (facts === undefined) throw new Error('the child does not run');
  const ended = once(child, 'exit');
  return {
    jvm: { pid: facts.pid, startedAt: facts.startedAt, marker: '300' },
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('pauseJvm', () => {
  it('stops a process until the pause ends', async () => {
    const { jvm, end } = await sleeper();
    try {
      const pause = await pauseJvm(jvm);
      await waitForState(jvm.pid, 'T');
      await pause?.end();
      await waitForState(jvm.pid, 'S');
      await pause?.end();
    } finally {
      await end();
    }
  });

  it('does nothing to a process that has ended', async () => {
    const { jvm, end } = await sleeper();
    await end();
    await expect(pauseJvm(jvm)).resolves.toBeUndefined();
  });

  it('ends with the process that asked for it, however that ends', async () => {
    const { jvm, end } = await sleeper();
    const pauser = spawn(
      process.execPath,
      [
        '-e',
        `require('node:child_process').spawn(...JSON.parse(process.argv[1]), { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
        process.kill(${jvm.pid}, 'SIGSTOP');
        setInterval(() => {}, 1000);`,
        JSON.stringify(guardCommand(jvm.pid)),
      ],
      { stdio: 'ignore' },
    );
    try {
      await waitForState(jvm.pid, 'T');
      pauser.kill('SIGKILL');
      await waitForState(jvm.pid, 'S');
    } finally {
      pauser.kill('SIGKILL');
      await end();
    }
  });
});
