import {
  type ClusterNode,
  CommandSender,
  HealthModule,
  MetricsModule,
  nameServerCheck,
  type NodeCheck,
  nodeChecks,
  nodeHeartbeat,
  nodeMetrics,
  type NodeSettings,
  runService,
  type Service,
  StatePersister,
} from '@sluice/node';
import { Module } from '@nestjs/common';
import { DesiredTasks, Role, taskKey, type DesiredTask } from '@sluice/core';
import { readerGroupOf, sinkGroupOf } from '@sluice/protocol';
import {
  createTaskLoop,
  describeTaskError,
  PluginRegistry,
  systemClock,
  TaskHost,
  type TaskEnvironment,
} from '@sluice/runtime';
import { queueKey, type Connector } from '@sluice/sdk';
import { RocketMqOffsetStore } from '../adapters/rocketmq-offset-store.js';
import { RocketMqQueueMessages } from '../adapters/rocketmq-queue-messages.js';
import { RocketMqRecordProducer } from '../adapters/rocketmq-record-producer.js';
import { LeaseKeeper } from '../tasks/lease-keeper.js';
import { collectLag, SinkLag } from '../metrics/sink-lag.js';
import { TaskMeter } from '../metrics/task-meter.js';
import { collectTasks } from '../metrics/task-metrics.js';
import { openDataCluster } from '../adapters/data-cluster.js';
import { completeCopies, openPositions } from '../positions/open-positions.js';
import type { RpcEndpoint } from '@sluice/rpc';
import { ReconfigurationRequests } from '../tasks/reconfiguration-requests.js';
import { PLUGIN_REGISTRY, RunnerController } from './runner.controller.js';
import { settingChecks } from './setting-checks.js';
import { TaskReconciler } from '../tasks/task-reconciler.js';

@Module({})
class RunnerModule {}

/** Longest time between giving a task up, after its own `task.shutdown.timeout.ms`, and its end. */
const killTimeoutMs = 5000;

const commandTimeoutMs = 10_000;

/** A source whose partitions change all the time has its connector split no more often than this. */
const reconfigurationIntervalMs = 10_000;

/**
 * Runs a runner until the process is asked to stop, as {@link runService} does; which kind it takes tasks of is its role's.
 * @param load loads the connectors that it offers
 */
export function runRunner(role: Role, load: () => Promise<readonly Connector[]>): Promise<void> {
  return runService(role, async (node, rpc) => createRunner(await load(), node, rpc), settingChecks);
}

