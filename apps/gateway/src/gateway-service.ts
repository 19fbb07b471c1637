import {
  collectModel,
  CommandSender,
  HeadWatch,
  HealthModule,
  LiveReports,
  LoggersModule,
  MetricsModule,
  nodeChecks,
  nodeHeartbeat,
  nodeMetrics,
  openCipher,
  ownVersion,
  StatePersister,
  type ClusterNode,
  type Service,
} from '@sluice/node';
import type { RpcEndpoint } from '@sluice/rpc';
import { configureGateway } from './http/configure-gateway.js';
import { GatewayModule } from './gateway.module.js';
import { LogCommands, LogReadModel } from './adapters/node-adapters.js';
import { NodeLoggers } from './adapters/node-loggers.js';
import { RunnerQuestions } from './adapters/runner-questions.js';
import { ClusterView } from './view/cluster-view.js';

const HEAD_INTERVAL_MS = 1000;

/** Makes the gateway: a read model folded from log and reports, commands through their topic, questions to runners. */
export function createGatewayService(node: ClusterNode, rpc: RpcEndpoint): Service {
  const { settings, logger, follower } = node;
  const secretsLogger = logger.scoped('secrets');
  const gatewaySettings = { ...settings.gateway, version: ownVersion(), commit: 'unknown' };
  const reports = new LiveReports(node.reports, follower, (error) => {
    node.fail(error);
  });
  const sender = new CommandSender(node.client, follower, settings.nodeId, node.topics, node.logQueue.brokerName);
  const heartbeat = nodeHeartbeat(node);
  const head = new HeadWatch(follower, { intervalMs: HEAD_INTERVAL_MS }, logger.scoped('log'));
  const persister = new StatePersister(node.store, () => follower.state, {}, settings.persistIntervals, logger.scoped('store'));
  const view = new ClusterView(new LogReadModel(follower, reports), gatewaySettings);
  const cipher = openCipher(settings, secretsLogger);
  if (!cipher.canSeal) secretsLogger.warn('secrets.key.file is not set: the log holds passwords of connectors as they are');
  const metrics = nodeMetrics(node, rpc);
  collectModel(metrics, follower, () => reports.view);
  const module = GatewayModule.forPorts(
    view,
    {
      commands: new LogCommands(sender),
      plugins: new RunnerQuestions(reports, rpc),
      cipher,
      logger: logger.scoped('connectors'),
      loggers: new NodeLoggers(settings.nodeId, logger.levels, reports, rpc),
    },
    gatewaySettings,
    HealthModule.forChecks(
      nodeChecks(node, rpc, {
        name: 'coordinator',
        check: () => {
          const { leader } = follower.state;
          if (leader === undefined) {
            throw new Error('No coordinator has ever led, so nothing is known and nothing can be changed: start one');
          }
          // What is known can be read without a leader, hence the gateway is ready; only changes are refused.
          const leaderless = view.leaderless();
          return leaderless === undefined ? { leader: leader.nodeId } : { leader: leader.nodeId, changesRefused: leaderless.reason };
        },
      }),
    ),
    MetricsModule.forRegistry(metrics),
    LoggersModule.forLevels(logger.levels),
  );
  return {
    module,
    configure: (app) => {
      configureGateway(app, gatewaySettings);
    },
    start: () => {
      reports.start();
      heartbeat.start();
      head.start();
      persister.start();
    },
    stop: async () => {
      await heartbeat.stop();
      await reports.stop();
      await head.stop();
      await persister.stop();
    },
  };
}
