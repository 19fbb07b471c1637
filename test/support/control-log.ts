import { emptyState, foldEntries, type ClusterState, type ReadEntry } from '@sluice/core';
import { decodeLogEntry, entryDigest, readerGroupOf, topicsOf } from '@sluice/protocol';
import type { LogEvent } from '@sluice/core';
import { RocketMqClient } from '@sluice/rocketmq';
import type { SluiceCluster } from './sluice-cluster.js';

/** Everything that stands in the log of a Connect cluster now, folded from its first entry. */
export async function readWholeLog({
  clusterId,
  rocketmq: { namesrv },
}: SluiceCluster): Promise<{ readonly state: ClusterState; readonly accepted: readonly ReadEntry[] }> {
  const client = RocketMqClient.open({ namesrv });
  try {
    const { log } = topicsOf(clusterId);
    const { brokers } = await client.routes.get(log.name);
    const queue = { topic: log.name, brokerName: brokers[0]?.brokerName ?? '', queueId: 0 };
    const end = await client.admin.maxOffset(queue);
    const reader = client.consumer.readQueue(queue, { from: 0, group: readerGroupOf(clusterId), ahead: 1 });
    const read: ReadEntry[] = [];
    try {
      for (let next = 0; next < end;) {
        for (const { queueOffset, body } of await reader.next()) {
          next = queueOffset + 1;
          read.push({ offset: queueOffset, digest: entryDigest(body), entry: decodeLogEntry<LogEvent>(body) });
        }
      }
    } finally {
      reader.close();
    }
    return foldEntries(emptyState(), read);
  } finally {
    await client.close();
  }
}
