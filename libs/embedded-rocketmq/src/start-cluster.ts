import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { choosePorts } from './choose-ports.js';
import { type ClusterLayout, clusterLayout, clustersDir } from './cluster-layout.js';
import {
  brokersOf,
  type PlannedNode,
  type ClusterPlan,
  DEFAULT_HEAP_SIZES,
  type HeapSizes,
  nameServersOf,
  NO_TLS,
  type TlsProperties,
} from './cluster-plan.js';
import { type ClusterJvms, type ClusterLifetime, launchNode, recordJvms, runningJvms, writeConfigFiles } from './cluster-processes.js';
import { waitForNameServers, waitUntilUsable } from './cluster-readiness.js';
import { readClusterState, writeClusterState } from './cluster-state.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { ensureJars } from './jar-cache.js';
import { findJava } from './java.js';
import { type JvmProcess, stopJvm } from './jvm-process.js';
import { ensureLoopbackLauncher } from './loopback-launcher.js';
import { findExposedPorts } from './port-owner.js';
import { checkPortsFree, type ClusterPorts, portUses } from './ports.js';
import { checkRocketmqVersion, DEFAULT_ROCKETMQ_VERSION, isOlder, type RocketmqVersion } from './rocketmq-version.js';
import { RunningCluster } from './running-cluster.js';
import { checkName, nodesOf, type TopologyOptions } from './topology.js';

const DEFAULT_START_TIMEOUT_MS = 120_000;
const DEFAULT_STOP_TIMEOUT_MS = 30_000;
/** Above this use of the disk a broker answers every send with "disk full". */
const REFUSING_DISK_RATIO = 0.9;

