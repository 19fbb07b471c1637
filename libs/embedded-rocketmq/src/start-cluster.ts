import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { checkClusterName } from './cluster-config.js';
import { type ClusterLayout, clusterLayout, clustersDir } from './cluster-layout.js';
import {
  type ClusterJvms,
  type ClusterLifetime,
  launchJvm,
  recordJvms,
  runningJvms,
  writeConfigFiles,
} from './cluster-processes.js';
import { waitUntilUsable } from './cluster-readiness.js';
import { type ClusterState, readClusterState, writeClusterState } from './cluster-state.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { ensureJars } from './jar-cache.js';
import { findJava } from './java.js';
import { ensureLoopbackLauncher } from './loopback-launcher.js';
import { findExposedPorts } from './port-owner.js';
import { CLUSTER_ROLES, DEFAULT_HEAP_SIZES, type HeapSizes } from './jvm-command.js';
import { stopJvm } from './jvm-process.js';
import {
  brokerPortUses,
  checkPortNumbers,
  checkPortsFree,
  type ClusterPorts,
  portUses,
  preferredOrFreePort,
} from './ports.js';
import { RunningCluster } from './running-cluster.js';

export const DEFAULT_PORTS = { namesrv: 9876, broker: 10911, grpc: 8081 } as const;
const DEFAULT_START_TIMEOUT_MS = 60_000;
const DEFAULT_STOP_TIMEOUT_MS = 30_000;
/** Above this use of the disk a broker answers every send with "disk full". */
const REFUSING_DISK_RATIO = 0.9;

