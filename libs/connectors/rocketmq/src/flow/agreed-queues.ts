import { queueKey, type QueueRef } from '@sluice/sdk';
import { parseQueueKey, type QueueLink } from './queue-links.js';

/**
 * What a flow agrees upon in the log, as pairs of which no two have the same value:
 *
 * | key                        | value                             | says                                                           |
 * | -------------------------- | --------------------------------- | -------------------------------------------------------------- |
 * | `topic@broker:queue`       | `topic@broker:queue`              | which queue of the target a queue of the source is copied to   |
 * | `begin:topic@broker:queue` | `begin:topic@broker:queue=offset` | the first offset of a queue of the source that is copied       |
 * | `begun`                    | `begun`                           | queues without a beginning have appeared since: all is copied  |
 */
const BEGIN_PREFIX = 'begin:';
const BEGUN = 'begun';

/** The pair that a connector adds when all queues of its first split are agreed upon. */
export const MARK_OF_BEGIN: ReadonlyMap<string, string> = new Map([[BEGUN, BEGUN]]);

export function hasBegun(pairs: ReadonlyMap<string, string>): boolean {
  return pairs.has(BEGUN);
}

/** Returns the queues among agreed pairs, sorted by those of the source. The value of no other pair is the text of a queue. */
export function queuesIn(pairs: ReadonlyMap<string, string>): readonly Pick<QueueLink, 'source' | 'target'>[] {
  const links: Pick<QueueLink, 'source' | 'target'>[] = [];
  for (const [key, value] of pairs) {
    const [source, target] = [parseQueueKey(key), parseQueueKey(value)];
    if (source !== undefined && target !== undefined) links.push({ source, target });
  }
  return links.sort((one, other) => compareQueues(one.source, other.source));
}

/** Returns the pairs that say where queues begin. */
export function beginPairs(offsets: ReadonlyMap<string, number>): ReadonlyMap<string, string> {
  return new Map([...offsets].map(([key, offset]) => [`${BEGIN_PREFIX}${key}`, `${BEGIN_PREFIX}${key}=${offset}`]));
}

/** Returns where a queue of the source begins; `undefined` where that is not agreed upon. */
export function beginOf(pairs: ReadonlyMap<string, string>, queue: QueueRef): number | undefined {
  const key = `${BEGIN_PREFIX}${queueKey(queue)}`;
  const value = pairs.get(key);
  if (value?.startsWith(`${key}=`) !== true) return undefined;
  const offset = Number(value.slice(key.length + 1));
  return Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined;
}

function compareQueues(one: QueueRef, other: QueueRef): number {
  if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1;
  if (one.brokerName !== other.brokerName) return one.brokerName < other.brokerName ? -1 : 1;
  return one.queueId - other.queueId;
}
