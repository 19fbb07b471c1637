import {
  AuthenticationError,
  AuthorizationError,
  BrokerResponseError,
  FlowControlError,
  type RequestOutcome,
  UnsupportedByBrokerError,
} from '../errors.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { requestName } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/** Brokers report some refusals under load as SYSTEM_ERROR; their remarks begin with one of these. */
const FLOW_CONTROL_REMARK = /^\[(TIMEOUT_CLEAN_QUEUE|PCBUSY_CLEAN_QUEUE|REJECTREQUEST|OVERLOAD)\]/;
/** Brokers of ACL 2.0 answer every refusal with NO_PERMISSION; only the remark says which (seen on 5.5.0). */
const UNAUTHENTICATED_REMARK = /^(username cannot be null|check signature failed|User:\S+ is (not found|disabled))/;
const UNAUTHORIZED_REMARK = /^\S+ has no permission to access /;
/** Brokers of plain ACL answer every refusal with SYSTEM_ERROR and the name of this exception (seen on 4.9.7). */
const PLAIN_ACL_REMARK = /\bAclException: (.*)/s;
const PLAIN_UNAUTHENTICATED = /^(No accessKey is configured|No acl config for |Check signature failed )/;

/** Brokers before 5.2 report a queue that a topic does not have as SYSTEM_ERROR (seen on 4.9.7 and 5.1.4). */
const ILLEGAL_QUEUE_REMARK = /^request queueId\[-?\d+\] is illegal/;

/**
 * Remarks of SYSTEM_ERROR that brokers give before they store (`SendMessageProcessor` of 4.5 to 5.5). Two look alike and are
 * missing on purpose: "in-sync replicas not enough" of 5.x and "[PC_SYNCHRONIZED]" of 4.x. They also answer a DLedger
 * leader's time-out: it has the message, and its followers may get it yet.
 */
const NOT_STORED_REMARK =
  /^(create mapped file failed|timer message is under flow control|accurate timer message is not enabled|broker unable to service, until)/;

/** Brokers report a batch over their size limit as an exception, which they throw before they store (`MessageExtEncoder` of 5.x, `CommitLog` of 4.x). */
const TOO_LARGE_REMARK = /\bRuntimeException: (message (body )?size exceeded|Properties size of messageExtBatch exceeded)/;

/** Answers that brokers give before they execute anything, whatever the remark. */
const REFUSALS: ReadonlySet<number> = new Set([
  RESPONSE_CODE.SYSTEM_BUSY,
  RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED,
  RESPONSE_CODE.MESSAGE_ILLEGAL,
  RESPONSE_CODE.NO_PERMISSION,
  RESPONSE_CODE.TOPIC_NOT_EXIST,
  RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST,
  RESPONSE_CODE.INVALID_PARAMETER,
  RESPONSE_CODE.FLOW_CONTROL,
  RESPONSE_CODE.NOT_LEADER_FOR_QUEUE,
]);

/**
 * Returns what an answer proves about a request for `count` messages.
 * A DLedger leader that loses its role within a batch answers SERVICE_NOT_AVAILABLE and keeps the first messages.
 */
export function answerOutcome({ code, remark }: Pick<RemotingCommand, 'code' | 'remark'>, count: number): RequestOutcome {
  if (REFUSALS.has(code)) return 'not-sent';
  if (code === RESPONSE_CODE.SERVICE_NOT_AVAILABLE) return count > 1 ? 'unknown' : 'not-sent';
  if (code !== RESPONSE_CODE.SYSTEM_ERROR) return 'unknown';
  const refusals = [FLOW_CONTROL_REMARK, NOT_STORED_REMARK, ILLEGAL_QUEUE_REMARK, PLAIN_ACL_REMARK, TOO_LARGE_REMARK];
  const isRefusal = refusals.some((known) => known.test(remark));
  return isRefusal ? 'not-sent' : 'unknown';
}

/** Of a broker without write permission, about topics with an order configuration. */
const FORBIDDEN_REMARK = /^the broker\[.*\] sending message is forbidden/;

/**
 * Returns whether a broker refused the queue of a send and not the send. Then the topic has fewer queues now, another
 * broker leads the queue of a static topic, or the broker takes no messages.
 */
export function isQueueRefused({ responseCode, remark }: Pick<BrokerResponseError, 'responseCode' | 'remark'>): boolean {
  switch (responseCode) {
    case RESPONSE_CODE.NOT_LEADER_FOR_QUEUE:
      return true;
    case RESPONSE_CODE.NO_PERMISSION:
      return FORBIDDEN_REMARK.test(remark);
    case RESPONSE_CODE.INVALID_PARAMETER:
    case RESPONSE_CODE.SYSTEM_ERROR:
      return ILLEGAL_QUEUE_REMARK.test(remark);
    default:
      return false;
  }
}

/** Returns whether a broker refused what it was sent, for the size of a body or of properties, and would refuse it again. */
export function isMessageRefused({ responseCode, remark }: Pick<BrokerResponseError, 'responseCode' | 'remark'>): boolean {
  return responseCode === RESPONSE_CODE.MESSAGE_ILLEGAL || (responseCode === RESPONSE_CODE.SYSTEM_ERROR && TOO_LARGE_REMARK.test(remark));
}

/** Returns whether the broker does not know the sender. */
export function isUnauthenticated(reply: Pick<RemotingCommand, 'code' | 'remark'>): boolean {
  if (reply.code === RESPONSE_CODE.NO_PERMISSION) return UNAUTHENTICATED_REMARK.test(reply.remark);
  const plainAcl = plainAclRefusal(reply);
  return plainAcl !== undefined && PLAIN_UNAUTHENTICATED.test(plainAcl);
}

function plainAclRefusal({ code, remark }: Pick<RemotingCommand, 'code' | 'remark'>): string | undefined {
  return code === RESPONSE_CODE.SYSTEM_ERROR ? PLAIN_ACL_REMARK.exec(remark)?.[1] : undefined;
}

/**
 * Returns the typed error for a reply with any code but SUCCESS.
 * @param count messages of the request, where it sends some
 */
export function responseError(reply: RemotingCommand, request: RemotingRequest, address: string, count = 1): BrokerResponseError {
  const answer = { request: requestName(request.code), address, responseCode: reply.code, remark: reply.remark };
  if (reply.code === RESPONSE_CODE.SYSTEM_BUSY || reply.code === RESPONSE_CODE.FLOW_CONTROL || FLOW_CONTROL_REMARK.test(reply.remark)) {
    return new FlowControlError(answer);
  }
  if (reply.code === RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED) return new UnsupportedByBrokerError(answer);
  if (reply.code === RESPONSE_CODE.NO_PERMISSION) {
    if (isUnauthenticated(reply)) return new AuthenticationError(answer);
    if (UNAUTHORIZED_REMARK.test(reply.remark)) return new AuthorizationError(answer);
  }
  if (plainAclRefusal(reply) !== undefined) {
    return isUnauthenticated(reply) ? new AuthenticationError(answer) : new AuthorizationError(answer);
  }
  const isFinal = ILLEGAL_QUEUE_REMARK.test(reply.remark) || TOO_LARGE_REMARK.test(reply.remark);
  const mayPass = reply.code === RESPONSE_CODE.SYSTEM_ERROR && !isFinal;
  return new BrokerResponseError(answer, {
    retriable: mayPass || reply.code === RESPONSE_CODE.SERVICE_NOT_AVAILABLE,
    outcome: answerOutcome(reply, count),
  });
}
