import { readableQueues, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import { queueName } from '../queues/queue-cursor.js';
import { type Letter, readLetter } from './letter.js';
import { LOOK_GROUP, readRanges } from './read-letters.js';
import { RedriveProgress } from './redrive-progress.js';

/** Where a letter is, as a user names it. */
export interface LetterPlace {
  /** The broker's name is missing where the topic is on one broker alone. */
  readonly queue: { readonly brokerName: string | undefined; readonly queueId: number };
  readonly offset: number;
}

/**
 * Finds one dead letter by its place.
 *
 * @throws Error where no queue, or more than one, has that name, or no record is there; also what {@link RedriveProgress.open} throws
 */
export async function findLetter(
  client: RocketMqClient,
  topic: string,
  { queue: named, offset }: LetterPlace,
  signal: AbortSignal,
): Promise<{ readonly letter: Letter; readonly isRedriven: boolean }> {
  const queue = chosenQueue(topic, readableQueues(await client.routes.refresh(topic)), named);
  const [from, to] = await Promise.all([client.admin.minOffset(queue), client.admin.maxOffset(queue)]);
  if (offset < from || offset >= to) {
    const held = from < to ? `it holds offsets ${from} to ${to - 1}` : 'it is empty';
    throw new Error(`Queue ${queueName(queue)} of topic ${topic} holds no message at offset ${offset}; ${held}`);
  }
  const range = { queue, from: offset, to: offset + 1 };
  for await (const found of readRanges(client, [range], { group: LOOK_GROUP, signal })) {
    if (found.kind === 'unreadable') throw new Error(found.reason);
    const letter = found.kind === 'message' ? readLetter(queue, found.message) : undefined;
    if (letter === undefined) continue;
    const progress = await RedriveProgress.open(client, topic, false, signal);
    return { letter, isRedriven: progress.isRedriven(queue, offset, letter.storedAt) };
  }
  throw new Error(`There is no record at offset ${offset} of ${queueName(queue)}`);
}

function chosenQueue(topic: string, queues: readonly QueueRef[], { brokerName, queueId }: LetterPlace['queue']): QueueRef {
  const matching = queues.filter((each) => each.queueId === queueId && (brokerName === undefined || each.brokerName === brokerName));
  const [first] = matching;
  if (first !== undefined && matching.length === 1) return first;
  const all = queues.map(queueName).join(', ');
  const what = first === undefined ? 'none of its queues' : 'more than one of its queues';
  throw new Error(`--queue names ${what}: topic ${topic} has ${all}`);
}