export interface StartClusterOptions {
  /** Also the cluster's name in RocketMQ. 1 to 64 letters, digits, `-` and `_`. */
  readonly name: string;
  /** As at the last start in that data folder, else 5.5.0. 4.9.7 and 5.1.4 have no gRPC proxy. */
  readonly version?: RocketmqVersion;
  /** As at the last start in that data folder, else one name server and one broker `broker-<name>`. */
  readonly topology?: TopologyOptions;
  /** Of the first name server and broker. What is not given is as it was at the last start in that data folder, else 9876, 10911, 8081 and any free port. */
  readonly ports?: Partial<ClusterPorts>;
  /** `<SLUICE_HOME or ./.sluice>/rocketmq/<name>` by default. Data found there is used. */
  readonly dataDir?: string;
  /** Broker properties over Sluice's defaults; names, ports, addresses and paths cannot be set here. */
  readonly brokerConfig?: Readonly<Record<string, string>>;
  readonly heap?: Partial<HeapSizes>;
  /**
   * RocketMQ's settings of TLS. As at the last start in that data folder, else `tls.server.mode=disabled`. With none of them, `{}`,
   * RocketMQ takes TLS beside plain connections with a certificate of its own, and starts some seconds later.
   */
  readonly tls?: TlsProperties;
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
 * Starts the name servers and brokers, with the gRPC proxy in the first broker where the version has one. Resolves when every name server
 * knows every broker, the ports accept, and, with a controller, all replicas are in sync. Stops what it has started when it fails. Throws
 * EmbeddedRocketmqError (any code but COMMAND_FAILED); rejects with the signal's reason.
 */
export async function startCluster(options: StartClusterOptions): Promise<RunningCluster> {
  checkName('cluster', options.name);
  const env = options.env ?? process.env;
  const layout = clusterLayout(options.dataDir ?? join(clustersDir(env), options.name));
  const { signal, onProgress } = options;
  await mkdir(layout.dataDir, { recursive: true });
  const release = await acquireLock(layout.dataDir, {
    signal,
    onWait: () => onProgress?.(`another process is starting or stopping the cluster in ${layout.dataDir}: waiting for it`),
  });
  try {
    return await startLocked(options, layout, env);
  } finally {
    await release();
  }
}

async function startLocked(options: StartClusterOptions, layout: ClusterLayout, env: NodeJS.ProcessEnv): Promise<RunningCluster> {
  const { name, signal, onProgress } = options;
  const previous = await readClusterState(layout);
  const found = previous === undefined ? new Map<string, JvmProcess>() : await runningJvms(layout, previous);
  const plan = await planCluster(options, previous?.plan, layout);
  if (found.size > 0) checkAttachable(options, plan, previous?.plan, found);

  const java = await findJava(env);
  const { libDir } = await ensureJars({ version: plan.version, env, signal, onProgress });
  const launcherJar = await ensureLoopbackLauncher({ javac: java.javac, libDir, signal });
  const launch = { plan, layout, java, libDir, launcherJar, env, lifetime: options.lifetime ?? 'child' };
  const missing = plan.nodes.filter(({ id }) => !found.has(id));
  await checkPortsFree(portUses(missing));
  for (const node of missing) await writeConfigFiles(node, plan, layout);
  if (missing.length > 0) await warnOfFullDisk(layout, onProgress);
  await writeClusterState(layout, { version: 2, plan, processes: previous?.processes ?? {} });

  const jvms: ClusterJvms = new Map(found);
  const timeoutMs = options.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS;
  const stopTimeoutMs = options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
  const readiness = { plan, layout, nodes: plan.nodes, processes: jvms, timeoutMs, signal };
  const start = async (nodes: readonly PlannedNode[]): Promise<void> => {
    for (const node of nodes) {
      signal?.throwIfAborted();
      jvms.set(node.id, await launchNode(node, launch));
      await recordJvms(layout, jvms);
    }
  };
  try {
    await start(nameServersOf(missing));
    await waitForNameServers(readiness);
    await start(brokersOf(missing));
    onProgress?.(`waiting for cluster ${name} to answer`);
    await waitUntilUsable(readiness);
  } catch (error) {
    await Promise.all(
      [...jvms].map(async ([id, jvm]) => {
        if (!found.has(id)) await stopJvm(jvm, stopTimeoutMs);
      }),
    );
    await recordJvms(layout, found);
    throw error;
  }
  await warnOfExposedPorts(plan.nodes, onProgress);
  return new RunningCluster({ launch, jvms, startTimeoutMs: timeoutMs, stopTimeoutMs, onProgress });
}

/** What is not asked for is as it was at the last start in that data folder. */
async function planCluster(options: StartClusterOptions, previous: ClusterPlan | undefined, layout: ClusterLayout): Promise<ClusterPlan> {
  const { name } = options;
  const version = options.version ?? previous?.version ?? DEFAULT_ROCKETMQ_VERSION;
  checkRocketmqVersion(version);
  if (previous !== undefined && previous.name !== name) {
    throw new EmbeddedRocketmqError('OPTION_INVALID', `${layout.dataDir} holds cluster ${previous.name}: it cannot become ${name}`);
  }
  if (previous !== undefined && isOlder(version, previous.version)) {
    throw new EmbeddedRocketmqError(
      'OPTION_INVALID',
      `${layout.dataDir} holds data of RocketMQ ${previous.version}: ${version} may not be able to read it`,
    );
  }
  const topology = options.topology ?? previous?.topology ?? {};
  const identities = nodesOf(name, version, topology);
  return {
    name,
    version,
    topology,
    nodes: await choosePorts(identities, { asked: options.ports ?? {}, previous: previous?.nodes ?? [] }),
    heap: { ...DEFAULT_HEAP_SIZES, ...previous?.heap, ...options.heap },
    brokerConfig: options.brokerConfig ?? {},
    tls: options.tls ?? previous?.tls ?? NO_TLS,
  };
}

/** A node that runs stays as it is: the plan must not want it otherwise. */
function checkAttachable(options: StartClusterOptions, plan: ClusterPlan, running: ClusterPlan | undefined, found: ClusterJvms): void {
  const refuse = (reason: string): EmbeddedRocketmqError =>
    new EmbeddedRocketmqError('CLUSTER_RUNNING', `cluster ${plan.name} ${reason}: stop it first`);
  if (options.ifRunning !== 'attach') throw refuse('runs already');
  if (running === undefined) return;
  if (running.version !== plan.version) throw refuse(`runs RocketMQ ${running.version}, ${plan.version} was asked for`);
  if (options.tls !== undefined && !isDeepStrictEqual(options.tls, running.tls)) {
    throw refuse('runs with other settings of TLS than were asked for');
  }
  for (const current of running.nodes.filter(({ id }) => found.has(id))) {
    const { id } = current;
    const wanted = plan.nodes.find((node) => node.id === id);
    if (wanted === undefined) throw refuse(`runs with a ${id}, which was not asked for`);
    for (const { port, use } of portUses([current])) {
      const other = portUses([wanted]).find((asked) => asked.use === use);
      if (other?.port !== port) throw refuse(`runs with ${use} port ${port}, ${other?.port ?? 'none'} was asked for`);
    }
    if (!isDeepStrictEqual(current, wanted)) throw refuse(`runs with another ${id} than was asked for`);
  }
}

async function warnOfExposedPorts(nodes: readonly PlannedNode[], onProgress: StartClusterOptions['onProgress']): Promise<void> {
  const exposed = await findExposedPorts(portUses(nodes).map(({ port }) => port));
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
