import { setMaxListeners } from 'node:events';
import { type DynamicModule, Module } from '@nestjs/common';
import { initialCoordinator, maySend, type CoordinatorState, type Effect, type ReportsView } from '@sluice/core';
import {
  collectModel,
  HeadWatch,
  HealthModule,
  LoggersModule,
  MetricsModule,
  nodeChecks,
  NodeError,
  nodeHeartbeat,
  nodeMetrics,
  readClocks,
  StatePersister,
  type ClusterNode,
  type LogListener,
  type MetricRegistry,
  type NodeCheck,
  type ReportsListener,
  type Service,
} from '@sluice/node';
import { completeCopies, openPositions } from '@sluice/runner';
import type { RpcEndpoint } from '@sluice/rpc';
import { withinTime } from '@sluice/time';
import { type CommandListener, CommandReader } from './command-reader.js';
import { CoordinatorLoop } from './coordinator-loop.js';
import { EffectRunner } from './effect-runner.js';
import { PositionKeeper } from './position-keeper.js';

const HEAD_INTERVAL_MS = 500;
/** How long a leader may take to resign: a standby or its own next start takes over at once then, else after the lease. */
const RESIGN_TIMEOUT_MS = 3000;

@Module({})
class CoordinatorModule {}

/** A coordinator: one loop over log, reports, probes, commands and time. */
export async function createCoordinatorService(node: ClusterNode, rpc: RpcEndpoint): Promise<Service> {
  const { settings, logger, follower, store } = node;
  const scoped = logger.scoped('coordinator');
  const positionsLogger = logger.scoped('positions');
  const positions = await openPositions(node, positionsLogger);
  const ended = new AbortController();
  // Every queue that is read, every append and every question listens.
  setMaxListeners(0, ended.signal);
  let resigned: (() => void) | undefined;
  const onExit = (effect: Extract<Effect, { kind: 'exit' }>): void => {
    if (effect.reason === 'stopped') resigned?.();
    else node.fail(new NodeError('NODE_EXPELLED', effect.message));
  };
  const loop: CoordinatorLoop = new CoordinatorLoop(initialStateOf(node), (effect) => {
    effects.run(effect);
  });
  const inputs = inputsOf(loop);
  // From here on, because the state above is of now: an entry between the two would be missed.
  const unsubscribe = follower.subscribe(inputs.onFolded);
  const commands = new CommandReader(node, inputs, scoped);
  const effects = new EffectRunner({
    node,
    rpc,
    input: loop.input.bind(loop),
    maySend: (append) => maySend(loop.state, append, readClocks()),
    readCommands: commands.readFrom.bind(commands),
    onExit,
    logger: scoped,
    signal: ended.signal,
  });
  const heartbeat = nodeHeartbeat(node);
  const head = new HeadWatch(
    follower,
    {
      intervalMs: HEAD_INTERVAL_MS,
      onReached: (sentAt) => {
        loop.input({ kind: 'head.reached', sentAt, minOffset: follower.minOffset });
      },
    },
    logger.scoped('log'),
  );
  const persister = new StatePersister(
    store,
    () => follower.state,
    { position: completeCopies(positions, positionsLogger) },
    settings.persistIntervals,
    logger.scoped('store'),
  );
  const keeper = new PositionKeeper({ positions, state: () => loop.state, logger: positionsLogger });
  let following: Promise<void> = Promise.resolve();
  return {
    module: moduleOf(node, rpc, loop),
    start: () => {
      following = node.reports.follow(inputs.onReports, ended.signal).catch((error: unknown) => {
        node.fail(error as Error);
      });
      loop.start();
      head.start();
      heartbeat.start();
      persister.start();
      keeper.start();
    },
    stop: async () => {
      const gone = new Promise<void>((resolve) => {
        resigned = resolve;
      });
      loop.input({ kind: 'stop' });
      const late = (): Error => new Error(`The leader has not resigned within ${RESIGN_TIMEOUT_MS} ms`);
      await withinTime(gone, RESIGN_TIMEOUT_MS, late).catch(() => undefined);
      loop.stop();
      unsubscribe();
      ended.abort();
      await heartbeat.stop();
      await head.stop();
      await commands.stop();
      await following;
      await keeper.stop();
      await persister.stop();
    },
  };
}

/** Returns a standby that knows what the node has folded up to now. */
function initialStateOf({ self, store, follower, topics, settings }: ClusterNode): CoordinatorState {
  const supersedes = store.supersedes === undefined ? {} : { supersedes: store.supersedes };
  return initialCoordinator({ ...self, ...supersedes }, follower.state, readClocks(), {
    reportQueues: topics.reports.queues,
    sessionMs: settings.sessionTimeoutMs,
  });
}

interface LoopInputs extends CommandListener {
  readonly onFolded: LogListener;
  readonly onReports: ReportsListener;
}

/** Makes inputs of the loop from what the node reads in its topics. */
function inputsOf(loop: CoordinatorLoop): LoopInputs {
  return {
    onFolded: ({ state, accepted, skipped, nextOffset }) => {
      loop.input({ kind: 'log.folded', state, accepted, skipped, nextOffset });
    },
    onReports: (signs, queue, storedAt) => {
      loop.input({ kind: 'reports.read', queue, signs, storedAt });
    },
    onCommand: (readId, offset, command) => {
      loop.input({ kind: 'command.read', readId, offset, command });
    },
    onCut: (readId, minOffset) => {
      loop.input({ kind: 'commands.cut', readId, minOffset });
    },
  };
}

/** Returns the coordinator's health checks and metrics. */
function moduleOf(node: ClusterNode, rpc: RpcEndpoint, loop: CoordinatorLoop): DynamicModule {
  const election: NodeCheck = {
    name: 'election',
    check: () => ({ role: loop.state.role, epoch: node.follower.state.epoch }),
  };
  return {
    module: CoordinatorModule,
    imports: [
      HealthModule.forChecks(nodeChecks(node, rpc, election)),
      MetricsModule.forRegistry(coordinatorMetrics(node, rpc, loop)),
      LoggersModule.forLevels(node.logger.levels),
    ],
  };
}

function coordinatorMetrics(node: ClusterNode, rpc: RpcEndpoint, loop: CoordinatorLoop): MetricRegistry {
  const metrics = nodeMetrics(node, rpc);
  let last: number | undefined;
  let view: ReportsView = new Map();
  collectModel(metrics, node.follower, () => {
    const { reports, reportChanges } = loop.state;
    if (reportChanges !== last) view = new Map([...reports].map(([key, { report }]) => [key, report]));
    last = reportChanges;
    return view;
  });
  metrics.collectOne('sluice_coordinator_leads', () => (loop.state.role === 'leader' ? 1 : 0));
  metrics.collectOne('sluice_commands_waiting', () => loop.state.commands.length);
  return metrics;
}
