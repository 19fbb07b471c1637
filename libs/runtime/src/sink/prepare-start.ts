import { queueTag } from '@sluice/protocol';
import type { QueueRef, SinkPosition } from '@sluice/sdk';
import { ReadState } from './read-state.js';
import { requireSameMessage, type StartContext } from './same-message.js';

/** Where a queue is read on, and what is known of it up to there. */
export interface QueueStart {
  readonly queue: QueueRef;
  readonly nextOffset: number;
  readonly state: ReadState;
}

/** Messages before the position that are looked at where no state is stored with it. */
const WARM_UP_MESSAGES = 10_000;

/**
 * Finds out what is known of a queue before it is read. A stored state holds only while the message before the position is the one that was
 * taken. Without a state for the position's offset, the filter against duplicates learns from the messages before the position.
 *
 * @throws QueueOffsetError when another message stands before the position
 */
export async function prepareStart(context: StartContext, position: SinkPosition): Promise<QueueStart> {
  const { queue, nextOffset, readState } = position;
  const state = readState === undefined ? undefined : ReadState.restore(readState, nextOffset);
  if (state === undefined) return { queue, nextOffset, state: await warmedUp(context, queue, nextOffset) };
  await requireSameMessage(context, queue, nextOffset, state.lastStoredMs);
  return { queue, nextOffset, state };
}

async function warmedUp({ messages, signal }: StartContext, queue: QueueRef, nextOffset: number): Promise<ReadState> {
  const state = new ReadState();
  const tag = queueTag(queue);
  if (nextOffset === 0) return state;
  const [min, end] = await Promise.all([messages.minOffset(queue), messages.endOffset(queue)]);
  const to = Math.min(nextOffset, end);
  const from = Math.max(min, to - WARM_UP_MESSAGES);
  if (from >= to) return state;
  for await (const answer of messages.range(queue, from, to, signal)) {
    for (const message of answer) state.took(message, state.judge(message, tag));
  }
  return to === nextOffset ? state : new ReadState();
}
