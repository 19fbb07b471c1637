import { Role } from '@sluice/core';
import type { CredentialsSource } from '@sluice/rocketmq';
import { parseAddresses } from './cluster-address.js';
import { findCredentials, type KeyPrefix, type ReadText } from './cluster-credentials.js';
import { NodeSettingsError, problemOf, type ResolvedSettings } from './resolve-settings.js';

/** A RocketMQ cluster and how its requests are signed. */
export interface ClusterConnection {
  /** host:port, separated by commas. */
  readonly namesrv: string;
  /** Absent where requests are not signed. */
  readonly credentials?: CredentialsSource;
}

/** Reads the connection to the cluster that has the topics of Sluice itself. @throws NodeSettingsError */
export function runtimeClusterOf(resolved: ResolvedSettings, readText: ReadText): ClusterConnection {
  return connectionOf(resolved, '', resolved.values.namesrv, readText);
}

/**
 * Reads the connection to the cluster that has the topics of a role's tasks: the runtime cluster unless another one is named. It has the runtime
 * cluster's keys unless it has its own.
 *
 * @throws NodeSettingsError
 */
export function dataClusterOf(role: Role, resolved: ResolvedSettings, runtime: ClusterConnection, readText: ReadText): ClusterConnection {
  const prefix = dataPrefixOf(role);
  if (prefix === undefined) return runtime;
  const own = connectionOf(resolved, prefix, resolved.values[`${prefix}namesrv`] ?? runtime.namesrv, readText);
  return { ...runtime, ...own };
}

/** Returns what stands in front of the settings of the cluster that a role's tasks have their data in. */
function dataPrefixOf(role: Role): 'source.' | 'sink.' | undefined {
  switch (role) {
    case Role.sourceRunner:
      return 'source.';
    case Role.sinkRunner:
      return 'sink.';
    case Role.gateway:
    case Role.coordinator:
      return undefined;
    default:
      return role satisfies never;
  }
}

function connectionOf({ values, origins }: ResolvedSettings, prefix: KeyPrefix, addresses: string, readText: ReadText): ClusterConnection {
  const namesrv = parseAddresses(addresses, 'rocketmq').join(',');
  const found = findCredentials(values, prefix, readText);
  switch (found.kind) {
    case 'none':
      return { namesrv };
    case 'found':
      return { namesrv, credentials: found.source };
    case 'wrong':
      throw new NodeSettingsError(found.problems.map(({ setting, message }) => problemOf(origins.get(setting), message)));
    default:
      return found satisfies never;
  }
}
