import type { ClusterTopics, TopicDefinition } from '@sluice/protocol';
import { RocketMqError, TopicNotFoundError, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';

/** Thrown when the topics of the Connect cluster are not as `sluice init` makes them. No service ever creates them. */
export class ClusterNotInitialisedError extends Error {
  override readonly name = 'ClusterNotInitialisedError';
  constructor(reason: string, clusterId: string) {
    super(
      `${reason}. Run \`sluice init --cluster ${clusterId}\` for a new Connect cluster. If this one has run before, its topics were wiped: do ` +
        `not create empty ones, stop all nodes and run \`sluice restore --cluster ${clusterId} --from <store path>/<node id>\``,
    );
  }
}

/** What is asked of the runtime cluster. */
export interface LogDirectory {
  readonly routes: Pick<RocketMqClient['routes'], 'get'>;
  readonly admin: Pick<RocketMqClient['admin'], 'clusterInfo'>;
}

/**
 * Finds the log's only queue and checks that the other topics are there.
 *
 * @throws ClusterNotInitialisedError
 * @throws RocketMqError, retriable, with code `BROKER_NOT_FOUND` while no broker has registered: nobody knows then which topics there are.
 */
export async function openLog(client: LogDirectory, topics: ClusterTopics, clusterId: string): Promise<QueueRef> {
  for (const topic of Object.values(topics) as TopicDefinition[]) await requireTopic(client, topic, clusterId);
  const { brokers } = await client.routes.get(topics.log.name);
  const [broker, ...others] = brokers;
  if (broker?.writeQueues !== 1 || others.length > 0) {
    throw new ClusterNotInitialisedError(
      `Topic ${topics.log.name} must have exactly one queue on one broker, it has ` +
        (brokers.map((b) => `${String(b.writeQueues)} on ${b.brokerName}`).join(', ') || 'none'),
      clusterId,
    );
  }
  return { topic: topics.log.name, brokerName: broker.brokerName, queueId: 0 };
}

async function requireTopic(client: LogDirectory, topic: TopicDefinition, clusterId: string): Promise<void> {
  try {
    await client.routes.get(topic.name);
  } catch (error) {
    if (error instanceof TopicNotFoundError) {
      await requireBroker(client);
      throw new ClusterNotInitialisedError(`Topic ${topic.name} does not exist`, clusterId);
    }
    throw error;
  }
}

/** Name servers forget the topics of a broker that is being restarted. */
async function requireBroker({ admin }: LogDirectory): Promise<void> {
  const { brokers } = await admin.clusterInfo();
  if (brokers.length > 0) return;
  throw new RocketMqError('BROKER_NOT_FOUND', 'no broker is registered with the name servers', { retriable: true });
}
