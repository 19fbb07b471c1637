import { targetTopicProblem } from '@sluice/sdk';
import { compareText } from '../text-order.js';
import { type SystemTopicKind, systemTopicKind } from './system-topics.js';
import type { TopicRename } from './topic-rename.js';

/** Which topics a flow takes, as its settings say. A topic is taken if it is named or matches, and not excluded. */
export interface TopicChoice {
  /** `topics`: taken also where they are RocketMQ's own, or hold retries or dead letters. */
  readonly names: ReadonlySet<string>;
  /** `topics.regex`. */
  readonly isMatch?: ((topic: string) => boolean) | undefined;
  /** `topics.exclude`, names and pattern. Wins over all else. */
  readonly isExcluded: (topic: string) => boolean;
  /** `topics.include.retry`: topics with retries of groups. */
  readonly isRetryIncluded: boolean;
  /** `topics.include.dlq`: topics with dead letters of groups. */
  readonly isDlqIncluded: boolean;
}

/**
 * Why a topic is taken or not:
 * - `named`, `matched`, `included`: taken by `topics`, by `topics.regex`, by `topics.include.*`
 * - `missing`: named, but the source has no such topic yet
 * - `not-asked-for`, `excluded`: by the settings
 * - a {@link SystemTopicKind}: left out as nobody asked for it
 * - `refused`: asked for, but it cannot be copied; `problem` says why
 */
export type TopicReason = 'named' | 'matched' | 'included' | 'missing' | 'not-asked-for' | 'excluded' | SystemTopicKind | 'refused';

export interface PlannedTopic {
  readonly topic: string;
  readonly reason: TopicReason;
  /** Its name at the target; only where it is taken. */
  readonly target?: string;
  /** Names the topic, what is wrong, and what is allowed; only where it is refused. */
  readonly problem?: string;
}

/** What {@link planTopics} looks at besides the settings. */
export interface SeenTopics {
  /** All topics of the source. */
  readonly topics: Iterable<string>;
  /** Names of the source's cluster and brokers: each has a topic of that name. */
  readonly sourceServers: ReadonlySet<string>;
  /** Names of the target's cluster and brokers. */
  readonly targetServers: ReadonlySet<string>;
}

const IDENTITY_TOPIC_PREFIX = 'sluice-identity-';

/** Lists every topic that the source has or the settings name, with whether it is taken, why, and its name at the target; by name. */
export function planTopics(seen: SeenTopics, choice: TopicChoice, rename: TopicRename): readonly PlannedTopic[] {
  const present = new Set(seen.topics);
  const planned = [...new Set([...present, ...choice.names])].sort(compareText).map((topic): PlannedTopic => {
    const reason = reasonOf(topic, present, choice, seen.sourceServers);
    if (reason !== 'named' && reason !== 'matched' && reason !== 'included') return { topic, reason };
    const target = rename(topic);
    const problem = targetProblem(topic, target, seen.targetServers);
    return problem === undefined ? { topic, reason, target } : { topic, reason: 'refused', problem };
  });
  return refuseSharedTargets(planned);
}

/** Returns the topics that a plan takes, with their names at the target. */
export function takenTopics(plan: readonly PlannedTopic[]): ReadonlyMap<string, string> {
  return new Map(plan.flatMap(({ topic, target }) => (target === undefined ? [] : [[topic, target] as const])));
}

function reasonOf(topic: string, present: ReadonlySet<string>, choice: TopicChoice, servers: ReadonlySet<string>): TopicReason {
  if (choice.isExcluded(topic)) return 'excluded';
  if (!present.has(topic)) return 'missing';
  if (choice.names.has(topic)) return 'named';
  const kind = systemTopicKind(topic, servers);
  if (kind === 'retry' && choice.isRetryIncluded) return 'included';
  if (kind === 'dead-letter' && choice.isDlqIncluded) return 'included';
  if (kind !== undefined) return kind;
  return choice.isMatch?.(topic) === true ? 'matched' : 'not-asked-for';
}

function targetProblem(topic: string, target: string, targetServers: ReadonlySet<string>): string | undefined {
  if (topic.startsWith(IDENTITY_TOPIC_PREFIX)) return `Topic ${topic} says which cluster this is; allowed is any other topic`;
  const problem = targetTopicProblem(target);
  if (problem !== undefined) return topic === target ? problem : `Topic ${topic} would be copied to ${target}: ${problem}`;
  if (!targetServers.has(target)) return undefined;
  return `Topic ${topic} would be copied to ${target}, which the target has as its own for the server of that name; allowed is another name`;
}

/** Nobody could separate two topics that became one, and their queues would share places. */
function refuseSharedTargets(planned: readonly PlannedTopic[]): readonly PlannedTopic[] {
  const sources = new Map<string, string[]>();
  for (const { topic, target } of planned) {
    if (target !== undefined) sources.set(target, [...(sources.get(target) ?? []), topic]);
  }
  return planned.map((entry) => {
    const sharing = entry.target === undefined ? [] : (sources.get(entry.target) ?? []);
    if (sharing.length < 2) return entry;
    const problem = `Topics ${sharing.join(' and ')} would both be copied to ${entry.target}; allowed is one topic for each`;
    return { topic: entry.topic, reason: 'refused', problem };
  });
}