export interface StartClusterOptions {
  /** Also the cluster's name in RocketMQ; its broker is `broker-<name>`. 1 to 64 letters, digits, `-` and `_`. */
  readonly name: string;
  /** What is not given is as it was at the last start in that data folder, else 9876, 10911, 8081 and any free port. */
  readonly ports?: Partial<ClusterPorts>;
  /** `<SLUICE_HOME or ./.sluice>/rocketmq/<name>` by default. Data found there is used. */
  readonly dataDir?: string;
  /** Broker properties over Sluice's defaults; names, ports, addresses and paths cannot be set here. */
  readonly brokerConfig?: Readonly<Record<string, string>>;
  readonly heap?: Partial<HeapSizes>;
  /** `child` by default: ends with this process. */
  readonly lifetime?: ClusterLifetime;
  /** What to do when the cluster runs already: `fail` by default, `attach` takes it over as it is and starts what is missing. */
  readonly ifRunning?: 'fail' | 'attach';
  readonly startTimeoutMs?: number;
  /** Until SIGKILL follows SIGTERM. */
  readonly stopTimeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts a namesrv and a broker with its gRPC proxy; resolves when the namesrv knows the broker and the gRPC port accepts.
 * What was started is stopped again when it fails.
 * Throws EmbeddedRocketmqError (any code but COMMAND_FAILED); rejects with the signal's reason.
 */
export async function startCluster(options: StartClusterOptions): Promise<RunningCluster> {
  checkClusterName(options.name);
  const env = options.env ?? process.env;
  const layout = clusterLayout(options.dataDir ?? join(clustersDir(env), options.name));
  const { signal, onProgress } = options;
  await mkdir(layout.dataDir, { recursive: true });
  const release = await acquireLock(layout.dataDir, {
    signal,
    onWait: () =>
      onProgress?.(`another process is starting or stopping the cluster in ${layout.dataDir}: waiting for it`),
  });
  try {
    return await startLocked(options, layout, env);
  } finally {
    await release();
  }
}

async function startLocked(
  options: StartClusterOptions,
  layout: ClusterLayout,
  env: NodeJS.ProcessEnv,
): Promise<RunningCluster> {
  const { name, signal, onProgress } = options;
  const previous = await readClusterState(layout);
  if (previous !== undefined && previous.name !== name) {
    throw new EmbeddedRocketmqError(
      'OPTION_INVALID',
      `${layout.dataDir} holds cluster ${previous.name}: it cannot become ${name}`,
    );
  }
  const found: ClusterJvms = previous === undefined ? {} : await runningJvms(layout, previous);
  const ports = await choosePorts(options, previous);
  if (CLUSTER_ROLES.some((role) => found[role] !== undefined)) checkAttachable(options, previous, layout);

  const { java, javac } = await findJava(env);
  const { libDir } = await ensureJars({ env, signal, onProgress });
  const launcherDir = await ensureLoopbackLauncher({ javac, libDir, signal });
  const launch = {
    name,
    ports,
    layout,
    java,
    libDir,
    launcherDir,
    env,
    heap: { ...DEFAULT_HEAP_SIZES, ...previous?.heap, ...options.heap },
    brokerConfig: options.brokerConfig ?? {},
    lifetime: options.lifetime ?? 'child',
  };
  const state: ClusterState = {
    version: 1,
    name,
    ports,
    heap: launch.heap,
    brokerConfig: launch.brokerConfig,
    processes: previous?.processes ?? {},
  };
  const jvms: ClusterJvms = { ...found };
  const isNamesrvMissing = found.namesrv === undefined;
  const isBrokerMissing = found.broker === undefined;
  await checkPortsFree([
    ...(isNamesrvMissing ? [{ port: ports.namesrv, use: 'namesrv' }] : []),
    ...(isBrokerMissing ? brokerPortUses(ports) : []),
  ]);
  if (isBrokerMissing) {
    await writeConfigFiles(launch);
    await warnOfFullDisk(layout, onProgress);
  }
  await writeClusterState(layout, state);
  try {
    for (const role of CLUSTER_ROLES) {
      signal?.throwIfAborted();
      if (found[role] !== undefined) continue;
      jvms[role] = await launchJvm({ ...launch, role });
      await recordJvms(layout, jvms);
    }
    onProgress?.(`waiting for cluster ${name} to answer`);
    const timeoutMs = options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS;
    await waitUntilUsable({ name, ports, layout, processes: jvms, timeoutMs, signal });
  } catch (error) {
    await stopStarted(jvms, found, options);
    await recordJvms(layout, found);
    throw error;
  }
  await warnOfExposedPorts(ports, onProgress);
  return new RunningCluster({
    launch,
    jvms,
    startTimeoutMs: options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS,
    stopTimeoutMs: options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS,
    onProgress,
  });
}

async function choosePorts(options: StartClusterOptions, previous: ClusterState | undefined): Promise<ClusterPorts> {
  const chosen = { ...DEFAULT_PORTS, ...previous?.ports, ...options.ports };
  const known = options.ports?.proxyRemoting ?? previous?.ports.proxyRemoting;
  const taken = new Set([chosen.namesrv, chosen.broker, chosen.broker - 2, chosen.broker + 1, chosen.grpc]);
  const ports = { ...chosen, proxyRemoting: known ?? (await preferredOrFreePort(chosen.grpc - 1, taken)) };
  checkPortNumbers(ports);
  return ports;
}

function checkAttachable(options: StartClusterOptions, state: ClusterState | undefined, layout: ClusterLayout): void {
  if (options.ifRunning !== 'attach') {
    throw new EmbeddedRocketmqError(
      'CLUSTER_RUNNING',
      `cluster ${options.name} runs already in ${layout.dataDir}: stop it first`,
    );
  }
  for (const [use, port] of Object.entries(options.ports ?? {})) {
    const current = state?.ports[use as keyof ClusterPorts];
    if (current !== undefined && current !== port) {
      throw new EmbeddedRocketmqError(
        'CLUSTER_RUNNING',
        `cluster ${options.name} runs with ${use} port ${current}, ${port} was asked for: stop it first`,
      );
    }
  }
}

async function stopStarted(jvms: ClusterJvms, found: ClusterJvms, options: StartClusterOptions): Promise<void> {
  for (const role of [...CLUSTER_ROLES].reverse()) {
    const jvm = jvms[role];
    if (jvm !== undefined && found[role] === undefined)
      await stopJvm(jvm, options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS);
  }
}

async function warnOfExposedPorts(ports: ClusterPorts, onProgress: StartClusterOptions['onProgress']): Promise<void> {
  const exposed = await findExposedPorts(portUses(ports).map(({ port }) => port));
  if (exposed.length === 0) return;
  onProgress?.(
    `other hosts can connect to port ${exposed.join(', ')}: RocketMQ has no setting against it, a JDK (javac) beside java lets Sluice bind them to 127.0.0.1`,
  );
}

async function warnOfFullDisk(layout: ClusterLayout, onProgress: StartClusterOptions['onProgress']): Promise<void> {
  const { blocks, bfree, bavail } = await statfs(layout.dataDir);
  const used = blocks - bfree;
  const ratio = used / (used + bavail);
  if (ratio < REFUSING_DISK_RATIO) return;
  onProgress?.(
    `the disk of ${layout.dataDir} is ${Math.round(ratio * 100)} % full: RocketMQ refuses messages above ${REFUSING_DISK_RATIO * 100} %`,
  );
}
