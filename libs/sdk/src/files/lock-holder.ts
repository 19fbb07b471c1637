import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Who holds a lock. A worker thread is a holder of its own: when it dies, its locks are free although its process lives on.
 * `bootId`, `threadId` and `startTime` are absent where the system has no `/proc`.
 */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Unique for each time a lock was taken. */
  readonly token: string;
  /** What it holds the lock for, for people: "connector lines-out". */
  readonly user?: string;
  readonly bootId?: string;
  /** The system's id of the thread. */
  readonly threadId?: number;
  /** When the thread started, in clock ticks since boot: field 22 of `/proc/<pid>/task/<thread>/stat`, see proc(5). */
  readonly startTime?: string;
}

/** Describes the calling thread. Synchronous, because `/proc/thread-self` must be read by the thread itself. */
export function currentHolder(token: string, user?: string): LockHolder {
  const bootId = readProc('/proc/sys/kernel/random/boot_id');
  const threadId = currentThreadId();
  const startTime = threadId === undefined ? undefined : threadStartTime(process.pid, threadId);
  return {
    pid: process.pid,
    host: hostname(),
    token,
    ...(user === undefined ? {} : { user }),
    ...(bootId === undefined ? {} : { bootId }),
    ...(threadId === undefined || startTime === undefined ? {} : { threadId, startTime }),
  };
}

/** Returns whether the holder is certainly gone. On another host that is never certain. */
export function isGone(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return false;
  const bootId = readProc('/proc/sys/kernel/random/boot_id');
  if (bootId !== undefined && holder.bootId !== undefined && bootId !== holder.bootId) return true;
  if (holder.threadId !== undefined && currentThreadId() !== undefined) {
    const startTime = threadStartTime(holder.pid, holder.threadId);
    if (startTime !== undefined) return startTime !== holder.startTime;
    // Systems may hide the processes of other users: a thread is gone if its process can be seen without it.
    return !isProcessAlive(holder.pid) || readProc(`/proc/${holder.pid}/stat`) !== undefined;
  }
  return !isProcessAlive(holder.pid);
}

/** Reads the content of a lock file; `undefined` if it is none. */
export function parseHolder(text: string): LockHolder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, host, token } = value as Partial<Record<keyof LockHolder, unknown>>;
  const isHolder = Number.isSafeInteger(pid) && typeof host === 'string' && typeof token === 'string';
  return isHolder ? (value as LockHolder) : undefined;
}

function currentThreadId(): number | undefined {
  try {
    const id = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    return Number.isSafeInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

function threadStartTime(pid: number, threadId: number): string | undefined {
  const stat = readProc(`/proc/${pid}/task/${threadId}/stat`);
  // The second field is a name in brackets that may itself hold spaces and brackets: count from the last bracket.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
