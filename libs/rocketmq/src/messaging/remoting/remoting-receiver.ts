import type { RocketMqClient } from '../../rocketmq-client.js';
import { AckFailedError, type PopConsumer, type PoppedMessage } from '../../consume/pop/pop-consumer.js';
import { decodeReceipt } from '../../consume/pop/receipt-handle.js';
import type { CallOptions } from '../../connection/call-deadline.js';
import { ClientClosedError, InvalidArgumentError, isRocketMqError, type RocketMqError } from '../../errors.js';
import type { AckOutcome, MessageReceiver, ReceivedMessage, ReceiveOptions, ReceiverOptions } from '../message-port.js';
import { userProperties } from '../system-properties.js';
import { MESSAGE_PROPERTY } from '../../wire/message-property.js';

/** Names one delivery; `extend` gives it another handle. */
interface RemotingDelivery {
  handle: string;
  readonly receiver: object;
}

const MAX_MESSAGES = 32;

/** Receives by pop, from one broker after the other (RocketMQ 5.0 and later). */
export class RemotingReceiver implements MessageReceiver {
  readonly topic: string;
  readonly group: string;
  readonly #consumer: PopConsumer;
  readonly #closing = new AbortController();
  readonly #onClose: (receiver: RemotingReceiver) => void;

  /** @throws InvalidArgumentError */
  constructor(options: ReceiverOptions, client: RocketMqClient, onClose: (receiver: RemotingReceiver) => void) {
    const { filter, group, topic } = options;
    this.topic = topic;
    this.group = group;
    this.#consumer = client.popConsumer({ topic, group, filter: filter === undefined ? undefined : { tags: filter } });
    this.#onClose = onClose;
  }

  async receive({ maxMessages, waitMs, invisibleMs, signal }: ReceiveOptions): Promise<ReceivedMessage[]> {
    if (!Number.isSafeInteger(maxMessages) || maxMessages < 1) {
      throw new InvalidArgumentError(`maxMessages ${maxMessages}: expected an integer from 1`);
    }
    this.#assertOpen();
    const signals = [this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    try {
      const popped = await this.#consumer.receive({
        maxMessages: Math.min(maxMessages, MAX_MESSAGES),
        waitMs,
        invisibleMs,
        signal: AbortSignal.any(signals),
      });
      return popped.map((message) => this.#received(message));
    } catch (error) {
      this.#assertOpen();
      throw error;
    }
  }

  async ack(messages: readonly ReceivedMessage[], call?: CallOptions): Promise<readonly AckOutcome[]> {
    const handles = messages.map((message) => this.#deliveryOf(message).handle);
    const failures = new Map<string, RocketMqError>();
    if (handles.length > 0) {
      try {
        await this.#consumer.ack(handles, call);
      } catch (error) {
        if (!(error instanceof AckFailedError)) throw error;
        for (const failure of error.failures) failures.set(failure.handle, failure.error);
      }
    }
    return messages.map(({ messageId }, at) => {
      const error = failures.get(handles[at] ?? '');
      return error === undefined ? { status: 'acknowledged', messageId } : { status: 'failed', messageId, error };
    });
  }

  async extend(message: ReceivedMessage, ms: number, call?: CallOptions): Promise<void> {
    const delivery = this.#deliveryOf(message);
    delivery.handle = await this.#consumer.changeInvisible(delivery.handle, ms, call);
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#onClose(this);
    return Promise.resolve();
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new ClientClosedError(`receive from topic '${this.topic}'`);
  }

  #received({ message, handle, deliveryAttempt }: PoppedMessage): ReceivedMessage {
    const properties = message.properties();
    const keys = properties.get(MESSAGE_PROPERTY.keys);
    const delivery: RemotingDelivery = { handle, receiver: this };
    return {
      topic: this.topic,
      brokerName: decodeReceipt(handle).brokerName,
      queueId: message.queueId,
      queueOffset: message.queueOffset,
      messageId: properties.get(MESSAGE_PROPERTY.messageId) ?? '',
      ...readBody(message),
      tag: properties.get(MESSAGE_PROPERTY.tag),
      keys: keys === undefined ? [] : keys.split(' ').filter((key) => key !== ''),
      properties: userProperties(properties),
      messageGroup: properties.get(MESSAGE_PROPERTY.shardingKey),
      bornTimestamp: message.bornTimestamp,
      storeTimestamp: message.storeTimestamp,
      deliveryAttempt,
      handle: delivery,
    };
  }

  #deliveryOf(message: ReceivedMessage): RemotingDelivery {
    const delivery = message.handle as Partial<RemotingDelivery> | undefined;
    if (delivery?.receiver !== this) {
      throw new InvalidArgumentError(`message ${message.messageId} was not delivered by this receiver`);
    }
    return delivery as RemotingDelivery;
  }
}

function readBody(message: PoppedMessage['message']): Pick<ReceivedMessage, 'body' | 'bodyError'> {
  try {
    return { body: message.body, bodyError: undefined };
  } catch (error) {
    if (!isRocketMqError(error)) throw error;
    return { body: undefined, bodyError: error };
  }
}
