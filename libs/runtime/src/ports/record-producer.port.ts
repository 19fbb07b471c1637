import type { MessageHead } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type QueueRef } from '@sluice/sdk';

/** What a message is made of. */
export interface EncodedParts {
  readonly body: Buffer;
  /** As the message mapping of `@sluice/protocol` makes them, or the bytes of a block. */
  readonly properties: string | Buffer;
  /** RocketMQ's `Message.flag`; 0 where it is absent. */
  readonly flag?: number;
  /** Absent where the body is not compressed, and the time is that of the send. */
  readonly head?: MessageHead;
}

/** Encoded messages that are stored in one piece, in order. */
export interface RecordBatch {
  /** Messages added so far. */
  readonly count: number;
  /** Encoded size so far, with what the encoding adds. */
  readonly bytes: number;
  /**
   * Adds one message. `properties` holds the encoded properties as the message mapping of `@sluice/protocol` makes them, or their UTF-8 bytes.
   * Returns the bytes of both. Returns 0, and adds nothing, when the batch would pass the message limit. An empty batch answers 0 only to a message
   * that can never be sent.
   *
   * @param flag RocketMQ's `Message.flag`, an int32; 0 by default
   */
  add(body: Buffer, properties: string | Buffer, flag?: number): number;
  /** Its messages, in the order of their adding. Each use reads all of them from its bytes. They are valid until the batch is given back. */
  readonly messages: readonly BatchMessage[];
}

/** A message of a batch. */
export interface BatchMessage {
  readonly body: Buffer;
  /** The UTF-8 bytes: most of what reads a message only hands them on. */
  readonly properties: Buffer;
  readonly flag: number;
}

/** Where a batch was stored: at offsets `firstOffset` to `firstOffset + count - 1`. */
export interface StoredBatch {
  readonly firstOffset: number;
  /** The ids of its messages in order, with commas between them, where the broker named them. */
  readonly messageIds?: string | undefined;
}

/** A message that is sent by itself, with what a batch cannot keep for each of its messages. */
export interface WholeMessage {
  readonly body: Buffer;
  /** As the message mapping of `@sluice/protocol` makes them. */
  readonly properties: string;
  /** How the body is compressed, in bits of RocketMQ's `sysFlag`; 0 where it is not. */
  readonly sysFlag: number;
  /** RocketMQ's `Message.flag`. */
  readonly flag: number;
  /** Milliseconds since the epoch; now, where it is absent. */
  readonly bornAt?: number | undefined;
}

/** What the name servers say of a queue now. */
export interface QueueLookUp {
  /** `closed`: its broker is there and the topic may not be written there, or has fewer queues. `unavailable`: no broker says that it has the queue. */
  readonly state: 'writable' | 'closed' | 'unavailable';
  /** All writable queues of the topic. */
  readonly writable: readonly QueueRef[];
}

/** Sends batches to queues chosen by the caller. It never reroutes, reorders or resends by itself. */
export interface RecordProducer {
  /** The writable queues of a topic, sorted by broker name, then queue number. Rejects with a {@link SendFailure} when they are unknown. */
  queues(topic: string): Promise<readonly QueueRef[]>;
  /** Asks the name servers about a queue, and creates nothing. Rejects when none answers. */
  lookUpQueue(queue: QueueRef): Promise<QueueLookUp>;
  /**
   * @param expectedBytes about how large the batch becomes when it is encoded: one that is used again may have as much memory as fits that
   * @param head what its messages have alike; without one they are not compressed, and made when they are sent
   */
  newBatch(expectedBytes: number, head?: MessageHead): RecordBatch;
  /** Takes a batch back that nobody sends or reads any more: its memory may serve the next one. */
  giveBack(batch: RecordBatch): void;
  /**
   * Resolves when the broker stored the batch. Aborting `signal` gives up waiting: the outcome is then unknown. Rejects with a
   * {@link SendFailure}.
   */
  send(queue: QueueRef, batch: RecordBatch, signal: AbortSignal): Promise<StoredBatch>;
  /** As {@link send}, of one message. */
  sendMessage(queue: QueueRef, message: WholeMessage, signal: AbortSignal): Promise<void>;
}

/** How a send of unknown outcome ended. `unknown`: no reply will come, it may or may not be (or still become) stored. */
export type SettledSend = 'stored' | 'not-stored' | 'unknown';

/** Thrown by {@link RecordProducer}. Anything else that is thrown means `not-stored`, and not retriable. */
export class SendFailure extends ConnectError {
  readonly outcome: 'not-stored' | 'unknown';
  /** The broker refused what is in the messages, for their size, and would refuse it again. */
  readonly refusesMessages: boolean;
  /** Present on an unknown outcome whose reply may still come. Never rejects. */
  readonly settled: Promise<SettledSend> | undefined;

  constructor(
    message: string,
    details: {
      readonly outcome: 'not-stored' | 'unknown';
      readonly retriable: boolean;
      readonly refusesMessages?: boolean;
      readonly settled?: Promise<SettledSend>;
      readonly cause?: unknown;
    },
  ) {
    super(ConnectErrorCode.unavailable, message, details);
    this.outcome = details.outcome;
    this.refusesMessages = details.refusesMessages ?? false;
    this.settled = details.settled;
  }
}
