import { isRocketMqError, RequestTimeoutError } from '../../errors.js';
import type { QueueRef } from '../../routing/topic-route.js';
import type { SendOutcomeUnknownError } from '../send-outcome.js';
import type { Producer, SendResult } from '../producer.js';
import { BatchSender } from './batch-sender.js';
import { BrokerHealth } from './broker-health.js';
import { failureVerdict } from './failure-verdict.js';
import { Lane } from './lane.js';
import { MovedSlots } from './moved-slots.js';
import { MessageFifo, noteFailure, type PendingMessage } from './pending-message.js';
import type { ProducerSettings } from './producer-options.js';
import { laneKey } from './queue-choice.js';
import { batchDueAt, isBatchDue, takeBatch } from './take-batch.js';
import { TopicQueues, type RouteSource } from './topic-queues.js';
import { WakeTimer } from './wake-timer.js';

/** Before the broker's answer is given to the caller. The name servers learn of a topic's new queues within a moment. */
const MAX_REFUSALS = 6;

interface DispatcherContext {
  readonly routes: RouteSource;
  readonly producer: Pick<Producer, 'sendBatch' | 'sendEncoded'>;
  /** Called before a message's promise ends. */
  readonly onSettled: (message: PendingMessage) => void;
  /** Called after promises ended: there may be room for other messages. */
  readonly onRoom: () => void;
}

