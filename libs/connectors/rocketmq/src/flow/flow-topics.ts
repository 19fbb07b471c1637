import type { PlannedTopic } from '@sluice/replication';
import { readableQueues, type RocketMqClient, TopicNotFoundError } from '@sluice/rocketmq';
import type { QueueRef } from '@sluice/sdk';
import type { FlowClusters } from './flow-clusters.js';
import type { QueueLink } from './queue-links.js';
import type { TopicSettings } from './settings.js';
import { planOf } from './topic-choice.js';

/** Asks for at most so many routes at a time. */
const ASKED_AT_A_TIME = 16;

/** A topic that the flow takes. */
export interface FlowTopic {
  readonly source: string;
  readonly target: string;
  /** Those that may be read now; none where the topic is not there. */
  readonly queues: readonly QueueRef[];
}

export interface FlowTopics {
  /** By name. */
  readonly taken: readonly FlowTopic[];
  /** What becomes of every topic, those that are left out among them. */
  readonly plan: readonly PlannedTopic[];
}

/**
 * Looks for the topics that settings take.
 *
 * @param known queues that were agreed upon: their topics are treated as seen, although name servers may not list them for now
 */
export async function lookForTopics(
  { source, target }: FlowClusters,
  settings: TopicSettings,
  known: readonly Pick<QueueLink, 'source'>[],
  signal: AbortSignal,
): Promise<FlowTopics> {
  const [listed, sourceServers, targetServers] = await Promise.all([
    source.client.admin.listTopics({ signal }),
    serversOf(source.client, signal),
    serversOf(target.client, signal),
  ]);
  const topics = new Set([...listed, ...known.map((link) => link.source.topic)]);
  const plan = planOf(settings, { topics, sourceServers, targetServers });
  const names = plan.flatMap((planned) => (planned.target === undefined ? [] : [{ source: planned.topic, target: planned.target }]));
  const taken: FlowTopic[] = [];
  for (let at = 0; at < names.length; at += ASKED_AT_A_TIME) {
    const some = names.slice(at, at + ASKED_AT_A_TIME);
    const queues = await Promise.all(some.map((topic) => queuesOf(source.client, topic.source, signal)));
    for (const [place, topic] of some.entries()) taken.push({ ...topic, queues: queues[place] ?? [] });
  }
  return { taken, plan };
}

/** Returns the names of clusters and brokers: each has a topic of that name. */
async function serversOf(client: RocketMqClient, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { brokers } = await client.admin.clusterInfo({ signal });
  return new Set(brokers.flatMap(({ brokerName, cluster }) => [brokerName, cluster]));
}

async function queuesOf(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<readonly QueueRef[]> {
  try {
    return readableQueues(await client.admin.topicRoute(topic, { signal }));
  } catch (error) {
    if (error instanceof TopicNotFoundError) return [];
    throw error;
  }
}
