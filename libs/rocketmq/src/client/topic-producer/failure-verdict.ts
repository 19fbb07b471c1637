import {
  BrokerNotFoundError,
  BrokerResponseError,
  FlowControlError,
  isRocketMqError,
  TopicNotFoundError,
} from '../../errors.js';
import { RESPONSE_CODE } from '../../wire/response-code.js';

/**
 * What to do with messages that were not stored. `resend`: the same send may work later or at another broker;
 * `isolate`: one of several is illegal, each is sent without the others; `reject`: it would fail again, or it is not
 * known that nothing was stored.
 */
export type FailureVerdict = 'resend' | 'isolate' | 'reject';

/** Brokers say these with SYSTEM_ERROR before they store; with any other remark of that code they may have stored. */
const NOT_STORED_REMARK = /^(create mapped file failed|in-sync replicas not enough)/;

export interface FailedSend {
  readonly count: number;
  /** The topic's route once had the queue's broker: it is away, and not a mistake of the caller. */
  readonly isBrokerKnown: boolean;
}

export function failureVerdict(error: unknown, send: FailedSend): FailureVerdict {
  if (!isRocketMqError(error)) return 'reject';
  if (error instanceof FlowControlError) return 'resend';
  // The name servers also forget the topic of a broker that restarts.
  if (error instanceof TopicNotFoundError || error instanceof BrokerNotFoundError) {
    return send.isBrokerKnown ? 'resend' : 'reject';
  }
  if (error instanceof BrokerResponseError) return responseVerdict(error, send);
  return 'outcome' in error && error.outcome === 'not-sent' && error.retriable ? 'resend' : 'reject';
}

function responseVerdict(error: BrokerResponseError, send: FailedSend): FailureVerdict {
  switch (error.responseCode) {
    case RESPONSE_CODE.SERVICE_NOT_AVAILABLE:
      return 'resend';
    case RESPONSE_CODE.MESSAGE_ILLEGAL:
      return send.count > 1 ? 'isolate' : 'reject';
    case RESPONSE_CODE.SYSTEM_ERROR:
      return NOT_STORED_REMARK.test(error.remark) ? 'resend' : 'reject';
    default:
      return 'reject';
  }
}
