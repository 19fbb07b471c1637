import { BrokerResponseError } from '../errors.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

export function isGroupMissing(error: unknown): boolean {
  return error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST;
}

/** No client is in the group on the broker that answered. */
export function isGroupOffline(error: unknown): boolean {
  return (
    isGroupMissing(error) ||
    (error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.CONSUMER_NOT_ONLINE)
  );
}
