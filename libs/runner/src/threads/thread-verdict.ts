import type { OngoingCall } from '@sluice/runtime';
import type { ThreadReading } from './thread-pulse.js';

/** A loop of a thread and what it does. */
export interface LoopActivity {
  readonly loop: number;
  /** The key of its task. */
  readonly key: string;
  readonly ongoing: OngoingCall | undefined;
}

/** Why a thread has to end. */
export interface ThreadVerdict {
  readonly reason: string;
  /** Loops that may be the cause: all of them where nobody can tell. */
  readonly culprits: ReadonlySet<number>;
  /** The culprits are named by their calls, not only because they were there. */
  readonly isKnown: boolean;
}

/** Watches whether a thread returns to its event loop, by the CPU time that it uses meanwhile. A thread that only waits uses none. */
export class StallWatch {
  #turns: number | undefined;
  #cpuMs = 0;

  /**
   * Takes a reading.
   * @returns the CPU time used since the thread last returned to its event loop; 0 before it first did, and where it cannot be read
   */
  next({ turns, cpuMs }: ThreadReading): number {
    if (turns === 0 || cpuMs === undefined) return 0;
    if (turns !== this.#turns) {
      this.#turns = turns;
      this.#cpuMs = cpuMs;
    }
    return cpuMs - this.#cpuMs;
  }
}

/** Says which loops may be the cause of a crash: the one whose call had not even returned its promise. */
export function crashVerdict(loops: readonly LoopActivity[], reason: string): ThreadVerdict {
  return { reason, ...culpritsAmong(loops, loops.filter(isRunning)) };
}

/**
 * Says why a thread is ended that used the CPU for `cpuMs` without returning to its event loop. The cause is a call that has not even returned its
 * promise, else one of those that wait.
 */
export function stallVerdict(loops: readonly LoopActivity[], cpuMs: number, limitMs: number, nowMs: number): ThreadVerdict {
  const running = loops.filter(isRunning);
  const named = running.length > 0 ? running : loops.filter(({ ongoing }) => ongoing !== undefined);
  const { culprits, isKnown } = culpritsAmong(loops, named);
  const used = `used the CPU for ${Math.round(cpuMs)} ms without a pause (task.stall.ms = ${limitMs})`;
  const [first, ...others] = named;
  if (first?.ongoing === undefined) return { reason: `it ${used}, in no call of a task`, culprits, isKnown };
  const ages = describeCall(first.ongoing, nowMs);
  const reason =
    others.length === 0
      ? `task ${first.key} ${used}, in its call ${ages}`
      : `one of ${named.length} tasks ${used}; among them ${first.key} in its call ${ages}`;
  return { reason, culprits, isKnown };
}

/**
 * Says why a thread is ended because of calls that have not returned for `limitMs`; `undefined` where there are none. A call that waits beside one
 * which blocks the thread is no cause.
 */
export function timeoutVerdict(loops: readonly LoopActivity[], limitMs: number, nowMs: number): ThreadVerdict | undefined {
  const late = loops.filter(({ ongoing }) => ongoing !== undefined && nowMs - ongoing.sinceMs >= limitMs);
  const blocking = late.filter(isRunning);
  const named = blocking.length > 0 ? blocking : late;
  const [first] = named;
  if (first?.ongoing === undefined) return undefined;
  return {
    reason: `task ${first.key} ${blocking.length > 0 ? 'blocks its thread' : 'waits'} in its call ${describeCall(first.ongoing, nowMs)} (task.call.timeout.ms = ${limitMs})`,
    culprits: new Set(named.map(({ loop }) => loop)),
    isKnown: true,
  };
}

function isRunning({ ongoing }: LoopActivity): boolean {
  return ongoing?.isRunning === true;
}

function culpritsAmong(loops: readonly LoopActivity[], named: readonly LoopActivity[]): Pick<ThreadVerdict, 'culprits' | 'isKnown'> {
  const isKnown = named.length > 0;
  return { isKnown, culprits: new Set((isKnown ? named : loops).map(({ loop }) => loop)) };
}

function describeCall({ call, sinceMs }: OngoingCall, nowMs: number): string {
  return `${call}, which began ${nowMs - sinceMs} ms ago`;
}
