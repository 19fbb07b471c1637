import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Thrown where another runner may have run a task while this one had no contact to the control plane: what the task holds is outdated. */
export class SupersededError extends ConnectError {
  private constructor(what: string) {
    super(
      ConnectErrorCode.fenced,
      `Another runner may have run this task while this one had no contact to the control plane: ${what}`,
    );
  }

  /** Says why readers may drop the records of a source's generation: the task needs a new generation. */
  static ofSource(generation: number, why: string): SupersededError {
    return new SupersededError(
      `${why}. Readers may drop records of generation ${generation}; the task needs a newer one`,
    );
  }

  /** Says that a sink restarts where the other runner ended: that one may have stored and committed more. */
  static ofSink(): SupersededError {
    return new SupersededError('the sink restarts at the offsets that its target and its consumer group have now');
  }
}
