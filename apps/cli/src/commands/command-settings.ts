import { nodeSettingsOf, readSettings, readTextFile, type ClusterConnection } from '@sluice/node';
import { parseNameServers, RocketMqClient } from '@sluice/rocketmq';

/** What the commands read from the same places as the roles. */
export interface CommandSettings {
  readonly clusterId: string;
  readonly runtimeCluster: ClusterConnection;
  /** Where sinks keep their offsets. */
  readonly sinkCluster: ClusterConnection;
  /** Where sources write their records. */
  readonly sourceCluster: ClusterConnection;
  /** Whether somebody said where RocketMQ is. */
  readonly isRocketMqGiven: boolean;
  /** Where the nodes keep their files. */
  readonly storePath: string;
  readonly isStorePathGiven: boolean;
  /** Of the gateway. */
  readonly httpPort: number;
}

/** Reads a file of settings, by default what `SLUICE_CONFIG_FILE` names, and the environment. @throws NodeSettingsError */
export function readCommandSettings(file: string | undefined, environment: Readonly<Record<string, string | undefined>>): CommandSettings {
  const resolved = readSettings({ ...(file === undefined ? {} : { file }), environment });
  const { namesrv, credentials, dataCluster, clusterId, storePath } = nodeSettingsOf('sink-runner', resolved, readTextFile);
  return {
    clusterId,
    runtimeCluster: { namesrv, ...(credentials === undefined ? {} : { credentials }) },
    sinkCluster: dataCluster,
    sourceCluster: nodeSettingsOf('source-runner', resolved, readTextFile).dataCluster,
    isRocketMqGiven: resolved.origins.has('namesrv'),
    storePath,
    isStorePathGiven: resolved.origins.has('store.path'),
    httpPort: nodeSettingsOf('gateway', resolved, readTextFile).httpPort,
  };
}

/** Does something with a client of a cluster and closes it. */
export async function withClient<T>(access: ClusterConnection, action: (client: RocketMqClient) => Promise<T>): Promise<T> {
  const client = RocketMqClient.open(access);
  try {
    return await action(client);
  } finally {
    await client.close();
  }
}

/** Does something with one client per name server, and closes them. */
export async function withEachNameServer<T>(
  access: ClusterConnection,
  action: (clients: readonly RocketMqClient[]) => Promise<T>,
): Promise<T> {
  const clients: RocketMqClient[] = [];
  try {
    for (const namesrv of parseNameServers(access.namesrv)) clients.push(RocketMqClient.open({ ...access, namesrv }));
    return await action(clients);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}
