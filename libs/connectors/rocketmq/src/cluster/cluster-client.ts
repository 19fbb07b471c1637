import { RocketMqClient, type RocketMqClientOptions } from '@sluice/rocketmq';
import { clusterSettingsSpec, ConnectError, ConnectErrorCode, readClusterOptions, type TaskConfig } from '@sluice/sdk';

/** What stands before the settings of a cluster: of the other side of a source or sink, or of the connector's own topics. */
export type ClusterPrefix = 'source.cluster.' | 'target.cluster.' | 'data.cluster.';

/** The settings of the cluster that a source copies from. */
export const sourceClusterSpec = clusterSettingsSpec('source.cluster.', {
  doc: 'whose topics are copied.',
  group: 'Source Cluster',
  isRequired: true,
});

/** The settings of the cluster that a sink copies to. */
export const targetClusterSpec = clusterSettingsSpec('target.cluster.', {
  doc: 'that the topics are copied to.',
  group: 'Target Cluster',
  isRequired: true,
});

/**
 * Opens a client of the cluster that settings name. It connects at first use; whoever opens it closes it.
 *
 * @param config settings with the values of references
 * @throws ConnectError that names the setting; of a file that cannot be read it is `retriable`
 */
export function openCluster(
  prefix: ClusterPrefix,
  config: TaskConfig,
  options: Omit<RocketMqClientOptions, 'namesrv' | 'credentials' | 'tls' | 'vipChannel'> = {},
): RocketMqClient {
  const cluster = readClusterOptions(prefix, config);
  if (cluster === undefined) {
    throw new ConnectError(ConnectErrorCode.configInvalid, `Missing required configuration "${prefix}url" which has no default value.`);
  }
  try {
    return RocketMqClient.open({ ...options, ...cluster });
  } catch (error) {
    throw new ConnectError(ConnectErrorCode.configInvalid, `${prefix}*: ${(error as Error).message}`, { cause: error });
  }
}