/** Decides which messages go to which queue when, sends them, and puts back what is to be sent again. */
export class Dispatcher {
  readonly stats = { storedMessages: 0, storedBatches: 0, resentNotStored: 0, resentUnknown: 0 };
  /** While it is positive no batch waits for more messages. */
  flushes = 0;
  readonly #sender: BatchSender;
  readonly #queues: TopicQueues;
  readonly #health: BrokerHealth;
  readonly #lanes = new Map<string, Lane>();
  /** Messages for any queue. */
  readonly #shared = new MessageFifo();
  /** Messages with a sharding key that wait for the first route, or for what is under way with their slot elsewhere. */
  readonly #keyed = new MessageFifo();
  readonly #moved = new MovedSlots();
  readonly #timer = new WakeTimer(() => {
    this.#dispatch();
  });
  #isScheduled = false;
  #ended: Error | undefined;

  constructor(
    private readonly topic: string,
    private readonly settings: ProducerSettings,
    private readonly context: DispatcherContext,
  ) {
    this.#sender = new BatchSender(context.producer, { topicBytes: Buffer.byteLength(topic), ...settings });
    this.#health = new BrokerHealth(settings.retryBackoff);
    this.#queues = new TopicQueues(topic, context.routes, settings.retryBackoff, {
      loaded: () => {
        this.#dispatch();
      },
      failed: (error) => {
        this.#rejectAll([this.#shared, this.#keyed], () => error);
      },
    });
  }

  enqueue(message: PendingMessage): void {
    this.#fifoOf(message).push(message);
  }

  /** Once per turn of the event loop, so that what is sent in one turn goes together. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  /** Rejects what waits and what would be sent again; what is under way ends by itself. */
  end(error: Error): void {
    this.#ended = error;
    this.#timer.clear();
    this.#rejectAll(this.#fifos(), (message) => message.lastError ?? error);
  }

  #dispatch(): void {
    const now = performance.now();
    this.#rejectExpired(now);
    if (this.#isIdle()) {
      this.#timer.clear();
      return;
    }
    if (this.#queues.refresh(now)) this.#onQueuesChanged();
    this.#launchOwn(now, (lane) => !(lane.isOthersTurn && this.#shared.count > 0));
    this.#launchShared(now);
    this.#launchOwn(now, () => true);
    this.#timer.wakeAt(this.#wakeAt(), now);
  }

  #isIdle(): boolean {
    for (const fifo of this.#fifos()) if (fifo.count > 0) return false;
    return true;
  }

  #launchOwn(now: number, isTurn: (lane: Lane) => boolean): void {
    for (const lane of this.#lanes.values()) {
      if (lane.fifo.count === 0 || !this.#isUsable(lane, now) || !isTurn(lane)) continue;
      if (this.#isDue(lane.fifo, now)) this.#launch(lane, lane.fifo);
    }
  }

  #launchShared(now: number): void {
    const { choice } = this.#queues;
    while (choice !== undefined && this.#isDue(this.#shared, now)) {
      const queue = choice.next((candidate) => this.#isUsable(this.#laneOf(candidate), now));
      if (queue === undefined) return;
      this.#launch(this.#laneOf(queue), this.#shared);
    }
  }

  #isUsable(lane: Lane, now: number): boolean {
    return !lane.isBusy && this.#notBefore(lane) <= now;
  }

  #notBefore(lane: Lane): number {
    return Math.max(lane.notBefore, this.#health.notBefore(lane.queue.brokerName));
  }

  #isDue(fifo: MessageFifo, now: number): boolean {
    return this.flushes > 0 ? fifo.count > 0 : isBatchDue(fifo, this.settings, now);
  }

  #launch(lane: Lane, from: MessageFifo): void {
    // A broker that failed is tried with one message: a refusal of one proves more than a refusal of a batch.
    const isProbe = this.#health.isFailing(lane.queue.brokerName);
    lane.underWay = takeBatch(from, isProbe ? { ...this.settings, maxBatchMessages: 1 } : this.settings);
    lane.isOthersTurn = from === lane.fifo;
    void this.#run(lane, lane.underWay);
  }

  async #run(lane: Lane, messages: readonly PendingMessage[]): Promise<void> {
    const { brokerName } = lane.queue;
    const end = await this.#sender.send(lane.queue, messages, () => {
      this.#health.failed(brokerName, performance.now());
    });
    lane.settled();
    switch (end.kind) {
      case 'stored':
        this.#health.succeeded(brokerName);
        lane.accepted();
        this.#onStored(lane.queue, messages, end.result);
        break;
      case 'failed':
        this.#onFailed(lane, messages, end.error);
        break;
      case 'unknown':
        this.#health.failed(brokerName, performance.now());
        this.#onUnknown(messages, end.error);
        break;
    }
    if (this.#moved.release(lane)) this.#putBack(this.#keyed.takeWhere(() => true));
    this.#forgetIfGone(lane);
    this.context.onRoom();
    this.schedule();
  }

  #onStored(queue: QueueRef, messages: readonly PendingMessage[], { status, firstOffset }: SendResult): void {
    this.stats.storedBatches += 1;
    this.stats.storedMessages += messages.length;
    let offset = firstOffset;
    for (const message of messages) {
      const { isDelayed, messageId } = message.prepared;
      this.context.onSettled(message);
      const isKnown = firstOffset >= 0 && !isDelayed;
      message.receiver.stored(message.index, { queue, offset: isKnown ? offset : undefined, status, messageId });
      offset += 1;
    }
  }

  #onFailed(lane: Lane, messages: readonly PendingMessage[], error: unknown): void {
    const { brokerName } = lane.queue;
    const isBrokerKnown = this.#queues.knowsBroker(brokerName);
    switch (failureVerdict(error, { count: messages.length, isBrokerKnown })) {
      case 'reject':
        for (const message of messages) {
          this.#reject(message, isRocketMqError(error) ? noteFailure(message, error) : (message.lastError ?? error));
        }
        return;
      case 'isolate':
        for (const message of messages) message.isAlone = true;
        this.#putBack(messages);
        return;
      case 'elsewhere':
        this.#onRefused(lane, messages, error);
        return;
      case 'resend':
        this.#health.failed(brokerName, performance.now());
        this.stats.resentNotStored += messages.length;
        for (const message of messages) if (isRocketMqError(error)) noteFailure(message, error);
        this.#putBack(messages);
    }
  }

  /** The queue takes no messages, its broker does. The client asks for the route again: it may have the queues that do. */
  #onRefused(lane: Lane, messages: readonly PendingMessage[], error: unknown): void {
    lane.refused(performance.now(), this.settings.retryBackoff);
    const again: PendingMessage[] = [];
    for (const message of messages) {
      message.refusals += 1;
      const last = isRocketMqError(error) ? noteFailure(message, error) : error;
      if (message.prepared.queue !== undefined || message.refusals > MAX_REFUSALS) this.#reject(message, last);
      else again.push(message);
    }
    this.stats.resentNotStored += again.length;
    this.#putBack(again);
  }

  #onUnknown(messages: readonly PendingMessage[], error: SendOutcomeUnknownError): void {
    if (this.settings.onUnknownOutcome === 'reject') {
      for (const message of messages) this.#reject(message, error);
      return;
    }
    this.stats.resentUnknown += messages.length;
    for (const message of messages) noteFailure(message, error);
    this.#putBack(messages);
  }

  /** Before all that waits for the same queue. */
  #putBack(messages: readonly PendingMessage[]): void {
    if (this.#ended !== undefined) {
      for (const message of messages) this.#reject(message, message.lastError ?? this.#ended);
      return;
    }
    const lists = new Map<MessageFifo, PendingMessage[]>();
    for (const message of messages) {
      const fifo = this.#fifoOf(message);
      const list = lists.get(fifo);
      if (list === undefined) lists.set(fifo, [message]);
      else list.push(message);
    }
    for (const [fifo, list] of lists) fifo.putBack(list);
  }

  #fifoOf({ prepared }: PendingMessage): MessageFifo {
    const { queue, slot } = prepared;
    if (queue !== undefined) return this.#laneOf(queue).fifo;
    if (slot === undefined) return this.#shared;
    const chosen = this.#moved.has(slot) ? undefined : this.#queues.choice?.ofSlot(slot);
    return chosen === undefined ? this.#keyed : this.#laneOf(chosen).fifo;
  }

  #laneOf(queue: QueueRef): Lane {
    const key = laneKey(queue);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(queue);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #onQueuesChanged(): void {
    const { choice } = this.#queues;
    if (choice === undefined) return;
    const lanes = [...this.#lanes.values()];
    for (const lane of lanes) this.#moved.hold(lane, choice);
    for (const lane of lanes) {
      this.#putBack(lane.fifo.takeWhere(({ prepared: { slot } }) => slot !== undefined && !choice.isOwner(lane.queue, slot)));
      this.#forgetIfGone(lane);
    }
    this.#putBack(this.#keyed.takeWhere(() => true));
  }

  #forgetIfGone(lane: Lane): void {
    if (lane.isBusy || lane.fifo.count > 0 || this.#queues.choice?.has(lane.queue) === true) return;
    this.#lanes.delete(laneKey(lane.queue));
  }

  #rejectExpired(now: number): void {
    const { deliveryTimeoutMs } = this.settings;
    let hasExpired = false;
    for (const fifo of this.#fifos()) {
      for (let head = fifo.peek(); head !== undefined && head.sentAt + deliveryTimeoutMs <= now; head = fifo.peek()) {
        fifo.remove(head);
        hasExpired = true;
        const what = `send to topic '${this.topic}'`;
        this.#reject(head, head.lastError ?? new RequestTimeoutError(what, deliveryTimeoutMs, 'not-sent'));
      }
    }
    if (hasExpired) this.context.onRoom();
  }

  #rejectAll(fifos: Iterable<MessageFifo>, errorOf: (message: PendingMessage) => unknown): void {
    for (const fifo of fifos) {
      for (const message of fifo.takeWhere(() => true)) this.#reject(message, errorOf(message));
    }
    this.context.onRoom();
  }

  #reject(message: PendingMessage, error: unknown): void {
    this.context.onSettled(message);
    message.receiver.failed(message.index, error);
  }

  *#fifos(): Generator<MessageFifo> {
    yield this.#shared;
    yield this.#keyed;
    for (const lane of this.#lanes.values()) yield lane.fifo;
  }

  /** For what no send's end brings about: the end of a linger or a back-off, and expiry. */
  #wakeAt(): number {
    let at = this.#queues.wakeAt;
    for (const fifo of this.#fifos()) {
      const head = fifo.peek();
      if (head !== undefined) at = Math.min(at, head.sentAt + this.settings.deliveryTimeoutMs);
    }
    for (const lane of this.#lanes.values()) {
      if (!lane.isBusy) at = Math.min(at, this.#sendableAt(lane.fifo, this.#notBefore(lane)));
    }
    return this.#shared.count === 0 ? at : Math.min(at, this.#sendableAt(this.#shared, this.#freeLaneAt()));
  }

  #sendableAt(fifo: MessageFifo, laneAt: number): number {
    const head = fifo.peek();
    if (head === undefined) return Infinity;
    return Math.max(laneAt, this.flushes > 0 ? -Infinity : batchDueAt(head, fifo, this.settings));
  }

  /** When a queue for messages of any queue is usable, as far as time alone decides it. */
  #freeLaneAt(): number {
    let at = Infinity;
    for (const queue of this.#queues.choice?.queues ?? []) {
      const lane = this.#laneOf(queue);
      if (!lane.isBusy) at = Math.min(at, this.#notBefore(lane));
    }
    return at;
  }
}
