import { type CopyStream, entryOf, type QueueEntries, type QueueEntry } from '@sluice/replication';
import { logicalMessages, type RocketMqClient } from '@sluice/rocketmq';
import type { QueueRef } from '@sluice/sdk';

/** The brokers' own group for tools: it is on each of them, and nothing is committed. */
export const READER_GROUP = 'TOOLS_CONSUMER';
/** A broker answers with another offset where the one that was asked for is gone. */
const MAX_MOVES = 3;

/** Reads a queue as what its messages are to one stream. */
export class StampedEntries implements QueueEntries {
  constructor(
    private readonly client: Pick<RocketMqClient, 'consumer'>,
    private readonly queue: QueueRef,
    private readonly stream: CopyStream,
    private readonly signal: AbortSignal,
  ) {}

  async read(offset: number, count: number): Promise<readonly QueueEntry[]> {
    let from = offset;
    for (let moves = 0; moves <= MAX_MOVES; moves += 1) {
      const { queue, signal } = this;
      const answer = await this.client.consumer.pull({ queue, offset: from, group: READER_GROUP, maxMessages: count, signal });
      if (answer.messages.length > 0) {
        return logicalMessages(answer.messages, from).map((message) => entryOf(message, this.stream));
      }
      // Nothing there yet, or the queue is shorter than it was.
      if (answer.nextOffset <= from) return [];
      from = answer.nextOffset;
    }
    return [];
  }
}
