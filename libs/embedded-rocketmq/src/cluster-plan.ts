import type { RocketmqVersion } from './rocketmq-version.js';
import type { BrokerIdentity, NameServerIdentity, TopologyOptions } from './topology.js';

export interface NameServerPorts {
  readonly listen: number;
  readonly controller?: number;
}

/** A broker also listens on `listen` - 2 (fast) and `listen` + 1 (HA). */
export interface BrokerPorts {
  readonly listen: number;
  readonly grpc?: number;
  /** The proxy's remoting protocol: RocketMQ always opens it beside gRPC, Sluice does not use it. */
  readonly proxyRemoting?: number;
}

export interface NameServerNode extends NameServerIdentity {
  readonly ports: NameServerPorts;
}

export interface BrokerNode extends BrokerIdentity {
  readonly ports: BrokerPorts;
}

/** One process of a cluster. */
export type PlannedNode = NameServerNode | BrokerNode;

/** MiB, of each process. */
export interface HeapSizes {
  readonly namesrvMb: number;
  readonly brokerMb: number;
  /** Off-heap buffers of the broker and proxy (Netty). */
  readonly brokerDirectMb: number;
}

export const DEFAULT_HEAP_SIZES: HeapSizes = { namesrvMb: 128, brokerMb: 512, brokerDirectMb: 512 };

/** What a cluster is made of. */
export interface ClusterPlan {
  readonly name: string;
  readonly version: RocketmqVersion;
  /** What the nodes follow from. */
  readonly topology: TopologyOptions;
  /** Name servers first. */
  readonly nodes: readonly PlannedNode[];
  readonly heap: HeapSizes;
  /** Added to every broker.conf, over the defaults of `brokerProperties`. */
  readonly brokerConfig: Readonly<Record<string, string>>;
  /** System properties `tls.…` of every process. */
  readonly tls: TlsProperties;
}

export type TlsProperties = Readonly<Record<`tls.${string}`, string>>;

/** Plain connections only: for TLS a RocketMQ makes a certificate at each start, which takes half of that. */
export const NO_TLS: TlsProperties = { 'tls.server.mode': 'disabled' };

export const LOOPBACK = '127.0.0.1';

export function nameServersOf(nodes: readonly PlannedNode[]): NameServerNode[] {
  return nodes.filter((node) => node.kind === 'namesrv');
}

export function brokersOf(nodes: readonly PlannedNode[]): BrokerNode[] {
  return nodes.filter((node) => node.kind === 'broker');
}

/** `127.0.0.1:10911` */
export function addressOf(node: PlannedNode): string {
  return `${LOOPBACK}:${node.ports.listen}`;
}

/** Returns all name servers as clients and brokers take them: `127.0.0.1:9876;127.0.0.1:9877`. */
export function nameServerList(nodes: readonly PlannedNode[]): string {
  return nameServersOf(nodes).map(addressOf).join(';');
}

/** Address of the controller; undefined in a cluster without one. */
export function controllerAddress(nodes: readonly PlannedNode[]): string | undefined {
  const port = nameServersOf(nodes).find(({ ports }) => ports.controller !== undefined)?.ports.controller;
  return port === undefined ? undefined : `${LOOPBACK}:${port}`;
}
