import { onAbort } from '@sluice/time';
import { ClientClosedError, RequestAbortedError, RequestTimeoutError, RocketMqError } from '../../errors.js';
import type { ConnectionPool } from '../../connection/connection-pool.js';
import type { Producer } from '../producer.js';
import { Dispatcher } from './dispatcher.js';
import { PendingBounds } from './pending-bounds.js';
import type { PendingMessage, SendReceiver, StoredAt } from './pending-message.js';
import { producerSettings, type ProducerSettings, type TopicProducerOptions } from './producer-options.js';
import { prepareMessage, type PrepareLimits, type PreparedMessage, type ProducerMessage } from './producer-message.js';
import { ManySends, OneSend } from './send-receivers.js';
import type { RouteSource } from './topic-queues.js';
import { UniqueIds } from './unique-ids.js';
import { WakeTimer } from './wake-timer.js';

/** More sends already wait for room in a producer than it lets wait. */
export class ProducerOverloadedError extends RocketMqError {
  constructor(
    readonly topic: string,
    readonly maxWaitingSends: number,
  ) {
    super('PRODUCER_OVERLOADED', `${maxWaitingSends} sends to topic '${topic}' already wait for room`, {
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

export interface TopicSendOptions {
  /** Takes the message back while it waits; once it is under way the send ends as it ends. */
  readonly signal?: AbortSignal | undefined;
}

/** Counters since the producer's start, and what it holds now. */
export interface TopicProducerStats {
  readonly pendingMessages: number;
  readonly pendingBytes: number;
  readonly waitingSends: number;
  readonly storedMessages: number;
  readonly storedBatches: number;
  /** Messages that were not stored, sent again. */
  readonly resentNotStored: number;
  /** Messages that may have been stored, sent again: what consumers may see twice. */
  readonly resentUnknown: number;
}

interface TopicProducerContext {
  readonly cluster: RouteSource & { readonly pool: Pick<ConnectionPool, 'closing'> };
  readonly producer: Pick<Producer, 'sendBatch' | 'sendEncoded'>;
  readonly maxMessageBytes: number;
}

/**
 * Collects the messages of many calls into batches, chooses their queues, and sends one batch per queue at a time.
 *
 * - Retries: what was surely not stored is sent again until `deliveryTimeoutMs` is over. Messages without a queue or a
 *   sharding key go to another broker if there is one.
 * - Outcome: every error has it. The producer waits for an overdue reply until no reply can come any more. Then
 *   `onUnknownOutcome` decides whether the send rejects with `SendOutcomeUnknownError` or the message is sent again.
 * - Order: brokers store the messages of a queue, and those of a sharding key, in the order of their sends.
 * - Flush: `flush` sends what waits for more messages, and waits for the end of every earlier send.
 * - Close: `close` takes no more sends and flushes. The client's close rejects what waits; a send under way rejects with
 *   `SendOutcomeUnknownError`.
 */
export class TopicProducer {
  readonly #settings: ProducerSettings;
  readonly #limits: PrepareLimits;
  readonly #bounds: PendingBounds;
  readonly #dispatcher: Dispatcher;
  readonly #clientClosing: AbortSignal;
  /** Wakes for the send that waits for room and is overdue first. */
  readonly #waitTimer = new WakeTimer(() => {
    this.#admitWaiting();
  });
  readonly #onClientClosed = (): void => {
    this.#end(new ClientClosedError(this.#what));
  };
  /** Why no further send is taken. */
  #closed: ClientClosedError | ProducerClosedError | undefined;

  /** @throws InvalidArgumentError, UnsupportedCompressionError */
  constructor(
    readonly topic: string,
    options: TopicProducerOptions,
    context: TopicProducerContext,
  ) {
    const { cluster, producer, maxMessageBytes } = context;
    this.#settings = producerSettings(options, maxMessageBytes);
    const ids = new UniqueIds();
    this.#limits = { topic, topicBytes: Buffer.byteLength(topic), maxMessageBytes, ids, ...this.#settings };
    this.#bounds = new PendingBounds(this.#settings);
    this.#dispatcher = new Dispatcher(topic, this.#settings, {
      routes: cluster,
      producer,
      onSettled: (message) => {
        message.unlisten?.();
        this.#bounds.settled(message);
      },
      onRoom: () => {
        this.#admitWaiting();
      },
    });
    this.#clientClosing = cluster.pool.closing;
    if (this.#clientClosing.aborted) this.#onClientClosed();
    else this.#clientClosing.addEventListener('abort', this.#onClientClosed, { once: true });
  }

