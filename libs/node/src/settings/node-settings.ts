import { resolve } from 'node:path';
import { parseLabels, type Labels, type Role } from '@sluice/core';
import { dataClusterOf, runtimeClusterOf, type ClusterConnection } from './cluster-connection.js';
import { hostOf, NO_PROXY, parseAddresses } from './cluster-address.js';
import { hasKeys, type ReadText } from './cluster-credentials.js';
import type { ProviderSettings } from './provider-settings.js';
import type { ResolvedSettings } from './resolve-settings.js';
import type { SettingValues } from './setting-definitions.js';
import { tracingOf, type TracingSettings } from './tracing-settings.js';

/** Longest times between a change and its writing to a file of the node, in milliseconds. */
export interface PersistIntervals {
  /** Of connectorConfig.json and taskConfig.json. */
  readonly config: number;
  readonly position: number;
  readonly offset: number;
}

/** What only a gateway has. */
export interface GatewayOptions {
  readonly requestTimeoutMs: number;
  readonly maxStalenessMs: number;
  readonly maxBodyBytes: number;
  /** State that is answered for what has completed. */
  readonly completedAs: 'COMPLETED' | 'RUNNING';
}

/** How a runner spreads its tasks over threads. */
export interface ThreadSettings {
  /** With 1, tasks run in the main thread. */
  readonly count: number;
  /** What the heap of a thread may hold, in MB; `undefined` for what Node allows. */
  readonly memoryMb: number | undefined;
  /** How much CPU time a thread may use without returning to its event loop. */
  readonly stallMs: number;
  /** How long a call of a task may wait. */
  readonly callTimeoutMs: number;
}

export interface NodeSettings extends ClusterConnection {
  readonly role: Role;
  /** Proxies of the runtime cluster: host:port, separated by commas; or {@link NO_PROXY}. */
  readonly grpc: string;
  /** The cluster in which the topics of this role's tasks live; the runtime cluster on roles without tasks. */
  readonly dataCluster: ClusterConnection;
  readonly requestTimeoutMs: number;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly storePath: string;
  readonly httpHost: string;
  readonly httpPort: number;
  /** Of a coordinator: how long a node may be silent before its tasks go to others. */
  readonly sessionTimeoutMs: number;
  readonly capacity: number;
  readonly labels: Labels;
  readonly persistIntervals: PersistIntervals;
  /** Converters of connectors that name none. */
  readonly defaultConverters: { readonly key?: string; readonly value?: string };
  /** Absolute paths of the folders of plugin packages. */
  readonly pluginPath: readonly string[];
  /** The config providers that resolve references of connectors. */
  readonly configProviders: readonly ProviderSettings[];
  /** Absolute path of the file with the keys that encrypt secrets of connectors. */
  readonly secretsKeyFile?: string;
  /** Absolute paths of the files with the node's credentials and keys, of settings too: references of connectors do not read them. Absent where there are none. */
  readonly ownFiles?: readonly string[];
  readonly mayCreateTopics: boolean;
  readonly threads: ThreadSettings;
  /** How many tasks of a runner have metrics of their own. */
  readonly maxMeteredTasks: number;
  readonly gateway: GatewayOptions;
  /** Absent where no record is traced. */
  readonly tracing?: TracingSettings;
  readonly logLevel: SettingValues['log.level'];
  readonly logFormat: SettingValues['log.format'];
}

/** As they are read: the id of a node that was given none is found under its store path. */
export type GivenNodeSettings = Omit<NodeSettings, 'nodeId'> & { readonly nodeId?: string };

const defaultPorts: Readonly<Record<Role, number>> = {
  gateway: 8083,
  coordinator: 8084,
  'source-runner': 8085,
  'sink-runner': 8086,
};

const OWN_FILES = [
  'access.key.file',
  'secret.key.file',
  'source.access.key.file',
  'source.secret.key.file',
  'sink.access.key.file',
  'sink.secret.key.file',
  'secrets.key.file',
] as const;

/** The settings whose defaults follow from the role or from other settings, with what holds. */
interface DerivedValues {
  readonly grpc: string;
  readonly 'source.namesrv': string;
  readonly 'sink.namesrv': string;
  readonly 'acl.enable': boolean;
  readonly 'http.port': number;
  readonly 'config.persist.interval.ms': number;
  readonly 'position.persist.interval.ms': number;
  readonly 'offset.persist.interval.ms': number;
}

