import { ConnectError, type ConnectErrorCode } from '@sluice/sdk';

/** A record that no message can carry. `record` names it for people: topic, partition and position or offset, as far as known. */
export class RecordMappingError extends ConnectError {
  readonly record: string;

  constructor(
    code: typeof ConnectErrorCode.recordInvalid | typeof ConnectErrorCode.recordTooLarge,
    record: string,
    reason: string,
  ) {
    super(code, `The record ${record} cannot be sent: ${reason}`);
    this.record = record;
  }
}
