import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
}

export type Release = () => Promise<void>;

/**
 * Waits for the only lock on `path` on this host. The lock is a listening unix socket, so the system frees it when its holder dies. On
 * Linux it lives in the abstract namespace and leaves no file. Rejects with the signal's reason.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Release> {
  const address = lockAddress(path);
  let hasWaited = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const release = await tryListen(address);
    if (release !== undefined) return release;
    if (!hasWaited) {
      hasWaited = true;
      options.onWait?.();
    }
    const outcome = await waitForHolder(address, options.signal);
    if (outcome === 'nobody-listens' && !address.startsWith('\0')) await rm(address, { force: true });
  }
}

function lockAddress(path: string): string {
  const owner = process.getuid?.() ?? 0;
  const id = createHash('sha256')
    .update(`${owner}:${resolve(path)}`)
    .digest('hex')
    .slice(0, 24);
  return process.platform === 'linux' ? `\0sluice-lock-${id}` : join(tmpdir(), `sluice-${id}.lock`);
}

function tryListen(address: string): Promise<Release | undefined> {
  return new Promise((resolvePromise, reject) => {
    const waiting = new Set<Socket>();
    const server: Server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => waiting.delete(socket));
      socket.resume();
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolvePromise(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      server.unref();
      resolvePromise(async () => {
        await new Promise<void>((closed) => {
          server.close(() => {
            closed();
          });
          for (const socket of waiting) socket.destroy();
        });
      });
    });
  });
}

/** Stays connected to the holder: the connection ends when the holder releases or dies. */
function waitForHolder(address: string, signal: AbortSignal | undefined): Promise<'released' | 'nobody-listens'> {
  return new Promise((resolvePromise, reject) => {
    signal?.throwIfAborted();
    const socket = connect(address);
    let isConnected = false;
    const onAbort = (): void => {
      socket.destroy();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => {
      isConnected = true;
      socket.resume();
    });
    // 'close' follows every error and settles the wait.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolvePromise(isConnected ? 'released' : 'nobody-listens');
    });
  });
}
