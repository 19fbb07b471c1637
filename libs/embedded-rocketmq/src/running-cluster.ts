import { brokersOf, type PlannedNode, controllerAddress, LOOPBACK, nameServerList, nameServersOf } from './cluster-plan.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { BrokerHandle, NodeHandle } from './node-handle.js';
import { NodeProcesses, type NodeProcessesInput } from './node-processes.js';
import { ASK_TIMEOUT_MS, askBrokers, askSyncState, type BrokerTable, parseAddress } from './remoting-probe.js';
import type { RocketmqVersion } from './rocketmq-version.js';

/** Process ids by the id of the process. */
export interface ClusterPids {
  readonly namesrv?: number;
  readonly broker?: number;
  readonly [id: string]: number | undefined;
}

/** A cluster that is up, or was when it was handed out. Its methods may be called at any time and wait for each other. */
export class RunningCluster {
  readonly name: string;
  readonly version: RocketmqVersion;
  /** All name servers as clients take them: `127.0.0.1:9876`, several separated by `;`. */
  readonly namesrv: string;
  /** Name of the first broker. */
  readonly brokerName: string;
  /** Address of the first broker: `127.0.0.1:10911`. */
  readonly brokerAddr: string;
  readonly nameServers: readonly NodeHandle[];
  /** In the order of the topology, each with its replicas after it. */
  readonly brokers: readonly BrokerHandle[];
  readonly dataDir: string;
  /** Of the first name server and the first broker. */
  readonly logDir: string;
  readonly #nodes: readonly PlannedNode[];
  readonly #processes: NodeProcesses;
  readonly #firstBroker: BrokerHandle;

  constructor(input: NodeProcessesInput) {
    const { plan, layout } = input.launch;
    this.name = plan.name;
    this.version = plan.version;
    this.dataDir = layout.dataDir;
    this.logDir = layout.logDir;
    this.#nodes = plan.nodes;
    this.#processes = new NodeProcesses(input);
    this.namesrv = nameServerList(plan.nodes);
    this.nameServers = nameServersOf(plan.nodes).map((node) => new NodeHandle(node, this.#processes));
    this.brokers = brokersOf(plan.nodes).map((node) => new BrokerHandle(node, this.#processes));
    const [first] = this.brokers;
    if (first === undefined) throw new EmbeddedRocketmqError('OPTION_INVALID', `the plan of cluster ${plan.name} has no broker`);
    this.#firstBroker = first;
    this.brokerName = first.brokerName;
    this.brokerAddr = first.address;
  }

  /**
   * Address of the gRPC proxy, which runs in the first broker: `127.0.0.1:8081`.
   * Throws EmbeddedRocketmqError `OPTION_INVALID` for a version that has none, and where it was left out.
   */
  get grpc(): string {
    const [first] = brokersOf(this.#nodes);
    if (first?.ports.grpc === undefined) {
      throw new EmbeddedRocketmqError('OPTION_INVALID', `cluster ${this.name} runs RocketMQ ${this.version} without a gRPC proxy`);
    }
    return `${LOOPBACK}:${first.ports.grpc}`;
  }

  /** As last started; a process may have ended since. */
  get pids(): ClusterPids {
    const pids = this.#nodes.map(({ id }) => [id, this.#processes.pidOf(id)] as const);
    return Object.fromEntries(pids.filter(([, pid]) => pid !== undefined));
  }

  /**
   * Ends the brokers and then the name servers with SIGTERM, with SIGKILL only after the stop limit (reported through
   * `onProgress`). Resolves after all have ended. The data stays. Stopping twice is fine.
   * Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME`.
   */
  async stop(): Promise<void> {
    await this.#processes.stop(brokersOf(this.#nodes));
    await this.#processes.stop(nameServersOf(this.#nodes));
  }

  /**
   * Ends everything with SIGKILL, for data that is thrown away: an orderly end takes RocketMQ several seconds.
   * Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME`.
   */
  async kill(): Promise<void> {
    await this.#processes.killAll(this.#nodes);
  }

  /** `kill` of the first broker. */
  async killBroker(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#firstBroker.kill(signal);
  }

  /** `start` of the first broker. */
  async startBroker(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#firstBroker.start(options);
  }

  /** `restart` of the first broker. */
  async restartBroker(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#firstBroker.restart(options);
  }

  /** Returns the broker that the name servers name as the master of a broker name now; undefined while they name none. */
  async masterOf(brokerName: string): Promise<BrokerHandle | undefined> {
    for (const { address } of this.nameServers) {
      const known: BrokerTable | undefined = await askBrokers(parseAddress(address), ASK_TIMEOUT_MS);
      if (known === undefined) continue;
      const master = known.get(brokerName)?.get(0);
      return this.brokers.find((broker) => broker.address === master);
    }
    return undefined;
  }

  /**
   * Returns the brokers of that name that have every acknowledged message, the master among them, as the controller says; empty
   * while it does not answer. Throws EmbeddedRocketmqError `OPTION_INVALID` in a cluster without a controller.
   */
  async inSyncReplicas(brokerName: string): Promise<BrokerHandle[]> {
    const controller = controllerAddress(this.#nodes);
    if (controller === undefined) {
      throw new EmbeddedRocketmqError('OPTION_INVALID', `cluster ${this.name} has no controller`);
    }
    const state = await askSyncState(parseAddress(controller), brokerName, ASK_TIMEOUT_MS);
    return this.brokers.filter(({ address }) => state?.inSyncAddresses.includes(address) === true);
  }
}
