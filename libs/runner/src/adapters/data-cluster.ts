import type { ClusterNode } from '@sluice/node';
import { clientIdOf, readerGroupOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { RocketMqOffsetStore } from './rocketmq-offset-store.js';
import { RocketMqQueueMessages } from './rocketmq-queue-messages.js';

/** A cluster in which topics of tasks live, as their loops use it. All tasks of a thread share what is known of its routes and groups. */
export class DataCluster {
  readonly messages: RocketMqQueueMessages;
  readonly offsets: RocketMqOffsetStore;

  constructor(
    readonly client: RocketMqClient,
    connectCluster: string,
  ) {
    this.messages = new RocketMqQueueMessages(client, readerGroupOf(connectCluster));
    this.offsets = new RocketMqOffsetStore(client);
  }
}

/** The cluster that has the topics of tasks whose connectors name none. */
export interface OwnDataCluster {
  readonly client: RocketMqClient;
  /** It is not the runtime cluster. */
  readonly isSeparate: boolean;
  /** Closes what was opened for it; the runtime cluster's client is the node's own to close. */
  close(): Promise<void>;
}

/** Opens the runtime cluster, or the other one that the settings name for the data of this role. It connects at first use. */
export function openDataCluster({ client, settings, self }: ClusterNode): OwnDataCluster {
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
