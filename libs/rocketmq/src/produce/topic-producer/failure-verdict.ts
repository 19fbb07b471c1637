import { BrokerNotFoundError, BrokerResponseError, isRocketMqError, TopicNotFoundError } from '../../errors.js';
import { isMessageRefused, isQueueRefused } from '../../routing/response-error.js';

/**
 * What to do with messages that were not stored.
 *
 * - `resend`: the same send may work later or at another broker.
 * - `elsewhere`: their queue takes no messages, another one may.
 * - `isolate`: one of several is illegal, each is sent without the others.
 * - `reject`: it would fail again, or it is not known that nothing was stored.
 */
export type FailureVerdict = 'resend' | 'elsewhere' | 'isolate' | 'reject';

export interface FailedSend {
  readonly count: number;
  /** Whether the topic's route once had the queue's broker: it is unavailable then, and not a mistake of the caller. */
  readonly isBrokerKnown: boolean;
}

export function failureVerdict(error: unknown, send: FailedSend): FailureVerdict {
  if (!isRocketMqError(error) || error.outcome !== 'not-sent') return 'reject';
  // The name servers also forget the topic of a broker that restarts.
  if (error instanceof TopicNotFoundError || error instanceof BrokerNotFoundError) {
    return send.isBrokerKnown ? 'resend' : 'reject';
  }
  if (error instanceof BrokerResponseError) {
    if (isQueueRefused(error)) return 'elsewhere';
    if (isMessageRefused(error)) return send.count > 1 ? 'isolate' : 'reject';
  }
  return error.retriable ? 'resend' : 'reject';
}
