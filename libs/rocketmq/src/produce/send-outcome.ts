import { RocketMqError } from '../errors.js';

/** How a send of unknown outcome ended. After `unknown` no reply will come: the broker may have stored it or may still do so. */
export type SendSettlement<Result> =
  | { readonly kind: 'stored'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: RocketMqError }
  | { readonly kind: 'unknown'; readonly error: RocketMqError };

/**
 * Why the outcome of a send is unknown. `answer`: the broker's answer does not prove that it stored nothing. The others: no
 * reply came before the deadline, the abort or the end of the connection.
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
