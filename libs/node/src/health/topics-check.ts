import type { TopicDefinition } from '@sluice/protocol';
import type { ClusterNode } from '../cluster-node/cluster-node.js';
import type { NodeCheck } from './health-check.js';
import { topicProblems } from './topic-problems.js';

const askTimeoutMs = 1500;

/** All topics of the Connect cluster are there with their queues, as the brokers say now. */
export function topicsCheck({ client: { admin }, topics, logQueue, settings }: TopicsOfNode): NodeCheck {
  const { brokerName } = logQueue;
  return {
    name: 'topics',
    check: async (signal) => {
      const limits = { timeoutMs: askTimeoutMs, signal };
      const { brokers } = await admin.clusterInfo(limits).catch((error: unknown) => {
        throw new Error(`The topics cannot be looked up while no name server answers: ${(error as Error).message}`, {
          cause: error,
        });
      });
      if (brokers.find((broker) => broker.brokerName === brokerName)?.masterAddress === undefined) {
        throw new Error(
          `Broker ${brokerName}, which holds the topics, is not registered as a master at the name servers: start it`,
        );
      }
      const definitions = Object.values(topics) as TopicDefinition[];
      const found = await Promise.all(
        definitions.map(async (topic) => ({ topic, queues: await admin.topicConfig(topic.name, limits) })),
      ).catch((error: unknown) => {
        throw new Error(`The brokers do not say which topics they have: ${(error as Error).message}`, { cause: error });
      });
      const problems = topicProblems(found, { brokerName, clusterId: settings.clusterId });
      if (problems.length > 0) throw new Error(problems.join('. '));
      return { broker: brokerName, topics: definitions.length };
    },
  };
}

type TopicsOfNode = Pick<ClusterNode, 'client' | 'topics' | 'logQueue'> & {
  readonly settings: Pick<ClusterNode['settings'], 'clusterId'>;
};
