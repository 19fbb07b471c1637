import { readFileSync, readlinkSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';

const Cell = { systemId: 0, turns: 1 } as const;
const PULSE_INTERVAL_MS = 100;
/** Linux counts the CPU time of threads in hundredths of a second, on every machine. */
const TICK_MS = 10;
/** Places of user and system time among the fields behind the name, which is in brackets. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

export interface ThreadReading {
  /** Grows whenever the thread returns to its event loop; 0 before it runs one. */
  readonly turns: number;
  /** `undefined` where it cannot be read now. */
  readonly cpuMs: number | undefined;
}

export function newPulse(): SharedArrayBuffer {
  return new SharedArrayBuffer(Object.keys(Cell).length * Int32Array.BYTES_PER_ELEMENT);
}

/** Shows in a thread that its event loop turns, until the returned function is called. */
export function beginPulse(memory: SharedArrayBuffer): () => void {
  const cells = new Int32Array(memory);
  Atomics.store(cells, Cell.systemId, ownSystemId());
  const timer = setInterval(() => Atomics.add(cells, Cell.turns, 1), PULSE_INTERVAL_MS);
  return () => {
    clearInterval(timer);
  };
}

/** Reads from outside what a thread does, whether it returns or not. */
export function readPulse(memory: SharedArrayBuffer, worker: Pick<Worker, 'performance'>): ThreadReading {
  const cells = new Int32Array(memory);
  const systemId = Atomics.load(cells, Cell.systemId);
  // Where the system shows no thread's CPU time: the time in which its event loop waited for nothing. The two are never mixed.
  const cpuMs = systemId === 0 ? worker.performance.eventLoopUtilization().active : cpuMsOf(systemId);
  return { turns: Atomics.load(cells, Cell.turns), cpuMs };
}

/** The number of this thread in the system; 0 where that shows none. */
function ownSystemId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

function cpuMsOf(systemId: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${systemId}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])) * TICK_MS;
  } catch {
    return undefined;
  }
}
