/** Every reason that an error of this package can have. Closed: a new reason is added here first. */
export type ProtocolErrorCode = 'CLUSTER_ID_INVALID' | 'MALFORMED_MESSAGE';

/** Root of the errors of this package: the same bytes or names fail again. */
export class ProtocolError extends Error {
  readonly retriable = false;

  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}
