import { ConnectError, ConnectErrorCode, type QueueRef } from '@sluice/sdk';

/** A stored message as it was read. */
export interface RawMessage {
  readonly queueOffset: number;
  /** Decompressed at its first use, which throws when that cannot be done: what that means is for the task's error tolerance to say. */
  readonly body: Buffer;
  /** The body as it is stored, and the bits of RocketMQ's `sysFlag` that say how it is compressed; absent where it is not. */
  readonly compressed?: { readonly body: Buffer; readonly sysFlag: number };
  /** RocketMQ's `Message.flag`, an int32 for applications; absent for 0. */
  readonly flag?: number;
  /** Of the body, decompressed; of the stored one where it cannot be decompressed. */
  readonly bodyBytes: number;
  /** The property block as the broker stores it; `messageToRecord`, `scanStamp` and `scanBarrier` of `@sluice/protocol` read it. */
  readonly rawProperties: Buffer;
  /** Of `rawProperties`; who asks for this alone makes no view of them. */
  readonly propertiesBytes: number;
  /** Milliseconds since the epoch, set by the producer. */
  readonly bornTimestamp: number;
  /** Milliseconds since the epoch, set by the broker. */
  readonly storeTimestamp: number;
}

/** Reads one queue in order, ahead of need within bounds. */
export interface MessageReader {
  /**
   * The next messages, at least one; waits while there are none. The first one's offset is the offset asked for, or later when the broker holds
   * offsets that carry no message. Not called again before it settled. Rejects with a {@link QueueReadFailure}, after a retriable one it may
   * be called again; rejects with the signal's reason when the signal is aborted.
   */
  next(): Promise<readonly RawMessage[]>;
  close(): void;
}

/** Bounds what a reader holds: what it has asked for, and what was not taken of its answers. */
export interface ReadBudget {
  /** Returns whether the reader may ask for more ahead of need, which is expected to bring so much. */
  hasRoom(bytes: number, records: number): boolean;
  /** Counts what the reader holds more; negative numbers say that it holds less. */
  add(bytes: number, records: number): void;
}

/** Reading by offset, without group state. */
export interface QueueMessages {
  /** The readable queues of a topic, sorted by broker name, then queue number; empty when there is no such topic. */
  queues(topic: string): Promise<readonly QueueRef[]>;
  /** Queues of a topic that take records which nobody may read. */
  unreadableQueues(topic: string): Promise<readonly QueueRef[]>;
  /** The names of all topics, for subscriptions by pattern. */
  topics(): Promise<readonly string[]>;
  /** Reads a queue from an offset; the reader has bounds of its own where no budget is given. */
  read(queue: QueueRef, from: number, signal: AbortSignal, budget?: ReadBudget): MessageReader;
  /**
   * The messages from offset `from` to before `to`, both within the queue; ends early where they are gone. Rejects with a
   * {@link QueueReadFailure}, or with the signal's reason when the signal is aborted.
   */
  range(queue: QueueRef, from: number, to: number, signal: AbortSignal): AsyncIterable<readonly RawMessage[]>;
  /** The offset that the next stored message gets. */
  endOffset(queue: QueueRef): Promise<number>;
  /** The offset of the oldest message that retention left. */
  minOffset(queue: QueueRef): Promise<number>;
}

/** Thrown by {@link QueueMessages}. `below-min`: retention has passed the offset; `beyond-end`: the queue was cut back or created again. */
export class QueueReadFailure extends ConnectError {
  readonly reason: 'below-min' | 'beyond-end' | 'unavailable';

  constructor(
    message: string,
    details: {
      readonly reason: 'below-min' | 'beyond-end' | 'unavailable';
      readonly retriable: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(ConnectErrorCode.unavailable, message, details);
    this.reason = details.reason;
  }
}

/** Describes a broker that reports an offset as removed and has its messages still; later it may answer otherwise. */
export function contradictionOf(error: QueueReadFailure, minOffset: number): QueueReadFailure {
  return new QueueReadFailure(`the broker contradicts itself, for its oldest message is at offset ${minOffset}: ${error.message}`, {
    reason: 'unavailable',
    retriable: true,
    cause: error,
  });
}
