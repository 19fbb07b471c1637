import { readableQueues, type RocketMqClient } from '@sluice/rocketmq';

/** Creates a node's group on the rpc topic and sets it to the end: what is sent from now on is received, nothing older. */
export async function prepareRpcGroup(client: RocketMqClient, group: string, topic: string): Promise<void> {
  await client.admin.createGroup({ group });
  await Promise.all(
    readableQueues(await client.routes.get(topic)).map(async (queue) => {
      await client.admin.updateOffset(group, queue, await client.admin.maxOffset(queue));
    }),
  );
}
