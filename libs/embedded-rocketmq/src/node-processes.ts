import { brokersOf, type PlannedNode, nameServersOf } from './cluster-plan.js';
import { type ClusterJvms, launchNode, type LaunchInput, recordJvms, runningJvms } from './cluster-processes.js';
import { waitUntilUsable } from './cluster-readiness.js';
import { readClusterState } from './cluster-state.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { type Pause, pauseJvm } from './jvm-pause.js';
import { isJvmRunning, type JvmProcess, killJvm, signalJvm, stopJvm, waitForEnd } from './jvm-process.js';
import { checkPortsFree, portUses } from './ports.js';

export interface NodeProcessesInput {
  readonly launch: LaunchInput;
  readonly jvms: ClusterJvms;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly onProgress: ((line: string) => void) | undefined;
}

/** Signals after which a process is gone; others (SIGSTOP, SIGCONT, SIGQUIT) leave it running. */
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'];

/** The processes of one cluster, started and ended one call at a time, also between processes that hold the same cluster. */
export class NodeProcesses {
  readonly #input: NodeProcessesInput;
  readonly #jvms: ClusterJvms;
  readonly #pauses = new Map<string, Pause>();

  constructor(input: NodeProcessesInput) {
    this.#input = input;
    this.#jvms = new Map(input.jvms);
  }

  /** As last started; the process may have ended since. */
  pidOf(id: string): number | undefined {
    return this.#jvms.get(id)?.pid;
  }

  async isRunning({ id }: PlannedNode): Promise<boolean> {
    const jvm = this.#jvms.get(id);
    return jvm !== undefined && (await isJvmRunning(jvm));
  }

  /** Starts a process that does not run and waits until it is usable; ends it again when it does not become so. */
  async start(node: PlannedNode, signal?: AbortSignal): Promise<void> {
    await this.#exclusively(signal, () => this.#start(node, signal));
  }

  async restart(node: PlannedNode, signal?: AbortSignal): Promise<void> {
    await this.#exclusively(signal, async () => {
      await this.#stop(node);
      await this.#start(node, signal);
    });
  }

  /** SIGTERM for all of them at once, SIGKILL after the stop limit. */
  async stop(nodes: readonly PlannedNode[]): Promise<void> {
    await this.#exclusively(undefined, async () => {
      await Promise.all(nodes.map((node) => this.#stop(node)));
    });
  }

  /** SIGKILL for those that run. */
  async killAll(nodes: readonly PlannedNode[]): Promise<void> {
    await this.#exclusively(undefined, async () => {
      await Promise.all(
        nodes.map(async ({ id }) => {
          const jvm = this.#jvms.get(id);
          if (jvm !== undefined) await killJvm(jvm);
          await this.#forget(id);
        }),
      );
    });
  }

  /** Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING` when the process does not run, `NOT_ENDED_IN_TIME`. */
  async signal(node: PlannedNode, signal: NodeJS.Signals): Promise<void> {
    await this.#exclusively(undefined, async () => {
      const jvm = this.#jvms.get(node.id);
      if (jvm === undefined || !(await signalJvm(jvm, signal))) throw this.#notRunning(node, `${signal} was not sent`);
      if (!ENDING_SIGNALS.includes(signal)) return;
      await this.#endPause(node.id);
      if (!(await waitForEnd(jvm, this.#input.stopTimeoutMs))) {
        throw new EmbeddedRocketmqError(
          'NOT_ENDED_IN_TIME',
          `the ${node.id} of cluster ${this.#name} (pid ${jvm.pid}) still runs ${this.#input.stopTimeoutMs} ms after ${signal}`,
        );
      }
      await this.#forget(node.id);
    });
  }

  /** Throws EmbeddedRocketmqError `CLUSTER_NOT_RUNNING` when the process does not run. */
  async pause(node: PlannedNode): Promise<void> {
    await this.#exclusively(undefined, async () => {
      if (this.#pauses.has(node.id)) return;
      const jvm = this.#jvms.get(node.id);
      const pause = jvm && (await pauseJvm(jvm));
      if (pause === undefined) throw this.#notRunning(node, 'it was not paused');
      this.#pauses.set(node.id, pause);
    });
  }

  async resume({ id }: PlannedNode): Promise<void> {
    await this.#exclusively(undefined, () => this.#endPause(id));
  }

  async #start(node: PlannedNode, signal: AbortSignal | undefined): Promise<void> {
    const { launch, startTimeoutMs } = this.#input;
    if (await this.isRunning(node)) return;
    await checkPortsFree(portUses([node]));
    this.#jvms.set(node.id, await launchNode(node, launch));
    await this.#record();
    try {
      const { plan, layout } = launch;
      const nodes = await this.#usableWith(node);
      await waitUntilUsable({ plan, layout, nodes, processes: this.#jvms, timeoutMs: startTimeoutMs, signal });
    } catch (error) {
      await this.#stop(node);
      throw error;
    }
  }

  /** A broker is usable with every name server that answers, a name server with every broker. */
  async #usableWith(node: PlannedNode): Promise<PlannedNode[]> {
    const { nodes } = this.#input.launch.plan;
    const others = node.kind === 'namesrv' ? brokersOf(nodes) : nameServersOf(nodes);
    const running: PlannedNode[] = [node];
    for (const other of others) {
      if (!this.#pauses.has(other.id) && (await this.isRunning(other))) running.push(other);
    }
    return running;
  }

  async #stop({ id }: PlannedNode): Promise<void> {
    const jvm: JvmProcess | undefined = this.#jvms.get(id);
    if (jvm === undefined) return;
    await this.#endPause(id);
    const outcome = await stopJvm(jvm, this.#input.stopTimeoutMs);
    if (outcome.kind === 'killed') {
      this.#input.onProgress?.(
        `the ${id} of cluster ${this.#name} (pid ${jvm.pid}) did not end within ${outcome.afterMs} ms of SIGTERM: it was killed`,
      );
    }
    await this.#forget(id);
  }

  async #endPause(id: string): Promise<void> {
    const pause = this.#pauses.get(id);
    this.#pauses.delete(id);
    await pause?.end();
  }

  async #forget(id: string): Promise<void> {
    await this.#endPause(id);
    this.#jvms.delete(id);
    await this.#record();
  }

  /** Another process may have stopped the cluster and started it again: its processes are those of the cluster now. */
  async #adopt(): Promise<void> {
    const { layout } = this.#input.launch;
    const state = await readClusterState(layout);
    if (state === undefined) return;
    for (const [id, jvm] of await runningJvms(layout, state)) {
      if (this.#jvms.get(id)?.pid !== jvm.pid) this.#jvms.set(id, jvm);
    }
  }

  #recording: Promise<void> = Promise.resolve();

  /** One write after the other: each reads the file first. */
  #record(): Promise<void> {
    this.#recording = this.#recording.catch(() => undefined).then(() => recordJvms(this.#input.launch.layout, this.#jvms));
    return this.#recording;
  }

  get #name(): string {
    return this.#input.launch.plan.name;
  }

  #notRunning({ id }: PlannedNode, consequence: string): EmbeddedRocketmqError {
    return new EmbeddedRocketmqError('CLUSTER_NOT_RUNNING', `the ${id} of cluster ${this.#name} does not run: ${consequence}`);
  }

  async #exclusively<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    const release = await acquireLock(this.#input.launch.layout.dataDir, { signal });
    try {
      await this.#adopt();
      return await act();
    } finally {
      await release();
    }
  }
}
