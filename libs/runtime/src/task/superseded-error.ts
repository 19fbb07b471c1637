import { ConnectError, ConnectErrorCode, isConnectError } from '@sluice/sdk';

/** Thrown where another runner may have run a task while this one had no contact to the control plane: what the task holds is outdated. */
export class SupersededError extends ConnectError {
  private constructor(what: string) {
    super(ConnectErrorCode.fenced, `Another runner may have run this task while this one had no contact to the control plane: ${what}`);
  }

  /** Says why readers may drop the records of a source's generation, and that the task restarts by itself in a new one. */
  static ofSource(generation: number, why: string): SupersededError {
    return new SupersededError(
      `${why}. Readers may drop what generation ${generation} sends. The task stops sending and restarts by itself in a newer one ` +
        'at its stored positions, once a coordinator gives it one. It skips no record, and may send some again: sinks drop the duplicates',
    );
  }

  /** Says that a sink restarts where the other runner ended: that one may have stored and committed more. */
  static ofSink(): SupersededError {
    return new SupersededError(
      'the sink restarts by itself at the offsets that its target and its consumer group have now. It skips no record; ' +
        'a target that stores no offsets may get some twice',
    );
  }
}

/** Returns whether an error is a {@link SupersededError}, also one that came from another thread. */
export function isSuperseded(error: unknown): error is ConnectError {
  return isConnectError(error) && error.code === ConnectErrorCode.fenced && error.name === SupersededError.name;
}
