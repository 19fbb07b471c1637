import { NodeError } from '../errors/node-error.js';

/** Thrown when the log is not the one that this node has folded: its tail was cut, or its topic was created again. */
export class LogRewrittenError extends NodeError {
  constructor(reason: string) {
    super('LOG_REWRITTEN', `The log was rewritten: ${reason}. The node puts its local copy aside and has to restart`);
  }
}

/** Thrown when the node did not get to the end of the log in time. */
export class LogBehindError extends NodeError {
  constructor(
    /** Entries that it has not read yet. */
    readonly behind: number,
    seq: number,
    options?: ErrorOptions,
  ) {
    super('LOG_BEHIND', `The node is ${behind} entries behind the end of the log, it has read up to entry ${seq}`, {
      retriable: true,
      ...options,
    });
  }
}

/** Thrown when the log may hold an entry that the node could not read, and nothing later has shown otherwise. */
export class LogUnclearError extends NodeError {
  constructor(offset: number, options?: ErrorOptions) {
    super(
      'LOG_UNCLEAR',
      `The message at offset ${offset} of the log may follow an entry that this node cannot read. The node knows the log again ` +
        'when it accepts a later entry. Where all coordinators run and this lasts, upgrade the node',
      { retriable: true, ...options },
    );
  }
}
