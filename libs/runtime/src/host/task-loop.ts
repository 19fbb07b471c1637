import type { LoopEnd } from '../loop-end.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { TaskWarnings } from '../task-warnings.js';

/** What a host needs of a source or a sink loop. */
export interface TaskLoop {
  readonly counters: TaskCounters;
  readonly warnings: Pick<TaskWarnings, 'list'>;
  /** Resolves when the loop has ended, whatever the reason. Never rejects. */
  readonly ended: Promise<LoopEnd>;
  start(): Promise<void>;
  stop(): Promise<LoopEnd>;
  /** Gives up at once: nothing more is written. */
  kill(): void;
  pause(): void;
  resume(): void;
}
