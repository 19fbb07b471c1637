import type { RocketMqClient } from '@sluice/rocketmq';
import { ConfigError, type TaskConfig } from '@sluice/sdk';
import { type ClusterPrefix, openCluster } from '../cluster/cluster-client.js';
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

/** Which settings name the two sides of a flow. */
export interface FlowSides {
  /** Stands in errors: whose configuration it is. */
  readonly subject: string;
  readonly source: ClusterPrefix;
  readonly target: ClusterPrefix;
  /** The side that the connector names itself; the other one is its data cluster. */
  readonly own: ClusterPrefix;
}

/** The sides of a connector that copies into its data cluster. */
export const SOURCE_SIDES: FlowSides = {
  subject: 'Configuration of the source',
  source: 'source.cluster.',
  target: 'data.cluster.',
  own: 'source.cluster.',
};

/** The sides of a connector that copies its data cluster. */
export const SINK_SIDES: FlowSides = {
  subject: 'Configuration of the sink',
  source: 'data.cluster.',
  target: 'target.cluster.',
  own: 'target.cluster.',
};

/** The other site may be far away, and busy. */
export const REQUEST_TIMEOUT_MS = 10_000;

export interface OpenFlow {
  readonly clusters: FlowClusters;
  /** Closes both clients. */
  close(): Promise<void>;
}

/**
 * Opens clients of both sides of a flow, and finds out which clusters they are.
 *
 * @throws {ConfigError} where both are the same cluster; ConnectError of settings and of permissions, retriable where no broker answers
 */
export async function openFlow(
  sides: FlowSides,
  config: TaskConfig,
  signal: AbortSignal,
  warn?: (text: string) => void,
): Promise<OpenFlow> {
  const clients: RocketMqClient[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.close()));
  };
  try {
    const source = openCluster(sides.source, config, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
    clients.push(source);
    const target = openCluster(sides.target, config, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
    clients.push(target);
    const told = warn === undefined ? { signal } : { signal, warn };
    const [sourceIdentity, targetIdentity] = await Promise.all([
      clusterIdentity(source, { setting: `${sides.source}url`, ...told }),
      clusterIdentity(target, { setting: `${sides.target}url`, ...told }),
    ]);
    if (sourceIdentity === targetIdentity) throw new ConfigError(sides.subject, [sameCluster(sides, config, sourceIdentity)]);
    return {
      clusters: { source: { client: source, identity: sourceIdentity }, target: { client: target, identity: targetIdentity } },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function sameCluster({ own }: FlowSides, config: TaskConfig, identity: string): { readonly field: string; readonly message: string } {
  const field = `${own}url`;
  const given = config[field] ?? '';
  const message = `Invalid value ${given} for configuration ${field}: It names the same cluster as data.cluster.url, ${identity}; expected is another one`;
  return { field, message };
}
