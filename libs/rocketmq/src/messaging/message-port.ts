import type { RocketMqError } from '../errors.js';
import type { CallOptions } from '../connection/call-deadline.js';

/** A message as it is handed in. The same for every protocol. */
export interface TopicMessage {
  /** At least one byte: brokers refuse an empty body. Must stay unchanged until the send has settled. */
  readonly body: Uint8Array;
  readonly tag?: string | undefined;
  /** Without spaces: the broker stores them joined by one. */
  readonly keys?: readonly string[] | undefined;
  /**
   * User properties: neither name nor value may be empty, nor hold U+0001 or U+0002; RocketMQ's own names are refused.
   * Over gRPC they may hold no control character at all.
   */
  readonly properties?: ReadonlyMap<string, string> | undefined;
  /** Stored as `UNIQ_KEY`. Default: a new one. */
  readonly messageId?: string | undefined;
  /**
   * Messages of one group keep the order in which they were handed in, within one protocol. The Proxy picks another queue
   * for a group than remoting clients do. Over gRPC the topic must be of type FIFO.
   */
  readonly messageGroup?: string | undefined;
  /** When consumers may see the message, ms since the epoch; over gRPC the topic must be of type DELAY. */
  readonly deliverAt?: number | undefined;
}

export interface StoredOutcome {
  readonly status: 'stored';
  readonly messageId: string;
  /** Missing where the Proxy does not say which of several brokers it chose. */
  readonly brokerName?: string | undefined;
  /** The Proxy does not say it. */
  readonly queueId?: number | undefined;
  /** In the queue. Missing when the broker stored the message but could not flush or replicate it as configured. */
  readonly offset?: number | undefined;
}

export interface FailedOutcome {
  readonly status: 'failed';
  readonly messageId: string;
  readonly error: RocketMqError;
  /** Whether the broker may have the message in spite of the error: sending it again may then double it. */
  readonly mayBeStored: boolean;
}

export type SendOutcome = StoredOutcome | FailedOutcome;

/**
 * Sends to one topic. Nothing that may be stored is ever sent again here: what happened is said, the caller decides. Over
 * remoting, what was surely not stored is tried again while the call has time.
 */
export interface MessageSender {
  readonly topic: string;
  /**
   * Sends the messages, in as few requests as the protocol allows, and resolves with one outcome per message, in the
   * order of the messages. One that is refused holds up no other, save those after it in its message group.
   * @param call `timeoutMs` limits the whole call
   * @throws InvalidArgumentError for `call` only
   */
  send(messages: readonly TopicMessage[], call?: CallOptions): Promise<readonly SendOutcome[]>;
}

/** One delivery of a message. The broker delivers it again unless it is acknowledged in time. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
  readonly queueOffset: number;
  /** `UNIQ_KEY`. */
  readonly messageId: string;
  /** As its producer made it, decompressed. Undefined when it cannot be decompressed: `bodyError` then says why. */
  readonly body: Buffer | undefined;
  readonly bodyError: RocketMqError | undefined;
  readonly tag: string | undefined;
  readonly keys: readonly string[];
  /** User properties: none of RocketMQ's own, which would be refused or change the message when it is sent again. */
  readonly properties: ReadonlyMap<string, string>;
  readonly messageGroup: string | undefined;
  /** When the producer says that it made the message, ms since the epoch; unchecked. */
  readonly bornTimestamp: number;
  /** When the broker stored it, ms since the epoch. */
  readonly storeTimestamp: number | undefined;
  /** 1 for the first delivery. */
  readonly deliveryAttempt: number;
  /** Names this delivery to the receiver that made it. */
  readonly handle: unknown;
}

export interface ReceiveOptions {
  /** At most so many. Brokers give at most 32 per request. */
  readonly maxMessages: number;
  /** How long to wait for the first message, ms. */
  readonly waitMs: number;
  /** For how long nobody else gets the messages, ms; at least 10,000 over gRPC. */
  readonly invisibleMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type AckOutcome =
  | { readonly status: 'acknowledged'; readonly messageId: string }
  /** The message may be delivered again. */
  | { readonly status: 'failed'; readonly messageId: string; readonly error: RocketMqError };

export interface ReceiverOptions {
  readonly topic: string;
  /**
   * Must exist, and all its members must subscribe alike: what the filter of one rejects is skipped for the group. One
   * that was never at the topic begins at the oldest message, over gRPC at the end: the Proxy decides that.
   */
  readonly group: string;
  /** Tags joined by `||`. Default `*`: all messages. */
  readonly filter?: string | undefined;
}

/** Receives the messages of one topic for one consumer group, at least once, in no order. */
export interface MessageReceiver {
  readonly topic: string;
  readonly group: string;
  /**
   * Resolves as soon as there are messages, or with none after `waitMs`.
   * @throws RequestAbortedError, InvalidArgumentError, and what a broker or the way to it is failing with when no
   * other broker had a message. Nothing is lost by it; call again, after a pause if the error is retriable.
   */
  receive(options: ReceiveOptions): Promise<ReceivedMessage[]>;
  /**
   * What a broker or the way to it is failing with, also while others have messages. Only of receivers that wait at several
   * brokers at once.
   */
  readonly failure?: RocketMqError | undefined;
  /** Returns one outcome per message, in their order. @throws InvalidArgumentError for a message of another receiver */
  ack(messages: readonly ReceivedMessage[], call?: CallOptions): Promise<readonly AckOutcome[]>;
  /**
   * Has the message delivered again `ms` from now unless it is acknowledged before; 0 gives it back at once.
   * @throws RocketMqError
   */
  extend(message: ReceivedMessage, ms: number, call?: CallOptions): Promise<void>;
  /** Idempotent. Messages that are not acknowledged are delivered again when their time is over. */
  close(): Promise<void>;
}

/** One cluster, reached by one protocol; any number of users may share it. */
export interface MessagingCluster {
  readonly protocol: 'remoting' | 'grpc';
  sender(topic: string): MessageSender;
  receiver(options: ReceiverOptions): MessageReceiver;
  /** Closes all receivers and ends every call under way. Idempotent. */
  close(): Promise<void>;
}
