import { BrokerResponseError } from '../errors.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/** All that brokers before 5.2 say of it (seen on 5.1.4). */
const OLD_BROKER_REMARK = 'No group in this broker';
/** `Code` of the Proxy's protocol that has this one meaning. */
const PROXY_GROUP_NOT_FOUND = 40_403;
/** `Code` that a Proxy in the broker's process answers for every error of the broker; only the remark says which. */
const PROXY_BROKER_ERROR = 50_001;
const PROXY_REMARK = /group.*not (exist|found)/i;

/** Returns whether a broker or Proxy refused a request because it does not know the consumer group; others may know the group. */
export function isGroupMissing(error: unknown): boolean {
  if (!(error instanceof BrokerResponseError)) return false;
  switch (error.responseCode) {
    case RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST:
    case PROXY_GROUP_NOT_FOUND:
      return true;
    case PROXY_BROKER_ERROR:
      return PROXY_REMARK.test(error.remark);
    default:
      return error.remark === OLD_BROKER_REMARK;
  }
}

/** Returns whether a broker has no client of the group. */
export function isGroupOffline(error: unknown): boolean {
  return isGroupMissing(error) || (error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.CONSUMER_NOT_ONLINE);
}
