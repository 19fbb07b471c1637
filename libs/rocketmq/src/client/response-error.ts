import {
  AuthenticationError,
  AuthorizationError,
  BrokerResponseError,
  FlowControlError,
  UnsupportedByBrokerError,
} from '../errors.js';
import { type RemotingCommand, type RemotingRequest } from '../wire/remoting-codec.js';
import { requestName } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/** Brokers also report some refusals under load as SYSTEM_ERROR; their remarks begin with one of these. */
const FLOW_CONTROL_REMARK = /\[(TIMEOUT_CLEAN_QUEUE|PC_SYNCHRONIZED|PCBUSY_CLEAN_QUEUE|REJECTREQUEST|OVERLOAD)\]/;
/** Brokers of ACL 2.0 answer every refusal with NO_PERMISSION; only the remark says which (seen on 5.5.0). */
const UNAUTHENTICATED_REMARK = /^(username cannot be null|check signature failed|User:\S+ is (not found|disabled))/;
const UNAUTHORIZED_REMARK = /^\S+ has no permission to access /;
/** Brokers of plain ACL answer every refusal with SYSTEM_ERROR and the name of this exception (seen on 4.9.7). */
const PLAIN_ACL_REMARK = /\bAclException: (.*)/s;
const PLAIN_UNAUTHENTICATED = /^(No accessKey is configured|No acl config for |Check signature failed )/;

/** Brokers before 5.2 report a queue that a topic does not have as SYSTEM_ERROR (seen on 4.9.7 and 5.1.4). */
const ILLEGAL_QUEUE_REMARK = /^request queueId\[-?\d+\] is illegal/;

/** The typed error for a reply with any code but SUCCESS. */
export function responseError(reply: RemotingCommand, request: RemotingRequest, address: string): BrokerResponseError {
  const answer = { request: requestName(request.code), address, responseCode: reply.code, remark: reply.remark };
  if (
    reply.code === RESPONSE_CODE.SYSTEM_BUSY ||
    reply.code === RESPONSE_CODE.FLOW_CONTROL ||
    FLOW_CONTROL_REMARK.test(reply.remark)
  ) {
    return new FlowControlError(answer);
  }
  if (reply.code === RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED) return new UnsupportedByBrokerError(answer);
  if (reply.code === RESPONSE_CODE.NO_PERMISSION) {
    if (UNAUTHENTICATED_REMARK.test(reply.remark)) return new AuthenticationError(answer);
    if (UNAUTHORIZED_REMARK.test(reply.remark)) return new AuthorizationError(answer);
  }
  const plainAcl = reply.code === RESPONSE_CODE.SYSTEM_ERROR ? PLAIN_ACL_REMARK.exec(reply.remark)?.[1] : undefined;
  if (plainAcl !== undefined) {
    return PLAIN_UNAUTHENTICATED.test(plainAcl) ? new AuthenticationError(answer) : new AuthorizationError(answer);
  }
  const mayPass = reply.code === RESPONSE_CODE.SYSTEM_ERROR && !ILLEGAL_QUEUE_REMARK.test(reply.remark);
  return new BrokerResponseError(answer, {
    retriable: mayPass || reply.code === RESPONSE_CODE.SERVICE_NOT_AVAILABLE,
  });
}
