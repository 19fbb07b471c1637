import { BrokerResponseError } from '../errors.js';
import { RESPONSE_CODE } from '../wire/response-code.js';

/** Whether a broker refused a request because it does not know the consumer group; it may exist on other brokers. */
export function isGroupMissing(error: unknown): boolean {
  return (
    error instanceof BrokerResponseError &&
    // Brokers before 5.2 have only a remark for it (seen on 5.1.4).
    (error.responseCode === RESPONSE_CODE.SUBSCRIPTION_GROUP_NOT_EXIST || error.remark === 'No group in this broker')
  );
}

/** No client is in the group on the broker that answered. */
export function isGroupOffline(error: unknown): boolean {
  return (
    isGroupMissing(error) ||
    (error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.CONSUMER_NOT_ONLINE)
  );
}
