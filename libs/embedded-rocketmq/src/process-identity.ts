import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process that cannot be mistaken for a later one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started: clock ticks since boot (/proc), or the start date that `ps` prints. Only compared for equality. */
  readonly startedAt: string;
}

export interface ProcessFacts extends ProcessIdentity {
  readonly command: string;
}

/** Fields 3, 20 and 22 of `/proc/<pid>/stat` (proc(5); field 2, the name in parentheses, may itself hold spaces and parentheses). */
export function parseProcStat(stat: string): { state: string; threads: number; startTicks: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const threads = fields[17];
  const startTicks = fields[19];
  if (state === undefined || threads === undefined || startTicks === undefined) return undefined;
  return { state, threads: Number(threads), startTicks };
}

/** Returns what runs under `pid` now; undefined when nothing does, or only a zombie waits to be collected. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  return process.platform === 'linux' ? factsFromProc(pid) : factsFromPs(pid);
}

async function factsFromProc(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([readFile(`/proc/${pid}/stat`, 'latin1'), readFile(`/proc/${pid}/cmdline`, 'utf8')]);
    const parsed = parseProcStat(stat);
    if (parsed === undefined) return undefined;
    // The first thread shows as a zombie while others still end, and those keep the sockets open.
    if ((parsed.state === 'Z' || parsed.state === 'X') && parsed.threads <= 1) return undefined;
    return { pid, startedAt: parsed.startTicks, command: commandLine.split('\0').join(' ').trim() };
  } catch {
    return undefined;
  }
}

/** The same from `ps`, for systems without /proc. */
export async function factsFromPs(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const { stdout } = await run('ps', ['-ww', '-p', String(pid), '-o', 'stat=,lstart=,command='], {
      env: { ...process.env, LC_ALL: 'C' },
      timeout: 10_000,
    });
    const match = /^\s*(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/s.exec(stdout.trimEnd());
    const [, state, startedAt, command] = match ?? [];
    if (state === undefined || startedAt === undefined || command === undefined || state.startsWith('Z')) return undefined;
    return { pid, startedAt, command };
  } catch {
    return undefined;
  }
}

/**
 * Returns whether that very process still runs: same id, same start, and `marker` in its command line. A process that is just ending has
 * lost its command line but still holds its ports and files. So it is treated as running.
 */
export async function isStillRunning(identity: ProcessIdentity, marker: string): Promise<boolean> {
  const facts = await processFacts(identity.pid);
  return facts?.startedAt === identity.startedAt && (facts.command === '' || facts.command.includes(marker));
}
