import { RocketMqError } from '../errors.js';

/** A stored message whose body or inner batch cannot be read; `cause` says why. */
export class MessageUnreadableError extends RocketMqError {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;

  constructor(
    message: { readonly topic: string; readonly queueId: number; readonly queueOffset: number },
    cause: unknown,
  ) {
    const { topic, queueId, queueOffset } = message;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('MESSAGE_UNREADABLE', `message at offset ${String(queueOffset)} of ${topic}/${String(queueId)}: ${reason}`, {
      retriable: false,
      cause,
    });
    this.topic = topic;
    this.queueId = queueId;
    this.queueOffset = queueOffset;
  }
}

/** How a send of unknown outcome ended. After `unknown` no reply will come: the broker may have stored it or may still do so. */
export type SendSettlement<Result> =
  | { readonly kind: 'stored'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: RocketMqError }
  | { readonly kind: 'unknown'; readonly error: RocketMqError };

/**
 * Why the outcome of a send is unknown: no reply came before its deadline, its abort or the end of its connection, or the
 * broker's answer does not prove that it stored nothing.
 */
export type UnknownOutcomeReason = 'timeout' | 'aborted' | 'connection-closed' | 'answer';

const UNKNOWN_OUTCOME: Readonly<Record<UnknownOutcomeReason, string>> = {
  timeout: "timeout before the broker's reply",
  aborted: "aborted before the broker's reply",
  'connection-closed': "connection-closed before the broker's reply",
  answer: "the broker's answer does not say whether it stored the send",
};

/**
 * A send was handed to the socket and may be stored. `settled` never rejects; it resolves with the late reply or when none
 * can come any more. Nothing may be resent before. The bytes of the batch belong to the connection until then.
 */
export class SendOutcomeUnknownError<Result = unknown> extends RocketMqError {
  constructor(
    what: string,
    readonly reason: UnknownOutcomeReason,
    readonly settled: Promise<SendSettlement<Result>>,
    cause?: unknown,
  ) {
    const detail = reason === 'answer' && cause instanceof Error ? ` (${cause.message})` : '';
    super('SEND_OUTCOME_UNKNOWN', `${what}: ${UNKNOWN_OUTCOME[reason]}; it may have been stored${detail}`, {
      retriable: true,
      outcome: 'unknown',
      cause,
    });
  }
}

/** More sends already wait for room in a producer than it lets wait. */
export class ProducerOverloadedError extends RocketMqError {
  constructor(
    readonly topic: string,
    readonly maxWaitingSends: number,
  ) {
    super('PRODUCER_OVERLOADED', `${String(maxWaitingSends)} sends to topic '${topic}' already wait for room`, {
      retriable: true,
    });
  }
}

/** A send by a producer that was closed before. */
export class ProducerClosedError extends RocketMqError {
  constructor(readonly topic: string) {
    super('CLIENT_CLOSED', `send to topic '${topic}': the producer is closed`, { retriable: false });
  }
}

export interface AckFailure {
  readonly handle: string;
  readonly error: RocketMqError;
}

/** Some messages were not acknowledged; they are delivered again when they are visible again. */
export class AckFailedError extends RocketMqError {
  constructor(
    readonly failures: readonly AckFailure[],
    count: number,
  ) {
    const [first] = failures;
    super('ACK_FAILED', `${failures.length} of ${count} messages not acknowledged: ${first?.error.message ?? ''}`, {
      retriable: failures.every((failure) => failure.error.retriable),
      outcome: failures.every((failure) => failure.error.outcome === 'not-sent') ? 'not-sent' : 'unknown',
      cause: first?.error,
    });
  }
}
