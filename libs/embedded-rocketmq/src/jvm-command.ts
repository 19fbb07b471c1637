import { delimiter, join } from 'node:path';
import { type ClusterLayout } from './cluster-layout.js';
import { type ClusterPorts } from './ports.js';

export const CLUSTER_ROLES = ['namesrv', 'broker'] as const;
/** `broker` is the process that holds the broker and its proxy. */
export type ClusterRole = (typeof CLUSTER_ROLES)[number];

/** MiB. */
export interface HeapSizes {
  readonly namesrvMb: number;
  readonly brokerMb: number;
  /** Off-heap buffers of the broker and proxy (Netty). */
  readonly brokerDirectMb: number;
}

export const DEFAULT_HEAP_SIZES: HeapSizes = { namesrvMb: 96, brokerMb: 512, brokerDirectMb: 512 };

/** RocketMQ reaches into these packages for unmapping buffers. */
const OPENED_PACKAGES = [
  '--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED',
];

/** In the command line of each process of a cluster: tells that a pid is still that process. */
export function processMarker(role: ClusterRole, dataDir: string): string {
  return `-Dsluice.embedded.${role}=${dataDir}`;
}

export interface JvmCommandInput {
  readonly role: ClusterRole;
  readonly layout: ClusterLayout;
  readonly ports: ClusterPorts;
  readonly heap: HeapSizes;
  readonly libDir: string;
  /** Folder of the compiled LoopbackMain; without it RocketMQ's main classes are run directly. */
  readonly launcherDir: string | undefined;
}

/** What LoopbackMain needs: it sets the wildcard address of the IPv4 stack. */
const LOOPBACK_ARGUMENTS = ['--add-opens=java.base/java.net=ALL-UNNAMED', '-Djava.net.preferIPv4Stack=true'];
const LOOPBACK_MAIN = 'sluice.embedded.LoopbackMain';

/** Arguments of `java` for one process of a cluster. */
export function jvmArguments(input: JvmCommandInput): string[] {
  const { role, layout, libDir, launcherDir } = input;
  const jars = join(libDir, '*');
  return [
    ...memoryArguments(input),
    '-XX:+ExitOnOutOfMemoryError',
    `-XX:ErrorFile=${join(layout.logDir, `${role}-crash-%p.log`)}`,
    '-XX:-UsePerfData',
    ...OPENED_PACKAGES,
    ...(launcherDir === undefined ? [] : LOOPBACK_ARGUMENTS),
    `-Duser.home=${layout.dataDir}`,
    `-Drocketmq.home.dir=${layout.dataDir}`,
    processMarker(role, layout.dataDir),
    '-cp',
    ...(launcherDir === undefined ? [jars] : [`${launcherDir}${delimiter}${jars}`, LOOPBACK_MAIN]),
    ...mainAndArguments(input),
  ];
}

function memoryArguments({ role, heap }: JvmCommandInput): string[] {
  switch (role) {
    case 'namesrv':
      return ['-Xms32m', `-Xmx${heap.namesrvMb}m`, '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    case 'broker':
      return [
        `-Xms${heap.brokerMb}m`,
        `-Xmx${heap.brokerMb}m`,
        `-XX:MaxDirectMemorySize=${heap.brokerDirectMb}m`,
        '-XX:+UseG1GC',
      ];
  }
}

function mainAndArguments({ role, layout, ports }: JvmCommandInput): string[] {
  switch (role) {
    case 'namesrv':
      return ['org.apache.rocketmq.namesrv.NamesrvStartup', '-c', layout.namesrvConf];
    case 'broker':
      return [
        'org.apache.rocketmq.proxy.ProxyStartup',
        ...['-n', `127.0.0.1:${ports.namesrv}`],
        ...['-bc', layout.brokerConf],
        ...['-pc', layout.proxyConf],
        ...['-pm', 'local'],
      ];
  }
}
