import { createHash } from 'node:crypto';
import { queueKey, type QueueRef } from '@sluice/sdk';

/** What a sink task owns: single queues, or whole topics. */
export type Granularity = 'queue' | 'topic';

/** What a task reads otherwise than the rule says, by {@link unitOf}: `taken` beside its own, `given` to other tasks. */
export interface MovedUnits {
  readonly taken: ReadonlySet<string>;
  readonly given: ReadonlySet<string>;
}

/** Task number `index` of `count` tasks that divide the queues, or the topics, of a sink among them. */
export interface TaskShare {
  readonly index: number;
  readonly count: number;
  readonly granularity: Granularity;
  readonly moved: MovedUnits;
}

/** How all tasks of a sink divide its queues: `moved` has what each of them reads otherwise than the rule says, by its number. */
export interface Division {
  readonly count: number;
  readonly granularity: Granularity;
  readonly moved: readonly MovedUnits[];
}

export const NOTHING_MOVED: MovedUnits = { taken: new Set(), given: new Set() };

/** The name of what a task owns as a whole. */
export function unitOf(queue: QueueRef, granularity: Granularity): string {
  return granularity === 'topic' ? queue.topic : queueKey(queue);
}

/**
 * Returns whether a queue belongs to a task. That depends on the queue and on what was moved: a topic that grows moves no
 * queue to another task.
 */
export function ownsQueue(queue: QueueRef, { index, count, granularity, moved }: TaskShare): boolean {
  const unit = unitOf(queue, granularity);
  if (moved.taken.has(unit)) return true;
  return ownerByRule(queue, count, granularity) === index && !moved.given.has(unit);
}

/** Returns whether another division would give a task with `own` of `total` units more of them, or fewer. */
export function isUneven(own: number, total: number, count: number): boolean {
  return own > Math.ceil(total / count) || own < Math.floor(total / count);
}

/**
 * Divides queues evenly: no task has more than one unit more than another. Moves the fewest units away from where they are, by the rule and by what
 * was moved `before`. The same arguments give the same division.
 *
 * @param before an earlier division among as many tasks, of equal granularity
 */
export function divideQueues(
  queues: readonly QueueRef[],
  { count, granularity }: Pick<Division, 'count' | 'granularity'>,
  before: readonly MovedUnits[],
): Division {
  const rule = new Map<string, number>();
  for (const queue of queues) {
    const unit = unitOf(queue, granularity);
    if (!rule.has(unit)) rule.set(unit, ownerByRule(queue, count, granularity));
  }
  const takers = new Map<string, number>();
  before.forEach(({ taken }, index) => {
    if (index < count) for (const unit of taken) takers.set(unit, index);
  });
  const owned = Array.from({ length: count }, (): string[] => []);
  for (const unit of [...rule.keys()].sort()) owned[takers.get(unit) ?? rule.get(unit) ?? 0]?.push(unit);
  level(owned, rule);
  const moved = owned.map(() => ({ taken: new Set<string>(), given: new Set<string>() }));
  owned.forEach((units, index) => {
    for (const unit of units) {
      const home = rule.get(unit);
      if (home === undefined || home === index) continue;
      moved[index]?.taken.add(unit);
      moved[home]?.given.add(unit);
    }
  });
  return { count, granularity, moved };
}

/** Moves units from tasks with too many to those with too few; home where that is one of them. Tasks that have more already keep one more. */
function level(owned: readonly string[][], rule: ReadonlyMap<string, number>): void {
  const total = owned.reduce((sum, { length }) => sum + length, 0);
  const least = Math.floor(total / owned.length);
  const extra = total % owned.length;
  const byLoad = owned.map((units, index) => ({ units, index })).sort((a, b) => b.units.length - a.units.length || a.index - b.index);
  const shares = byLoad.map((task, rank) => ({ ...task, share: rank < extra ? least + 1 : least }));
  const short = new Map(shares.filter(({ units, share }) => units.length < share).map((task) => [task.index, task]));
  for (const { units, share } of shares) {
    while (units.length > share) {
      const homeward = units.findLastIndex((unit) => short.has(rule.get(unit) ?? -1));
      const [unit] = units.splice(homeward, 1);
      const taker = short.get(rule.get(unit ?? '') ?? -1) ?? short.values().next().value;
      if (unit === undefined || taker === undefined) break;
      taker.units.push(unit);
      if (taker.units.length === taker.share) short.delete(taker.index);
    }
  }
}

/** Returns the task that owns a queue unless it was moved. The queues of one topic on one broker spread evenly. */
function ownerByRule({ topic, brokerName, queueId }: QueueRef, count: number, granularity: Granularity): number {
  if (granularity === 'topic') return hashOf(topic) % count;
  return ((hashOf(`${topic}@${brokerName}`) % count) + queueId) % count;
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}
