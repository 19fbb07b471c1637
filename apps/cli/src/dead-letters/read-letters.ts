import {
  isGroupMissing,
  type LogicalMessage,
  MessageUnreadableError,
  OffsetOutOfRangeError,
  type QueueReader,
  type QueueRef,
  readableQueues,
  type RocketMqClient,
} from '@sluice/rocketmq';
import { queueName } from './letter.js';

/** The group in whose name letters are looked at. Nothing is committed to it. */
export const LOOK_GROUP = 'sluice-%dead-letters';

/** How long a call waits for messages: a range may end among offsets without messages, which only the reader's position shows. */
const LOOK_AGAIN_MS = 1000;
/** A queue that gives nothing for so long, although its end is further, is given up. */
const MAX_SILENCE_MS = 60_000;
const MAX_BUFFERED_BYTES = 1024 * 1024;

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

/** Returns what the queues of a topic hold now. @throws TopicNotFoundError */
export async function rangesOf(client: RocketMqClient, topic: string): Promise<readonly QueueRange[]> {
  const queues = readableQueues(await client.routes.refresh(topic));
  return Promise.all(
    queues.map(async (queue) => {
      const [from, to] = await Promise.all([client.admin.minOffset(queue), client.admin.maxOffset(queue)]);
      return { queue, from, to };
    }),
  );
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

/**
 * Reads queues up to the ends of their ranges, the message that was stored first at first; those of one queue in their order.
 *
 * @throws Error where a queue gives no messages, or the topic was deleted and created again meanwhile
 */
export async function* readRanges(
  client: RocketMqClient,
  ranges: readonly QueueRange[],
  { group, signal }: { readonly group: string; readonly signal: AbortSignal },
): AsyncGenerator<Found, void, undefined> {
  const cursors = ranges.filter(({ from, to }) => from < to).map((range) => new QueueCursor(client, range, group, signal));
  try {
    for (;;) {
      const heads = await Promise.all(cursors.map((cursor) => cursor.head()));
      let first: number | undefined;
      for (const [index, head] of heads.entries()) {
        if (head !== undefined && (first === undefined || storedAt(head) < storedAt(heads[first]))) first = index;
      }
      if (first === undefined) return;
      const found = cursors[first]?.take();
      if (found !== undefined) yield found;
    }
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

/** What has no time comes first. */
function storedAt(found: Found | undefined): number {
  return found?.kind === 'message' ? found.message.storeTimestamp : -1;
}

class QueueCursor {
  readonly #reader: QueueReader;
  readonly #range: QueueRange;
  #found: readonly Found[] = [];
  #taken = 0;

  constructor(
    private readonly client: RocketMqClient,
    range: QueueRange,
    private readonly group: string,
    signal: AbortSignal,
  ) {
    const { queue, from } = range;
    this.#range = range;
    this.#reader = client.consumer.readQueue(queue, { from, group, signal, ahead: 1, maxBufferedBytes: MAX_BUFFERED_BYTES });
  }

  /** Returns what is next; `undefined` at the end of the range. */
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
      const messages = await asGroup(this.client, this.group, () => this.#reader.nextMessages({ timeoutMs: LOOK_AGAIN_MS }));
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
