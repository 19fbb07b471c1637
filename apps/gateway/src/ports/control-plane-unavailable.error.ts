import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Thrown when the cluster cannot be asked or told anything now; the same request may succeed later. `reason` is one sentence. */
export class ControlPlaneUnavailableError extends ConnectError {
  constructor(reason: string, options: { readonly cause?: unknown } = {}) {
    super(ConnectErrorCode.unavailable, reason, { retriable: true, cause: options.cause });
  }
}
