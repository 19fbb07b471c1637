import { queueTag } from '@sluice/protocol';
import type { QueueRef, SinkPosition } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { QueueOffsetError } from './queue-offset-error.js';
import { ReadState } from './read-state.js';

/** Where a queue is read on, and what is known of it up to there. */
export interface QueueStart {
  readonly queue: QueueRef;
  readonly nextOffset: number;
  readonly state: ReadState;
}

export interface StartContext {
  readonly messages: Pick<QueueMessages, 'range' | 'minOffset' | 'endOffset'>;
  readonly group: string;
  readonly signal: AbortSignal;
}

/** Messages before the position that are looked at where no state is stored with it. */
const warmUpMessages = 10_000;

/**
 * Finds out what is known of a queue before it is read. A stored state holds only while the message before the position is the one that was
 * taken. Without a state, the filter against duplicates learns from the messages before the position.
 *
 * @throws QueueOffsetError when another message stands before the position
 */
export async function prepareStart(context: StartContext, position: SinkPosition): Promise<QueueStart> {
  const { queue, nextOffset, readState } = position;
  if (readState === undefined) return { queue, nextOffset, state: await warmedUp(context, queue, nextOffset) };
  const state = ReadState.restore(readState);
  await requireSameMessage(context, queue, nextOffset, state.lastStoredMs);
  return { queue, nextOffset, state };
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

async function warmedUp({ messages, signal }: StartContext, queue: QueueRef, nextOffset: number): Promise<ReadState> {
  const state = new ReadState();
  const tag = queueTag(queue);
  if (nextOffset === 0) return state;
  const [min, end] = await Promise.all([messages.minOffset(queue), messages.endOffset(queue)]);
  const to = Math.min(nextOffset, end);
  const from = Math.max(min, to - warmUpMessages);
  if (from >= to) return state;
  for await (const answer of messages.range(queue, from, to, signal)) {
    for (const message of answer) state.took(message, state.judge(message, tag));
  }
  return to === nextOffset ? state : new ReadState();
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
