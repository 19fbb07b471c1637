import type { RemotingCommand } from '../wire/remoting-codec.js';
import { requestName } from '../wire/request-code.js';
import type { PendingRequest } from './in-flight-request.js';

/** What a client reports to its owner's log and metrics. */
export type ClientEvent =
  | { readonly kind: 'connection-opened'; readonly address: string }
  | { readonly kind: 'connection-failed'; readonly address: string; readonly error: unknown }
  | { readonly kind: 'connection-ended'; readonly address: string; readonly reason: string }
  | {
      readonly kind: 'request-ended';
      readonly address: string;
      /** Such as `PULL_MESSAGE`. */
      readonly request: string;
      readonly milliseconds: number;
      /** Undefined for a request that got no answer: its connection ended, or its caller gave up. */
      readonly responseCode: number | undefined;
      readonly requestBytes: number;
      readonly responseBytes: number;
    };

/** Must be quick. What it throws becomes a warning of the process. */
export type ClientEventListener = (event: ClientEvent) => void;

export function tell(listener: ClientEventListener | undefined, event: ClientEvent): void {
  try {
    listener?.(event);
  } catch (error) {
    process.emitWarning(`A listener of client events failed: ${String(error)}`);
  }
}

/** Reports the end of a request to a listener, once, however the request ends. */
export function reportEndOf(pending: PendingRequest, address: string, listener: ClientEventListener): void {
  const startedAt = performance.now();
  pending.onEnd ??= (reply: RemotingCommand | undefined) => {
    tell(listener, {
      kind: 'request-ended',
      address,
      request: requestName(pending.request.code),
      milliseconds: performance.now() - startedAt,
      responseCode: reply?.code,
      requestBytes: pending.request.body?.length ?? 0,
      responseBytes: reply?.body.length ?? 0,
    });
  };
}
