import { createHash } from 'node:crypto';
import type { QueueRef } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { UnreadableQueues } from '../unreadable-queues.js';

/** What a sink task reads: topics, by name or by a pattern of their whole name, and which part of their queues. */
export interface Subscription {
  readonly topics:
    | { readonly kind: 'names'; readonly names: readonly string[] }
    | { readonly kind: 'pattern'; readonly pattern: RegExp };
  /** The task is number `index` of `count` tasks that divide the queues among them. */
  readonly share: { readonly index: number; readonly count: number };
}

/** Topics that hold no records of users: retries, dead letters, RocketMQ's and Sluice's own. */
const internalTopic =
  /^(%|rmq_sys_|RMQ_SYS_|SCHEDULE_TOPIC_|TBW102$|SELF_TEST_TOPIC$|sluice-.+-(log|commands|reports|positions|rpc)$)/;

/** The topics that a subscription covers now. */
export async function subscribedTopics(messages: QueueMessages, { topics }: Subscription): Promise<readonly string[]> {
  switch (topics.kind) {
    case 'names':
      return topics.names;
    case 'pattern': {
      const { pattern } = topics;
      const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags);
      return (await messages.topics()).filter((name) => !internalTopic.test(name) && whole.test(name)).sort();
    }
  }
}

/**
 * Whether a queue belongs to a task. It depends on the queue alone: a topic that grows moves no queue to another task, and the queues of one
 * topic on one broker spread evenly.
 */
export function ownsQueue(queue: QueueRef, { index, count }: Subscription['share']): boolean {
  const start = createHash('sha256').update(`${queue.topic}@${queue.brokerName}`).digest().readUInt32BE(0) % count;
  return (start + queue.queueId) % count === index;
}

/** The queues that a task reads; warns of topics with queues that nobody may read. */
export async function ownQueues(
  messages: QueueMessages,
  subscription: Subscription,
  unreadable: UnreadableQueues,
): Promise<readonly QueueRef[]> {
  const own: QueueRef[] = [];
  for (const topic of await subscribedTopics(messages, subscription)) {
    await unreadable.of(topic);
    for (const queue of await messages.queues(topic)) if (ownsQueue(queue, subscription.share)) own.push(queue);
  }
  return own;
}
