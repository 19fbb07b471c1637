import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetStore } from '../ports/offset-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { someOf } from '../task/some-of.js';

export interface StartQuestion {
  readonly messages: Pick<QueueMessages, 'queues' | 'minOffset' | 'endOffset'>;
  readonly offsets: Pick<OffsetStore, 'read'>;
  readonly group: string;
  /** For queues of topics that are new to the group. */
  readonly reset: 'earliest' | 'latest';
  /** What the sink stored with its data, by queue key. */
  readonly answers: ReadonlyMap<string, SinkPosition>;
}

const MAX_DESCRIBED = 10;

export interface StartPositions {
  readonly positions: readonly SinkPosition[];
  /** The group's offset where it is ahead of the one that the sink stored, by queue key. Nobody but an operator or a foreign consumer sets it. */
  readonly ahead: ReadonlyMap<string, number>;
  /** The ends of queues that begin there if their topic is new to the group: what comes after this question must not be passed over. */
  readonly undecided: readonly SinkPosition[];
}

/**
 * Indexes what the sink stored of the queues that it was asked to open.
 *
 * @throws ConnectError where it answers other queues, or no offsets
 */
export function checkedAnswers(queues: readonly QueueRef[], answers: readonly SinkPosition[]): ReadonlyMap<string, SinkPosition> {
  const opened = new Set(queues.map(queueKey));
  const answered = new Map<string, SinkPosition>();
  for (const answer of answers) {
    const key = queueKey(answer.queue);
    if (!opened.has(key) || !Number.isSafeInteger(answer.nextOffset) || answer.nextOffset < 0) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `The sink answered offset ${answer.nextOffset} for queue ${key}; it may answer offsets from 0 for the queues it was asked to open`,
      );
    }
    answered.set(key, answer);
  }
  return answered;
}

/**
 * Finds where a sink task begins to read queues of one broker: where the sink says, else at the group's offset. The reset policy decides
 * where a queue begins that neither knows. One that came later to a topic that is read already begins at its oldest message. What was sent to it before
 * it was noticed must not be missing.
 */
export async function startPositions(
  { messages, offsets, group, reset, answers }: StartQuestion,
  queues: readonly QueueRef[],
): Promise<StartPositions> {
  const positions: SinkPosition[] = [];
  const ahead = new Map<string, number>();
  const undecided: SinkPosition[] = [];
  const committed = await Promise.all(queues.map((queue) => offsets.read(group, queue)));
  for (const [index, queue] of queues.entries()) {
    const answer = answers.get(queueKey(queue));
    const offset = committed[index];
    if (answer !== undefined) {
      positions.push(answer);
      if (offset !== undefined && offset > answer.nextOffset) ahead.set(queueKey(queue), offset);
    } else if (offset !== undefined) positions.push({ queue, nextOffset: offset });
    else if (reset === 'latest') undecided.push({ queue, nextOffset: await messages.endOffset(queue) });
    else positions.push({ queue, nextOffset: await messages.minOffset(queue) });
  }
  return { positions, ahead, undecided };
}

/**
 * Finds out whether the group has read a topic before: then the sink or the group has an offset of any of its queues.
 *
 * @throws the error of a broker that does not answer, unless another one has an offset
 */
export async function isTopicKnown({ messages, offsets, group, answers }: StartQuestion, topic: string): Promise<boolean> {
  for (const { queue } of answers.values()) if (queue.topic === topic) return true;
  const queues = await messages.queues(topic);
  const found = await Promise.allSettled(queues.map((queue) => offsets.read(group, queue)));
  if (found.some((answer) => answer.status === 'fulfilled' && answer.value !== undefined)) return true;
  for (const answer of found) if (answer.status === 'rejected') throw answer.reason;
  return false;
}

/** Says, for operators, where a task begins to read queues. */
export function describeStart(group: string, answers: ReadonlyMap<string, SinkPosition>, positions: readonly SinkPosition[]): string {
  const places = positions.map(({ queue, nextOffset }) => {
    const key = queueKey(queue);
    return `${key} at offset ${nextOffset} (${answers.get(key)?.nextOffset === nextOffset ? 'of the sink' : 'of the group'})`;
  });
  return `Starting with consumer group ${group} to read ${someOf(places, MAX_DESCRIBED)}`;
}
