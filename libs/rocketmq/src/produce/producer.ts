import {
  InvalidArgumentError,
  isRocketMqError,
  MalformedDataError,
  MessageTooLargeError,
  RequestAbortedError,
  RequestTimeoutError,
} from '../errors.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import type { Connection } from '../connection/connection.js';
import type { InFlightRequest } from '../connection/in-flight-request.js';
import type { QueueRef } from '../routing/topic-route.js';
import { checkBody, DEFAULT_MAX_MESSAGE_BYTES, type EncodedBatch } from '../wire/batch-encoder.js';
import { compressBody } from '../wire/compressed-body.js';
import { encodeProperties } from '../wire/property-codec.js';
import type { ExtFields, RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { sendHeader } from '../wire/send-header.js';
import { readExtInteger } from '../wire/tolerant-reader.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import { SendOutcomeUnknownError, type SendSettlement } from './send-outcome.js';

/** All of them mean that the master stored the messages; the last three that it could not flush or replicate as configured. */
export type SendStatus = 'stored' | 'flush-disk-timeout' | 'slave-not-available' | 'flush-slave-timeout';

export interface SendResult {
  readonly status: SendStatus;
  /**
   * Offset of the first message; the others follow without a gap. -1 while a static topic's queue moves to the broker, which then does
   * not know the offset.
   */
  readonly firstOffset: number;
  readonly count: number;
  /** The broker's ids of the messages in order, with commas between them; absent where it named none. */
  readonly messageIds?: string | undefined;
}

export interface SendOptions extends CallOptions {
  /**
   * Asked right before the request is written, also where it has waited for a connection. Where it says no, nothing is
   * sent and the call rejects with RequestAbortedError.
   */
  readonly maySend?: (() => boolean) | undefined;
}

export interface OutgoingMessage {
  /** At least one byte: brokers refuse an empty body in a single send. Must stay unchanged until the send has settled. */
  readonly body: Uint8Array;
  readonly properties?: Iterable<readonly [string, string]>;
  /** `Message.flag`, an int32 for applications. Default 0. */
  readonly flag?: number | undefined;
  /** When the message was made, ms since the epoch. Default: when it is sent. */
  readonly bornAt?: number | undefined;
}

export interface EncodedMessage {
  readonly body: Uint8Array;
  /** As `encodeProperties` makes them. */
  readonly properties: string;
  /** Bits of `SYS_FLAG`. */
  readonly sysFlag: number;
  readonly flag?: number | undefined;
  readonly bornAt?: number | undefined;
}

/** @throws InvalidArgumentError */
export function checkStamps({ flag, bornAt }: Pick<OutgoingMessage, 'flag' | 'bornAt'>): void {
  if (flag !== undefined && flag !== (flag | 0)) {
    throw new InvalidArgumentError(`flag ${flag}: expected a signed integer of 32 bits`);
  }
  if (bornAt !== undefined && !(Number.isSafeInteger(bornAt) && bornAt >= 0)) {
    throw new InvalidArgumentError(`bornAt ${bornAt}: expected an integer from 0, in ms since the epoch`);
  }
}

const STATUS: Readonly<Record<number, SendStatus>> = {
  [RESPONSE_CODE.SUCCESS]: 'stored',
  [RESPONSE_CODE.FLUSH_DISK_TIMEOUT]: 'flush-disk-timeout',
  [RESPONSE_CODE.SLAVE_NOT_AVAILABLE]: 'slave-not-available',
  [RESPONSE_CODE.FLUSH_SLAVE_TIMEOUT]: 'flush-slave-timeout',
};

/**
 * Sends each call's message or batch to the queue that it names, at once, in one request.
 *
 * - Retries: none, but one: of a request that a server refused unprocessed as it shuts down, or as credentials were renewed.
 * - Outcome: every error has it. After a `SendOutcomeUnknownError` the send may still be stored; its `settled` resolves
 *   when that is known.
 * - Order: await a send before the next one to its queue; brokers may store sends that overlap in any order.
 * - Flush: not needed, for nothing waits for other messages.
 * - Close: the client's. A send under way rejects with `SendOutcomeUnknownError`.
 */
export class Producer {
  constructor(
    private readonly cluster: ClusterAccess,
    private readonly producerGroup: string,
    private readonly maxMessageBytes: number = DEFAULT_MAX_MESSAGE_BYTES,
    private readonly compressOverBytes: number = Infinity,
  ) {}

  /**
   * Stores a batch in one queue, in order and without a gap (SEND_BATCH_MESSAGE). The batch's bytes must stay unchanged until
   * the send has settled.
   *
   * @throws SendOutcomeUnknownError: it may be stored; await its `settled` before anything is resent.
   * @throws FlowControlError, BrokerResponseError, TopicNotFoundError, BrokerNotFoundError, MessageTooLargeError,
   * ConnectFailedError, ConnectionClosedError, ConnectionOverloadedError, RequestTimeoutError, RequestAbortedError,
   * ClientClosedError: nothing was stored. `outcome` says the same on every error.
   */
  sendBatch(queue: QueueRef, batch: EncodedBatch, options?: SendOptions): Promise<SendResult> {
    const request: RemotingRequest = {
      code: REQUEST_CODE.SEND_BATCH_MESSAGE,
      ext: this.#header(queue, { properties: '', sysFlag: batch.sysFlag ?? 0, bornAt: batch.bornAt }, true),
      body: batch.bytes,
      claimHeadRoom: batch.claimHeadRoom,
    };
    return this.#send(queue, request, batch.count, options);
  }

  /**
   * Stores one message in one queue (SEND_MESSAGE_V2), its body compressed with zlib if it is longer than the client's
   * `compressOverBytes` and gets shorter by it. Errors as for `sendBatch`; also InvalidArgumentError.
   */
  async send(queue: QueueRef, message: OutgoingMessage, options?: SendOptions): Promise<SendResult> {
    const { flag, bornAt } = message;
    checkBody(message.body);
    checkStamps(message);
    const properties = encodeProperties(message.properties ?? []);
    const { body, sysFlag } =
      message.body.length > this.compressOverBytes ? compressBody(message.body) : { body: message.body, sysFlag: 0 };
    return this.sendEncoded(queue, { body, properties, sysFlag, flag, bornAt }, options);
  }

  /** As `send`, of a message whose properties are encoded and whose body is compressed as `sysFlag` says. */
  sendEncoded(queue: QueueRef, message: EncodedMessage, options?: SendOptions): Promise<SendResult> {
    const request: RemotingRequest = {
      code: REQUEST_CODE.SEND_MESSAGE_V2,
      ext: this.#header(queue, message, false),
      body: message.body,
    };
    return this.#send(queue, request, 1, options);
  }

  #header(queue: QueueRef, message: Omit<EncodedMessage, 'body'>, isBatch: boolean): ExtFields {
    const { properties, sysFlag, flag = 0, bornAt = Date.now() } = message;
    return sendHeader({
      producerGroup: this.producerGroup,
      topic: queue.topic,
      brokerName: queue.brokerName,
      queueId: String(queue.queueId),
      sysFlag: String(sysFlag),
      bornTimestamp: String(bornAt),
      flag: String(flag),
      properties,
      isBatch: isBatch ? 'true' : 'false',
    });
  }

  async #send(queue: QueueRef, unguarded: RemotingRequest, count: number, options: SendOptions | undefined): Promise<SendResult> {
    const maySend = options?.maySend;
    const request = maySend === undefined ? unguarded : { ...unguarded, maySend };
    const bytes = request.body?.length ?? 0;
    if (bytes > this.maxMessageBytes) throw new MessageTooLargeError('send', bytes, this.maxMessageBytes);
    const what = `send to ${queue.topic}/${queue.brokerName}/${queue.queueId}`;
    const deadline = this.cluster.deadline(options);
    deadline.throwIfEnded(what);
    const resultOf = (answer: RemotingCommand): SendResult => this.#result(answer, request, queue, count);
    const submitTo = (connection: Connection): Promise<RemotingCommand> => {
      deadline.throwIfEnded(what);
      return this.#replyOf(connection.submit(request), deadline, what, resultOf);
    };
    const ask = (): Promise<RemotingCommand> => {
      const open = this.cluster.openQueueConnection(queue, request.code);
      if (open !== undefined) return submitTo(open);
      return this.cluster.queueConnection(queue, deadline, what, request.code).then(submitTo);
    };
    const reply = await this.cluster.askSigned(ask, deadline);
    try {
      return resultOf(reply);
    } catch (error) {
      if (!isRocketMqError(error) || error.outcome === 'not-sent') throw error;
      const settled = Promise.resolve({ kind: 'unknown', error } as const);
      throw new SendOutcomeUnknownError<SendResult>(what, 'answer', settled, error);
    }
  }

  #replyOf(
    inFlight: InFlightRequest,
    deadline: CallDeadline,
    what: string,
    resultOf: (reply: RemotingCommand) => SendResult,
  ): Promise<RemotingCommand> {
    const race = deadline.race(inFlight.reply, what, () => inFlight.outcome);
    return race.catch((error: unknown) => {
      if (error instanceof RequestTimeoutError || error instanceof RequestAbortedError) {
        if (error.outcome === 'not-sent') {
          inFlight.abandon();
          throw error;
        }
        inFlight.markOverdue();
        const reason = error instanceof RequestTimeoutError ? 'timeout' : 'aborted';
        throw new SendOutcomeUnknownError(what, reason, settle(inFlight, resultOf), error);
      }
      if (isRocketMqError(error) && error.outcome === 'unknown') {
        const settled = Promise.resolve({ kind: 'unknown', error } as const);
        throw new SendOutcomeUnknownError<SendResult>(what, 'connection-closed', settled, error);
      }
      throw error;
    });
  }

  #result(reply: RemotingCommand, request: RemotingRequest, queue: QueueRef, count: number): SendResult {
    const status = STATUS[reply.code];
    if (status === undefined) throw this.cluster.queueError(reply, request, queue, count);
    return { status, firstOffset: readExtInteger(reply.ext, 'queueOffset'), count, messageIds: reply.ext['msgId'] };
  }
}

async function settle(inFlight: InFlightRequest, resultOf: (reply: RemotingCommand) => SendResult): Promise<SendSettlement<SendResult>> {
  try {
    return { kind: 'stored', result: resultOf(await inFlight.reply) };
  } catch (error) {
    const typed = isRocketMqError(error) ? error : new MalformedDataError('reply to a send', 'unreadable', error);
    return { kind: typed.outcome === 'unknown' ? 'unknown' : 'failed', error: typed };
  }
}
