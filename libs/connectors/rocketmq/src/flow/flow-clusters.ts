import type { RocketMqClient } from '@sluice/rocketmq';
import { ConfigError, type TaskConfig } from '@sluice/sdk';
import { openCluster } from '../cluster/cluster-client.js';
import { clusterIdentity } from '../cluster/cluster-identity.js';

/** One side of a flow, with a client that whoever gave it closes. */
export interface FlowCluster {
  readonly client: RocketMqClient;
  /** Which cluster it is, as the name of its identity topic says. */
  readonly identity: string;
}

/** Both sides of a flow. They are never the same cluster. */
export interface FlowClusters {
  readonly source: FlowCluster;
  readonly target: FlowCluster;
}

/** The other site may be far away, and busy. */
export const REQUEST_TIMEOUT_MS = 10_000;

export interface OpenFlow {
  readonly clusters: FlowClusters;
  /** Closes both clients. */
  close(): Promise<void>;
}

/**
 * Opens clients of both sides of a flow into the connector's data cluster, and finds out which clusters they are.
 *
 * @throws {ConfigError} where both are the same cluster; ConnectError of settings and of permissions, retriable where no broker answers
 */
export async function openFlow(config: TaskConfig, signal: AbortSignal, warn?: (text: string) => void): Promise<OpenFlow> {
  const clients: RocketMqClient[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
  };
  try {
    const source = openCluster('source.cluster.', config, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
    clients.push(source);
    const target = openCluster('data.cluster.', config, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
    clients.push(target);
    const told = warn === undefined ? { signal } : { signal, warn };
    const [sourceIdentity, targetIdentity] = await Promise.all([
      clusterIdentity(source, { setting: 'source.cluster.url', ...told }),
      clusterIdentity(target, { setting: 'data.cluster.url', ...told }),
    ]);
    if (sourceIdentity === targetIdentity) throw new ConfigError('Configuration of the source', [sameCluster(config, sourceIdentity)]);
    return {
      clusters: { source: { client: source, identity: sourceIdentity }, target: { client: target, identity: targetIdentity } },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function sameCluster(config: TaskConfig, identity: string): { readonly field: string; readonly message: string } {
  const field = 'source.cluster.url';
  const given = config[field] ?? '';
  const message = `Invalid value ${given} for configuration ${field}: It names the same cluster as data.cluster.url, ${identity}; expected is another one`;
  return { field, message };
}
