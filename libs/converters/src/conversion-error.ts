import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Reports a value that a converter cannot turn into bytes, or bytes that it cannot read. */
export class ConversionError extends ConnectError {
  constructor(
    readonly converter: string,
    reason: string,
    cause?: unknown,
  ) {
    super(ConnectErrorCode.conversionFailed, `${converter}: ${reason}`, { cause });
  }
}