  /**
   * Resolves once the broker has stored the message. Waits while the producer holds as much as it may.
   *
   * Rejects with SendOutcomeUnknownError when it may have been stored and nobody can know. With all other errors nothing
   * was stored, as their `outcome` says. After `deliveryTimeoutMs` the error is what the last attempt failed with, or
   * RequestTimeoutError. The others are BrokerResponseError, TopicNotFoundError, BrokerNotFoundError, InvalidArgumentError,
   * MessageTooLargeError, ProducerOverloadedError, RequestAbortedError, ProducerClosedError, ClientClosedError and the
   * connection's errors.
   */
  send(message: ProducerMessage, options?: TopicSendOptions): Promise<StoredAt> {
    return new Promise((resolve, reject) => {
      const signal = options?.signal;
      this.#checkOpen(signal);
      const prepared = prepareMessage(message, this.#limits);
      if (this.#bounds.isFull && !this.#bounds.hasRoom) throw this.#overloaded();
      this.#accept(prepared, new OneSend(resolve, reject), 0, signal);
    });
  }

  /**
   * Sends messages as `send` does, with one promise for all: it resolves once every one is stored, in the order in which they
   * were given. None is sent when one of them is invalid or when they are more than the producer may hold and let wait.
   *
   * Rejects with SendsFailedError when some failed: it says which, with the error of each, and where the others are.
   */
  sendAll(messages: readonly ProducerMessage[], options?: TopicSendOptions): Promise<readonly StoredAt[]> {
    return new Promise((resolve, reject) => {
      const signal = options?.signal;
      this.#checkOpen(signal);
      const prepared = messages.map((message) => prepareMessage(message, this.#limits));
      if (prepared.length > this.#bounds.free) throw this.#overloaded();
      const receiver = new ManySends(this.topic, prepared.length, resolve, reject);
      for (const [index, each] of prepared.entries()) this.#accept(each, receiver, index, signal);
    });
  }

  /** Whether a send would not wait for room. */
  get hasRoom(): boolean {
    return this.#bounds.hasRoom;
  }

  /** Resolves when a send would not wait for room: for callers that do not await each send. @throws RequestAbortedError */
  async untilRoom(options: TopicSendOptions = {}): Promise<void> {
    await this.#bounds.untilRoom(options.signal);
  }

  /**
   * Sends what waits without lingering, and resolves when all that was sent before has settled, well or not: each
   * send's own promise says how. @throws RequestAbortedError
   */
  async flush(options: TopicSendOptions = {}): Promise<void> {
    this.#dispatcher.flushes += 1;
    this.#dispatcher.schedule();
    try {
      await this.#bounds.untilSettled(options.signal);
    } finally {
      this.#dispatcher.flushes -= 1;
    }
  }

  /** Takes no more sends and flushes. With an abort, what waits is rejected and what is under way ends by itself. */
  async close(options: TopicSendOptions = {}): Promise<void> {
    this.#closed ??= new ProducerClosedError(this.topic);
    try {
      await this.flush(options);
    } catch (error) {
      if (!(error instanceof RequestAbortedError)) throw error;
      this.#end(this.#closed);
    } finally {
      this.#clientClosing.removeEventListener('abort', this.#onClientClosed);
    }
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get stats(): TopicProducerStats {
    return {
      pendingMessages: this.#bounds.messages,
      pendingBytes: this.#bounds.bytes,
      waitingSends: this.#bounds.waiting.count,
      ...this.#dispatcher.stats,
    };
  }

  get #what(): string {
    return `send to topic '${this.topic}'`;
  }

  /** @throws ProducerClosedError, ClientClosedError, RequestAbortedError */
  #checkOpen(signal: AbortSignal | undefined): void {
    if (this.#closed !== undefined) throw this.#closed;
    if (signal?.aborted === true) throw new RequestAbortedError(this.#what, 'not-sent', signal.reason);
  }

  #overloaded(): ProducerOverloadedError {
    return new ProducerOverloadedError(this.topic, this.#settings.maxWaitingSends);
  }

  #end(error: ClientClosedError | ProducerClosedError): void {
    this.#closed = error;
    this.#waitTimer.clear();
    for (const message of this.#bounds.waiting.takeWhere(() => true)) this.#reject(message, error);
    this.#dispatcher.end(error);
  }

  #accept(prepared: PreparedMessage, receiver: SendReceiver, index: number, signal: AbortSignal | undefined): void {
    const message: PendingMessage = {
      prepared,
      sentAt: performance.now(),
      flushGroup: this.#bounds.join(),
      receiver,
      index,
      fifo: undefined,
      isCounted: false,
      refusals: 0,
      isAlone: false,
      lastError: undefined,
      unlisten: undefined,
    };
    if (signal !== undefined) this.#listen(message, signal);
    if (this.#bounds.waiting.count === 0 && this.#bounds.admit(message)) this.#dispatcher.enqueue(message);
    else this.#wait(message);
    this.#dispatcher.schedule();
  }

  #listen(message: PendingMessage, signal: AbortSignal): void {
    message.unlisten = onAbort(signal, () => {
      if (message.fifo === undefined) return;
      message.fifo.remove(message);
      this.#reject(message, message.lastError ?? new RequestAbortedError(this.#what, 'not-sent', signal.reason));
      this.#admitWaiting();
    });
  }

  #reject(message: PendingMessage, error: unknown): void {
    message.unlisten?.();
    this.#bounds.settled(message);
    message.receiver.failed(message.index, error);
  }

  #wait(message: PendingMessage): void {
    this.#bounds.waiting.push(message);
    this.#waitTimer.wakeAt(message.sentAt + this.#settings.deliveryTimeoutMs, message.sentAt);
  }

  /** Sends that wait for room get it in their order; those that waited too long are rejected. */
  #admitWaiting(): void {
    const { waiting } = this.#bounds;
    const { deliveryTimeoutMs } = this.#settings;
    const now = performance.now();
    for (let head = waiting.peek(); head !== undefined; head = waiting.peek()) {
      if (head.sentAt + deliveryTimeoutMs <= now) {
        waiting.remove(head);
        this.#reject(head, new RequestTimeoutError(this.#what, deliveryTimeoutMs, 'not-sent'));
      } else if (this.#bounds.admit(head)) {
        waiting.remove(head);
        this.#dispatcher.enqueue(head);
      } else {
        break;
      }
    }
    const head = waiting.peek();
    if (head === undefined) this.#waitTimer.clear();
    else this.#waitTimer.wakeAt(head.sentAt + deliveryTimeoutMs, now);
    this.#bounds.wake();
    if (this.#bounds.messages > 0) this.#dispatcher.schedule();
  }
}
