/** Every reason that an error of this package can have. Closed: a new reason is added here first. */
export type ProtocolErrorCode = 'CLUSTER_ID_INVALID' | 'MALFORMED_MESSAGE' | 'SEALED_VALUE';

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

/** Thrown when a message on one of Sluice's own topics cannot be decoded. Readers count and skip it. */
export class MalformedMessageError extends ProtocolError {
  constructor(
    readonly what: string,
    reason: string,
    options?: ErrorOptions,
    /** What the message says as far as it is a JSON object. */
    readonly fields?: Readonly<Record<string, unknown>>,
  ) {
    super('MALFORMED_MESSAGE', `A ${what} message cannot be understood: ${reason}`, options);
  }
}
