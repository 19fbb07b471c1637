import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalLock } from './local-lock.js';

describe('the lock of a local cluster', () => {
  let home: string;
  const signal = new AbortController().signal;
  const noWait = (): void => undefined;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true, force: true });
  });

  it('is waited for once its holder is about to end', async () => {
    const first = await LocalLock.take(home, noWait, signal);
    let hasWaited: (pid: number) => void = noWait;
    const waiting = new Promise<number>((resolve) => (hasWaited = resolve));
    const second = LocalLock.take(home, hasWaited, signal);
    first.announceStop();
    expect(await waiting).toBe(process.pid);
    await first.release();
    await (await second).release();
    expect(existsSync(join(home, 'local.stopping'))).toBe(false);
  });

  it('says that its holder stops in a file that nobody sees half written', async () => {
    const lock = await LocalLock.take(home, noWait, signal);
    writeFileSync(join(home, 'local.stopping'), 'before');
    linkSync(join(home, 'local.stopping'), join(home, 'replaced'));
    lock.announceStop();
    expect(readFileSync(join(home, 'local.stopping'), 'utf8')).toBe(String(process.pid));
    expect(readFileSync(join(home, 'replaced'), 'utf8')).toBe('before');
    await lock.release();
  });

  it('is refused while its holder stays, naming it', async () => {
    const first = await LocalLock.take(home, noWait, signal);
    await expect(LocalLock.take(home, noWait, signal)).rejects.toThrow(
      `The local cluster of process ${process.pid} in ${home} runs already: stop it first`,
    );
    await first.release();
  });

  it('keeps `npm start` from building while its holder stays', async () => {
    const first = await LocalLock.take(home, noWait, signal);
    const script = fileURLToPath(new URL('../../../../scripts/start.mjs', import.meta.url));
    // Without a path it cannot install either.
    const env = { PATH: '', SLUICE_HOME: home };
    const answer = await new Promise<readonly unknown[]>((resolve) => {
      execFile(process.execPath, [script], { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve([error?.code, stdout, stderr]);
      });
    });
    await first.release();
    const refusal = `The local cluster of process ${process.pid} in ${home} runs already: stop it first`;
    expect(answer).toEqual([1, '', expect.stringContaining(refusal)]);
  });

  it('is not taken for one that stops because an earlier holder did', async () => {
    writeFileSync(join(home, 'local.stopping'), String(process.pid));
    const first = await LocalLock.take(home, noWait, signal);
    expect(existsSync(join(home, 'local.stopping'))).toBe(false);
    await first.release();
  });

  it('is waited for no longer than until the signal', async () => {
    const first = await LocalLock.take(home, noWait, signal);
    first.announceStop();
    const stopping = new AbortController();
    const second = LocalLock.take(
      home,
      () => {
        stopping.abort(new Error('stopped'));
      },
      stopping.signal,
    );
    await expect(second).rejects.toThrow();
    await first.release();
  });
});
