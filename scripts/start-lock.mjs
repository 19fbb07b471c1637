// Lets one start at a time set up a checkout. Uses nothing but Node: it runs before the first build.
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/** A socket is a lock that the system releases when its holder dies. Linux needs no file for it. */
function addressOf(root) {
  const name = `sluice-start-${createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 32)}`;
  if (process.platform === 'linux') return `\0${name}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

function listen(address, self) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(self));
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server.unref()));
  });
}

/** Resolves with who holds the lock; undefined where nobody does any more. */
function holderOf(address) {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(address);
    socket.on('data', (data) => (text += data));
    socket.on('error', (error) => {
      // Where the lock is a file, a killed holder leaves it.
      if (error.code === 'ECONNREFUSED' && !address.startsWith('\0')) rmSync(address, { force: true });
    });
    socket.on('close', () => resolve(text === '' ? undefined : JSON.parse(text)));
  });
}

/**
 * Takes the lock of a checkout. Waits for a start that sets up for another state directory, and rejects beside one for the same.
 *
 * @returns a call that releases the lock
 */
export async function lockStart(root, home) {
  const address = addressOf(root);
  for (let isWaiting = false; ;) {
    const server = await listen(address, JSON.stringify({ pid: process.pid, home }));
    if (server !== undefined) return () => server.close();
    const holder = await holderOf(address);
    if (holder?.home === home) {
      throw new Error(
        `Process ${holder.pid} starts a local cluster in ${home} now: stop it first, or set SLUICE_HOME to another directory`,
      );
    }
    if (holder !== undefined && !isWaiting) {
      isWaiting = true;
      console.log(`Process ${holder.pid} sets up for ${holder.home}: waiting for it ...`);
    }
    await delay(POLL_MS);
  }
}

/** Resolves once the cluster of a process has the lock of the state directory, or that process has ended. */
export async function untilClusterLocks(home, child) {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      if (JSON.parse(readFileSync(join(home, 'local.lock'), 'utf8')).pid === child.pid) return;
    } catch {
      // There is none yet.
    }
    await delay(POLL_MS);
  }
}
