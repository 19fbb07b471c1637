import { join, resolve } from 'node:path';

/** Where one cluster keeps everything: nothing is written outside `dataDir`. */
export interface ClusterLayout {
  readonly dataDir: string;
  /** The logs of the first name server and the first broker. */
  readonly logDir: string;
  readonly stateFile: string;
}

export function clusterLayout(dataDir: string): ClusterLayout {
  const root = resolve(dataDir);
  return { dataDir: root, logDir: join(root, 'logs'), stateFile: join(root, 'cluster.json') };
}

/** Where one process of a cluster keeps its files. */
export interface NodeLayout {
  /** Home of the process: RocketMQ writes its own logs to `logs` below. */
  readonly homeDir: string;
  readonly confDir: string;
  readonly storeDir: string;
  readonly logDir: string;
  readonly rocketmqLogDir: string;
  readonly confFile: string;
  readonly proxyConfFile: string;
  /** What the process printed. */
  readonly outFile: string;
}

/** The first name server and the first broker share the data folder; each other process has a folder of its own there. */
export function nodeLayout({ dataDir }: ClusterLayout, { kind, id }: { kind: string; id: string }): NodeLayout {
  const homeDir = id === kind ? dataDir : join(dataDir, id);
  const confDir = join(homeDir, 'conf');
  const logDir = join(homeDir, 'logs');
  return {
    homeDir,
    confDir,
    storeDir: join(homeDir, 'store'),
    logDir,
    rocketmqLogDir: join(logDir, 'rocketmqlogs'),
    confFile: join(confDir, `${kind}.conf`),
    proxyConfFile: join(confDir, 'rmq-proxy.json'),
    outFile: join(logDir, `${kind}.out`),
  };
}

/** `<SLUICE_HOME or ./.sluice>/rocketmq`: the folder of the clusters that were given no data folder. */
export function clustersDir(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['SLUICE_HOME'];
  return resolve(home !== undefined && home !== '' ? home : '.sluice', 'rocketmq');
}
