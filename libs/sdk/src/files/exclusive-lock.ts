import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import { readTextIfPresent } from './durable-file.js';
import { currentHolder, isGone, type LockHolder, parseHolder } from './lock-holder.js';

export interface ExclusiveLock {
  readonly path: string;
  /** Removes the lock file, if it is still ours. Where it cannot be removed, this thread takes it for stale from then on. Safe to call twice. */
  release(): Promise<void>;
}

/** Thrown where a holder has the lock, who may release it or die: that is retriable. A file in its place that is no lock is not. */
export class LockHeldError extends ConnectError {
  readonly path: string;
  readonly holder: LockHolder | undefined;

  constructor(path: string, holder: LockHolder | undefined) {
    super(ConnectErrorCode.lockHeld, heldMessage(path, holder), { retriable: holder !== undefined });
    this.path = path;
    this.holder = holder;
  }
}

/** Tokens of locks that this thread released without removing their files, as when their folder was missing for a while. */
const LEFT_BEHIND = new Set<string>();
const MAX_LEFT_BEHIND = 1000;

const MAX_ATTEMPTS = 8;
const MAX_DEPTH = 4;

/**
 * Takes a lock that one thread of one process can hold at a time, as a file at `path`. A lock is stale, and taken over, when its holder
 * ran on this host and is gone. Never waits.
 *
 * A taker writes a temporary file and links it to `path`, which fails if something is there. So nobody sees a lock file half written. To
 * replace a stale lock, a taker must hold a second lock, named after the stale one's token. The stale lock must still be in place. Of two
 * takers one wins, and a late one cannot remove the winner's lock.
 *
 * @param user what the lock is held for, as the error of the next taker names it.
 * @throws {LockHeldError} if it is held, naming the holder.
 */
export async function acquireExclusiveLock(path: string, user?: string): Promise<ExclusiveLock> {
  const holder = currentHolder(randomUUID(), user);
  await take(path, holder, 0);
  let isReleased = false;
  return {
    path,
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      let isRemoved = false;
      try {
        isRemoved = await drop(path, holder);
      } finally {
        if (!isRemoved) leaveBehind(holder.token);
      }
    },
  };
}

async function take(path: string, holder: LockHolder, depth: number): Promise<void> {
  const temporary = `${path}.${holder.token}.tmp`;
  await writeDurably(temporary, JSON.stringify(holder));
  try {
    let current: LockHolder | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (await linkIfFree(temporary, path)) return;
      const text = await readTextIfPresent(path);
      if (text === undefined) continue;
      current = parseHolder(text);
      if (current === undefined || !isStale(current) || depth === MAX_DEPTH) throw new LockHeldError(path, current);
      if (await replaceStale(path, temporary, holder, current, depth)) return;
    }
    throw new LockHeldError(path, current);
  } finally {
    await rm(temporary, { force: true });
  }
}

function isStale(holder: LockHolder): boolean {
  return LEFT_BEHIND.has(holder.token) || isGone(holder);
}

function leaveBehind(token: string): void {
  LEFT_BEHIND.add(token);
  const [oldest] = LEFT_BEHIND;
  if (LEFT_BEHIND.size > MAX_LEFT_BEHIND && oldest !== undefined) LEFT_BEHIND.delete(oldest);
}

/** Returns false when another taker was first. */
async function replaceStale(path: string, temporary: string, holder: LockHolder, stale: LockHolder, depth: number): Promise<boolean> {
  const claimPath = `${path}.${stale.token}.takeover`;
  await take(claimPath, holder, depth + 1);
  try {
    const text = await readTextIfPresent(path);
    if (text === undefined || parseHolder(text)?.token !== stale.token) return false;
    await rename(temporary, path);
    LEFT_BEHIND.delete(stale.token);
    return true;
  } finally {
    await drop(claimPath, holder);
  }
}

/** Returns whether it removed the holder's file. */
async function drop(path: string, holder: LockHolder): Promise<boolean> {
  const text = await readTextIfPresent(path);
  if (text === undefined || parseHolder(text)?.token !== holder.token) return false;
  await rm(path, { force: true });
  return true;
}

async function linkIfFree(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function heldMessage(path: string, holder: LockHolder | undefined): string {
  if (holder === undefined) {
    return `${path} is in the way of a lock and is not a lock file: remove it if nothing uses what it guards.`;
  }
  const { user, pid, host } = holder;
  const who = `process ${pid} on host ${host}`;
  const [held, toStop] = user === undefined ? [who, 'process'] : [`${user} in ${who}`, 'connector or process'];
  return `${path} is held by ${held}: stop that ${toStop} first, or remove the file if that host is gone.`;
}
