import { type DynamicModule, Module } from '@nestjs/common';
import { Role } from '@sluice/core';
import {
  type ClusterNode,
  CommandSender,
  HealthModule,
  LoggersModule,
  MetricsModule,
  nameServerCheck,
  type NodeCheck,
  NodeError,
  type NodeSettings,
  nodeChecks,
  nodeMetrics,
  openCipher,
  runService,
  type Service,
  StatePersister,
  invalidSetting,
  NodeSettingsError,
} from '@sluice/node';
import { clientIdOf } from '@sluice/protocol';
import type { RpcEndpoint } from '@sluice/rpc';
import {
  builtInFolder,
  ConfigSecrets,
  createTaskLoop,
  describerOf,
  PluginLoader,
  PluginRegistry,
  type PresentTasks,
  type ResolvedTask,
  sharedNowMs,
  SinkDivider,
  systemClock,
  type TaskLoop,
} from '@sluice/runtime';
import { type ConfigProvider, queueKey, type Connector } from '@sluice/sdk';
import { openDataCluster, type OwnDataCluster } from '../adapters/data-cluster.js';
import { DataClusters } from '../adapters/data-clusters.js';
import type { RocketMqOffsetStore } from '../adapters/rocketmq-offset-store.js';
import { TaskEnvironments } from '../adapters/task-environments.js';
import { collectLag, SinkLag } from '../metrics/sink-lag.js';
import type { SinkProgress } from '../metrics/sink-progress.js';
import { type TaskBoards, TaskMeter } from '../metrics/task-meter.js';
import { collectByConnector } from '../metrics/metrics-by-connector.js';
import { collectByTask } from '../metrics/metrics-by-task.js';
import { completeCopies, openPositions } from '../positions/open-positions.js';
import { configProviders } from '../secrets/built-in-providers.js';
import { openProviders } from '../secrets/open-providers.js';
import { ConnectorRates } from '../tasks/connector-rates.js';
import { LeaseKeeper } from '../tasks/lease-keeper.js';
import { NodeTasks } from '../tasks/node-tasks.js';
import { ReconfigurationRequests } from '../tasks/reconfiguration-requests.js';
import { openThreads } from '../threads/open-threads.js';
import { collectTraces, openTraces, type RunnerTraces } from '../traces/open-traces.js';
import { PluginWatch } from './plugin-watch.js';
import { LeaseBoard } from '../threads/shared-lease.js';
import { PLUGIN_REGISTRY, RunnerController, SINK_DIVIDER, SPLIT_CONTEXTS } from './runner.controller.js';
import { SplitContexts } from './split-contexts.js';
import { RunnerError } from '../runner-error.js';

@Module({})
class RunnerModule {}

const COMMAND_TIMEOUT_MS = 10_000;

/** How often the folders of `plugin.path` are looked through for new packages. */
const PLUGIN_SCAN_INTERVAL_MS = 5_000;

/** A source whose partitions change all the time has its connector split no more often than this. */
const RECONFIGURATION_INTERVAL_MS = 10_000;

/**
 * Runs a runner until the process is asked to stop, as {@link runService} does; which kind it takes tasks of is its role's.
 * @param main the `import.meta.url` of the caller: that module is run again in each task thread, where it calls `runTaskThread`. Its package names
 *   the connectors that the runner has beside those of `plugin.path`
 * @param more connectors that are in no package
 */
export function runRunner(role: Role, main: string, more: readonly Connector[] = []): Promise<void> {
  return runService(role, (node, rpc) => createRunner(node, rpc, main, more));
}

