import { DesiredTasks, type PluginInfo, taskKey, type TaskReport } from '@sluice/core';
import { type ClusterNode, type CommandSender, type Heartbeat, nodeHeartbeat } from '@sluice/node';
import {
  type ConfigSecrets,
  describerOf,
  type PluginRegistry,
  type ResolvedTask,
  systemClock,
  TaskHost,
  type TaskLoop,
} from '@sluice/runtime';
import type { TaskBoards, TaskMeter } from '../metrics/task-meter.js';
import { SecretWatch } from '../secrets/secret-watch.js';
import type { ConnectorRates } from './connector-rates.js';
import { GenerationRequests } from './generation-requests.js';
import { TaskReconciler } from './task-reconciler.js';
import { RunnerError } from '../runner-error.js';

/** Longest time between giving a task up, after its own `task.shutdown.timeout.ms`, and its end. */
const KILL_TIMEOUT_MS = 5000;

const RESTART_TIMEOUT_MS = 10_000;

/** How soon a changed secret is seen. */
const SECRETS_INTERVAL_MS = 10_000;

export interface NodeTasksOptions {
  readonly node: ClusterNode;
  readonly plugins: PluginRegistry;
  /** Of the plugins. */
  readonly secrets: Pick<ConfigSecrets, 'current'>;
  /** What the node reports of its plugins. */
  readonly pluginInfos: () => readonly PluginInfo[];
  /** Makes the loop of a task, which shows on the boards what it does; throws when its settings are wrong. */
  readonly createLoop: (task: ResolvedTask, boards: TaskBoards) => TaskLoop;
  readonly commands: Pick<CommandSender, 'submit'>;
  readonly meter: TaskMeter;
  readonly rates: Pick<ConnectorRates, 'update'>;
}

/** Starts, stops and reports the tasks of a node until they match what the log assigns to it. */
export class NodeTasks {
  readonly #options: NodeTasksOptions;
  readonly #desired: DesiredTasks;
  readonly #host: TaskHost;
  readonly #heartbeat: Heartbeat;
  readonly #reconciler: TaskReconciler;
  readonly #secrets: SecretWatch;
  #unsubscribe: () => void = () => undefined;
  #isLeaving = false;
  #isReconcilingSoon = false;

  constructor(options: NodeTasksOptions) {
    const { createLoop, meter, node, pluginInfos, plugins, secrets, commands } = options;
    const logger = node.logger.scoped('tasks');
    const generations = new GenerationRequests((name, tasks) =>
      commands.submit({ kind: 'tasks.restart', name, tasks }, { timeoutMs: RESTART_TIMEOUT_MS }),
    );
    this.#options = options;
    this.#desired = new DesiredTasks(node.self);
    this.#host = new TaskHost({
      resolve: async (task, signal) => {
        const resolved = await plugins.resolveTask(task, signal);
        this.#secrets.note(task, resolved);
        return resolved;
      },
      createLoop: (task) => meter.counted(task.id, (boards) => createLoop(plugins.pinned(task), boards)),
      versionOf: ({ config }) => plugins.versionOf(config),
      describerOf: (task) => describerOf(plugins.pinned(task), plugins),
      requestNewGeneration: ({ id, generation }) => generations.request({ ...id, generation }),
      clock: systemClock,
      logger,
      onChange: () => {
        this.#heartbeat.announce();
        this.#reconcileSoon();
      },
      onStuck: (task) => {
        node.fail(
          new RunnerError('TASK_STUCK', `Task ${taskKey(task.id)} does not stop: only the end of the process stops it for certain`, false),
        );
      },
      killTimeoutMs: KILL_TIMEOUT_MS,
    });
    this.#secrets = new SecretWatch({
      secrets,
      held: () => this.heldKeys(),
      renew: (key) => {
        this.#host.renew(key);
      },
      logger,
      nowMs: () => systemClock.nowMs(),
      intervalMs: SECRETS_INTERVAL_MS,
    });
    this.#heartbeat = nodeHeartbeat(node, () => ({
      leaving: this.#isLeaving,
      plugins: pluginInfos(),
      tasks: this.#host.reports(),
    }));
    this.#reconciler = new TaskReconciler(this.#host, () => this.#desired.in(node.follower.state), logger);
  }

  /** Keys of the tasks that the node holds, failed ones included. */
  heldKeys(): ReadonlySet<string> {
    return new Set(this.#host.held().keys());
  }

  reports(): readonly TaskReport[] {
    return this.#host.reports();
  }

  start(): void {
    this.#unsubscribe = this.#followAssignments();
    this.#heartbeat.start();
    this.#secrets.start();
    this.#limitRates();
    this.#reconciler.reconcile();
  }

  /** Stops all tasks; the leader reassigns each as soon as a report says that it is gone. Reports continue until {@link stop}. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#secrets.stop();
    this.#reconciler.close();
    this.#heartbeat.announce();
    await this.#host.stopAll();
    this.#unsubscribe();
  }

  /** Sends the last report. */
  async stop(): Promise<void> {
    await this.#heartbeat.stop();
  }

  #followAssignments(): () => void {
    const { follower, self } = this.#options.node;
    let last: ReturnType<DesiredTasks['in']> | undefined;
    return follower.subscribe(({ state, accepted }) => {
      const now = this.#desired.in(state);
      if (now !== last) {
        this.#limitRates();
        this.#reconciler.reconcile();
      }
      last = now;
      // The leader waits to hear that a revocation is applied, also where the task was not started yet.
      const concerned = accepted.some(
        ({ entry: { event } }) =>
          event.kind === 'tasks.revoked' && event.tasks.some((id) => state.tasks.get(taskKey(id))?.assignment?.nodeId === self.nodeId),
      );
      if (concerned) this.#heartbeat.announce();
    });
  }

  /** Before tasks are started or stopped: the node's part follows from those that the log gives to it. */
  #limitRates(): void {
    const { node, rates } = this.#options;
    const { state } = node.follower;
    rates.update(this.#desired.in(state), state.connectors);
  }

  /** Many tasks change in one turn of the event loop: all of them are reconciled at once after it. */
  #reconcileSoon(): void {
    if (this.#isReconcilingSoon) return;
    this.#isReconcilingSoon = true;
    setImmediate(() => {
      this.#isReconcilingSoon = false;
      this.#reconciler.reconcile();
    });
  }
}
