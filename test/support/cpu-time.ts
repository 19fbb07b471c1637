import { readFileSync } from 'node:fs';

/** Clock ticks per second in /proc on Linux. */
const ticksPerSecond = 100;

/** CPU time that a process has used so far, user and system, in seconds; 0 where /proc does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The second field, the command, may hold spaces; what follows its closing parenthesis does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
}
