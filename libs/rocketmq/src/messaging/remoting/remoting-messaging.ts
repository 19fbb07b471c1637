import { RocketMqClient, type RocketMqClientOptions } from '../../rocketmq-client.js';
import { ClientClosedError } from '../../errors.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../../wire/batch-encoder.js';
import { MessageIds } from '../message-id.js';
import type { MessageReceiver, MessageSender, MessagingCluster, ReceiverOptions } from '../message-port.js';
import { RemotingReceiver } from './remoting-receiver.js';
import { RemotingSender } from './remoting-sender.js';

const DEFAULT_REQUEST_TIMEOUT_MS = 3_000;

/** A cluster that is reached through its name servers. It connects at first use. */
export class RemotingMessaging implements MessagingCluster {
  readonly protocol = 'remoting';
  readonly #client: RocketMqClient;
  readonly #requestTimeoutMs: number;
  readonly #maxMessageBytes: number;
  readonly #senders = new Map<string, MessageSender>();
  readonly #receivers = new Set<RemotingReceiver>();
  readonly #ids = new MessageIds();

  /** @throws InvalidArgumentError */
  constructor(options: RocketMqClientOptions) {
    this.#client = RocketMqClient.open(options);
    this.#requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  }

  /** One per topic: each keeps a producer of its own. */
  sender(topic: string): MessageSender {
    this.#assertOpen(`sender of topic '${topic}'`);
    const known = this.#senders.get(topic);
    if (known !== undefined) return known;
    const sender = new RemotingSender(topic, {
      producer: this.#client.topicProducer(topic),
      ids: this.#ids,
      requestTimeoutMs: this.#requestTimeoutMs,
      maxMessageBytes: this.#maxMessageBytes,
    });
    this.#senders.set(topic, sender);
    return sender;
  }

  receiver(options: ReceiverOptions): MessageReceiver {
    this.#assertOpen(`receiver of topic '${options.topic}'`);
    const receiver = new RemotingReceiver(options, this.#client, (closed) => this.#receivers.delete(closed));
    this.#receivers.add(receiver);
    return receiver;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#receivers].map((receiver) => receiver.close()));
    await this.#client.close();
  }

  #assertOpen(what: string): void {
    if (this.#client.isClosed) throw new ClientClosedError(what);
  }
}
