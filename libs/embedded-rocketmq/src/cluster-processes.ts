import { mkdir, writeFile } from 'node:fs/promises';
import { brokerProperties, type ClusterConfigInput, namesrvProperties, proxySettings } from './cluster-config.js';
import { type ClusterLayout } from './cluster-layout.js';
import { type ClusterState, readClusterState, writeClusterState } from './cluster-state.js';
import { findExecutable } from './find-executable.js';
import { CLUSTER_ROLES, type ClusterRole, type HeapSizes, jvmArguments, processMarker } from './jvm-command.js';
import { isJvmRunning, type JvmProcess, spawnJvm } from './jvm-process.js';
import { renderProperties } from './properties-file.js';

/**
 * `child`: ends with the process that started it, at the latest. `detached`: stays until it is stopped.
 */
export type ClusterLifetime = 'child' | 'detached';

export interface LaunchInput extends ClusterConfigInput {
  readonly role: ClusterRole;
  readonly java: string;
  readonly libDir: string;
  readonly launcherDir: string | undefined;
  readonly heap: HeapSizes;
  readonly lifetime: ClusterLifetime;
  readonly env: NodeJS.ProcessEnv;
}

export type ClusterJvms = Partial<Record<ClusterRole, JvmProcess>>;

/** Writes the configuration files of a cluster, replacing those of an earlier run. */
export async function writeConfigFiles(input: ClusterConfigInput): Promise<void> {
  const { layout } = input;
  await Promise.all([layout.confDir, layout.storeDir, layout.logDir].map((dir) => mkdir(dir, { recursive: true })));
  await Promise.all([
    writeFile(layout.namesrvConf, renderProperties(namesrvProperties(input))),
    writeFile(layout.brokerConf, renderProperties(brokerProperties(input))),
    writeFile(layout.proxyConf, `${JSON.stringify(proxySettings(input), null, 2)}\n`),
  ]);
}

/** Starts one process of a cluster; its configuration files must be there. */
export async function launchJvm(input: LaunchInput): Promise<JvmProcess> {
  const { layout, role } = input;
  const javaArgs = jvmArguments(input);
  // setpriv replaces itself by the JVM, which then gets SIGTERM from the kernel when its parent ends, even by SIGKILL.
  const setpriv =
    input.lifetime === 'child' && process.platform === 'linux' ? await findExecutable('setpriv') : undefined;
  const [command, args] =
    setpriv === undefined ? [input.java, javaArgs] : [setpriv, ['--pdeathsig', 'TERM', '--', input.java, ...javaArgs]];
  const jvm = await spawnJvm({
    java: command,
    args,
    marker: processMarker(role, layout.dataDir),
    cwd: layout.dataDir,
    env: { ...input.env, ROCKETMQ_HOME: layout.dataDir },
    outputFile: role === 'namesrv' ? layout.namesrvOut : layout.brokerOut,
  });
  if (input.lifetime === 'child') endWithThisProcess(jvm);
  return jvm;
}

function endWithThisProcess(jvm: JvmProcess): void {
  const { child } = jvm;
  if (child === undefined) return;
  const onExit = (): void => {
    child.kill('SIGTERM');
  };
  process.once('exit', onExit);
  child.once('exit', () => process.off('exit', onExit));
}

/** The processes that `cluster.json` names and that still run. */
export async function runningJvms(layout: ClusterLayout, state: ClusterState): Promise<ClusterJvms> {
  const running: ClusterJvms = {};
  for (const role of CLUSTER_ROLES) {
    const identity = state.processes[role];
    if (identity === undefined) continue;
    const jvm: JvmProcess = { ...identity, marker: processMarker(role, layout.dataDir) };
    if (await isJvmRunning(jvm)) running[role] = jvm;
  }
  return running;
}

/** Writes down which processes belong to the cluster from now on. */
export async function recordJvms(layout: ClusterLayout, jvms: ClusterJvms): Promise<void> {
  const state = await readClusterState(layout);
  if (state === undefined) return;
  const processes: ClusterState['processes'] = Object.fromEntries(
    Object.entries(jvms).map(([role, { pid, startedAt }]) => [role, { pid, startedAt }]),
  );
  await writeClusterState(layout, { ...state, processes });
}
