import { brokerNameOf } from './cluster-config.js';
import { type ClusterLayout } from './cluster-layout.js';
import { type ClusterJvms, launchJvm, type LaunchInput, recordJvms } from './cluster-processes.js';
import { waitUntilUsable } from './cluster-readiness.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { CLUSTER_ROLES, type ClusterRole } from './jvm-command.js';
import { isJvmRunning, type JvmProcess, killJvm, signalJvm, stopJvm, waitForEnd } from './jvm-process.js';
import { brokerPortUses, checkPortsFree, type ClusterPorts } from './ports.js';

export interface RunningClusterInput {
  readonly launch: Omit<LaunchInput, 'role'>;
  readonly jvms: ClusterJvms;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly onProgress: ((line: string) => void) | undefined;
}

/** Signals after which a process is gone; others (SIGSTOP, SIGCONT, SIGQUIT) leave it running. */
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'];

/** A cluster that is up, or was when it was handed out. Its methods may be called at any time and wait for each other. */
export class RunningCluster {
  readonly name: string;
  readonly ports: ClusterPorts;
  /** `127.0.0.1:9876` */
  readonly namesrv: string;
  /** `127.0.0.1:8081` */
  readonly grpc: string;
  readonly brokerName: string;
  /** `127.0.0.1:10911` */
  readonly brokerAddr: string;
  readonly dataDir: string;
  readonly logDir: string;
  readonly #input: RunningClusterInput;
  readonly #layout: ClusterLayout;
  readonly #jvms: ClusterJvms;

  constructor(input: RunningClusterInput) {
    const { name, ports, layout } = input.launch;
    this.name = name;
    this.ports = ports;
    this.namesrv = `127.0.0.1:${ports.namesrv}`;
    this.grpc = `127.0.0.1:${ports.grpc}`;
    this.brokerName = brokerNameOf(name);
    this.brokerAddr = `127.0.0.1:${ports.broker}`;
    this.dataDir = layout.dataDir;
    this.logDir = layout.logDir;
    this.#input = input;
    this.#layout = layout;
    this.#jvms = { ...input.jvms };
  }

  /** Process ids as last started; a process may have ended since. */
  get pids(): Readonly<Partial<Record<ClusterRole, number>>> {
    const pids: Partial<Record<ClusterRole, number>> = {};
    if (this.#jvms.namesrv !== undefined) pids.namesrv = this.#jvms.namesrv.pid;
    if (this.#jvms.broker !== undefined) pids.broker = this.#jvms.broker.pid;
    return pids;
  }

  /**
   * Ends broker and namesrv with SIGTERM, with SIGKILL only after the stop limit (reported through `onProgress`).
   * Resolves after both have ended. The data stays. Stopping twice is fine.
   * Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME`.
   */
  async stop(): Promise<void> {
    await this.#exclusively(undefined, async () => {
      await this.#stopRole('broker');
      await this.#stopRole('namesrv');
    });
  }

  /**
   * Ends broker and namesrv with SIGKILL, for data that is thrown away: an orderly end takes RocketMQ several seconds.
   * Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME`.
   */
  async kill(): Promise<void> {
    await this.#exclusively(undefined, async () => {
      for (const role of [...CLUSTER_ROLES].reverse()) {
        const jvm = this.#jvms[role];
        if (jvm === undefined) continue;
        await killJvm(jvm);
        await this.#forget(role);
      }
    });
  }

  /** Ends the broker and its proxy as `stop` does; the namesrv goes on. */
  async stopBroker(): Promise<void> {
    await this.#exclusively(undefined, () => this.#stopRole('broker'));
  }

  /**
   * Sends a signal to the broker's JVM. After SIGKILL, SIGTERM, SIGINT and SIGHUP it resolves when the process has ended.
   * Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING` when the broker does not run, `NOT_ENDED_IN_TIME`.
   */
  async killBroker(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#exclusively(undefined, async () => {
      const jvm = this.#jvms.broker;
      if (jvm === undefined || !(await signalJvm(jvm, signal))) {
        throw new EmbeddedRocketmqError(
          'CLUSTER_NOT_RUNNING',
          `the broker of cluster ${this.name} does not run: ${signal} was not sent`,
        );
      }
      if (!ENDING_SIGNALS.includes(signal)) return;
      if (!(await waitForEnd(jvm, this.#input.stopTimeoutMs))) {
        throw new EmbeddedRocketmqError(
          'NOT_ENDED_IN_TIME',
          `the broker of cluster ${this.name} (pid ${jvm.pid}) still runs ${this.#input.stopTimeoutMs} ms after ${signal}`,
        );
      }
      await this.#forget('broker');
    });
  }

  /**
   * Starts the broker and its proxy again on the same ports and data; resolves when they answer. Does nothing while it runs.
   * Throws EmbeddedRocketmqError `PORT_TAKEN`, `JVM_DIED`, `NOT_UP_IN_TIME`; rejects with the signal's reason.
   */
  async startBroker(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#exclusively(options.signal, () => this.#startBroker(options.signal));
  }

  /** `stopBroker` and `startBroker` in one step. */
  async restartBroker(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#exclusively(options.signal, async () => {
      await this.#stopRole('broker');
      await this.#startBroker(options.signal);
    });
  }

  async #startBroker(signal: AbortSignal | undefined): Promise<void> {
    const { launch, startTimeoutMs } = this.#input;
    const current = this.#jvms.broker;
    if (current !== undefined && (await isJvmRunning(current))) return;
    await checkPortsFree(brokerPortUses(this.ports));
    this.#jvms.broker = await launchJvm({ ...launch, role: 'broker' });
    await recordJvms(this.#layout, this.#jvms);
    try {
      await waitUntilUsable({
        name: this.name,
        ports: this.ports,
        layout: this.#layout,
        processes: this.#jvms,
        timeoutMs: startTimeoutMs,
        signal,
      });
    } catch (error) {
      await this.#stopRole('broker');
      throw error;
    }
  }

  async #stopRole(role: ClusterRole): Promise<void> {
    const jvm: JvmProcess | undefined = this.#jvms[role];
    if (jvm === undefined) return;
    const outcome = await stopJvm(jvm, this.#input.stopTimeoutMs);
    if (outcome.kind === 'killed') {
      this.#input.onProgress?.(
        `the ${role} of cluster ${this.name} (pid ${jvm.pid}) did not end within ${outcome.afterMs} ms of SIGTERM: it was killed`,
      );
    }
    await this.#forget(role);
  }

  async #forget(role: ClusterRole): Promise<void> {
    if (role === 'broker') delete this.#jvms.broker;
    else delete this.#jvms.namesrv;
    await recordJvms(this.#layout, this.#jvms);
  }

  async #exclusively<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    const release = await acquireLock(this.dataDir, { signal });
    try {
      return await act();
    } finally {
      await release();
    }
  }
}
