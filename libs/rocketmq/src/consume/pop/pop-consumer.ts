import { pause } from '@sluice/time';
import { FlowControlError, InvalidArgumentError, isRetriableRocketMqError, isRocketMqError, RocketMqError } from '../../errors.js';
import type { CallDeadline, CallOptions } from '../../connection/call-deadline.js';
import type { QueueRef } from '../../routing/topic-route.js';
import type { RemotingCommand, RemotingRequest } from '../../wire/remoting-codec.js';
import { REQUEST_CODE, requestName } from '../../wire/request-code.js';
import { RESPONSE_CODE } from '../../wire/response-code.js';
import { readExtInteger } from '../../wire/tolerant-reader.js';
import type { ClusterAccess } from '../../routing/cluster-access.js';
import { logicalMessages, MessageUnreadableError, type LogicalMessage, type LogicalMessagesOptions } from '../logical-messages.js';
import { FilterCheck } from '../filter-check.js';
import { compileFilter, type CompiledFilter, type MessageFilter } from '../message-filter.js';
import { decodePopReply, popRequest, type Delivery, type PopStart } from './pop-request.js';
import { decodeReceipt, encodeReceipt, topicOfReceipt, type Receipt } from './receipt-handle.js';

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

export interface PopConsumerOptions extends LogicalMessagesOptions {
  readonly topic: string;
  /** Must exist, unless the brokers create groups by themselves. */
  readonly group: string;
  readonly filter?: MessageFilter | undefined;
  /** Where a group begins that was never at the topic. Default `oldest`. */
  readonly start?: PopStart | undefined;
}

export interface PopReceiveOptions {
  /** 1 to 32, the default. */
  readonly maxMessages?: number | undefined;
  /** How long the messages are hidden from others; what is not acknowledged by then is delivered again. Default 60 s. */
  readonly invisibleMs?: number | undefined;
  /** How long to wait while there are no messages. Default 15 s. */
  readonly waitMs?: number | undefined;
  /** What a broker hands out to a call that was aborted is delivered again when it is visible again. */
  readonly signal?: AbortSignal | undefined;
}

export interface PoppedMessage {
  readonly message: LogicalMessage;
  /** Names this delivery to `ack` and `changeInvisible`; may be kept and used by another process. */
  readonly handle: string;
  /** 1 at the first delivery. */
  readonly deliveryAttempt: number;
  /** When the message is delivered again, by the broker's clock, ms since the epoch. */
  readonly invisibleUntil: number;
}

const MAX_MESSAGES = 32;
const POLL_MARGIN_MS = 7_000;
/** With several brokers each is waited at for no longer, for messages may come to another one. */
const SLICE_MS = 1_000;
/** After a broker that answered a wait at once without messages. */
const MIN_PAUSE_MS = 100;

/**
 * Receives messages of a group that brokers hand out one by one, to any number of consumers and without assignment of
 * queues. This needs RocketMQ 5.0 or later with `timerWheelEnable`, and not the brokers' second port. Every message is
 * acknowledged by itself, or delivered again. Topics with batch queues (`queue.type=BatchCQ`) cannot be received so.
 */
export class PopConsumer {
  readonly #filter: CompiledFilter;
  readonly #filterCheck: FilterCheck;
  #turn = 0;

  /** @throws InvalidArgumentError */
  constructor(
    private readonly options: PopConsumerOptions,
    private readonly cluster: ClusterAccess,
  ) {
    this.#filter = compileFilter(options.filter);
    this.#filterCheck = new FilterCheck(cluster);
  }

