import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { acquireExclusiveLock, LockHeldError } from './exclusive-lock.js';
import { currentHolder } from './lock-holder.js';

let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  path = join(folder, 'data.lock');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const leave = (holder: object): Promise<void> => writeFile(path, JSON.stringify(holder));

describe('acquireExclusiveLock', () => {
  it('refuses a second holder in the same process and names the first', async () => {
    const lock = await acquireExclusiveLock(path);
    const error: unknown = await acquireExclusiveLock(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LockHeldError);
    expect(error).toMatchObject({ retriable: true });
    expect(error).toMatchObject({
      code: 'CONNECT_LOCK_HELD',
      message: `${path} is held by process ${process.pid} on host ${hostname()}: stop that process first, or remove the file if that host is gone.`,
    });
    await lock.release();
  });

  it('names what the first holder has it for', async () => {
    const lock = await acquireExclusiveLock(path, 'connector one');
    await expect(acquireExclusiveLock(path, 'connector two')).rejects.toThrow(
      `${path} is held by connector one in process ${process.pid} on host ${hostname()}: stop that connector or process first, or`,
    );
    await lock.release();
  });

  it('is free again after a release and leaves no file behind', async () => {
    const first = await acquireExclusiveLock(path);
    await first.release();
    await first.release();
    expect(await readdir(folder)).toEqual([]);
    const second = await acquireExclusiveLock(path);
    await second.release();
  });

  it('is free again when its folder was missing during the release', async () => {
    const lock = await acquireExclusiveLock(path);
    await rename(folder, `${folder}-away`);
    await lock.release();
    await rename(`${folder}-away`, folder);
    expect(await readdir(folder)).toEqual(['data.lock']);
    const second = await acquireExclusiveLock(path);
    await expect(acquireExclusiveLock(path)).rejects.toThrow('is held by');
    await second.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over from a process of this host that is gone', async () => {
    await leave({ pid: 2 ** 22 + 1, host: hostname(), token: 'old', threadId: 2 ** 22 + 1, startTime: '1' });
    const lock = await acquireExclusiveLock(path);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over from a process that had the same id and started at another time', async () => {
    await leave({ ...currentHolder('old'), startTime: '1' });
    const lock = await acquireExclusiveLock(path);
    await lock.release();
  });

  it('takes over from before a restart of the host', async () => {
    await leave({ ...currentHolder('old'), bootId: 'another' });
    const lock = await acquireExclusiveLock(path);
    await lock.release();
  });

  it('never takes over from another host', async () => {
    await leave({ pid: 1, host: 'elsewhere', token: 'old' });
    await expect(acquireExclusiveLock(path)).rejects.toThrow('is held by process 1 on host elsewhere');
  });

  it('does not touch a file that is no lock', async () => {
    await writeFile(path, 'precious');
    await expect(acquireExclusiveLock(path)).rejects.toThrow('is not a lock file');
    expect(await readFile(path, 'utf8')).toBe('precious');
  });

  it('gives a stale lock to exactly one of many takers', async () => {
    for (let round = 0; round < 10; round += 1) {
      await leave({ pid: 2 ** 22 + 1, host: hostname(), token: `old-${round}` });
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquireExclusiveLock(path)));
      const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      await winners[0]?.value.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('takes over when a taker died in the middle of taking over', async () => {
    const gone = { pid: 2 ** 22 + 1, host: hostname() };
    await leave({ ...gone, token: 'old' });
    await writeFile(`${path}.old.takeover`, JSON.stringify({ ...gone, token: 'taker' }));
    const lock = await acquireExclusiveLock(path);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over from a dead worker thread of this process, and not from a living one', async () => {
    const worker = new Worker(
      `const fs = require('node:fs');
       const thread = Number(fs.readlinkSync('/proc/thread-self').split('/').at(-1));
       const stat = fs.readFileSync('/proc/self/task/' + thread + '/stat', 'latin1');
       const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
       require('node:worker_threads').parentPort.postMessage({ threadId: thread, startTime });
       setInterval(() => {}, 1000);`,
      { eval: true },
    );
    const thread = await new Promise<object>((resolve) => worker.once('message', resolve));
    await leave({ ...currentHolder('of-the-thread'), ...thread });
    await expect(acquireExclusiveLock(path)).rejects.toThrow('is held by');
    await worker.terminate();
    const lock = await acquireExclusiveLock(path);
    await lock.release();
  });
});
