import type { QueueRef } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { QueueOffsetError } from './queue-offset-error.js';

export interface StartContext {
  readonly messages: Pick<QueueMessages, 'range' | 'minOffset' | 'endOffset'>;
  readonly group: string;
  readonly signal: AbortSignal;
}

/**
 * Checks that the message before `nextOffset` is the one that was taken. A queue that was created again and grew beyond the offset has another one
 * there. Where retention removed the message, the check passes.
 *
 * @throws QueueOffsetError when it is another one
 */
export async function requireSameMessage(
  { messages, group, signal }: StartContext,
  queue: QueueRef,
  nextOffset: number,
  storedMs: number | undefined,
): Promise<void> {
  if (storedMs === undefined || nextOffset === 0) return;
  const offset = nextOffset - 1;
  const [min, end] = await Promise.all([messages.minOffset(queue), messages.endOffset(queue)]);
  // Reading at an offset that is not there says so itself.
  if (offset < min || nextOffset > end) return;
  for await (const [message] of messages.range(queue, offset, nextOffset, signal)) {
    if (message === undefined || message.queueOffset !== offset || message.storeTimestamp === storedMs) return;
    throw new QueueOffsetError(
      { queue, reason: 'replaced', offset: nextOffset, limit: end },
      group,
      `the message before it was stored at ${timeText(message.storeTimestamp)}, and the one that was read there at ${timeText(storedMs)}`,
    );
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
