import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterLayout, clusterLayout } from './cluster-layout.js';
import { brokersOf, type PlannedNode, nameServersOf } from './cluster-plan.js';
import { type ClusterJvms, recordJvms, runningJvms } from './cluster-processes.js';
import { missingForUse } from './cluster-readiness.js';
import { readClusterState } from './cluster-state.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { type StopOutcome, stopJvm } from './jvm-process.js';
import type { RocketmqVersion } from './rocketmq-version.js';
import type { ClusterPids } from './running-cluster.js';

/** `up`: answers. `down`: no process runs. `degraded`: something runs, but `missing` keeps it from being used. */
export type ClusterCondition =
  { readonly kind: 'up' } | { readonly kind: 'down' } | { readonly kind: 'degraded'; readonly missing: string };

export interface ClusterStatus {
  readonly name: string;
  readonly version: RocketmqVersion;
  readonly condition: ClusterCondition;
  readonly nodes: readonly PlannedNode[];
  /** Of those processes that run. */
  readonly pids: ClusterPids;
  readonly dataDir: string;
  readonly logDir: string;
}

/** Returns the state of the cluster in a data folder, found in its `cluster.json`; undefined where there never was one. */
export async function clusterStatus(dataDir: string): Promise<ClusterStatus | undefined> {
  const layout = clusterLayout(dataDir);
  const state = await readClusterState(layout);
  if (state === undefined) return undefined;
  const jvms = await runningJvms(layout, state);
  const { name, version, nodes } = state.plan;
  return {
    name,
    version,
    nodes,
    pids: Object.fromEntries([...jvms].map(([id, { pid }]) => [id, pid])),
    dataDir: layout.dataDir,
    logDir: layout.logDir,
    condition: await conditionOf(nodes, jvms),
  };
}

async function conditionOf(nodes: readonly PlannedNode[], jvms: ClusterJvms): Promise<ClusterCondition> {
  const absent = nodes.filter(({ id }) => !jvms.has(id));
  if (absent.length === nodes.length) return { kind: 'down' };
  if (absent.length > 0) {
    return { kind: 'degraded', missing: `the ${absent.map(({ id }) => id).join(' and the ')} does not run` };
  }
  const missing = await missingForUse(nodes);
  return missing === undefined ? { kind: 'up' } : { kind: 'degraded', missing };
}

/** Returns the ids of those processes of the cluster in a data folder that do not run. Empty where there never was a cluster. */
export async function endedNodes(dataDir: string): Promise<readonly string[]> {
  const layout = clusterLayout(dataDir);
  const state = await readClusterState(layout);
  if (state === undefined) return [];
  const jvms = await runningJvms(layout, state);
  return state.plan.nodes.map(({ id }) => id).filter((id) => !jvms.has(id));
}

/** Returns the name of the cluster below `clustersDir` that a process belongs to; undefined where it belongs to none. */
export async function clusterWithProcess(clustersDir: string, pid: number): Promise<string | undefined> {
  for (const dataDir of await listDataDirs(clustersDir)) {
    const layout = clusterLayout(dataDir);
    // A folder that another version wrote does not describe this process.
    const state = await readClusterState(layout).catch(() => undefined);
    if (state === undefined) continue;
    const jvms = await runningJvms(layout, state);
    if ([...jvms.values()].some((jvm) => jvm.pid === pid)) return state.plan.name;
  }
  return undefined;
}

/** Returns the data folders below `clustersDir` that hold a cluster, or a note of where its data folder is. Sorted by name. */
export async function listDataDirs(clustersDir: string): Promise<string[]> {
  const entries = await readdir(clustersDir, { withFileTypes: true }).catch(() => []);
  const dirs: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    dirs.push(await dataDirOf(clustersDir, entry.name));
  }
  return dirs.sort();
}

/** Returns the data folder of a named cluster: the default one, or the one noted there when it was started with another. */
export async function dataDirOf(clustersDir: string, name: string): Promise<string> {
  const fallback = join(clustersDir, name);
  const noted = await readFile(join(fallback, DATA_DIR_NOTE), 'utf8').catch(() => '');
  return noted.trim() === '' ? fallback : noted.trim();
}

/** Name of the file that says where a cluster's data folder is, when it is not the default one. */
export const DATA_DIR_NOTE = 'data-dir';

/** By the id of the process. */
export type StopOutcomes = Readonly<Record<string, StopOutcome>>;

export interface StopClusterOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_STOP_TIMEOUT_MS = 30_000;

/**
 * Stops the cluster in a data folder, whichever process started it. SIGTERM first, SIGKILL after `timeoutMs` (30 s by default).
 * Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING` when there never was one, `NOT_ENDED_IN_TIME`.
 */
export async function stopCluster(dataDir: string, options: StopClusterOptions = {}): Promise<StopOutcomes> {
  const layout = clusterLayout(dataDir);
  const release = await acquireLock(layout.dataDir, { signal: options.signal });
  try {
    return await stopLocked(layout, options.timeoutMs ?? DEFAULT_STOP_TIMEOUT_MS);
  } finally {
    await release();
  }
}

async function stopLocked(layout: ClusterLayout, timeoutMs: number): Promise<StopOutcomes> {
  const state = await readClusterState(layout);
  if (state === undefined) {
    throw new EmbeddedRocketmqError('CLUSTER_NOT_RUNNING', `no cluster was ever started in ${layout.dataDir}`);
  }
  const jvms = await runningJvms(layout, state);
  const outcomes = new Map<string, StopOutcome>();
  for (const nodes of [brokersOf(state.plan.nodes), nameServersOf(state.plan.nodes)]) {
    await Promise.all(
      nodes.map(async ({ id }) => {
        const jvm = jvms.get(id);
        outcomes.set(id, jvm === undefined ? { kind: 'not-running' } : await stopJvm(jvm, timeoutMs));
      }),
    );
  }
  await recordJvms(layout, new Map());
  return Object.fromEntries(state.plan.nodes.map(({ id }) => [id, outcomes.get(id) ?? { kind: 'not-running' }]));
}