  /**
   * Returns messages from one of the brokers, or none after `waitMs`. Brokers that fail are passed over as long as one works.
   * @throws UnsupportedByBrokerError by brokers before 5.0 and for an SQL92 filter where it is off
   * @throws FlowControlError when too many wait at the broker already
   * @throws MessageUnreadableError for an inner batch
   * @throws BrokerResponseError, TopicNotFoundError, InvalidArgumentError, RequestAbortedError and the connection's errors
   */
  async receive(options: PopReceiveOptions = {}): Promise<PoppedMessage[]> {
    const { maxMessages = MAX_MESSAGES, invisibleMs = 60_000, waitMs = 15_000, signal } = options;
    checkRange('maxMessages', maxMessages, 1, MAX_MESSAGES);
    checkRange('invisibleMs', invisibleMs, 1, Number.MAX_SAFE_INTEGER);
    checkRange('waitMs', waitMs, 0, 600_000);
    const endsAt = performance.now() + waitMs;
    for (;;) {
      const brokers = await this.#brokers(signal);
      if (brokers.length > 1) {
        const found = await this.#round(brokers, (brokerName) => this.#pop(brokerName, maxMessages, invisibleMs, 0, signal));
        if (found.length > 0) return found;
      }
      const startedAt = performance.now();
      const leftMs = Math.max(0, Math.floor(endsAt - startedAt));
      const sliceMs = brokers.length > 1 ? Math.min(leftMs, SLICE_MS) : leftMs;
      if (sliceMs > 0 || brokers.length === 1) {
        const waitingAt = this.#inTurn(brokers).slice(0, 1);
        const found = await this.#round(waitingAt, (brokerName) => this.#pop(brokerName, maxMessages, invisibleMs, sliceMs, signal));
        if (found.length > 0) return found;
      }
      if (performance.now() >= endsAt) return [];
      if (performance.now() - startedAt < Math.min(sliceMs, MIN_PAUSE_MS)) await this.#pause(endsAt, signal);
    }
  }

  /**
   * Says that messages are done.
   * @throws AckFailedError naming those that the brokers did not take; they are delivered again. InvalidArgumentError
   */
  async ack(handles: readonly string[], options?: CallOptions): Promise<void> {
    const receipts = handles.map((handle) => ({ handle, receipt: decodeReceipt(handle) }));
    const deadline = this.cluster.deadline(options);
    const failures: AckFailure[] = [];
    await Promise.all(
      receipts.map(async ({ handle, receipt }) => {
        try {
          await this.#call(REQUEST_CODE.ACK_MESSAGE, handle, receipt, {}, deadline);
        } catch (error) {
          if (!isRocketMqError(error)) throw error;
          failures.push({ handle, error });
        }
      }),
    );
    if (failures.length > 0) throw new AckFailedError(failures, handles.length);
  }

  /**
   * Hides a message for `invisibleMs` from now on: longer, or shorter to have it delivered again soon.
   * @returns the handle to use from now on; the old one ends
   * @throws BrokerResponseError, InvalidArgumentError and the connection's errors
   */
  async changeInvisible(handle: string, invisibleMs: number, options?: CallOptions): Promise<string> {
    checkRange('invisibleMs', invisibleMs, 0, Number.MAX_SAFE_INTEGER);
    const receipt = decodeReceipt(handle);
    const ext = { invisibleTime: String(invisibleMs) };
    const deadline = this.cluster.deadline(options);
    const reply = await this.#call(REQUEST_CODE.CHANGE_MESSAGE_INVISIBLETIME, handle, receipt, ext, deadline);
    return encodeReceipt({
      ...receipt,
      checkPointOffset: receipt.queueOffset,
      popTime: readExtInteger(reply.ext, 'popTime'),
      invisibleMs: readExtInteger(reply.ext, 'invisibleTime'),
      reviveQueueId: readExtInteger(reply.ext, 'reviveQid'),
    });
  }

