import { initCluster, masterNames } from '@sluice/node';
import { topicsOf } from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';

/** Returns the name of the first broker that has registered. */
export async function firstBroker(client: RocketMqClient): Promise<string> {
  const [first] = await masterNames(client);
  if (first === undefined) throw new Error('no broker has registered');
  return first;
}

/** Creates a new Connect cluster on the first broker that has registered; returns the queue of its log. */
export async function createCluster(client: RocketMqClient, clusterId: string): Promise<QueueRef> {
  const first = await firstBroker(client);
  const { brokerName } = await initCluster(client, { clusterId, purpose: 'create', brokerName: first });
  return { topic: topicsOf(clusterId).log.name, brokerName, queueId: 0 };
}
