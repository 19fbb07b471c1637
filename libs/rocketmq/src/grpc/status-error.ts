import {
  AuthenticationError,
  AuthorizationError,
  BrokerResponseError,
  FlowControlError,
  type RocketMqError,
  TopicNotFoundError,
} from '../errors.js';
import { protocol } from './protobuf.js';

const Code: Readonly<Record<keyof typeof protocol.Code, number>> = protocol.Code;

export interface ProxyStatus {
  readonly code: number;
  readonly message: string;
}

export interface AskedProxy {
  /** The call, e.g. `SendMessage`. */
  readonly request: string;
  readonly address: string;
  readonly topic: string;
}

/** The broker has the message although it could not flush or replicate it in time. */
const STORED_CODES: ReadonlySet<number> = new Set([Code.MASTER_PERSISTENCE_TIMEOUT, Code.SLAVE_PERSISTENCE_TIMEOUT, Code.HA_NOT_AVAILABLE]);
/** The Proxy or a broker met trouble: the same call may succeed later. */
const RETRIABLE_CODES: ReadonlySet<number> = new Set([
  Code.REQUEST_TIMEOUT,
  Code.INTERNAL_ERROR,
  Code.INTERNAL_SERVER_ERROR,
  Code.PROXY_TIMEOUT,
  Code.UNRECOGNIZED_CLIENT_TYPE,
  ...STORED_CODES,
]);
/** Of these it is not known how far the request came. */
const OUTCOME_UNKNOWN_CODES: ReadonlySet<number> = new Set([
  Code.REQUEST_TIMEOUT,
  Code.INTERNAL_ERROR,
  Code.INTERNAL_SERVER_ERROR,
  Code.PROXY_TIMEOUT,
]);
/** A Proxy in the broker's process answers every broker error with 50001; a refusal under load is known by its words. */
const FLOW_CONTROL_REMARK = /\[(TIMEOUT_CLEAN_QUEUE|PCBUSY_CLEAN_QUEUE|REJECTREQUEST|OVERLOAD)\]/;
/** One code, 40100, stands for both refusals. */
const UNAUTHORIZED_REMARK = /has no permission to access/;

/** An answer without a status is none that this protocol knows. */
export function statusOf(status: InstanceType<typeof protocol.Status> | undefined): ProxyStatus {
  if (status === undefined) return { code: Code.CODE_UNSPECIFIED, message: 'the answer has no status' };
  return { code: status.getCode(), message: status.getMessage() };
}

export function isOk(status: ProxyStatus): boolean {
  return status.code === Code.OK;
}

export function isNoNewMessage(status: ProxyStatus): boolean {
  return status.code === Code.MESSAGE_NOT_FOUND;
}

export function isStoredAnyway(status: ProxyStatus): boolean {
  return STORED_CODES.has(status.code);
}

/** The Proxy has no settings of this client: it restarted, or another Proxy answers behind the same address. */
export function isSessionLost(error: RocketMqError): boolean {
  if (!(error instanceof BrokerResponseError)) return false;
  const isUnknownClient = error.responseCode === Code.UNRECOGNIZED_CLIENT_TYPE;
  const isNullPointer = error.responseCode === Code.INTERNAL_SERVER_ERROR && /"settings" is null/.test(error.remark);
  return isUnknownClient || isNullPointer;
}

/**
 * Returns whether the Proxy refused the whole request for what one of its messages is like; it would take the others
 * without that one. Sizes count: a body may be too large for the Proxy's own limit.
 */
export function isMessageRefused(error: RocketMqError): boolean {
  if (!(error instanceof BrokerResponseError)) return false;
  const { responseCode } = error;
  return (
    (responseCode >= Code.BAD_REQUEST && responseCode < Code.UNAUTHORIZED) ||
    (responseCode >= Code.PAYLOAD_TOO_LARGE && responseCode < Code.PRECONDITION_FAILED) ||
    responseCode === Code.MESSAGE_PROPERTIES_TOO_LARGE
  );
}

/** Returns whether the broker may have executed a request that the Proxy answered like this. */
export function mayBeExecuted(status: ProxyStatus): boolean {
  return OUTCOME_UNKNOWN_CODES.has(status.code) && !FLOW_CONTROL_REMARK.test(status.message);
}

/** Returns the typed error for a status that is not success (`Code` in definition.proto of RocketMQ 5.5.0). */
export function statusError(status: ProxyStatus, asked: AskedProxy): RocketMqError {
  const { code, message } = status;
  const answer = { request: asked.request, address: asked.address, responseCode: code, remark: message };
  if (code === Code.TOPIC_NOT_FOUND) return new TopicNotFoundError(asked.topic);
  if (code === Code.TOO_MANY_REQUESTS || FLOW_CONTROL_REMARK.test(message)) return new FlowControlError(answer);
  if (code === Code.UNAUTHORIZED) {
    return UNAUTHORIZED_REMARK.test(message) ? new AuthorizationError(answer) : new AuthenticationError(answer);
  }
  if (code === Code.FORBIDDEN && UNAUTHORIZED_REMARK.test(message)) return new AuthorizationError(answer);
  const outcome = mayBeExecuted(status) ? 'unknown' : 'not-sent';
  return new BrokerResponseError(answer, { retriable: RETRIABLE_CODES.has(code), outcome });
}