async function createRunner(node: ClusterNode, rpc: RpcEndpoint, main: string, more: readonly Connector[]): Promise<Service> {
  const { settings, logger, follower, store, client, topics } = node;
  const providers = new Map<string, ConfigProvider>();
  const presentTasks = (name: string): ReturnType<PresentTasks> => {
    const { connectors, tasks } = follower.state;
    const present = tasks.ofConnector(name).slice(0, connectors.get(name)?.taskCount ?? 0);
    return present.map((task) => task?.overrides ?? {});
  };
  const secrets = new ConfigSecrets({ providers, cipher: openCipher(settings, logger.scoped('secrets')), presentTasks });
  const plugins = new PluginRegistry(more, { preferred: settings.defaultConverters, secrets });
  plugins.add({ configProviders: configProviders(settings.ownFiles) });
  const kind = settings.role === Role.sourceRunner ? 'source' : 'sink';
  const loader = new PluginLoader({ kind, registry: plugins, logger: logger.scoped('plugins') });
  const folders = [await builtInFolder(main), ...settings.pluginPath];
  await loader.load(folders);
  plugins.keepNames();
  const firstPackages = loader.loaded.length;
  checkConverters(settings.defaultConverters, plugins);
  for (const [name, provider] of openProviders(settings.configProviders, plugins.configProviders)) providers.set(name, provider);
  const board = new LeaseBoard();
  const lease = new LeaseKeeper(
    follower,
    (why) => {
      node.fail(new NodeError('LEASE_LOST', `Its tasks may run elsewhere now: ${why}`));
    },
    logger.scoped('lease'),
    (changed) => {
      board.show(changed);
    },
  );
  const traces = await openTraces(node);
  const positions = await openPositions(node, logger.scoped('positions'));
  // The last that can fail: whoever opens it after this has to close it.
  const data = openDataCluster(node);
  const clusters = new DataClusters({
    clusterId: settings.clusterId,
    client: data.client,
    clientId: clientIdOf(settings.clusterId, node.self),
    requestTimeoutMs: settings.requestTimeoutMs,
  });
  const { offsets } = clusters.own;
  const commands = new CommandSender(client, follower, node.self.nodeId, topics, node.logQueue.brokerName);
  const reconfigurations = new ReconfigurationRequests({
    split: (name) => commands.submit({ kind: 'connector.restart', name, byTask: true }, { timeoutMs: COMMAND_TIMEOUT_MS }),
    clock: systemClock,
    logger: logger.scoped('tasks'),
    intervalMs: RECONFIGURATION_INTERVAL_MS,
  });
  const splits = new SplitContexts({ commands, follower });
  const rates = new ConnectorRates();
  const meter = new TaskMeter({ maxTasks: settings.maxMeteredTasks, held: () => tasks.heldKeys(), nowMs: sharedNowMs });
  const lag = new SinkLag({
    held: () => tasks.heldKeys(),
    onError: (queue, error) => {
      logger.scoped('tasks').debug(`The end of queue ${queueKey(queue)} is unknown: ${error.message}`);
    },
  });
  const requestTaskReconfiguration = (connector: string): void => {
    reconfigurations.request(connector);
  };
  const agreedPairs = (connector: string): Promise<ReadonlyMap<string, string>> => Promise.resolve(splits.known(connector));
  const environments = new TaskEnvironments({
    clusterId: settings.clusterId,
    mayCreateTopics: settings.mayCreateTopics,
    clusters,
    positions,
    lease,
    loggerOf: (scope) => logger.scoped(scope),
    requestTaskReconfiguration,
    agreedPairs,
  });
  const divider = new SinkDivider({
    inCluster: (config, action) => clusters.within(config, ({ messages }) => action(messages)),
    presentTasks,
    warn: (message) => {
      logger.scoped('tasks').warn(message);
    },
  });
  const watchLag = (task: ResolvedTask): SinkProgress => lag.watch(task, clusters.endsOf(task.config));
  const runHere = (task: ResolvedTask, boards: TaskBoards): TaskLoop =>
    environments.createLoop(
      task,
      () => watchLag(task),
      (environment) =>
        createTaskLoop(task, plugins, { ...environment, ...boards, rate: rates.of(task.id.connector), tracer: traces?.tracer }),
    );
  const threads =
    settings.threads.count === 1
      ? undefined
      : openThreads(node, {
          main,
          lease: board.memory,
          kind,
          traces,
          packages: () => ({ packages: loader.loaded, firstPackages }),
          services: {
            positions,
            requestTaskReconfiguration,
            agreedPairs,
            rateOf: ({ id }) => rates.of(id.connector),
            progressOf: (task) => {
              if (task.type === 'source') return undefined;
              return clusters.isOwn(task.config) ? alsoNoted(watchLag(task), offsets) : watchLag(task);
            },
          },
          describerOf: (task) => describerOf(task, plugins),
        });
  const watch = new PluginWatch({
    load: async () => {
      await loader.load(folders, (found) => threads?.loadPackages([found]));
    },
    logger: logger.scoped('plugins'),
    intervalMs: PLUGIN_SCAN_INTERVAL_MS,
  });
  const tasks: NodeTasks = new NodeTasks({
    node,
    plugins,
    secrets,
    pluginInfos: () => loader.infos(),
    createLoop: threads === undefined ? runHere : (task, boards) => threads.createLoop(task, boards),
    commands,
    meter,
    rates,
  });
  const persister = new StatePersister(
    store,
    () => follower.state,
    { position: completeCopies(positions, logger.scoped('positions')), offset: () => offsets.snapshot() },
    settings.persistIntervals,
    logger.scoped('store'),
  );
  return {
    module: moduleOf(node, rpc, { data, plugins, divider, splits, lease, tasks, meter, lag, traces }),
    start: () => {
      lease.start();
      persister.start();
      lag.start();
      tasks.start();
      if (settings.pluginPath.length > 0) watch.start();
    },
    stop: async () => {
      lease.leave();
      reconfigurations.stop();
      splits.stop();
      watch.stop();
      await tasks.leave();
      await lag.stop();
      await tasks.stop();
      await threads?.close();
      await traces?.close();
      await lease.stop();
      await persister.stop();
      await clusters.close();
      await data.close();
      await Promise.allSettled([...providers.values()].map(async (provider) => provider.close?.()));
    },
  };
}

