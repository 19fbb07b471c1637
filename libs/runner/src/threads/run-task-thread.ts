import { parentPort, workerData } from 'node:worker_threads';
import type { StoredPositions } from '@sluice/protocol';
import { RocketMqClient, type Credentials, type CredentialsSource } from '@sluice/rocketmq';
import {
  CallBoard,
  createTaskLoop,
  PluginLoader,
  type PluginPackage,
  PluginRegistry,
  sharedNowMs,
  SharedRate,
  TaskFigures,
  systemClock,
  Tracer,
  type PositionStore,
} from '@sluice/runtime';
import type { Connector, TaskLogger } from '@sluice/sdk';
import { DataClusters } from '../adapters/data-clusters.js';
import { TaskEnvironments } from '../adapters/task-environments.js';
import type { SinkProgress } from '../metrics/sink-progress.js';
import { SpanRelay } from '../traces/span-relay.js';
import { PositionSender } from '../positions/position-sender.js';
import { LogRelay } from './log-relay.js';
import { SharedLease } from './shared-lease.js';
import type { ThreadCluster, ThreadData } from './thread-data.js';
import type { ClusterName, FromThread, ToThread } from './thread-messages.js';
import { beginPulse } from './thread-pulse.js';
import { ThreadServer, type ThreadServerOptions } from './thread-server.js';

/**
 * Runs tasks in this thread, which a runner has started, until that closes it. The thread has connections of its own: records stay in it.
 * @param more connectors that are in no package, as the runner has them
 */
export async function runTaskThread(more: readonly Connector[] = []): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('runTaskThread runs in a thread that a runner has started');
  const data = workerData as ThreadData;
  const send = (message: FromThread): void => {
    port.postMessage(message);
  };
  const log = new LogRelay(data.lines, data.mostVerbose, (line) => {
    send({ kind: 'logged', ...line });
  });
  const relay =
    data.sampling &&
    new SpanRelay(data.spans, (traced) => {
      send({ kind: 'traced', traced });
    });
  const tracer = data.sampling && relay && new Tracer(data.sampling, relay, systemClock);
  const plugins = new PluginRegistry(more, { preferred: data.defaultConverters });
  const loader = new PluginLoader({ kind: data.kind, registry: plugins, logger: quiet(log.scoped('plugins')) });
  await loader.take(data.packages.slice(0, data.firstPackages));
  plugins.keepNames();
  await loader.take(data.packages.slice(data.firstPackages));
  const clients: RocketMqClient[] = [];
  const open = (name: ClusterName, cluster: ThreadCluster): RocketMqClient => {
    const credentials = credentialsOf(cluster, () => server.ask({ kind: 'credentials', of: name }) as Promise<Credentials>);
    const client = RocketMqClient.open({
      namesrv: cluster.namesrv,
      requestTimeoutMs: data.requestTimeoutMs,
      clientId: data.clientId,
      ...(credentials === undefined ? {} : { credentials }),
    });
    clients.push(client);
    return client;
  };
  const runtime = open('runtime', data.runtime);
  const client = data.data === undefined ? runtime : open('data', data.data);
  const sender = new PositionSender(runtime, data.topics, data.brokerName);
  const positions: PositionStore = {
    open: (task) => server.ask({ kind: 'open', task }) as Promise<StoredPositions>,
    refresh: (task, beforeMs) => server.ask({ kind: 'refresh', task, beforeMs }) as Promise<void>,
    write: (task, change) => sender.write(task, change),
  };
  const { clusterId, clientId, requestTimeoutMs } = data;
  const clusters = new DataClusters({ clusterId, client, clientId, requestTimeoutMs });
  const environments = new TaskEnvironments({
    clusterId,
    mayCreateTopics: data.mayCreateTopics,
    clusters,
    positions,
    lease: new SharedLease(data.lease, systemClock),
    loggerOf: (scope) => log.scoped(scope),
    requestTaskReconfiguration: (connector) => {
      send({ kind: 'reconfigure', connector });
    },
    agreedPairs: (connector) => server.ask({ kind: 'pairs', connector }) as Promise<ReadonlyMap<string, string>>,
  });
  const createLoop: ThreadServerOptions['createLoop'] = (task, loop, { calls, figures, rate }) => {
    const progress: SinkProgress = {
      opened: (queue, from) => {
        send({ kind: 'opened', loop, queue, from });
      },
      committed: (group, committed, resets) => {
        send({ kind: 'committed', loop, group, positions: committed, resets });
      },
    };
    const boards = { calls: new CallBoard(calls), figures: new TaskFigures(figures), rate: new SharedRate(sharedNowMs, rate), tracer };
    try {
      return environments.createLoop(
        task,
        () => progress,
        (environment) => createTaskLoop(task, plugins, { ...environment, ...boards }),
      );
    } catch (error) {
      throw loader.explained(error);
    }
  };
  const endPulse = beginPulse(data.pulse);
  const onClose = (): void => {
    endPulse();
    void Promise.allSettled([clusters.close(), ...clients.map((each) => each.close())]).then(() => {
      relay?.close();
      port.close();
    });
  };
  const loadPackages = (packages: readonly PluginPackage[]): Promise<void> => loader.take(packages);
  const server: ThreadServer = new ThreadServer({ send, createLoop, loadPackages, onClose });
  port.on('message', (message: ToThread) => {
    server.receive(message);
  });
}

/** The main thread has said what it loaded; a package that only this thread leaves out is news. */
function quiet(logger: TaskLogger): Pick<TaskLogger, 'info' | 'error'> {
  return {
    info: (text) => {
      logger.debug(text);
    },
    error: (text) => {
      logger.error(text);
    },
  };
}

function credentialsOf({ credentials }: ThreadCluster, ask: () => Promise<Credentials>): CredentialsSource | undefined {
  return credentials === 'asked' ? ask : credentials;
}
