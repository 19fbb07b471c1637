import {
  CommandSender,
  HeadWatch,
  HealthModule,
  LiveReports,
  nodeChecks,
  nodeHeartbeat,
  StatePersister,
  type ClusterNode,
  type RpcEndpoint,
  type Service,
} from '@sluice/platform';
import { configureGateway } from './configure-gateway.js';
import { GatewayModule } from './gateway.module.js';
import { LogCommands } from './log-commands.js';
import { LogReadModel } from './log-read-model.js';
import { NodeLogLevel } from './node-log-level.js';
import { RunnerQuestions } from './runner-questions.js';
import { ClusterView } from './server/cluster-view.js';

const headIntervalMs = 1000;

/** The gateway: a read model folded from log and reports, commands through their topic, questions to runners. */
export function createGatewayService(node: ClusterNode, rpc: RpcEndpoint): Service {
  const { settings, log, follower } = node;
  const gatewaySettings = { ...settings.gateway, version: '0.1.0', commit: 'unknown' };
  const reports = new LiveReports(node.reports, follower, (error) => {
    node.fail(error);
  });
  const sender = new CommandSender(node.client, follower, settings.nodeId, node.topics, node.logQueue.brokerName);
  const heartbeat = nodeHeartbeat(node);
  const head = new HeadWatch(
    follower,
    {
      intervalMs: headIntervalMs,
      onReached: () => undefined,
      onRewritten: (error) => {
        node.fail(error);
      },
    },
    log.scoped('log'),
  );
  const persister = new StatePersister(
    node.store,
    () => follower.state,
    {},
    settings.persistIntervals,
    log.scoped('store'),
  );
  const readModel = new LogReadModel(follower, reports);
  const view = new ClusterView(readModel, gatewaySettings);
  const module = GatewayModule.forPorts(
    {
      readModel,
      commands: new LogCommands(sender),
      plugins: new RunnerQuestions(reports, rpc),
      logger: new NodeLogLevel(log),
    },
    gatewaySettings,
    HealthModule.forChecks([
      ...nodeChecks(node, rpc),
      {
        name: 'coordinator',
        check: () => {
          const { leader } = follower.state;
          if (leader === undefined) throw new Error('no coordinator has ever led');
          const leaderless = view.leaderless();
          if (leaderless !== undefined) throw new Error(leaderless.reason);
          return { leader: leader.nodeId };
        },
      },
    ]),
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
