import { readableQueues, type RocketMqClient } from '@sluice/rocketmq';
import { type Found, QueueCursor, type QueueRange } from '../queues/queue-cursor.js';

/** The group in whose name letters are looked at. Nothing is committed to it. */
export const LOOK_GROUP = 'sluice-%dead-letters';

const MAX_BUFFERED_BYTES = 1024 * 1024;

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
  const cursors = ranges
    .filter(({ from, to }) => from < to)
    .map((range) => new QueueCursor(client, range, { group, signal, ahead: 1, maxBufferedBytes: MAX_BUFFERED_BYTES }));
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
