import { wholeName } from '../task/topic-pattern.js';
import { createHash } from 'node:crypto';
import type { QueueRef } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { WaitingCall } from '../retry/task-waits.js';
import { someOf } from '../task/some-of.js';
import type { UnreadableQueues } from '../task/unreadable-queues.js';

/** What a sink task reads: topics, by name or by a pattern of their whole name, and which part of their queues. */
export interface Subscription {
  readonly topics: { readonly kind: 'names'; readonly names: readonly string[] } | { readonly kind: 'pattern'; readonly pattern: RegExp };
  /** The task is number `index` of `count` tasks that divide the queues among them. */
  readonly share: { readonly index: number; readonly count: number };
}

/** Topics that hold no records of users: retries, dead letters, RocketMQ's and Sluice's own. */
const INTERNAL_TOPIC = /^(%|rmq_sys_|RMQ_SYS_|SCHEDULE_TOPIC_|TBW102$|SELF_TEST_TOPIC$|sluice-.+-(log|commands|reports|positions|rpc)$)/;

const MAX_NAMED = 5;

/** Finds the topics that a subscription covers now. */
async function subscribedTopics(messages: QueueMessages, { topics }: Subscription): Promise<readonly string[]> {
  switch (topics.kind) {
    case 'names':
      return topics.names;
    case 'pattern': {
      const { pattern } = topics;
      const whole = wholeName(pattern);
      return (await messages.topics()).filter((name) => !INTERNAL_TOPIC.test(name) && whole.test(name)).sort();
    }
  }
}

/**
 * Returns whether a queue belongs to a task, which depends on the queue alone: a topic that grows moves no queue to another task. The queues of one
 * topic on one broker spread evenly.
 */
export function ownsQueue(queue: QueueRef, { index, count }: Subscription['share']): boolean {
  const start = createHash('sha256').update(`${queue.topic}@${queue.brokerName}`).digest().readUInt32BE(0) % count;
  return (start + queue.queueId) % count === index;
}

/** Finds the queues that a task reads; warns of topics with queues that nobody may read, and shows in `waiting` those that are not there. */
export async function ownQueues(
  messages: QueueMessages,
  subscription: Subscription,
  unreadable: UnreadableQueues,
  waiting: WaitingCall,
): Promise<readonly QueueRef[]> {
  const own: QueueRef[] = [];
  const missing: string[] = [];
  const topics = await subscribedTopics(messages, subscription);
  for (const topic of topics) {
    const isUnreadable = (await unreadable.of(topic)).size > 0;
    const queues = await messages.queues(topic);
    if (queues.length === 0 && !isUnreadable) missing.push(topic);
    for (const queue of queues) if (ownsQueue(queue, subscription.share)) own.push(queue);
  }
  const problem = missingProblem(subscription, topics, missing);
  if (problem === undefined) waiting.ended();
  else waiting.failed(new Error(problem));
  return own;
}

function missingProblem({ topics }: Subscription, found: readonly string[], missing: readonly string[]): string | undefined {
  if (topics.kind === 'pattern' && found.length === 0) return `No topic has a name that matches ${topics.pattern.source}`;
  if (missing.length === 0) return undefined;
  return `No broker has a queue of topic ${someOf(missing, MAX_NAMED)}: create it, or correct the connector's topics`;
}