/** Returns the values that hold for a role, every default in place and all addresses in one form. */
export function valuesInForce(role: Role, values: SettingValues): SettingValues & DerivedValues {
  const runtime = parseAddresses(values.namesrv, 'rocketmq');
  const namesrv = runtime.join(',');
  const dataNamesrv = (given: string | undefined): string => (given === undefined ? namesrv : parseAddresses(given, 'rocketmq').join(','));
  const grpc = values.grpc ?? `${hostOf(runtime[0] ?? '')}:8081`;
  const interval = values['persist.interval.ms'];
  return {
    ...values,
    namesrv,
    grpc: grpc === NO_PROXY ? NO_PROXY : parseAddresses(grpc, 'rocketmq+grpc').join(','),
    'source.namesrv': dataNamesrv(values['source.namesrv']),
    'sink.namesrv': dataNamesrv(values['sink.namesrv']),
    'acl.enable': values['acl.enable'] ?? hasKeys(values),
    'http.port': values['http.port'] ?? defaultPorts[role],
    'config.persist.interval.ms': values['config.persist.interval.ms'] ?? interval,
    'position.persist.interval.ms': values['position.persist.interval.ms'] ?? interval,
    'offset.persist.interval.ms': values['offset.persist.interval.ms'] ?? interval,
  };
}

/**
 * Reads the settings of a role.
 *
 * @throws NodeSettingsError naming every problem with keys.
 */
export function nodeSettingsOf(role: Role, resolved: ResolvedSettings, readText: ReadText): GivenNodeSettings {
  const values = valuesInForce(role, resolved.values);
  const runtime = runtimeClusterOf(resolved, readText);
  const { 'node.id': nodeId, 'key.converter': key, 'value.converter': value, 'secrets.key.file': keyFile } = values;
  const withKeys = [...resolved.origins.values()].filter(({ setting }) => /^(?:\w+\.)?(?:access|secret)\.key$/.test(setting));
  const settingsFiles = withKeys.flatMap(({ place }) => /^(.+):\d+$/.exec(place)?.[1] ?? []);
  const ownFiles = [...OWN_FILES.flatMap((name) => values[name] ?? []), ...new Set(settingsFiles)].map((path) => resolve(path));
  const labels = parseLabels('labels', values.labels ?? '');
  const tracing = tracingOf(values);
  return {
    role,
    ...runtime,
    grpc: values.grpc,
    dataCluster: dataClusterOf(role, resolved, runtime, readText),
    requestTimeoutMs: values['rocketmq.request.timeout.ms'],
    clusterId: values['cluster.id'],
    ...(nodeId === undefined ? {} : { nodeId }),
    storePath: values['store.path'],
    httpHost: values['http.host'],
    httpPort: values['http.port'],
    sessionTimeoutMs: values['session.timeout.ms'],
    capacity: values.capacity,
    labels: labels.ok ? labels.value : {},
    persistIntervals: {
      config: values['config.persist.interval.ms'],
      position: values['position.persist.interval.ms'],
      offset: values['offset.persist.interval.ms'],
    },
    defaultConverters: { ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) },
    pluginPath: (values['plugin.path'] ?? []).map((folder) => resolve(folder)),
    configProviders: resolved.providers,
    ...(keyFile === undefined ? {} : { secretsKeyFile: resolve(keyFile) }),
    ...(ownFiles.length === 0 ? {} : { ownFiles }),
    mayCreateTopics: values['topic.creation.enable'],
    threads: {
      count: values['task.threads'],
      memoryMb: values['task.thread.memory.mb'],
      stallMs: values['task.stall.ms'],
      callTimeoutMs: values['task.call.timeout.ms'],
    },
    maxMeteredTasks: values['metrics.tasks.max'],
    ...(tracing === undefined ? {} : { tracing }),
    gateway: {
      requestTimeoutMs: values['gateway.request.timeout.ms'],
      maxStalenessMs: values['gateway.max.staleness.ms'],
      maxBodyBytes: values['gateway.max.body.bytes'],
      completedAs: values['gateway.completed.as'],
    },
    logLevel: values['log.level'],
    logFormat: values['log.format'],
  };
}
