import { initCluster, nodeThatKnows, type ClusterConnection, type InitPurpose } from '@sluice/node';
import { withClient, withEachNameServer } from './command-settings.js';

interface InitCommandOptions {
  readonly clusterId: string;
  readonly purpose: InitPurpose;
  readonly brokerName: string | undefined;
  /** Where nodes on this machine keep their files: those tell whether the cluster has run before. */
  readonly storePath: string;
}

/** `sluice init`. */
export async function initCommand(
  { clusterId, purpose, brokerName, storePath }: InitCommandOptions,
  access: ClusterConnection,
): Promise<void> {
  const knownIn = await nodeThatKnows(clusterId, storePath);
  const options = {
    clusterId,
    purpose,
    ...(brokerName === undefined ? {} : { brokerName }),
    ...(knownIn === undefined ? {} : { knownIn }),
    warn: (text: string) => {
      console.error(`sluice init: ${text}`);
    },
  };
  const result = await withClient(access, (client) =>
    withEachNameServer(access, (nameServers) => initCluster(client, { ...options, nameServers })),
  );
  if (result.created.length === 0) console.log(`Connect cluster ${clusterId} is there, on broker ${result.brokerName}`);
  else console.log(`Connect cluster ${clusterId} on broker ${result.brokerName}: created ${result.created.join(', ')}`);
}
