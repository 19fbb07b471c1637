import type { RocketMqError } from '../../errors.js';
import type { SendStatus } from '../producer.js';
import type { QueueRef } from '../../routing/topic-route.js';
import type { PreparedMessage } from './producer-message.js';

/** Where a message was stored. */
export interface StoredAt {
  readonly queue: QueueRef;
  /**
   * Undefined for a delayed message, which gets its offset when it is due. Also undefined while a static topic's queue moves: the
   * broker then does not know the offset.
   */
  readonly offset: number | undefined;
  readonly status: SendStatus;
  /** `UNIQ_KEY`: the message can be found by it. */
  readonly messageId: string;
}

/** Takes how sends ended. */
export interface SendReceiver {
  /** @param index the receiver's own name for the message */
  stored(index: number, at: StoredAt): void;
  failed(index: number, error: unknown): void;
}

/** Messages that a flush waits for together. */
export interface FlushGroup {
  unsettled: number;
}

/** One send from its call to its end. */
export interface PendingMessage {
  readonly prepared: PreparedMessage;
  /** Of the call, on the monotonic clock. */
  readonly sentAt: number;
  readonly flushGroup: FlushGroup;
  readonly receiver: SendReceiver;
  readonly index: number;
  /** The list that it waits in; undefined while it is under way and after its end. */
  fifo: MessageFifo | undefined;
  /** Whether its bytes count against the producer's limits. */
  isCounted: boolean;
  /** How often a broker said that the queue which it was sent to takes no messages. */
  refusals: number;
  /** A batch with it was refused as illegal: it goes without others. */
  isAlone: boolean;
  /** How its last attempt failed; an attempt of unknown outcome stays, whatever the later ones end with. */
  lastError: RocketMqError | undefined;
  /** Ends the wait for the caller's signal. */
  unlisten: (() => void) | undefined;
}

/** Notes how an attempt failed. Returns what to tell the caller if it was the last one. */
export function noteFailure(message: PendingMessage, error: RocketMqError): RocketMqError {
  const { lastError } = message;
  if (lastError?.outcome === 'unknown' && error.outcome === 'not-sent') return lastError;
  message.lastError = error;
  return error;
}

const COMPACT_AFTER = 1_024;

/** Messages that wait, in order. Messages that were taken back are skipped. */
export class MessageFifo {
  #items: PendingMessage[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** As brokers count them. */
  get bytes(): number {
    return this.#bytes;
  }

  push(message: PendingMessage): void {
    this.#own(message);
    this.#items.push(message);
  }

  /** Returns the first message. */
  peek(): PendingMessage | undefined {
    for (;;) {
      const message = this.#items[this.#head];
      if (message === undefined || message.fifo === this) return message;
      this.#advance();
    }
  }

  take(): PendingMessage | undefined {
    const message = this.peek();
    if (message === undefined) return undefined;
    this.#advance();
    this.remove(message);
    return message;
  }

  /** Puts messages that were sent before those of the list; the list stays in the order of the sends. */
  putBack(messages: readonly PendingMessage[]): void {
    for (const message of messages) this.#own(message);
    const first = this.peek();
    const last = messages.at(-1);
    this.#items = [...messages, ...this.#items.slice(this.#head)];
    this.#head = 0;
    const isInOrder = first === undefined || last === undefined || last.sentAt <= first.sentAt;
    if (!isInOrder) this.#items = this.#items.filter(({ fifo }) => fifo === this).sort((a, b) => a.sentAt - b.sentAt);
  }

  /** Takes back a message that is in this list, wherever it stands. */
  remove(message: PendingMessage): void {
    message.fifo = undefined;
    this.#count -= 1;
    this.#bytes -= message.prepared.storedBytes;
  }

  /** Takes the messages that `isWanted` picks, in order; the others stay. */
  takeWhere(isWanted: (message: PendingMessage) => boolean): PendingMessage[] {
    const all = this.#items.slice(this.#head).filter((message) => message.fifo === this);
    const taken = all.filter((message) => isWanted(message));
    if (taken.length === 0) return taken;
    for (const message of taken) this.remove(message);
    this.#items = all.filter((message) => message.fifo === this);
    this.#head = 0;
    return taken;
  }

  #own(message: PendingMessage): void {
    message.fifo = this;
    this.#count += 1;
    this.#bytes += message.prepared.storedBytes;
  }

  #advance(): void {
    this.#head += 1;
    if (this.#head < COMPACT_AFTER || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
