import type { QueueRef } from '@sluice/sdk';
import type { JavaPattern } from '@sluice/transforms';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { WaitingCall } from '../retry/task-waits.js';
import { someOf } from '../task/some-of.js';
import type { UnreadableQueues } from '../task/unreadable-queues.js';
import type { DivisionWatch } from './division-watch.js';
import { ownsQueue, type TaskShare, unitOf } from './queue-division.js';

/** What a sink task reads: topics, by name or by a pattern of their whole name, and which part of their queues. */
export interface Subscription {
  readonly topics:
    { readonly kind: 'names'; readonly names: readonly string[] } | { readonly kind: 'pattern'; readonly pattern: JavaPattern };
  readonly share: TaskShare;
}

/** Topics that hold no records of users: retries, dead letters, RocketMQ's and Sluice's own. */
const INTERNAL_TOPIC = /^(%|rmq_sys_|RMQ_SYS_|SCHEDULE_TOPIC_|TBW102$|SELF_TEST_TOPIC$|sluice-.+-(log|commands|reports|positions|rpc)$)/;

const MAX_NAMED = 5;

/** Finds the topics that a subscription covers now. */
export async function subscribedTopics(
  messages: Pick<QueueMessages, 'topics'>,
  topics: Subscription['topics'],
): Promise<readonly string[]> {
  switch (topics.kind) {
    case 'names':
      return topics.names;
    case 'pattern': {
      const { pattern } = topics;
      return (await messages.topics()).filter((name) => !INTERNAL_TOPIC.test(name) && pattern.matches(name)).sort();
    }
  }
}

/**
 * Finds the queues that a task reads, and shows `division` how many there are. Warns of topics with queues that nobody may read; `waiting` shows
 * topics that are not there.
 */
export async function ownQueues(
  messages: QueueMessages,
  subscription: Subscription,
  unreadable: UnreadableQueues,
  waiting: WaitingCall,
  division: DivisionWatch,
): Promise<readonly QueueRef[]> {
  const { share } = subscription;
  const own: QueueRef[] = [];
  const units = { own: new Set<string>(), others: new Set<string>() };
  const missing: string[] = [];
  const topics = await subscribedTopics(messages, subscription.topics);
  for (const topic of topics) {
    const isUnreadable = (await unreadable.of(topic)).size > 0;
    const queues = await messages.queues(topic);
    if (queues.length === 0 && !isUnreadable) missing.push(topic);
    for (const queue of queues) {
      const isOwn = ownsQueue(queue, share);
      if (isOwn) own.push(queue);
      units[isOwn ? 'own' : 'others'].add(unitOf(queue, share.granularity));
    }
  }
  division.saw(units.own.size, units.own.size + units.others.size);
  const problem = missingProblem(subscription, topics, missing);
  if (problem === undefined) waiting.ended();
  else waiting.failed(new Error(problem));
  return own;
}

function missingProblem({ topics }: Subscription, found: readonly string[], missing: readonly string[]): string | undefined {
  if (topics.kind === 'pattern' && found.length === 0) return `No topic has a name that matches ${topics.pattern.text}`;
  if (missing.length === 0) return undefined;
  return `No broker has a queue of topic ${someOf(missing, MAX_NAMED)}: create it, or correct the connector's topics`;
}
