import type { RocketMqClient } from '@sluice/rocketmq';
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

/** A letter, and whether a redrive has sent its record. */
export interface ListedLetter {
  readonly letter: Letter;
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
    letters.push({ letter, isRedriven });
  }
  return { letters, unreadable, isCut: false };
}
