import type { TopicDefinition } from '@sluice/protocol';
import type { ClusterNode } from '../cluster-node/cluster-node.js';
import type { NodeCheck } from './health-check.js';

const ASK_TIMEOUT_MS = 1500;

/** Checks that all topics of the Connect cluster exist with their queues, as the brokers say now. */
export function topicsCheck({ client: { admin }, topics, logQueue, settings }: TopicsOfNode): NodeCheck {
  const { brokerName } = logQueue;
  return {
    name: 'topics',
    check: async (signal) => {
      const limits = { timeoutMs: ASK_TIMEOUT_MS, signal };
      const { brokers } = await admin.clusterInfo(limits).catch((error: unknown) => {
        throw new Error(`The topics cannot be looked up while no name server answers: ${(error as Error).message}`, {
          cause: error,
        });
      });
      if (brokers.find((broker) => broker.brokerName === brokerName)?.masterAddress === undefined) {
        throw new Error(`Broker ${brokerName}, which holds the topics, is not registered as a master at the name servers: start it`);
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

/** How many queues a topic really has, by broker name. */
export type TopicShape = ReadonlyMap<string, { readonly readQueues: number; readonly writeQueues: number }>;

/**
 * Describes what is wrong with a Connect cluster's topics on the broker that holds them, one sentence each. The number of queues decides which
 * one a node or a connector uses: fewer lose messages, more stay unused. The log has exactly one.
 */
export function topicProblems(
  found: readonly { readonly topic: TopicDefinition; readonly queues: TopicShape }[],
  { brokerName, clusterId }: { readonly brokerName: string; readonly clusterId: string },
): readonly string[] {
  return found.flatMap(({ topic, queues }) => {
    const here = queues.get(brokerName);
    if (here === undefined) {
      return [
        `Topic ${topic.name} does not exist on broker ${brokerName}: stop all nodes and run ` +
          `\`sluice init --add-missing --cluster ${clusterId}\`, or \`sluice restore\` where it says so`,
      ];
    }
    const problems: string[] = [];
    const { readQueues, writeQueues } = here;
    if (readQueues < topic.queues || writeQueues < topic.queues) {
      problems.push(
        `Topic ${topic.name} has ${readQueues} queues to read and ${writeQueues} to write on broker ${brokerName}, ` +
          `it needs ${topic.queues}: set it to them with \`mqadmin updateTopic\``,
      );
    }
    const totalQueues = [...queues.values()].reduce((sum, each) => sum + each.writeQueues, 0);
    if (topic.queues === 1 && totalQueues > 1) {
      problems.push(
        `Topic ${topic.name} has ${totalQueues} queues, on ${[...queues.keys()].sort().join(', ')}: it must have exactly one, ` +
          `on broker ${brokerName}. Delete the others with \`mqadmin\``,
      );
    }
    return problems;
  });
}
