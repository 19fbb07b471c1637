import { clientIdOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import type { ClusterNode } from '@sluice/node';

/** The cluster in which the topics of a runner's tasks live. */
export interface DataCluster {
  readonly client: RocketMqClient;
  /** It is not the runtime cluster. */
  readonly isSeparate: boolean;
  /** Closes what was opened for it; the runtime cluster's client is the node's own to close. */
  close(): Promise<void>;
}

/** Opens the runtime cluster, or the other one that the settings name for the data of this role. It connects at first use. */
export function openDataCluster({ client, settings, self }: ClusterNode): DataCluster {
  const { namesrv, credentials } = settings.dataCluster;
  if (namesrv === settings.namesrv && credentials === settings.credentials) {
    return { client, isSeparate: false, close: () => Promise.resolve() };
  }
  const own = RocketMqClient.open({
    namesrv,
    credentials,
    requestTimeoutMs: settings.requestTimeoutMs,
    clientId: clientIdOf(settings.clusterId, self),
  });
  return { client: own, isSeparate: true, close: () => own.close() };
}
