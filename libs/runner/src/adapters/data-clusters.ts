import { createHash } from 'node:crypto';
import { RocketMqClient } from '@sluice/rocketmq';
import { DATA_CLUSTER_PREFIX } from '@sluice/runtime';
import { type ClusterOptions, ConnectError, ConnectErrorCode, type QueueRef, readClusterOptions, type TaskConfig } from '@sluice/sdk';
import { DataCluster } from './data-cluster.js';

/** Clusters, or keys to clusters, that one thread is connected to beside its own. */
const MAX_CLUSTERS = 64;

export interface DataClustersOptions {
  readonly clusterId: string;
  /** Of the cluster that has the topics of connectors which name none. Its owner closes it. */
  readonly client: RocketMqClient;
  /** How the brokers of other clusters show the clients that are opened. */
  readonly clientId: string;
  readonly requestTimeoutMs: number;
}

/** The use of a cluster, which keeps its connections open until the release. */
export interface ClusterUse {
  readonly cluster: DataCluster;
  /** Ends the use; a second call does nothing. */
  readonly release: () => void;
}

/** The ends of queues of one cluster. */
export interface QueueEnds {
  endOffset(queue: QueueRef): Promise<number>;
  /** Ends the use of the cluster: further calls reject. */
  release(): void;
}

interface SharedCluster {
  readonly cluster: DataCluster;
  users: number;
}

/**
 * Opens the clusters in which the topics of connectors live, as their settings say. Tasks of a thread with the same URL, keys, certificates and
 * flags share one client. It is closed when nobody uses it.
 */
export class DataClusters {
  /** Of connectors that name no cluster. */
  readonly own: DataCluster;
  readonly #options: DataClustersOptions;
  /** By a digest of all that a client is opened with: no key is kept in a readable form beside the client's. */
  readonly #shared = new Map<string, SharedCluster>();
  readonly #closing = new Set<Promise<void>>();
  #opened = 0;
  #isClosed = false;

  constructor(options: DataClustersOptions) {
    this.#options = options;
    this.own = new DataCluster(options.client, options.clusterId);
  }

  /** How many clusters are open beside {@link own}. */
  get size(): number {
    return this.#shared.size;
  }

  /** Returns whether a connector's topics live in the cluster of those that name none. */
  isOwn(config: TaskConfig): boolean {
    return config[`${DATA_CLUSTER_PREFIX}url`] === undefined;
  }

  /**
   * Returns the cluster in which the topics of a connector live. It connects at first use.
   *
   * @param config with the values of references
   * @throws ConnectError that names the setting
   */
  use(config: TaskConfig): ClusterUse {
    const options = readClusterOptions(DATA_CLUSTER_PREFIX, config);
    if (options === undefined) return { cluster: this.own, release: () => undefined };
    const key = createHash('sha256').update(JSON.stringify(options)).digest('base64');
    const shared = this.#shared.get(key) ?? this.#open(key, options);
    shared.users += 1;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      shared.users -= 1;
      if (shared.users === 0) this.#close(key, shared);
    };
    return { cluster: shared.cluster, release };
  }

  /** Calls an action with the cluster in which the topics of a connector live. Rejects as {@link use} throws. */
  async within<T>(config: TaskConfig, action: (cluster: DataCluster) => Promise<T>): Promise<T> {
    const { cluster, release } = this.use(config);
    try {
      return await action(cluster);
    } finally {
      release();
    }
  }

  /** Returns the ends of queues of the cluster in which the topics of a connector live. It is opened at the first question. */
  endsOf(config: TaskConfig): QueueEnds {
    let use: ClusterUse | undefined;
    let isReleased = false;
    return {
      endOffset: async (queue) => {
        if (isReleased) throw new ConnectError(ConnectErrorCode.stopped, 'Nobody asks for the ends of these queues any more');
        use ??= this.use(config);
        return await use.cluster.messages.endOffset(queue);
      },
      release: () => {
        isReleased = true;
        use?.release();
      },
    };
  }

  /** Closes all clusters but {@link own}. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [key, shared] of this.#shared) this.#close(key, shared);
    await Promise.all(this.#closing);
  }

  #open(key: string, options: ClusterOptions): SharedCluster {
    const { clientId, clusterId, requestTimeoutMs } = this.#options;
    if (this.#isClosed) throw new ConnectError(ConnectErrorCode.stopped, 'The runner has closed its connections');
    if (this.#shared.size >= MAX_CLUSTERS) {
      throw new ConnectError(
        ConnectErrorCode.unavailable,
        `${DATA_CLUSTER_PREFIX}url: tasks of this runner use ${MAX_CLUSTERS} other clusters or keys already, and no more are allowed`,
        { retriable: true },
      );
    }
    this.#opened += 1;
    const client = openClient({ ...options, requestTimeoutMs, clientId: `${clientId}@c${this.#opened}` });
    const shared = { cluster: new DataCluster(client, clusterId), users: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  #close(key: string, shared: SharedCluster): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    const closing = shared.cluster.client.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

/** @throws ConnectError where a certificate or key cannot be used */
function openClient(options: Parameters<(typeof RocketMqClient)['open']>[0]): RocketMqClient {
  try {
    return RocketMqClient.open(options);
  } catch (error) {
    throw new ConnectError(ConnectErrorCode.configInvalid, `${DATA_CLUSTER_PREFIX}*: ${(error as Error).message}`, { cause: error });
  }
}
