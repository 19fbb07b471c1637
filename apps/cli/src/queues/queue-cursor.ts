import {
  isGroupMissing,
  type LogicalMessage,
  MessageUnreadableError,
  OffsetOutOfRangeError,
  type QueueReader,
  type QueueRef,
  type RocketMqClient,
} from '@sluice/rocketmq';

/** How long a call waits for messages: a range may end among offsets without messages, which only the reader's position shows. */
const LOOK_AGAIN_MS = 1000;
/** A queue that gives nothing for so long, although its end is further, is given up. */
const MAX_SILENCE_MS = 60_000;

/** A part of a queue, from the first offset to the one behind its last. */
export interface QueueRange {
  readonly queue: QueueRef;
  readonly from: number;
  readonly to: number;
}

/** What a reader finds at an offset, or at several. */
export type Found =
  | { readonly kind: 'message'; readonly queue: QueueRef; readonly message: LogicalMessage }
  | { readonly kind: 'unreadable'; readonly queue: QueueRef; readonly offset: number; readonly reason: string }
  /** Retention removed the messages from one offset to the one before another. */
  | { readonly kind: 'removed'; readonly queue: QueueRef; readonly from: number; readonly to: number };

/** Names a queue for people, as `--queue` takes it. */
export function queueName({ brokerName, queueId }: QueueRef): string {
  return `${brokerName}/${queueId}`;
}

/** Makes a call in the name of a group, which is created where a broker does not know it. */
export async function asGroup<T>(client: RocketMqClient, group: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isGroupMissing(error)) throw error;
    await client.admin.createGroup({ group });
    return call();
  }
}

/** How a queue is read. */
export interface CursorOptions {
  /** The group in whose name the queue is read. Nothing is committed to it. */
  readonly group: string;
  readonly signal: AbortSignal;
  /** Pulls ahead of the caller. */
  readonly ahead: number;
  readonly maxBufferedBytes: number;
}

/** Reads a range of a queue, message by message; several of them can be merged by what is next in each. */
export class QueueCursor {
  readonly #reader: QueueReader;
  readonly #range: QueueRange;
  readonly #group: string;
  #found: readonly Found[] = [];
  #taken = 0;

  constructor(
    private readonly client: RocketMqClient,
    range: QueueRange,
    options: CursorOptions,
  ) {
    const { queue, from } = range;
    this.#range = range;
    this.#group = options.group;
    this.#reader = client.consumer.readQueue(queue, { from, ...options });
  }

  /** Returns what is next where that has been read already; else `undefined`. It costs less than {@link head}. */
  peek(): Found | undefined {
    return this.#found[this.#taken];
  }

  /** Waits for what is next; `undefined` at the end of the range. @throws Error where the queue gives no messages */
  async head(): Promise<Found | undefined> {
    let silentSince = performance.now();
    while (this.#taken >= this.#found.length && this.#reader.position < this.#range.to) {
      const before = this.#reader.position;
      this.#found = await this.#more();
      this.#taken = 0;
      if (this.#reader.position > before) silentSince = performance.now();
      else if (performance.now() - silentSince > MAX_SILENCE_MS) {
        const { queue, to } = this.#range;
        const what = `Queue ${queueName(queue)} of topic ${queue.topic} gives no messages from offset ${before} on, although it ends at ${to}`;
        throw new Error(`${what}: its broker has not answered for ${MAX_SILENCE_MS / 1000} s`);
      }
    }
    return this.#found[this.#taken];
  }

  take(): Found | undefined {
    return this.#found[this.#taken++];
  }

  close(): void {
    this.#reader.close();
  }

  async #more(): Promise<readonly Found[]> {
    const { queue, to } = this.#range;
    try {
      const messages = await asGroup(this.client, this.#group, () => this.#reader.nextMessages({ timeoutMs: LOOK_AGAIN_MS }));
      return messages.filter(({ queueOffset }) => queueOffset < to).map((message) => ({ kind: 'message', queue, message }));
    } catch (error) {
      if (error instanceof MessageUnreadableError && error.nextOffset !== undefined) {
        this.#reader.seek(error.nextOffset);
        return [{ kind: 'unreadable', queue, offset: error.queueOffset, reason: error.message }];
      }
      if (error instanceof OffsetOutOfRangeError && error.range.nextOffset >= error.range.offset) {
        const { offset, nextOffset } = error.range;
        this.#reader.seek(nextOffset);
        // The answer to the first pull after an operator has reset the group to this offset.
        if (nextOffset === offset) return [];
        return [{ kind: 'removed', queue, from: offset, to: Math.min(nextOffset, to) }];
      }
      throw error;
    }
  }
}
