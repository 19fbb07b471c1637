import { join } from 'node:path';
import { parseConfig, type ConfigSpec } from '@sluice/sdk';
import { parseLabels, type Labels, type Role } from '@sluice/core';

/** The settings of every role, read from the environment. */
export const nodeSettingsSpec = {
  SLUICE_NAMESRV: {
    type: 'string',
    importance: 'high',
    default: '127.0.0.1:9876',
    doc: 'Name servers of the runtime cluster, as host:port, separated by commas or semicolons.',
    example: '10.0.0.1:9876,10.0.0.2:9876',
  },
  SLUICE_GRPC: {
    type: 'string',
    importance: 'high',
    optional: true,
    doc: "Proxy of the runtime cluster, as host:port; by default the first name server's host with port 8081.",
    example: '10.0.0.1:8081',
  },
  SLUICE_CLUSTER_ID: {
    type: 'string',
    importance: 'high',
    default: 'default',
    doc: 'Id of the Connect cluster: nodes with the same id work together, and their topics carry it in their names.',
  },
  SLUICE_NODE_ID: {
    type: 'string',
    importance: 'high',
    optional: true,
    doc: 'Id of this node, unique in the Connect cluster; by default one is made at the first start and kept under SLUICE_STORE_PATH.',
    example: 'source-runner-1',
  },
  SLUICE_STORE_PATH: {
    type: 'string',
    importance: 'high',
    default: join('.sluice', 'store'),
    doc: 'Directory under which the node keeps its four files, in a directory named by its id.',
  },
  SLUICE_HTTP_HOST: {
    type: 'string',
    importance: 'medium',
    default: '127.0.0.1',
    doc: 'Address on which the node answers HTTP: health on every role, the REST API on the gateway.',
  },
  SLUICE_HTTP_PORT: {
    type: 'int',
    importance: 'medium',
    optional: true,
    min: 0,
    max: 65535,
    doc: 'Port for HTTP; 0 takes any free one. By default 8083 on the gateway, 8084 on the coordinator, 8085 on source runners, 8086 on sink runners.',
  },
  SLUICE_CAPACITY: {
    type: 'int',
    importance: 'low',
    default: 1,
    min: 1,
    max: 1000,
    doc: 'Share of tasks that a runner takes, relative to the other runners.',
  },
  SLUICE_LABELS: {
    type: 'string',
    importance: 'low',
    optional: true,
    doc: 'Labels of this node, as name=value, separated by commas: connectors with placement.<name>=<value> run only on runners that carry the label.',
    example: 'zone=a,rack=r1',
  },
  SLUICE_PERSIST_INTERVAL_MS: {
    type: 'int',
    importance: 'low',
    default: 5000,
    min: 100,
    max: 3_600_000,
    doc: 'Longest time between a change and its writing to the four files, in milliseconds.',
  },
  SLUICE_LOG_LEVEL: {
    type: 'string',
    importance: 'low',
    default: 'info',
    oneOf: ['error', 'warn', 'info', 'debug'],
    doc: 'How much is logged.',
  },
} as const satisfies ConfigSpec;

export interface NodeSettings {
  readonly role: Role;
  readonly namesrv: string;
  readonly grpc: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly storePath: string;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly capacity: number;
  readonly labels: Labels;
  readonly persistIntervalMs: number;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

/** As they are read: the id of a node that was given none is found under its store path. */
export type GivenNodeSettings = Omit<NodeSettings, 'nodeId'> & { readonly nodeId?: string };

const defaultPorts: Readonly<Record<Role, number>> = {
  gateway: 8083,
  coordinator: 8084,
  'source-runner': 8085,
  'sink-runner': 8086,
};

const nodeIdPattern = /^[a-zA-Z0-9._-]{1,64}$/;

/** Thrown when the environment does not make a valid configuration; names every wrong variable. */
export class NodeSettingsError extends Error {
  override readonly name = 'NodeSettingsError';
}

/**
 * Reads a role's settings from environment variables.
 *
 * @throws NodeSettingsError
 */
export function readNodeSettings(
  role: Role,
  environment: Readonly<Record<string, string | undefined>>,
): GivenNodeSettings {
  const given = Object.fromEntries(
    Object.keys(nodeSettingsSpec).flatMap((key) => {
      const value = environment[key];
      return value === undefined || value === '' ? [] : [[key, value] as const];
    }),
  );
  const parsed = parseConfig(nodeSettingsSpec, given);
  if (!parsed.ok)
    throw new NodeSettingsError(parsed.errors.map((error) => `${error.field}: ${error.message}`).join('\n'));
  const value = parsed.value;
  const nodeId = value.SLUICE_NODE_ID;
  if (nodeId !== undefined && !nodeIdPattern.test(nodeId)) {
    throw new NodeSettingsError(
      `SLUICE_NODE_ID: "${nodeId}" given; allowed are 1 to 64 letters, digits, ".", "_" and "-"`,
    );
  }
  const labels = parseLabels('SLUICE_LABELS', value.SLUICE_LABELS ?? '');
  if (!labels.ok) {
    throw new NodeSettingsError(labels.errors.map(({ field, message }) => `${field}: ${message}`).join('\n'));
  }
  return {
    role,
    namesrv: value.SLUICE_NAMESRV,
    grpc: value.SLUICE_GRPC ?? `${firstHost(value.SLUICE_NAMESRV)}:8081`,
    clusterId: value.SLUICE_CLUSTER_ID,
    ...(nodeId === undefined ? {} : { nodeId }),
    storePath: value.SLUICE_STORE_PATH,
    httpHost: value.SLUICE_HTTP_HOST,
    httpPort: value.SLUICE_HTTP_PORT ?? defaultPorts[role],
    capacity: value.SLUICE_CAPACITY,
    labels: labels.value,
    persistIntervalMs: value.SLUICE_PERSIST_INTERVAL_MS,
    logLevel: value.SLUICE_LOG_LEVEL,
  };
}

function firstHost(addresses: string): string {
  const first = addresses.split(/[;,]/)[0] ?? '';
  return first.slice(0, first.lastIndexOf(':'));
}
