import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Another runner may have had a task while its own had no contact to the control plane: what it holds is outdated. */
export class SucceededError extends ConnectError {
  override readonly name = 'SucceededError';

  private constructor(what: string) {
    super(
      ConnectErrorCode.fenced,
      `Another runner may have had this task while its own had no contact to the control plane: ${what}`,
    );
  }

  /** Readers may drop the records of the generation: the task needs a new one. */
  static ofSource(generation: number, why: string): SucceededError {
    return new SucceededError(`${why}. Readers may drop records of generation ${generation}; the task needs a new one`);
  }

  /** The other may have stored and committed more: the task has to begin where that ended. */
  static ofSink(): SucceededError {
    return new SucceededError('it asks again where its queues are to be read');
  }
}

/** Across package copies and realms, where `instanceof` fails. */
export function isSucceededError(error: unknown): error is SucceededError {
  return error instanceof Error && error.name === 'SucceededError';
}
