import { describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../support/sluice-cluster.js';

const root = new URL('../../', import.meta.url);
const pathOf = (name: string): string => fileURLToPath(new URL(name, root));
const environment = { ...process.env, NODE_OPTIONS: '' };

describe('the commands', () => {
  it.each([
    ['apps/cli/dist/main.js', '--help'],
    ['apps/cli/dist/main.js', 'init', '--help'],
    ['apps/cli/dist/main.js', 'restore', '-h'],
    ['apps/cli/dist/main.js', 'local', '--help'],
    ['scripts/start.mjs', '--help'],
  ])('%s %s %s prints how to use it and does nothing else', (script, ...args) => {
    const { status, stdout } = spawnSync(process.execPath, [pathOf(script), ...args], {
      env: environment,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^sluice <command>/);
    expect(status).toBe(0);
  });

  it('pass SIGTERM on to what they run', async () => {
    const inner = 'console.log(process.pid); setInterval(() => undefined, 1000)';
    const outer = `
      const { run } = await import(${JSON.stringify(new URL('scripts/setup.mjs', root).href)});
      await run(process.execPath, ['-e', ${JSON.stringify(inner)}]).catch(() => process.exit(3));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', outer], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let pid = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      pid = Number(line);
      break;
    }
    child.kill('SIGTERM');
    try {
      expect(await ended).toEqual([3, null]);
      await until('the inner process is gone', () => !isRunning(pid));
    } finally {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
