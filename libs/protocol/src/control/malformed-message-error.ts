import { ProtocolError } from '../protocol-error.js';

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
