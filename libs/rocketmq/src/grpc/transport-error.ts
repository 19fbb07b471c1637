import {
  AuthenticationError,
  AuthorizationError,
  BrokerResponseError,
  ConnectFailedError,
  ConnectionClosedError,
  FlowControlError,
  FrameTooLargeError,
  RequestAbortedError,
  RequestTimeoutError,
  type RocketMqError,
  TlsHandshakeError,
} from '../errors.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import { grpc, type ServiceError } from './protobuf.js';

const { status: STATUS } = grpc;

/** What grpc-js says when it never had a connection to send the call on. */
const NOT_CONNECTED = /^No connection established|Name resolution failed/;
const TLS_REASON = /certificate|\bSSL\b|\bTLS\b|self-signed|wrong version number|altnames/i;
const RECEIVED_TOO_LARGE = /Received message larger than max \((\d+) vs\.? (\d+)\)/;

export interface FailedCall {
  readonly request: string;
  readonly address: string;
  readonly deadline: CallDeadline;
}

/** Returns the typed error for a call that got no answer of the Proxy, by its gRPC status. */
export function transportError(error: ServiceError, call: FailedCall): RocketMqError {
  const { request, address, deadline } = call;
  const what = `${request} at ${address}`;
  const { details } = error;
  const answer = { request, address, responseCode: error.code, remark: details };
  switch (error.code) {
    case STATUS.UNAVAILABLE:
      if (!NOT_CONNECTED.test(details)) return new ConnectionClosedError(address, 'unknown', details, error);
      return TLS_REASON.test(details) ? new TlsHandshakeError(address, details, error) : new ConnectFailedError(address, details, error);
    case STATUS.DEADLINE_EXCEEDED:
      return new RequestTimeoutError(what, deadline.timeoutMs, 'unknown');
    case STATUS.CANCELLED:
      return deadline.signal?.aborted === true
        ? new RequestAbortedError(what, 'unknown', deadline.signal.reason)
        : new ConnectionClosedError(address, 'unknown', details, error);
    case STATUS.UNAUTHENTICATED:
      return new AuthenticationError(answer);
    case STATUS.PERMISSION_DENIED:
      return new AuthorizationError(answer);
    case STATUS.RESOURCE_EXHAUSTED: {
      const sizes = RECEIVED_TOO_LARGE.exec(details);
      return sizes === null ? new FlowControlError(answer) : new FrameTooLargeError(Number(sizes[1]), Number(sizes[2]));
    }
    case STATUS.UNKNOWN:
    case STATUS.ABORTED:
    case STATUS.INTERNAL:
      return new BrokerResponseError(answer, { retriable: true });
    case STATUS.OK:
    case STATUS.INVALID_ARGUMENT:
    case STATUS.NOT_FOUND:
    case STATUS.ALREADY_EXISTS:
    case STATUS.FAILED_PRECONDITION:
    case STATUS.OUT_OF_RANGE:
    case STATUS.UNIMPLEMENTED:
    case STATUS.DATA_LOSS:
      return new BrokerResponseError(answer, { retriable: false, outcome: 'not-sent' });
  }
}
