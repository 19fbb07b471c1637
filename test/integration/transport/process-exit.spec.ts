import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Ended {
  readonly lines: string[];
  readonly errors: string;
  readonly code: number | null;
  /** From the line that says that all is stopped to the end of the process. */
  readonly exitMs: number;
}

/** Measured idle: under 100 ms. What keeps a process alive wrongly - a long poll, a keepalive - lasts 20 s and more. */
const exitWithinMs = 8_000;

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function run(scenario: string): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', here('typescript-loader.mjs'), here('child-node.ts'), scenario], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  let output = '';
  let errors = '';
  let stoppedAt = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes('stopped;')) stoppedAt = Date.now();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { lines: output.trim().split('\n'), errors, code, exitMs: Date.now() - stoppedAt };
}

describe('A process with an RpcEndpoint', () => {
  it('exits by itself right after stop()', async () => {
    const ended = await run('stop');
    expect(ended).toMatchObject({ code: 0, errors: '', lines: ['answered hello', expect.stringMatching(/^stopped;/)] });
    expect(ended.exitMs).toBeLessThan(exitWithinMs);
  }, 180_000);

  it('survives cut connections, reports no error of its own, and exits', async () => {
    const ended = await run('cut');
    expect(ended).toMatchObject({ code: 0, errors: '' });
    expect(ended.lines.slice(0, -1)).toEqual([1, 2, 3, 4, 5, 'after'].map((data) => `answered ${data}`));
    expect(ended.exitMs).toBeLessThan(exitWithinMs);
  }, 180_000);

  it('exits after a start that failed', async () => {
    const ended = await run('failedStart');
    expect(ended).toMatchObject({
      code: 0,
      errors: '',
      lines: ['failed RPC_STARTUP_FAILED', expect.stringMatching(/^stopped;/)],
    });
    expect(ended.exitMs).toBeLessThan(exitWithinMs);
  }, 180_000);

  it('exits after stop() while the proxy cannot be reached', async () => {
    const ended = await run('stopWhileUnreachable');
    expect(ended).toMatchObject({ code: 0, errors: '' });
    expect(ended.exitMs).toBeLessThan(exitWithinMs);
  }, 180_000);
});
