import type { ClusterTopics, TopicDefinition } from '@sluice/protocol';
import { TopicNotFoundError, type RocketMqClient } from '@sluice/rocketmq';

/** One of a Connect cluster's topics, as name servers and brokers tell of it. */
export interface FoundTopic {
  readonly brokers: readonly string[];
  /** Every queue was looked at, and none has ever held a message. */
  readonly isEmpty: boolean;
}

/** By name; a topic that nobody knows is missing. */
export type ClusterSurvey = ReadonlyMap<string, FoundTopic>;

/**
 * Finds out which topics of a Connect cluster exist: at the name servers, which also know brokers without a master, and on each broker.
 *
 * @param clients one per name server that is to be asked.
 * @throws RocketMqError when one of the name servers or of the brokers that they know does not answer.
 */
export async function surveyCluster(clients: readonly RocketMqClient[], topics: ClusterTopics): Promise<ClusterSurvey> {
  const found = new Map<string, FoundTopic>();
  for (const client of clients) {
    for (const { name } of Object.values(topics) as TopicDefinition[]) {
      const here = await lookFor(client, name);
      const before = found.get(name);
      if (here === undefined) continue;
      found.set(name, {
        brokers: [...new Set([...(before?.brokers ?? []), ...here.brokers])].sort(),
        isEmpty: (before?.isEmpty ?? true) && here.isEmpty,
      });
    }
  }
  return found;
}

async function lookFor({ admin }: RocketMqClient, topic: string): Promise<FoundTopic | undefined> {
  const routed = await unlessMissing(admin.topicRoute(topic));
  const configured = await admin.topicConfig(topic);
  const brokers = [...new Set([...(routed?.brokers.map(({ brokerName }) => brokerName) ?? []), ...configured.keys()])];
  if (brokers.length === 0) return undefined;
  const stats = (await unlessMissing(admin.topicStats(topic))) ?? [];
  const isEmpty = brokers.every((name) => {
    const queues = stats.filter(({ queue }) => queue.brokerName === name);
    return queues.length > 0 && queues.every(({ maxOffset }) => maxOffset === 0);
  });
  return { brokers, isEmpty };
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TopicNotFoundError) return undefined;
    throw error;
  }
}
