import { untilAborted } from '@sluice/time';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  checkPortsFree,
  endedNodes,
  PortTakenError,
  portTakenAdvice,
  startCluster,
  startCommand,
  type RunningCluster,
} from '@sluice/embedded-rocketmq';
import { InitError, nodeThatKnows, type ClusterConnection } from '@sluice/node';
import { readCommandSettings } from '../commands/command-settings.js';
import { initCommand } from '../commands/init-command.js';
import { startDemo } from './demo.js';
import { LocalLock } from './local-lock.js';
import { reportEnds } from './report-ends.js';
import { RoleProcess } from './role-process.js';
import { untilConnectorsCanBePosted } from './until-ready.js';

export interface LocalClusterOptions {
  readonly demo: boolean;
  /** Of settings for all roles; by default what `SLUICE_CONFIG_FILE` names. */
  readonly file: string | undefined;
  /** The broker that gets the topics at the first start; by default that of the embedded RocketMQ. */
  readonly brokerName: string | undefined;
  /** Of the embedded RocketMQ. */
  readonly ports: { readonly namesrv: number; readonly broker: number; readonly grpc: number };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The order in which roles start; they stop in the opposite one. */
const ROLES = ['gateway', 'coordinator', 'source-runner', 'sink-runner'] as const;
const STOP_GRACE_MS = 15_000;

/** One of each role as separate processes, beside an embedded RocketMQ unless one is given, until SIGINT or SIGTERM. */
export async function runLocalCluster(options: LocalClusterOptions, environment: Environment): Promise<void> {
  const stopping = new AbortController();
  let lock: LocalLock | undefined;
  const stop = (): void => {
    lock?.announceStop();
    stopping.abort(new Error('stopped by a signal'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const say = (text: string): void => {
    for (const line of text.split('\n')) print('sluice', line);
  };
  let rocketmq: RunningCluster | undefined;
  let failure: Error | undefined;
  const processes: RoleProcess[] = [];
  try {
    const home = resolve(environment['SLUICE_HOME'] ?? '.sluice');
    const settings = readCommandSettings(options.file, environment);
    const onWait = (pid: number): void => {
      say(`The local cluster of process ${pid} is stopping: waiting for its end ...`);
    };
    lock = await LocalLock.take(home, onWait, stopping.signal);
    await withAdvice(
      () => 'Set SLUICE_HTTP_PORT to choose another',
      checkPortsFree([{ port: settings.httpPort, use: 'REST of the gateway' }]),
    );
    if (!settings.isRocketMqGiven) {
      say('Starting RocketMQ ...');
      const starting = startCluster({
        name: 'local',
        dataDir: join(home, 'rocketmq', 'local'),
        ports: options.ports,
        ifRunning: 'attach',
        signal: stopping.signal,
        onProgress: (line) => {
          print('rocketmq', line);
        },
      });
      rocketmq = await withAdvice((error) => portTakenAdvice(error, environment), starting);
      say(`RocketMQ is up: name server ${rocketmq.namesrv}, Proxy ${rocketmq.grpc}, logs in ${rocketmq.logDir}`);
    }
    const access = rocketmq === undefined ? settings.runtimeCluster : { namesrv: rocketmq.namesrv };
    const storePath = settings.isStorePathGiven ? settings.storePath : join(home, 'store');
    const keepRocketMq = (): Promise<boolean> => startAgain(rocketmq, say, stopping.signal);
    const brokerName = options.brokerName ?? rocketmq?.brokerName;
    try {
      await retryingOnce(() => init(settings.clusterId, storePath, brokerName, access), keepRocketMq);
    } catch (error) {
      if (rocketmq === undefined || !(error instanceof InitError)) throw error;
      const advice = `RocketMQ stops with this command. To run \`sluice\`, start it with \`${startCommand('local', environment)}\`; then \`npm run sluice -- restore\` takes the same options`;
      throw new Error(`${error.message}\n${advice}`, { cause: error });
    }
    for (const role of ROLES) {
      const child = new RoleProcess({
        role,
        main: fileURLToPath(new URL(`../../../${role}/dist/main.js`, import.meta.url)),
        environment: {
          ...(rocketmq === undefined ? {} : { SLUICE_NAMESRV: rocketmq.namesrv, SLUICE_GRPC: rocketmq.grpc }),
          ...(options.file === undefined ? {} : { SLUICE_CONFIG_FILE: resolve(options.file) }),
          SLUICE_NODE_ID: `${role}-1`,
          SLUICE_STORE_PATH: storePath,
          SLUICE_HTTP_PORT: role === 'gateway' ? String(settings.httpPort) : '0',
        },
        onLine: print,
        onEvent: say,
      });
      processes.push(child);
      child.start();
    }
    const url = `http://127.0.0.1:${settings.httpPort}`;
    await untilConnectorsCanBePosted(url, stopping.signal, keepRocketMq);
    say(`Sluice is ready: ${url}`);
    if (options.demo) await startDemo({ url, directory: join(home, 'demo'), say, signal: stopping.signal });
    if (rocketmq === undefined) await untilAborted(stopping.signal);
    else {
      const { dataDir } = rocketmq;
      const command = startCommand('local', environment);
      await reportEnds({ look: () => endedNodes(dataDir), command, say, signal: stopping.signal });
    }
  } catch (error) {
    if (stopping.signal.aborted) return;
    failure = error as Error;
    throw error;
  } finally {
    // Where nothing runs, nothing stops: the reader looks for the failure alone.
    const isRunning = stopping.signal.aborted || rocketmq !== undefined || processes.length > 0;
    if (isRunning) say(failure === undefined ? 'Stopping ...' : `Stopping after a failure: ${failure.message}`);
    for (const child of processes.reverse()) await child.stop(STOP_GRACE_MS);
    await rocketmq?.stop();
    await lock?.release();
    if (isRunning) say('Stopped');
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}

/** Adds to the error about a port in use how to choose another. */
async function withAdvice<T>(advise: (error: PortTakenError) => string | Promise<string>, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    if (!(error instanceof PortTakenError)) throw error;
    throw new Error(`${error.message}\n${await advise(error)}`, { cause: error });
  }
}

/** Starts what has ended of the embedded RocketMQ, as when somebody else stopped it. Returns whether there was anything. */
async function startAgain(rocketmq: RunningCluster | undefined, say: (text: string) => void, signal: AbortSignal): Promise<boolean> {
  let hasStarted = false;
  for (const process of [...(rocketmq?.nameServers ?? []), ...(rocketmq?.brokers ?? [])]) {
    if (await process.isRunning()) continue;
    say(`RocketMQ's ${process.id} has ended before Sluice was ready: starting it again ...`);
    await process.start({ signal });
    hasStarted = true;
  }
  return hasStarted;
}

async function retryingOnce(action: () => Promise<void>, isMended: () => Promise<boolean>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(await isMended())) throw error;
    await action();
  }
}

/** Creates the Connect cluster at the first start here; later it must be there, and its broker is not looked at. */
async function init(clusterId: string, storePath: string, brokerName: string | undefined, access: ClusterConnection): Promise<void> {
  const isFirst = (await nodeThatKnows(clusterId, storePath)) === undefined;
  const isNew = isFirst && brokerName !== undefined;
  const purpose = isNew ? 'create' : 'check';
  await initCommand({ clusterId, purpose, brokerName: isNew ? brokerName : undefined, storePath }, access);
}

function print(name: string, line: string): void {
  console.log(prefixLine(name, line, process.stdout.isTTY));
}

const colours: Readonly<Record<string, number>> = {
  gateway: 36,
  coordinator: 35,
  'source-runner': 32,
  'sink-runner': 33,
  rocketmq: 34,
  sluice: 1,
};
const width = Math.max(...Object.keys(colours).map((name) => name.length));

/** Puts the name of its writer before a line, in colour on a terminal. */
function prefixLine(name: string, line: string, colour: boolean): string {
  const label = name.padEnd(width);
  return colour ? `\u001b[${colours[name] ?? 0}m${label}\u001b[0m ${line}` : `${label} ${line}`;
}