async function createRunner(connectors: readonly Connector[], node: ClusterNode, rpc: RpcEndpoint): Promise<Service> {
  const { settings, log, follower, store, client, topics } = node;
  const scoped = log.scoped('tasks');
  let leaving = false;
  const data = openDataCluster(node);
  const plugins = new PluginRegistry(
    connectors.map((connector) => withConverters(connector, settings.defaultConverters)),
  );
  const group = readerGroupOf(settings.clusterId);
  const lease = new LeaseKeeper(
    follower,
    (why) => {
      // The leader lets a leaving node go once its tasks are gone.
      if (!leaving) node.fail(new Error(`Its tasks may run elsewhere now: ${why}`));
    },
    log.scoped('lease'),
  );
  const positionsLog = log.scoped('positions');
  const positions = await openPositions(node, positionsLog);
  const offsets = new RocketMqOffsetStore(data.client);
  const commands = new CommandSender(client, follower, node.self.nodeId, topics, node.logQueue.brokerName);
  const clock = systemClock;
  const reconfigurations = new ReconfigurationRequests({
    split: (name) => commands.submit({ kind: 'connector.restart', name }, commandTimeoutMs),
    clock,
    log: scoped,
    intervalMs: reconfigurationIntervalMs,
  });
  const meter = new TaskMeter();
  const lag = new SinkLag({
    held: () => new Set(host.held().keys()),
    onError: (queue, error) => {
      scoped.debug(`The end of queue ${queueKey(queue)} was not told: ${error.message}`);
    },
  });
  const ports = { messages: new RocketMqQueueMessages(data.client, group), offsets };
  const environmentOf = (task: DesiredTask): TaskEnvironment => {
    return {
      producer: (creation) =>
        new RocketMqRecordProducer(data.client, settings.mayCreateTopics ? creation : undefined, (topic, queues) => {
          scoped.info(`Created topic ${topic} with ${String(queues)} queues per broker`);
        }),
      positions,
      lease,
      clock,
      groupOf: (connector) => sinkGroupOf(settings.clusterId, connector),
      loggerOf: (name) => log.scoped(name),
      requestTaskReconfiguration: (connector) => {
        reconfigurations.request(connector);
      },
      ...(task.type === 'sink' ? lag.watched(task, ports) : ports),
    };
  };
  const host = new TaskHost({
    createLoop: (task: DesiredTask) => meter.counted(task.id, () => createTaskLoop(task, plugins, environmentOf(task))),
    describeError: ({ config }, error) => describeTaskError(error, config, plugins),
    requestNewGeneration: async ({ id }) => {
      const restart = { kind: 'tasks.restart', name: id.connector, tasks: [id] } as const;
      const outcome = await commands.submit(restart, commandTimeoutMs);
      // A task that is not there any more is revoked here too.
      if (outcome.status !== 'done' && outcome.status !== 'not-found') throw new Error(outcome.message);
    },
    clock,
    logger: scoped,
    onChange: () => {
      heartbeat.announce();
      reconcileSoon();
    },
    onStuck: (task) => {
      node.fail(new Error(`Task ${taskKey(task.id)} does not stop: only the end of the process stops it for certain`));
    },
    killTimeoutMs,
  });
  const heartbeat = nodeHeartbeat(node, () => ({ leaving, plugins: plugins.pluginInfos(), tasks: host.reports() }));
  const desired = new DesiredTasks(node.self);
  const reconciler = new TaskReconciler(host, () => desired.in(follower.state), scoped);
  let isReconcilingSoon = false;
  // Many tasks change in one turn of the event loop: what is held is looked at once for all of them.
  const reconcileSoon = (): void => {
    if (isReconcilingSoon) return;
    isReconcilingSoon = true;
    setImmediate(() => {
      isReconcilingSoon = false;
      reconciler.reconcile();
    });
  };
  let last: ReturnType<DesiredTasks['in']> | undefined;
  const unsubscribe = follower.subscribe(({ state, accepted }) => {
    const now = desired.in(state);
    if (now !== last) reconciler.reconcile();
    last = now;
    // The leader waits to hear that a revocation is applied, also where the task was not started yet.
    const concerned = accepted.some(
      ({ entry: { event } }) =>
        event.kind === 'tasks.revoked' &&
        event.tasks.some((id) => state.tasks.get(taskKey(id))?.assignment?.nodeId === node.self.nodeId),
    );
    if (concerned) heartbeat.announce();
  });
  const persister = new StatePersister(
    store,
    () => follower.state,
    { position: completeCopies(positions, positionsLog), offset: () => offsets.snapshot() },
    settings.persistIntervals,
    log.scoped('store'),
  );
  const leaseCheck: NodeCheck = {
    name: 'lease',
    check: () => {
      if (!lease.held) throw new Error('No contact to the log: tasks hold still until its broker answers');
      return { tasks: host.held().size, remainingMs: Math.round(lease.remainingMs) };
    },
  };
  const ownChecks = data.isSeparate ? [nameServerCheck('data-namesrv', data.client), leaseCheck] : [leaseCheck];
  const metrics = nodeMetrics(node, rpc);
  collectTasks(metrics, {
    role: settings.role,
    totals: () => meter.totals((connector) => follower.state.connectors.has(connector)),
    reports: () => host.reports(),
    leaseRemainingMs: () => lease.remainingMs,
  });
  if (settings.role === Role.sinkRunner) collectLag(metrics, lag);
  return {
    module: {
      module: RunnerModule,
      imports: [HealthModule.forChecks(nodeChecks(node, rpc, ...ownChecks)), MetricsModule.forRegistry(metrics)],
      controllers: [RunnerController],
      providers: [{ provide: PLUGIN_REGISTRY, useValue: plugins }],
    },
    start: () => {
      lease.start();
      heartbeat.start();
      persister.start();
      lag.start();
      reconciler.reconcile();
    },
    stop: async () => {
      // The leader gives each task away as soon as a report says that it is gone.
      leaving = true;
      lease.leave();
      reconciler.close();
      reconfigurations.stop();
      heartbeat.announce();
      await host.stopAll();
      unsubscribe();
      await lag.stop();
      await heartbeat.stop();
      await lease.stop();
      await persister.stop();
      await data.close();
    },
  };
}

/** The connector with the converters that the node prefers to those that the connector does. */
function withConverters(connector: Connector, converters: NodeSettings['defaultConverters']): Connector {
  return { ...connector, defaultConverters: { ...connector.defaultConverters, ...converters } };
}
