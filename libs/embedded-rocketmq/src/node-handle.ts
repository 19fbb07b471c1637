import { addressOf, type BrokerNode, type PlannedNode } from './cluster-plan.js';
import type { NodeProcesses } from './node-processes.js';
import { ASK_TIMEOUT_MS, askMetadata, type BrokerMetadata, parseAddress } from './remoting-probe.js';

/** One process of a running cluster. Its methods may be called at any time and wait for each other within the cluster. */
export class NodeHandle {
  /** `namesrv`, `namesrv-2`, …, `broker`, `broker-2`, … */
  readonly id: string;
  /** `127.0.0.1:9876` */
  readonly address: string;
  readonly #node: PlannedNode;
  readonly #processes: NodeProcesses;

  constructor(node: PlannedNode, processes: NodeProcesses) {
    this.id = node.id;
    this.address = addressOf(node);
    this.#node = node;
    this.#processes = processes;
  }

  /** As last started; undefined after it was stopped or killed. */
  get pid(): number | undefined {
    return this.#processes.pidOf(this.id);
  }

  /** Returns whether the process exists, paused or not. */
  isRunning(): Promise<boolean> {
    return this.#processes.isRunning(this.#node);
  }

  /**
   * Starts it again on the same ports and data. Resolves when it answers, running name servers and brokers know each other (within 10 s),
   * and, with a controller, it is in sync. Does nothing while it runs. Throws EmbeddedRocketmqError `PORT_TAKEN`, `JVM_DIED`,
   * `NOT_UP_IN_TIME`; rejects with the signal's reason.
   */
  start(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#processes.start(this.#node, options.signal);
  }

  /** Ends it with SIGTERM, with SIGKILL after the stop limit. Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME`. */
  stop(): Promise<void> {
    return this.#processes.stop([this.#node]);
  }

  /** `stop` and `start` in one step. */
  restart(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#processes.restart(this.#node, options.signal);
  }

  /**
   * Sends a signal to it. After SIGKILL, SIGTERM, SIGINT and SIGHUP it resolves when the process has ended.
   * Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING` when it does not run, `NOT_ENDED_IN_TIME`.
   */
  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#processes.signal(this.#node, signal);
  }

  /** Stops it where it is (SIGSTOP): connections stay open and nothing answers. Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING`. */
  pause(): Promise<void> {
    return this.#processes.pause(this.#node);
  }

  /** Resumes it after `pause` (SIGCONT); does nothing otherwise. */
  resume(): Promise<void> {
    return this.#processes.resume(this.#node);
  }
}

export class BrokerHandle extends NodeHandle {
  readonly brokerName: string;
  /** 0: started as the master. Undefined where a controller gives out ids and roles. */
  readonly brokerId: number | undefined;

  constructor(node: BrokerNode, processes: NodeProcesses) {
    super(node, processes);
    this.brokerName = node.brokerName;
    this.brokerId = node.brokerId;
  }

  /**
   * Returns topics and groups that this very process knows; undefined when it does not answer. A slave learns of new ones every
   * 10 s only: until then they would be lost with the master, whatever became of the messages.
   */
  metadata(): Promise<BrokerMetadata | undefined> {
    return askMetadata(parseAddress(this.address), ASK_TIMEOUT_MS);
  }
}
