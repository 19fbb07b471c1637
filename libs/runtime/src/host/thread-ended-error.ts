import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

export interface ThreadEnd {
  /** What became of the thread, as "it passed its memory limit of 256 MB". */
  readonly reason: string;
  /** The task itself may be the cause: its restart is counted and delayed like that after any failure. */
  readonly isCulprit: boolean;
  readonly cause?: unknown;
}

/** Reports that the thread of a task has ended under it. What the task had sent may still arrive: it needs a new generation. */
export class ThreadEndedError extends ConnectError {
  readonly isCulprit: boolean;

  constructor({ reason, isCulprit, cause }: ThreadEnd) {
    super(ConnectErrorCode.unavailable, `The thread of the task has ended: ${reason}`, { retriable: true, cause });
    this.isCulprit = isCulprit;
  }
}
