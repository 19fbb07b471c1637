import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Clock ticks per second in /proc on Linux. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used so far, user and system, in seconds; 0 where /proc does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command, may hold spaces; what follows its closing parenthesis does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** For how long a process's main thread has waited for a processor so far, in milliseconds; 0 where /proc does not tell. */
export function processorWaitMs(pid: number): number {
  try {
    // See proc(5): time on a processor, time on its run queue, both in nanoseconds.
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Which part of the time the processors of the machine have had nothing to do since `before`. */
function idleShare(before: MachineTime, now: MachineTime): number {
  return (now.idle - before.idle) / Math.max(1, now.all - before.all);
}

interface MachineTime {
  readonly idle: number;
  readonly all: number;
}

function machineTime(): MachineTime {
  const times = cpus().map(({ times: each }) => each);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all };
}

/**
 * Resolves once the processors were idle for a fifth of a second's time, or after the limit. A RocketMQ that has just started compiles its
 * code for some seconds, and so do new processes. That takes all processors of a small machine.
 */
export async function untilProcessorsIdle(limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (let before = machineTime(); performance.now() < deadline;) {
    await delay(1000);
    const now = machineTime();
    if (idleShare(before, now) >= 0.2) return;
    before = now;
  }
}
