import { delimiter, join } from 'node:path';
import type { NodeLayout } from './cluster-layout.js';
import { type PlannedNode, type HeapSizes, nameServerList, type TlsProperties } from './cluster-plan.js';

/** RocketMQ reaches into these packages for unmapping buffers. */
const OPENED_PACKAGES = [
  '--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED',
];

/** In the command line of each process of a cluster: proves that a pid is still that process. */
export function processMarker(nodeId: string, dataDir: string): string {
  return `-Dsluice.embedded.${nodeId}=${dataDir}`;
}

export interface JvmCommandInput {
  readonly node: PlannedNode;
  readonly layout: NodeLayout;
  /** All of the cluster. */
  readonly nodes: readonly PlannedNode[];
  readonly heap: HeapSizes;
  readonly tls: TlsProperties;
  /** See `processMarker`. */
  readonly marker: string;
  readonly libDir: string;
  /** With LoopbackMain; without it RocketMQ's main classes are run directly. */
  readonly launcherJar: string | undefined;
  /** See `classArchiveArguments`. */
  readonly classArchive: readonly string[];
}

/** What LoopbackMain needs: it sets the wildcard address of the IPv4 stack. */
const LOOPBACK_ARGUMENTS = ['--add-opens=java.base/java.net=ALL-UNNAMED', '-Djava.net.preferIPv4Stack=true'];
const LOOPBACK_MAIN = 'sluice.embedded.LoopbackMain';

/** Arguments of `java` for one process of a cluster. */
export function jvmArguments(input: JvmCommandInput): string[] {
  const { node, layout, marker, libDir, launcherJar, classArchive, tls } = input;
  const jars = join(libDir, '*');
  return [
    ...memoryArguments(input),
    '-XX:+ExitOnOutOfMemoryError',
    `-XX:ErrorFile=${join(layout.logDir, `${node.kind}-crash-%p.log`)}`,
    '-XX:-UsePerfData',
    ...classArchive,
    ...OPENED_PACKAGES,
    ...(launcherJar === undefined ? [] : LOOPBACK_ARGUMENTS),
    `-Duser.home=${layout.homeDir}`,
    `-Drocketmq.home.dir=${layout.homeDir}`,
    ...Object.entries(tls).map(([name, value]) => `-D${name}=${value}`),
    marker,
    '-cp',
    ...(launcherJar === undefined ? [jars] : [`${launcherJar}${delimiter}${jars}`, LOOPBACK_MAIN]),
    ...mainAndArguments(input),
  ];
}

function memoryArguments({ node, heap }: JvmCommandInput): string[] {
  switch (node.kind) {
    case 'namesrv':
      return ['-Xms32m', `-Xmx${heap.namesrvMb}m`, '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    case 'broker':
      return [`-Xms${heap.brokerMb}m`, `-Xmx${heap.brokerMb}m`, `-XX:MaxDirectMemorySize=${heap.brokerDirectMb}m`, '-XX:+UseG1GC'];
  }
}

function mainAndArguments({ node, nodes, layout }: JvmCommandInput): string[] {
  if (node.kind === 'namesrv') return ['org.apache.rocketmq.namesrv.NamesrvStartup', '-c', layout.confFile];
  if (!node.hasProxy) return ['org.apache.rocketmq.broker.BrokerStartup', '-c', layout.confFile];
  return [
    'org.apache.rocketmq.proxy.ProxyStartup',
    ...['-n', nameServerList(nodes)],
    ...['-bc', layout.confFile],
    ...['-pc', layout.proxyConfFile],
    ...['-pm', 'local'],
  ];
}
