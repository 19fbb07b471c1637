import { isRocketMqError, type RocketMqError } from '../../errors.js';
import type { QueueRef } from '../../routing/topic-route.js';
import { BatchEncoder } from '../../wire/batch-encoder.js';
import { SendOutcomeUnknownError } from '../send-outcome.js';
import type { Producer, SendResult } from '../producer.js';
import type { PendingMessage } from './pending-message.js';

/** How a send ended: `unknown` only when no reply can come any more. */
export type SendEnd =
  | { readonly kind: 'stored'; readonly result: SendResult }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'unknown'; readonly error: SendOutcomeUnknownError };

interface BatchSenderOptions {
  readonly topicBytes: number;
  readonly maxBatchBytes: number;
  readonly requestTimeoutMs: number | undefined;
}

/** Encoders keep their memory; more than these are created when that many batches are under way. */
const MAX_SPARE_ENCODERS = 16;

/** Sends the messages of one queue as one request and waits until it is known how that ended. */
export class BatchSender {
  readonly #spare: BatchEncoder[] = [];

  constructor(
    private readonly producer: Pick<Producer, 'sendBatch' | 'sendEncoded'>,
    private readonly options: BatchSenderOptions,
  ) {}

  /** Never rejects. `onOverdue` is called when the deadline has passed and the reply is still waited for. */
  async send(queue: QueueRef, messages: readonly PendingMessage[], onOverdue: () => void): Promise<SendEnd> {
    const [first] = messages;
    if (first?.prepared.isSingle === true) {
      return this.#settled(queue, () => this.producer.sendEncoded(queue, first.prepared, this.#limits()), onOverdue);
    }
    const encoder = this.#spare.pop() ?? new BatchEncoder(this.#encoderOptions());
    try {
      for (const { prepared } of messages) encoder.add(prepared.body, prepared.properties, prepared.flag);
      const batch = { ...encoder.finish(), bornAt: first?.prepared.bornAt };
      return await this.#settled(queue, () => this.producer.sendBatch(queue, batch, this.#limits()), onOverdue);
    } catch (error) {
      return { kind: 'failed', error };
    } finally {
      encoder.reset();
      if (this.#spare.length < MAX_SPARE_ENCODERS) this.#spare.push(encoder);
    }
  }

  async #settled(queue: QueueRef, send: () => Promise<SendResult>, onOverdue: () => void): Promise<SendEnd> {
    try {
      return { kind: 'stored', result: await send() };
    } catch (error) {
      if (!isUnknown(error)) return { kind: 'failed', error };
      if (error.reason === 'timeout' || error.reason === 'aborted') onOverdue();
      const settlement = await error.settled;
      switch (settlement.kind) {
        case 'stored':
          return { kind: 'stored', result: settlement.result };
        case 'failed':
          return { kind: 'failed', error: settlement.error };
        case 'unknown':
          return { kind: 'unknown', error: finalError(queue, error, settlement.error) };
      }
    }
  }

  #limits(): { timeoutMs?: number } {
    const { requestTimeoutMs } = this.options;
    return requestTimeoutMs === undefined ? {} : { timeoutMs: requestTimeoutMs };
  }

  #encoderOptions(): { topicBytes: number; maxBytes: number } {
    return { topicBytes: this.options.topicBytes, maxBytes: this.options.maxBatchBytes };
  }
}

function isUnknown(error: unknown): error is SendOutcomeUnknownError<SendResult> {
  return isRocketMqError(error) && error.code === 'SEND_OUTCOME_UNKNOWN';
}

function finalError(queue: QueueRef, error: SendOutcomeUnknownError<SendResult>, last: RocketMqError): SendOutcomeUnknownError<SendResult> {
  const reason = last.code === 'CONNECTION_CLOSED' ? 'connection-closed' : 'answer';
  if (last.code === 'REQUEST_TIMEOUT' || error.reason === reason) return error;
  const what = `send to ${queue.topic}/${queue.brokerName}/${queue.queueId}`;
  return new SendOutcomeUnknownError<SendResult>(what, reason, error.settled, last);
}
