/** Every reason that an error of this package can have. Closed: a new reason is added here first. */
export type CoreErrorCode = 'NEWER_VERSION_NEEDED' | 'RESTORE_UNFINISHED' | 'SNAPSHOT_MISSING';

/** Root of the errors of this package. None goes away by itself: their messages say what to do. */
export class CoreError extends Error {
  readonly retriable = false;

  constructor(
    readonly code: CoreErrorCode,
    message: string,
  ) {
    super(message);
    this.name = new.target.name;
  }
}
