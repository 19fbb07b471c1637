import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterLayout, clusterLayout } from './cluster-layout.js';
import { recordJvms, runningJvms } from './cluster-processes.js';
import { missingForUse } from './cluster-readiness.js';
import { readClusterState } from './cluster-state.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { CLUSTER_ROLES, type ClusterRole } from './jvm-command.js';
import { type StopOutcome, stopJvm } from './jvm-process.js';
import { type ClusterPorts } from './ports.js';

/** `up`: answers. `down`: no process runs. `degraded`: something runs, but `missing` keeps it from being used. */
export type ClusterCondition =
  { readonly kind: 'up' } | { readonly kind: 'down' } | { readonly kind: 'degraded'; readonly missing: string };

export interface ClusterStatus {
  readonly name: string;
  readonly condition: ClusterCondition;
  readonly ports: ClusterPorts;
  readonly pids: Readonly<Partial<Record<ClusterRole, number>>>;
  readonly dataDir: string;
  readonly logDir: string;
}

/** The state of the cluster in a data folder, found in its `cluster.json`; undefined where there never was one. */
export async function clusterStatus(dataDir: string): Promise<ClusterStatus | undefined> {
  const layout = clusterLayout(dataDir);
  const state = await readClusterState(layout);
  if (state === undefined) return undefined;
  const jvms = await runningJvms(layout, state);
  const pids: Partial<Record<ClusterRole, number>> = {};
  for (const role of CLUSTER_ROLES) {
    const jvm = jvms[role];
    if (jvm !== undefined) pids[role] = jvm.pid;
  }
  const { name, ports } = state;
  return {
    name,
    ports,
    pids,
    dataDir: layout.dataDir,
    logDir: layout.logDir,
    condition: await conditionOf(name, ports, pids),
  };
}

async function conditionOf(name: string, ports: ClusterPorts, pids: ClusterStatus['pids']): Promise<ClusterCondition> {
  const absent = CLUSTER_ROLES.filter((role) => pids[role] === undefined);
  if (absent.length === CLUSTER_ROLES.length) return { kind: 'down' };
  if (absent.length > 0) return { kind: 'degraded', missing: `the ${absent.join(' and the ')} does not run` };
  const missing = await missingForUse(name, ports);
  return missing === undefined ? { kind: 'up' } : { kind: 'degraded', missing };
}

/** The data folders below `clustersDir` that hold a cluster, or a note of where its data folder is. Sorted by name. */
export async function listDataDirs(clustersDir: string): Promise<string[]> {
  const entries = await readdir(clustersDir, { withFileTypes: true }).catch(() => []);
  const dirs: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    dirs.push(await dataDirOf(clustersDir, entry.name));
  }
  return dirs.sort();
}

/** The data folder of a named cluster: the default one, or the one noted there when it was started with another. */
export async function dataDirOf(clustersDir: string, name: string): Promise<string> {
  const fallback = join(clustersDir, name);
  const noted = await readFile(join(fallback, DATA_DIR_NOTE), 'utf8').catch(() => '');
  return noted.trim() === '' ? fallback : noted.trim();
}

/** Name of the file that says where a cluster's data folder is, when it is not the default one. */
export const DATA_DIR_NOTE = 'data-dir';

export interface StopClusterOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_STOP_TIMEOUT_MS = 30_000;

/**
 * Stops the cluster in a data folder, whichever process started it. SIGTERM first, SIGKILL after `timeoutMs` (30 s by default).
 * Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING` when there never was one, `NOT_ENDED_IN_TIME`.
 */
export async function stopCluster(
  dataDir: string,
  options: StopClusterOptions = {},
): Promise<Record<ClusterRole, StopOutcome>> {
  const layout = clusterLayout(dataDir);
  const release = await acquireLock(layout.dataDir, { signal: options.signal });
  try {
    return await stopLocked(layout, options.timeoutMs ?? DEFAULT_STOP_TIMEOUT_MS);
  } finally {
    await release();
  }
}

async function stopLocked(layout: ClusterLayout, timeoutMs: number): Promise<Record<ClusterRole, StopOutcome>> {
  const state = await readClusterState(layout);
  if (state === undefined) {
    throw new EmbeddedRocketmqError('CLUSTER_NOT_RUNNING', `no cluster was ever started in ${layout.dataDir}`);
  }
  const jvms = await runningJvms(layout, state);
  const notRunning: StopOutcome = { kind: 'not-running' };
  const broker = jvms.broker === undefined ? notRunning : await stopJvm(jvms.broker, timeoutMs);
  const namesrv = jvms.namesrv === undefined ? notRunning : await stopJvm(jvms.namesrv, timeoutMs);
  await recordJvms(layout, {});
  return { broker, namesrv };
}
