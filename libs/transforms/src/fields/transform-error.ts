import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Returns the error of a record that a transform cannot take. */
export function unfit(message: string, cause?: unknown): ConnectError {
  return new ConnectError(ConnectErrorCode.transformFailed, message, { cause });
}
