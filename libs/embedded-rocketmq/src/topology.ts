import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { type RocketmqVersion, versionTraits } from './rocketmq-version.js';

/** How a master answers a send: before its slaves have the message, or after. */
export type MasterRole = 'ASYNC_MASTER' | 'SYNC_MASTER';

/** Broker processes that share one broker name and hold the same messages. */
export interface BrokerSetOptions {
  /** 1 to 64 letters, digits, `-` and `_`. */
  readonly name: string;
  /** Processes in all: one master and `replicas` - 1 slaves. 1 by default. */
  readonly replicas?: number;
  /** `ASYNC_MASTER` by default. Not with a controller, where every master waits for the replicas in sync. */
  readonly role?: MasterRole;
  /** Broker properties of this set, over those of the cluster. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface TopologyOptions {
  /** 1 by default. */
  readonly nameServers?: number;
  /** One broker `broker-<cluster>` by default. */
  readonly brokers?: readonly BrokerSetOptions[];
  /** Whether a controller in the first name server chooses the masters and replaces one that is gone. 5.x only. */
  readonly controller?: boolean;
  /** Whether the gRPC proxy runs in the process of the first broker: by default where the version has one. It doubles what a start costs. */
  readonly proxy?: boolean;
}

export interface NameServerIdentity {
  readonly kind: 'namesrv';
  /** `namesrv`, `namesrv-2`, …: names the process in messages, and its folder. */
  readonly id: string;
  readonly hasController: boolean;
}

export interface BrokerIdentity {
  readonly kind: 'broker';
  /** `broker`, `broker-2`, … in the order of the sets, each master before its slaves. */
  readonly id: string;
  readonly brokerName: string;
  /** 0: the master. Absent where a controller gives out ids and roles. */
  readonly brokerId?: number;
  readonly role?: MasterRole | 'SLAVE';
  /** Whether the gRPC proxy runs in its process. */
  readonly hasProxy: boolean;
  readonly config: Readonly<Record<string, string>>;
}

/** One process of a cluster, before its ports are chosen. */
export type NodeIdentity = NameServerIdentity | BrokerIdentity;

const MOST_NAME_SERVERS = 5;
const MOST_REPLICAS = 5;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export function defaultBrokerName(clusterName: string): string {
  return `broker-${clusterName}`;
}

/** Letters, digits, `-` and `_`: RocketMQ allows no more in cluster and broker names, and a cluster's name is a folder. */
export function checkName(what: 'cluster' | 'broker', name: string): void {
  if (NAME.test(name)) return;
  throw invalid(`${what} name ${JSON.stringify(name)}: 1 to 64 letters, digits, "-" and "_" are allowed`);
}

/** Returns the processes of a cluster, name servers first. Throws EmbeddedRocketmqError `OPTION_INVALID`. */
export function nodesOf(clusterName: string, version: RocketmqVersion, topology: TopologyOptions): NodeIdentity[] {
  const { hasProxy, hasController } = versionTraits(version);
  const { nameServers = 1, brokers = [{ name: defaultBrokerName(clusterName) }], controller = false } = topology;
  const { proxy = hasProxy } = topology;
  checkCount('topology.nameServers', nameServers, MOST_NAME_SERVERS);
  if (brokers.length === 0) throw invalid('topology.brokers is empty: at least one broker is needed');
  if (controller && !hasController) {
    throw invalid(`topology.controller is set: RocketMQ ${version} has no controller, 5.1 and newer have`);
  }
  if (proxy && !hasProxy) {
    throw invalid(`topology.proxy is set: there is no proxy of RocketMQ ${version}, 5.5.0 has one`);
  }
  const names = new Set<string>();
  for (const { name, replicas = 1, role } of brokers) {
    checkName('broker', name);
    if (names.has(name)) throw invalid(`topology.brokers has ${name} twice`);
    names.add(name);
    checkCount(`topology.brokers ${name}: replicas`, replicas, MOST_REPLICAS);
    if (controller && role !== undefined) {
      throw invalid(`topology.brokers ${name}: role ${role} given, the controller gives out the roles`);
    }
  }
  const brokerProcesses = brokers.flatMap((set) => Array.from({ length: set.replicas ?? 1 }, (_, brokerId) => ({ set, brokerId })));
  return [
    ...Array.from({ length: nameServers }, (_, index): NameServerIdentity => ({
      kind: 'namesrv',
      id: numbered('namesrv', index),
      hasController: controller && index === 0,
    })),
    ...brokerProcesses.map(({ set, brokerId }, index): BrokerIdentity => ({
      kind: 'broker',
      id: numbered('broker', index),
      brokerName: set.name,
      ...(controller ? {} : { brokerId, role: brokerId === 0 ? (set.role ?? 'ASYNC_MASTER') : 'SLAVE' }),
      hasProxy: proxy && index === 0,
      config: set.config ?? {},
    })),
  ];
}

function numbered(kind: string, index: number): string {
  return index === 0 ? kind : `${kind}-${index + 1}`;
}

function checkCount(what: string, count: number, most: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= most) return;
  throw invalid(`${what} ${count} given: 1 to ${most} are allowed`);
}

function invalid(message: string): EmbeddedRocketmqError {
  return new EmbeddedRocketmqError('OPTION_INVALID', message);
}
