import type { TopicDefinition } from '@sluice/protocol';

/** How many queues a topic really has, by broker name. */
export type TopicShape = ReadonlyMap<string, { readonly readQueues: number; readonly writeQueues: number }>;

/**
 * What is wrong with a Connect cluster's topics on the broker that holds them, one sentence each. Which queue a node or a connector uses is
 * computed from the number of queues that the topics are made with: fewer lose messages, more stay unused; the log has exactly one.
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
        `Topic ${topic.name} has ${String(readQueues)} queues to read and ${String(writeQueues)} to write on broker ${brokerName}, ` +
          `it needs ${String(topic.queues)}: set it to them with \`mqadmin updateTopic\``,
      );
    }
    const totalQueues = [...queues.values()].reduce((sum, each) => sum + each.writeQueues, 0);
    if (topic.queues === 1 && totalQueues > 1) {
      problems.push(
        `Topic ${topic.name} has ${String(totalQueues)} queues, on ${[...queues.keys()].sort().join(', ')}: it must have exactly one, ` +
          `on broker ${brokerName}. Delete the others with \`mqadmin\``,
      );
    }
    return problems;
  });
}
