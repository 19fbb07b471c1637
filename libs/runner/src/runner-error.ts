/** Every reason that an error of this package can have. Closed: a new reason is added here first. */
export type RunnerErrorCode =
  'LOG_UNREACHABLE' | 'POSITIONS_MISSING' | 'POSITIONS_NOT_SHOWN' | 'RESTART_REFUSED' | 'TASK_STUCK' | 'THREAD_STUCK';

/** Root of the errors of this package. */
export class RunnerError extends Error {
  constructor(
    readonly code: RunnerErrorCode,
    message: string,
    /** Whether the same call may succeed later without anybody changing it. */
    readonly retriable: boolean,
  ) {
    super(message);
    this.name = new.target.name;
  }
}