interface ShownParts {
  readonly data: OwnDataCluster;
  readonly plugins: PluginRegistry;
  readonly divider: SinkDivider;
  readonly splits: SplitContexts;
  readonly lease: LeaseKeeper;
  readonly tasks: NodeTasks;
  readonly meter: TaskMeter;
  readonly lag: SinkLag;
  readonly traces: RunnerTraces | undefined;
}

/** Returns the runner's health checks, metrics and answers to questions about its plugins. */
function moduleOf(
  node: ClusterNode,
  rpc: RpcEndpoint,
  { data, plugins, divider, splits, lease, tasks, meter, lag, traces }: ShownParts,
): DynamicModule {
  const { settings, follower } = node;
  const leaseCheck: NodeCheck = {
    name: 'lease',
    check: () => {
      if (!lease.held) {
        throw new RunnerError('LOG_UNREACHABLE', 'No contact to the log: tasks pause until its broker answers', true);
      }
      return { tasks: tasks.heldKeys().size, remainingMs: Math.round(lease.remainingMs) };
    },
  };
  const ownChecks = data.isSeparate ? [nameServerCheck('data-namesrv', data.client), leaseCheck] : [leaseCheck];
  const metrics = nodeMetrics(node, rpc);
  collectByConnector(metrics, {
    role: settings.role,
    totals: () => meter.totals((connector) => follower.state.connectors.has(connector)),
    reports: () => tasks.reports(),
    leaseRemainingMs: () => lease.remainingMs,
  });
  collectByTask(metrics, {
    role: settings.role,
    tasks: () => meter.tasks(),
    reports: () => tasks.reports(),
    lagOf: () => lag.byTask(),
    nowMs: sharedNowMs,
  });
  collectTraces(metrics, traces);
  if (settings.role === Role.sinkRunner) collectLag(metrics, lag);
  return {
    module: RunnerModule,
    imports: [
      HealthModule.forChecks(nodeChecks(node, rpc, ...ownChecks)),
      MetricsModule.forRegistry(metrics),
      LoggersModule.forLevels(node.logger.levels),
    ],
    controllers: [RunnerController],
    providers: [
      { provide: PLUGIN_REGISTRY, useValue: plugins },
      { provide: SINK_DIVIDER, useValue: divider },
      { provide: SPLIT_CONTEXTS, useValue: splits },
    ],
  };
}

/** Has the node's own copy of the offsets hear of what a thread commits too. */
function alsoNoted(progress: SinkProgress, offsets: RocketMqOffsetStore): SinkProgress {
  return {
    opened: progress.opened.bind(progress),
    committed: (group, positions, resets) => {
      progress.committed(group, positions, resets);
      const kept = new Set(resets.map(({ queue }) => queueKey(queue)));
      offsets.noteCommitted(
        group,
        positions.filter(({ queue }) => !kept.has(queueKey(queue))),
      );
    },
  };
}

/** Packages bring converters too, so this is known only once they are loaded. @throws NodeSettingsError */
export function checkConverters(given: NodeSettings['defaultConverters'], { converters }: PluginRegistry): void {
  const problems = Object.entries(given)
    .filter(([, name]) => converters.find(name) === undefined)
    .map(([part, name]) => invalidSetting(`${part}.converter`, name, `Available converters are: ${converters.names().join(', ')}`));
  if (problems.length > 0) throw new NodeSettingsError(problems);
}
