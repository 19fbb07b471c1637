import type { QueueRef } from '@sluice/sdk';

/** What belongs to the queues that a topic has on one broker: nothing else makes queues unavailable together. */
interface TopicPart<T> {
  readonly topic: string;
  readonly items: T[];
}

/** Names what belongs to the queues that a topic has on one broker. */
export function topicPart({ topic, brokerName }: QueueRef): string {
  return `${topic}@${brokerName}`;
}

/** Groups items by the topic and the broker of their queues. */
export function byTopicPart<T>(items: Iterable<T>, queueOf: (item: T) => QueueRef): ReadonlyMap<string, TopicPart<T>> {
  const parts = new Map<string, TopicPart<T>>();
  for (const item of items) {
    const queue = queueOf(item);
    const key = topicPart(queue);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, { topic: queue.topic, items: [item] });
    else part.items.push(item);
  }
  return parts;
}