  /** Readable brokers of the topic. */
  async #brokers(signal: AbortSignal | undefined): Promise<string[]> {
    const deadline = this.cluster.deadline({ signal });
    const route = await this.cluster.routes.route(this.options.topic, deadline);
    return route.brokers.filter((broker) => broker.isReadable).map((broker) => broker.brokerName);
  }

  /** From the next one on; the turn moves by one. */
  #inTurn(brokers: readonly string[]): string[] {
    this.#turn = (this.#turn + 1) % Math.max(1, brokers.length);
    return [...brokers.slice(this.#turn), ...brokers.slice(0, this.#turn)];
  }

  /** Returns the first broker that has messages. Throws only when none of them answered. */
  async #round(brokers: readonly string[], pop: (brokerName: string) => Promise<PoppedMessage[]>): Promise<PoppedMessage[]> {
    let failure: RocketMqError | undefined;
    let answers = 0;
    for (const brokerName of this.#inTurn(brokers)) {
      try {
        const found = await pop(brokerName);
        if (found.length > 0) return found;
        answers += 1;
      } catch (error) {
        if (!isRetriableRocketMqError(error)) throw error;
        failure = error;
      }
    }
    if (failure !== undefined && answers === 0) throw failure;
    return [];
  }

  async #pause(endsAt: number, signal: AbortSignal | undefined): Promise<void> {
    const ms = Math.min(MIN_PAUSE_MS, Math.max(0, endsAt - performance.now()));
    await pause(ms, AbortSignal.any([this.cluster.pool.closing, ...(signal === undefined ? [] : [signal])]));
    this.cluster.deadline({ signal }).throwIfEnded(`receive from ${this.options.topic}`);
  }

  async #pop(
    brokerName: string,
    maxMessages: number,
    invisibleMs: number,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<PoppedMessage[]> {
    const { topic, group, start = 'oldest' } = this.options;
    const filter = this.#filter;
    const request = popRequest({ topic, group, brokerName, maxMessages, invisibleMs, waitMs, start, filter });
    const timeoutMs = this.cluster.requestTimeoutMs + (waitMs > 0 ? waitMs + POLL_MARGIN_MS : 0);
    const queue = { topic, brokerName, queueId: -1 };
    const deadline = this.cluster.deadline({ timeoutMs, signal });
    await this.#filterCheck.pass(filter, queue, group, deadline);
    const reply = await this.cluster.askQueue(queue, request, deadline);
    switch (reply.code) {
      case RESPONSE_CODE.SUCCESS:
        return this.#matching(decodePopReply(reply, brokerName));
      case RESPONSE_CODE.PULL_NOT_FOUND:
      case RESPONSE_CODE.POLLING_TIMEOUT:
        return [];
      case RESPONSE_CODE.POLLING_FULL: {
        const { code, remark } = reply;
        const what = requestName(request.code);
        throw new FlowControlError({ request: what, address: brokerName, responseCode: code, remark });
      }
      default:
        throw this.cluster.queueError(reply, request, queue);
    }
  }

  /** Deliveries that match only by the hash code of their tags are acknowledged: the group does not want them. */
  async #matching(deliveries: readonly Delivery[]): Promise<PoppedMessage[]> {
    const unwanted = deliveries.filter(({ stored }) => !this.#filter.matches(stored));
    if (unwanted.length === 0) return deliveries.map((delivery) => this.#popped(delivery));
    await this.ack(unwanted.map(({ handle }) => handle)).catch((error: unknown) => {
      // They come again, and are acknowledged then.
      if (!(error instanceof AckFailedError)) throw error;
    });
    return deliveries.filter((delivery) => !unwanted.includes(delivery)).map((delivery) => this.#popped(delivery));
  }

  #popped({ stored, handle }: Delivery): PoppedMessage {
    const [message] = logicalMessages([stored], stored.queueOffset, this.options);
    if (message === undefined || stored.isInnerBatch) {
      throw new MessageUnreadableError(stored, 'an inner batch, which has one receipt for many messages');
    }
    const { popTime, invisibleMs } = decodeReceipt(handle);
    const deliveryAttempt = stored.reconsumeTimes + 1;
    return { message, handle, deliveryAttempt, invisibleUntil: popTime + invisibleMs };
  }

  async #call(
    code: RemotingRequest['code'],
    handle: string,
    receipt: Receipt,
    ext: Readonly<Record<string, string>>,
    deadline: CallDeadline,
  ): Promise<RemotingCommand> {
    const { topic, group } = this.options;
    const { brokerName, queueId, queueOffset } = receipt;
    const request: RemotingRequest = {
      code,
      ext: {
        consumerGroup: group,
        topic: topicOfReceipt(receipt, topic, group),
        queueId: String(queueId),
        extraInfo: handle,
        offset: String(queueOffset),
        bname: brokerName,
        ...ext,
      },
    };
    // The route is the topic's: retry topics need not have one.
    const queue: QueueRef = { topic, brokerName, queueId };
    return this.cluster.callQueue(queue, request, deadline);
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new InvalidArgumentError(`${name} ${value}: expected an integer from ${min} to ${max}`);
}
