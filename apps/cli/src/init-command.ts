import { initCluster, type ClusterAccess } from '@sluice/platform';
import { withClient } from './command-settings.js';

/** `sluice init`. */
export async function initCommand(
  clusterId: string,
  brokerName: string | undefined,
  access: ClusterAccess,
): Promise<void> {
  const result = await withClient(access, (client) =>
    initCluster(client, { clusterId, ...(brokerName === undefined ? {} : { brokerName }) }),
  );
  if (result.created.length === 0) console.log(`Connect cluster ${clusterId} is there, on broker ${result.brokerName}`);
  else console.log(`Connect cluster ${clusterId} on broker ${result.brokerName}: created ${result.created.join(', ')}`);
}
