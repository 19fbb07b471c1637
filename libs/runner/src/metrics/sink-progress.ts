import type { OffsetReset, OffsetStore, QueueMessages } from '@sluice/runtime';
import type { QueueRef, SinkPosition } from '@sluice/sdk';

/** Hears how far one loop of a sink has come. */
export interface SinkProgress {
  /** The loop reads a queue from an offset. */
  opened(queue: QueueRef, from: number): void;
  /** The loop's group has committed; queues in `resets` keep the offset given there. */
  committed(group: string, positions: readonly SinkPosition[], resets: readonly OffsetReset[]): void;
}

/** Returns what a new loop is to read and commit with so that `progress` hears of it. */
export function watchedPorts(
  { messages, offsets }: { readonly messages: QueueMessages; readonly offsets: OffsetStore },
  progress: SinkProgress,
): { readonly messages: QueueMessages; readonly offsets: OffsetStore } {
  return {
    messages: {
      queues: (topic) => messages.queues(topic),
      unreadableQueues: (topic) => messages.unreadableQueues(topic),
      topics: () => messages.topics(),
      endOffset: (queue) => messages.endOffset(queue),
      minOffset: (queue) => messages.minOffset(queue),
      range: (queue, from, to, signal) => messages.range(queue, from, to, signal),
      read: (queue, from, signal, budget) => {
        progress.opened(queue, from);
        return messages.read(queue, from, signal, budget);
      },
    },
    offsets: {
      read: (group, queue) => offsets.read(group, queue),
      commit: async (group, positions) => {
        const resets = await offsets.commit(group, positions);
        progress.committed(group, positions, resets);
        return resets;
      },
      takeReset: (group, reset) => offsets.takeReset(group, reset),
      foreignConsumers: (group, queue) => offsets.foreignConsumers(group, queue),
    },
  };
}
