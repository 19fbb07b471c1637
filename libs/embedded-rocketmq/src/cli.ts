import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CliCommand, parseCliArguments, USAGE } from './cli-arguments.js';
import { clustersDir } from './cluster-layout.js';
import { clusterStatus, DATA_DIR_NOTE, dataDirOf, listDataDirs, stopCluster } from './cluster-status.js';
import { describeStatus, describeStopOutcomes } from './cli-output.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { portTakenAdvice, stopCommand } from './port-advice.js';
import { PortTakenError } from './ports.js';
import { startCluster } from './start-cluster.js';
import { checkName } from './topology.js';

const EXIT = { done: 0, failed: 1, wrongArguments: 2, notUp: 3 } as const;
type ExitCode = (typeof EXIT)[keyof typeof EXIT];

async function start(command: Extract<CliCommand, { kind: 'start' }>, signal: AbortSignal): Promise<ExitCode> {
  const dataDir = await chooseDataDir(command.name, command.data);
  const startedAtMs = performance.now();
  const cluster = await startCluster({
    name: command.name,
    ports: command.ports,
    ...(command.tls ? { tls: {} } : {}),
    dataDir,
    lifetime: 'detached',
    ifRunning: 'attach',
    signal,
    onProgress: (line) => {
      console.error(line);
    },
  });
  await noteDataDir(command.name, dataDir);
  const status = await clusterStatus(cluster.dataDir);
  if (status !== undefined) console.log(describeStatus(status));
  console.log(`answered after ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s; ends with: ${stopCommand(command.name)}`);
  return EXIT.done;
}

async function stop(command: Extract<CliCommand, { kind: 'stop' }>, signal: AbortSignal): Promise<ExitCode> {
  const outcomes = await stopCluster(await chooseDataDir(command.name, command.data), { signal });
  console.log(describeStopOutcomes(command.name, outcomes));
  return Object.values(outcomes).every(({ kind }) => kind === 'not-running') ? EXIT.notUp : EXIT.done;
}

async function status(command: Extract<CliCommand, { kind: 'status' }>): Promise<ExitCode> {
  const isOne = command.name !== undefined || command.data !== undefined;
  const dataDirs =
    command.data !== undefined
      ? [resolve(command.data)]
      : command.name !== undefined
        ? [await chooseDataDir(command.name, undefined)]
        : await listDataDirs(clustersDir());
  const found = (await Promise.all(dataDirs.map((dir) => clusterStatus(dir)))).filter((one) => one !== undefined);
  for (const one of found) console.log(describeStatus(one));
  if (found.length === 0) {
    console.log(isOne ? `no cluster was ever started in ${dataDirs.join(', ')}` : `no cluster was ever started below ${clustersDir()}`);
  }
  return found.length > 0 && found.every(({ condition }) => condition.kind === 'up') ? EXIT.done : EXIT.notUp;
}

async function chooseDataDir(name: string, data: string | undefined): Promise<string> {
  checkName('cluster', name);
  return data === undefined ? dataDirOf(clustersDir(), name) : resolve(data);
}

/** Lets `stop` and `status` find a cluster by its name that was started with `--data`. */
async function noteDataDir(name: string, dataDir: string): Promise<void> {
  const usual = join(clustersDir(), name);
  if (dataDir === usual) return;
  await mkdir(usual, { recursive: true });
  await writeFile(join(usual, DATA_DIR_NOTE), `${dataDir}\n`);
}

async function run(args: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  const command = parseCliArguments(args);
  switch (command.kind) {
    case 'start':
      return start(command, signal);
    case 'stop':
      return stop(command, signal);
    case 'status':
      return status(command);
    case 'help':
      console.log(USAGE);
      return EXIT.done;
  }
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interrupt.abort(new EmbeddedRocketmqError('INTERRUPTED', `interrupted by ${name}`));
  });
}

try {
  process.exitCode = await run(process.argv.slice(2), interrupt.signal);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  const isWrongArguments = error instanceof EmbeddedRocketmqError && error.code === 'OPTION_INVALID';
  if (isWrongArguments) console.error(`\n${USAGE}`);
  if (error instanceof PortTakenError) console.error(await portTakenAdvice(error));
  process.exitCode = isWrongArguments ? EXIT.wrongArguments : EXIT.failed;
}
