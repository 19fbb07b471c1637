import type { RocketMqClient } from '@sluice/rocketmq';
import { queueName } from '../queues/queue-cursor.js';
import { type Letter, readLetter } from './letter.js';
import { type LetterFilter, rejectedBy } from './letter-filter.js';
import { LOOK_GROUP, rangesOf, readRanges } from './read-letters.js';
import { RedriveProgress } from './redrive-progress.js';

export interface ListOptions {
  readonly topic: string;
  readonly filter: LetterFilter;
  /** Letters that are listed at most. */
  readonly limit: number;
  /** Also those that were redriven. */
  readonly isAll: boolean;
}

/** What a list keeps of a letter: not its body, its key and its headers, which may take more memory than there is. */
export interface ListedLetter {
  readonly queue: string;
  readonly offset: number;
  /** When it became a dead letter, in ms since the epoch. */
  readonly storedAt: number;
  readonly connector: string | null;
  readonly task: string | null;
  readonly stage: string | null;
  readonly exceptionClass: string | null;
  readonly message: string | null;
  readonly redrives: number;
  readonly isRedriven: boolean;
}

/** The letters that pass the filters, and what a list cannot show of the others. */
export interface LetterList {
  /** In the order in which they became dead letters. */
  readonly letters: readonly ListedLetter[];
  /** Whether letters behind the last one were not looked at. */
  readonly isCut: boolean;
  /** Places of messages that cannot be read. */
  readonly unreadable: readonly Pick<Letter, 'queue' | 'offset'>[];
}

/** Lists dead letters that are there now. @throws what {@link RedriveProgress.open} throws */
export async function listLetters(client: RocketMqClient, options: ListOptions, signal: AbortSignal): Promise<LetterList> {
  const { topic, filter, limit, isAll } = options;
  const progress = await RedriveProgress.open(client, topic, false, signal);
  const ranges = isAll ? await rangesOf(client, topic) : progress.works.map(({ range }) => range);
  const letters: ListedLetter[] = [];
  const unreadable: Pick<Letter, 'queue' | 'offset'>[] = [];
  for await (const found of readRanges(client, ranges, { group: LOOK_GROUP, signal })) {
    if (found.kind === 'unreadable') unreadable.push(found);
    if (found.kind !== 'message') continue;
    const { queueOffset, storeTimestamp } = found.message;
    const isRedriven = progress.isRedriven(found.queue, queueOffset, storeTimestamp);
    if (isRedriven && !isAll) continue;
    const letter = readLetter(found.queue, found.message);
    if (letter === undefined || rejectedBy(letter, filter) !== undefined) continue;
    if (letters.length >= limit) return { letters, unreadable, isCut: true };
    letters.push(listedLetter(letter, isRedriven));
  }
  return { letters, unreadable, isCut: false };
}

/** Returns what a list keeps of a letter. */
export function listedLetter({ queue, offset, storedAt, context, redrives }: Letter, isRedriven: boolean): ListedLetter {
  const { connector, task, stage, exceptionClass, exceptionMessage } = context;
  return {
    queue: queueName(queue),
    offset,
    storedAt,
    connector: ownText(connector),
    task: ownText(task),
    stage: ownText(stage),
    exceptionClass: ownText(exceptionClass),
    message: ownText(exceptionMessage),
    redrives,
    isRedriven,
  };
}

/** Copies a text: a part of a longer one, as those of a message's properties are, keeps the whole of it in memory. */
function ownText(text: string | undefined): string | null {
  return text === undefined ? null : Buffer.from(text, 'utf8').toString('utf8');
}
