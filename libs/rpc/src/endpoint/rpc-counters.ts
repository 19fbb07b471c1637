/** Since the endpoint was made. Messages, not bytes. */
export interface RpcCounters {
  /** Every delivery to this node, replies included. */
  received: number;
  /** Confirmed by the broker. */
  acked: number;
  /** Acknowledgements that the broker did not confirm; the message comes again. */
  ackFailures: number;
  /** Read after their deadline; acknowledged, not handled. */
  expired: number;
  unknownPattern: number;
  /** Handlers that failed, once per delivery. */
  failed: number;
  /** Events given up after their last delivery. */
  abandoned: number;
  /** Replies that nobody waits for (any more). */
  unmatchedReplies: number;
  /** Neither request, event nor reply; acknowledged. */
  malformed: number;
  /** Calls that came once more while they ran or after they were handled; not handled again. */
  copies: number;
  /** Refused because too many were waiting. */
  overloaded: number;
  requestsSent: number;
  /** Unanswered requests sent once more. */
  requestsResent: number;
  eventsSent: number;
  repliesSent: number;
  /** Attempts to send that failed, retried ones included. */
  sendFailures: number;
}

export function createRpcCounters(): RpcCounters {
  return {
    received: 0,
    acked: 0,
    ackFailures: 0,
    expired: 0,
    unknownPattern: 0,
    failed: 0,
    abandoned: 0,
    unmatchedReplies: 0,
    malformed: 0,
    copies: 0,
    overloaded: 0,
    requestsSent: 0,
    requestsResent: 0,
    eventsSent: 0,
    repliesSent: 0,
    sendFailures: 0,
  };
}
