import type { InstanceReport } from '@sluice/core';
import type { LoopEnd } from '../task/loop-end.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { TaskWaits } from '../retry/task-waits.js';
import type { TaskWarnings } from '../task/task-warnings.js';

/** What a host needs of a source or a sink loop. */
export interface TaskLoop {
  readonly counters: TaskCounters;
  readonly warnings: Pick<TaskWarnings, 'list'>;
  readonly waits: Pick<TaskWaits, 'list'>;
  /** Of the connector's instance, where one belongs to the loop and both have not ended. */
  readonly instance?: InstanceReport | undefined;
  /** Resolves when the loop has ended, whatever the reason. Never rejects. */
  readonly ended: Promise<LoopEnd>;
  /** Resolves with its error when the task has failed, while the connector's instance still keeps the loop from its end. */
  readonly failed?: Promise<unknown>;
  /** Resolves when the connector's instance runs again only with a new generation: see `InstanceKeeper`. */
  readonly outdated?: Promise<void>;
  /** `onCompleted` is called once if the task has no more data for good: all of it is committed, and the task is stopped. */
  start(onCompleted?: () => void): Promise<void>;
  stop(): Promise<LoopEnd>;
  /** Gives up at once: nothing more is written. */
  kill(): void;
  /** Ends the thread that the loop runs in, for certain. Absent where no other way than the end of the process is certain. */
  endThread?(): void;
  /** `onStill` is called once nothing moves any more, unless the loop was resumed before. */
  pause(onStill: () => void): void;
  resume(): void;
}
