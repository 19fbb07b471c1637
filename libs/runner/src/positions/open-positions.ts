import { type ClusterNode, isPositionFile, NodeFile, OutageLogger, type PositionFile, type ScopedLogger } from '@sluice/node';
import { readerGroupOf } from '@sluice/protocol';
import { RocketMqPositionStore } from './rocketmq-position-store.js';
import { sourceOwners } from './source-owners.js';

/** Opens the positions of a cluster, from what the node's file holds on. */
export async function openPositions(node: ClusterNode, logger: ScopedLogger): Promise<RocketMqPositionStore> {
  const { client, topics, logQueue, settings, follower, store } = node;
  const group = readerGroupOf(settings.clusterId);
  const ownersOf = (connector: string): ReturnType<typeof sourceOwners> => sourceOwners(follower.state, connector);
  const positions = new RocketMqPositionStore(client, topics, logQueue.brokerName, group, ownersOf, logger);
  const stored = await store.read(NodeFile.position);
  if (isPositionFile(stored)) positions.restore(stored);
  return positions;
}

/** Gives all positions as of now, for `position.json`; as of the last reading where the topic cannot be read. */
export function completeCopies(positions: RocketMqPositionStore, logger: ScopedLogger): () => Promise<PositionFile> {
  const outage = new OutageLogger(logger, 'The positions are read again');
  return async () => {
    try {
      await positions.catchUp();
      outage.worked();
    } catch (error) {
      outage.failed(`The positions cannot be read, their copy is older: ${(error as Error).message}`);
    }
    return positions.snapshot();
  };
}
