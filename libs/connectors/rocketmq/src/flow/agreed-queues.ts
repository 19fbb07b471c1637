import { ConfigError, queueKey, type QueueRef } from '@sluice/sdk';
import type { FlowSides } from './flow-clusters.js';
import { parseQueueKey, type QueueLink } from './queue-links.js';

/**
 * What a flow agrees upon in the log, as pairs of which no two have the same value:
 *
 * | key                        | value                             | says                                                           |
 * | -------------------------- | --------------------------------- | -------------------------------------------------------------- |
 * | `topic@broker:queue`       | `topic@broker:queue`              | which queue of the target a queue of the source is copied to   |
 * | `begin:topic@broker:queue` | `begin:topic@broker:queue=offset` | the first offset of a queue of the source that is copied       |
 * | `begun`                    | `begun`                           | queues without a beginning have appeared since: all is copied  |
 * | `clusters`                 | `clusters=source>target`          | the identities of both sides, of which all of this is true     |
 */
const BEGIN_PREFIX = 'begin:';
const BEGUN = 'begun';
const CLUSTERS = 'clusters';

/** Which clusters a flow connects, by identity. */
export interface FlowIdentities {
  readonly source: string;
  readonly target: string;
}

/** Returns the pair that says which clusters a flow connects. */
export function clustersPair({ source, target }: FlowIdentities): ReadonlyMap<string, string> {
  return new Map([[CLUSTERS, `${CLUSTERS}=${source}>${target}`]]);
}

/** Returns which clusters are agreed upon; `undefined` where none are yet. */
export function clustersIn(pairs: ReadonlyMap<string, string>): FlowIdentities | undefined {
  const [source, target] =
    pairs
      .get(CLUSTERS)
      ?.slice(CLUSTERS.length + 1)
      .split('>') ?? [];
  return source === undefined || target === undefined ? undefined : { source, target };
}

/** The pair that a connector adds when all queues of its first split are agreed upon. */
export const MARK_OF_BEGIN: ReadonlyMap<string, string> = new Map([[BEGUN, BEGUN]]);

/**
 * Positions, beginnings and the queue map are true of two clusters. Taken for others they would skip messages, or copy all of them again.
 * @throws {ConfigError} that names the setting which leads to another cluster
 */
export function requireSameClusters(agreed: FlowIdentities | undefined, found: FlowIdentities, sides: FlowSides): void {
  if (agreed === undefined) return;
  const errors = (['source', 'target'] as const).flatMap((side) => {
    if (agreed[side] === found[side]) return [];
    const field = `${sides[side]}url`;
    const message =
      `Configuration ${field} leads to cluster ${found[side]}; expected is ${agreed[side]}, to which what this connector ` +
      'has copied belongs. Give a connector of another cluster another name';
    return [{ field, message }];
  });
  if (errors.length > 0) throw new ConfigError(sides.subject, errors);
}

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
