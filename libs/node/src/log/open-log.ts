import type { ClusterTopics, TopicDefinition } from '@sluice/protocol';
import { RocketMqError, TopicNotFoundError, type ClusterInfo, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import { NodeError, restoreCommand } from '../errors/node-error.js';

/** Thrown when the topics of the Connect cluster are not as `sluice init` makes them. No service ever creates them. */
export class ClusterNotInitialisedError extends NodeError {
  constructor(reason: string, clusterId: string) {
    super(
      'CLUSTER_NOT_INITIALISED',
      `${reason}. If Connect cluster ${clusterId} has run before, never create it again: start the broker that holds its topics; if they were ` +
        `wiped, stop all nodes and run \`${restoreCommand(clusterId)}\`. Only for a new one: ` +
        `\`sluice init --new --cluster ${clusterId} --broker NAME\``,
    );
  }
}

/** What is asked of the runtime cluster. */
export interface LogDirectory {
  readonly routes: Pick<RocketMqClient['routes'], 'get'>;
  readonly admin: Pick<RocketMqClient['admin'], 'clusterInfo' | 'topicConfig'>;
}

/**
 * Finds the log's only queue and checks that the other topics are there.
 *
 * @param knownBroker the broker that holds the log as far as this node knows.
 * @throws ClusterNotInitialisedError
 * @throws RocketMqError, retriable, with code `BROKER_NOT_FOUND` while the broker that knows which topics there are has not registered.
 */
export async function openLog(client: LogDirectory, topics: ClusterTopics, clusterId: string, knownBroker?: string): Promise<QueueRef> {
  for (const topic of Object.values(topics) as TopicDefinition[]) {
    await requireTopic(client, topic, clusterId, knownBroker);
  }
  const { brokers } = await client.routes.get(topics.log.name);
  const [broker, ...others] = brokers;
  if (broker?.writeQueues !== 1 || others.length > 0) {
    throw new ClusterNotInitialisedError(
      `Topic ${topics.log.name} must have exactly one queue on one broker, it has ` +
        (brokers.map((b) => `${b.writeQueues} on ${b.brokerName}`).join(', ') || 'none'),
      clusterId,
    );
  }
  return { topic: topics.log.name, brokerName: broker.brokerName, queueId: 0 };
}

async function requireTopic(
  client: LogDirectory,
  topic: TopicDefinition,
  clusterId: string,
  knownBroker: string | undefined,
): Promise<void> {
  try {
    await client.routes.get(topic.name);
  } catch (error) {
    if (error instanceof TopicNotFoundError) {
      await requireBroker(client, topic, knownBroker);
      throw new ClusterNotInitialisedError(`Topic ${topic.name} does not exist`, clusterId);
    }
    throw error;
  }
}

/** Name servers forget the topics of a broker that is unavailable: only the broker itself can say that it has none. */
async function requireBroker({ admin }: LogDirectory, topic: TopicDefinition, known: string | undefined): Promise<void> {
  const { brokers } = await admin.clusterInfo();
  const isRegistered = known === undefined ? brokers.length > 0 : hasMaster(brokers, known);
  if (!isRegistered) {
    const missing = known === undefined ? 'no broker is' : `broker ${known}, which holds the log, is not`;
    throw new RocketMqError('BROKER_NOT_FOUND', `${missing} registered with the name servers`, { retriable: true });
  }
  if (known !== undefined && (await admin.topicConfig(topic.name)).has(known)) {
    throw new RocketMqError('BROKER_NOT_FOUND', `no name server routes to ${topic.name} on broker ${known} yet`, {
      retriable: true,
    });
  }
}

function hasMaster(brokers: ClusterInfo['brokers'], name: string): boolean {
  return brokers.some(({ brokerName, masterAddress }) => brokerName === name && masterAddress !== undefined);
}
