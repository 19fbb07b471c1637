import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetStore } from '../ports/offset-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';

export interface StartQuestion {
  readonly messages: QueueMessages;
  readonly offsets: OffsetStore;
  readonly group: string;
  /** For queues of topics that are new to the group. */
  readonly reset: 'earliest' | 'latest';
  /** The queues that the task opens now. */
  readonly queues: readonly QueueRef[];
  /** What the sink stored with its data. */
  readonly answers: readonly SinkPosition[];
}

const maxDescribed = 10;

export interface StartPositions {
  readonly positions: readonly SinkPosition[];
  /** The group's offset where it is ahead of the one that the sink stored, by queue key. Nobody but an operator or a foreign consumer sets it. */
  readonly ahead: ReadonlyMap<string, number>;
}

/**
 * Where a sink task begins to read its queues: where the sink says, else at the group's offset. A queue that neither knows begins by the reset
 * policy; but one that came later to a topic that is read already begins at its oldest message, or what was sent to it before it was
 * noticed would be missing.
 */
export async function startPositions(question: StartQuestion): Promise<StartPositions> {
  const { messages, offsets, group, reset, queues, answers } = question;
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
  const committed = await Promise.all(queues.map((queue) => offsets.read(group, queue)));
  const known = new Set<string>();
  for (const [index, queue] of queues.entries()) {
    if (committed[index] !== undefined || answered.has(queueKey(queue))) known.add(queue.topic);
  }
  await addTopicsOfOtherTasks(question, known);

  const positions: SinkPosition[] = [];
  const ahead = new Map<string, number>();
  for (const [index, queue] of queues.entries()) {
    const answer = answered.get(queueKey(queue));
    const offset = committed[index];
    if (answer !== undefined) {
      positions.push(answer);
      if (offset !== undefined && offset > answer.nextOffset) ahead.set(queueKey(queue), offset);
    } else if (offset !== undefined) positions.push({ queue, nextOffset: offset });
    else {
      const fromEnd = reset === 'latest' && !known.has(queue.topic);
      positions.push({ queue, nextOffset: await (fromEnd ? messages.endOffset(queue) : messages.minOffset(queue)) });
    }
  }
  return { positions, ahead };
}

/** Says, for the log, where a task begins to read its queues. */
export function describeStart(
  group: string,
  answers: readonly SinkPosition[],
  positions: readonly SinkPosition[],
): string {
  const stored = new Map(answers.map(({ queue, nextOffset }) => [queueKey(queue), nextOffset]));
  const places = positions.slice(0, maxDescribed).map(({ queue, nextOffset }) => {
    const key = queueKey(queue);
    return `${key} at offset ${nextOffset} (${stored.get(key) === nextOffset ? 'of the sink' : 'of the group'})`;
  });
  if (positions.length > maxDescribed) places.push(`${positions.length - maxDescribed} more`);
  return `Starting with consumer group ${group} to read ${places.join(', ')}`;
}

/** With one earlier commit for any queue of a topic, the topic is not new to the group. */
async function addTopicsOfOtherTasks(
  { messages, offsets, group, queues, reset }: StartQuestion,
  known: Set<string>,
): Promise<void> {
  if (reset === 'earliest') return;
  for (const topic of new Set(queues.map((queue) => queue.topic))) {
    if (known.has(topic)) continue;
    for (const queue of await messages.queues(topic)) {
      if ((await offsets.read(group, queue)) === undefined) continue;
      known.add(topic);
      break;
    }
  }
}
