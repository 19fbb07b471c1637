import { join, resolve } from 'node:path';

/** Where one cluster keeps everything: nothing is written outside `dataDir`. */
export interface ClusterLayout {
  readonly dataDir: string;
  readonly confDir: string;
  readonly storeDir: string;
  readonly logDir: string;
  /** RocketMQ's own logs: below `logs` of the JVM's user.home. */
  readonly rocketmqLogDir: string;
  readonly namesrvConf: string;
  readonly brokerConf: string;
  readonly proxyConf: string;
  readonly namesrvOut: string;
  readonly brokerOut: string;
  readonly stateFile: string;
}

export function clusterLayout(dataDir: string): ClusterLayout {
  const root = resolve(dataDir);
  const confDir = join(root, 'conf');
  const logDir = join(root, 'logs');
  return {
    dataDir: root,
    confDir,
    storeDir: join(root, 'store'),
    logDir,
    rocketmqLogDir: join(logDir, 'rocketmqlogs'),
    namesrvConf: join(confDir, 'namesrv.conf'),
    brokerConf: join(confDir, 'broker.conf'),
    proxyConf: join(confDir, 'rmq-proxy.json'),
    namesrvOut: join(logDir, 'namesrv.out'),
    brokerOut: join(logDir, 'broker.out'),
    stateFile: join(root, 'cluster.json'),
  };
}

/** `<SLUICE_HOME or ./.sluice>/rocketmq`: the folder of the clusters that were given no data folder. */
export function clustersDir(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['SLUICE_HOME'];
  return resolve(home !== undefined && home !== '' ? home : '.sluice', 'rocketmq');
}
