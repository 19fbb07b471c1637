import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classArchiveArguments } from './class-archive.js';
import { brokerProperties, logbackConfig, namesrvProperties, proxySettings } from './cluster-config.js';
import { type ClusterLayout, nodeLayout } from './cluster-layout.js';
import { brokersOf, type PlannedNode, type ClusterPlan } from './cluster-plan.js';
import { type RecordedCluster, readClusterState, writeClusterState } from './cluster-state.js';
import { findExecutable } from './find-executable.js';
import type { Java } from './java.js';
import { jvmArguments, processMarker } from './jvm-command.js';
import { isJvmRunning, type JvmProcess, spawnJvm } from './jvm-process.js';
import { renderProperties } from './properties-file.js';
import { versionTraits } from './rocketmq-version.js';

/**
 * `child`: ends with the process that started it, at the latest. `detached`: stays until it is stopped.
 */
export type ClusterLifetime = 'child' | 'detached';

/** What all processes of a cluster are started with. */
export interface LaunchInput {
  readonly plan: ClusterPlan;
  readonly layout: ClusterLayout;
  readonly java: Java;
  readonly libDir: string;
  readonly launcherJar: string | undefined;
  readonly lifetime: ClusterLifetime;
  readonly env: NodeJS.ProcessEnv;
}

/** The processes of a cluster by the id of their node. */
export type ClusterJvms = Map<string, JvmProcess>;

/** Writes the configuration files of one process, replacing those of an earlier run. */
export async function writeConfigFiles(node: PlannedNode, plan: ClusterPlan, cluster: ClusterLayout): Promise<void> {
  const layout = nodeLayout(cluster, node);
  await Promise.all([layout.confDir, layout.storeDir, layout.logDir].map((dir) => mkdir(dir, { recursive: true })));
  const properties = node.kind === 'namesrv' ? namesrvProperties(node, layout) : brokerProperties(node, plan, layout);
  await writeFile(layout.confFile, renderProperties(properties));
  if (node.kind === 'broker' && node.hasProxy) {
    await writeFile(layout.proxyConfFile, `${JSON.stringify(proxySettings(node, plan), null, 2)}\n`);
  }
  if (versionTraits(plan.version).needsLogbackFiles) {
    const logFile = join(layout.rocketmqLogDir, `${node.kind}.log`);
    await writeFile(join(layout.confDir, `logback_${node.kind}.xml`), logbackConfig(logFile));
  }
}

/** Starts one process of a cluster; its configuration files must be there. */
export async function launchNode(node: PlannedNode, input: LaunchInput): Promise<JvmProcess> {
  const layout = nodeLayout(input.layout, node);
  const { nodes, heap, tls } = input.plan;
  const marker = processMarker(node.id, input.layout.dataDir);
  const { java, libDir, launcherJar } = input;
  const classArchive = await classArchiveArguments({
    javaBuild: java.build,
    libDir,
    launcherJar,
    // The first broker loads nearly all that the others load, and the proxy.
    mayMake: node.id === brokersOf(nodes)[0]?.id,
  });
  const javaArgs = jvmArguments({ node, layout, nodes, heap, tls, marker, libDir, launcherJar, classArchive });
  // setpriv replaces itself by the JVM, which then gets SIGTERM from the kernel when its parent ends, even by SIGKILL.
  const setpriv = input.lifetime === 'child' && process.platform === 'linux' ? await findExecutable('setpriv') : undefined;
  const [command, args] = setpriv === undefined ? [java.java, javaArgs] : [setpriv, ['--pdeathsig', 'TERM', '--', java.java, ...javaArgs]];
  const jvm = await spawnJvm({
    java: command,
    args,
    marker,
    cwd: layout.homeDir,
    env: { ...input.env, ROCKETMQ_HOME: layout.homeDir },
    outputFile: layout.outFile,
  });
  if (input.lifetime === 'child') endWithThisProcess(jvm);
  return jvm;
}

function endWithThisProcess(jvm: JvmProcess): void {
  const { child } = jvm;
  if (child === undefined) return;
  const onExit = (): void => {
    child.kill('SIGTERM');
    // A stopped process takes SIGTERM only once it continues.
    child.kill('SIGCONT');
  };
  process.once('exit', onExit);
  child.once('exit', () => process.off('exit', onExit));
}

/** Returns the processes that `cluster.json` names and that still run. */
export async function runningJvms(layout: ClusterLayout, state: RecordedCluster): Promise<ClusterJvms> {
  const running: ClusterJvms = new Map();
  for (const [id, identity] of Object.entries(state.processes)) {
    const jvm: JvmProcess = { ...identity, marker: processMarker(id, layout.dataDir) };
    if (await isJvmRunning(jvm)) running.set(id, jvm);
  }
  return running;
}

/** Writes down which processes belong to the cluster from now on. */
export async function recordJvms(layout: ClusterLayout, jvms: ClusterJvms): Promise<void> {
  const state = await readClusterState(layout);
  if (state === undefined) return;
  const processes = Object.fromEntries([...jvms].map(([id, { pid, startedAt }]) => [id, { pid, startedAt }] as const));
  await writeClusterState(layout, { ...state, processes });
}
