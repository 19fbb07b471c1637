import { RocketMqError, type RequestOutcome } from '../errors.js';

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

/** More sends already wait for room in a producer than it lets wait. */
export class ProducerOverloadedError extends RocketMqError {
  readonly outcome: RequestOutcome = 'not-sent';

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
  readonly outcome: RequestOutcome = 'not-sent';

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
      cause: first?.error,
    });
  }
}
