import { setMaxListeners } from 'node:events';
import { Module } from '@nestjs/common';
import {
  initialCoordinator,
  maySend,
  type Command,
  type CoordinatorState,
  type Effect,
  type ReportsView,
} from '@sluice/core';
import {
  collectModel,
  HeadWatch,
  HealthModule,
  MetricsModule,
  nodeChecks,
  NodeError,
  nodeHeartbeat,
  nodeMetrics,
  readClocks,
  StatePersister,
  type ClusterNode,
  type MetricRegistry,
  type Service,
} from '@sluice/node';
import { completeCopies, openPositions } from '@sluice/runner';
import { type RpcEndpoint } from '@sluice/rpc';
import { withinTime } from '@sluice/time';
import { CommandReader } from './command-reader.js';
import { CoordinatorLoop } from './coordinator-loop.js';
import { EffectRunner } from './effect-runner.js';
import { PositionKeeper } from './position-keeper.js';

const headIntervalMs = 500;
/** How long a leader may take to resign: a standby or its own next start takes over at once then, else after the lease. */
const resignTimeoutMs = 3000;

@Module({})
class CoordinatorModule {}

/** A coordinator: one loop over log, reports, probes, commands and time. */
export async function createCoordinatorService(node: ClusterNode, rpc: RpcEndpoint): Promise<Service> {
  const { settings, logger, follower, store } = node;
  const scoped = logger.scoped('coordinator');
  const positionsLog = logger.scoped('positions');
  const positions = await openPositions(node, positionsLog);
  const ended = new AbortController();
  // Every queue that is read, every append and every question listens.
  setMaxListeners(0, ended.signal);
  let resigned: (() => void) | undefined;
  const onExit = (effect: Extract<Effect, { kind: 'exit' }>): void => {
    if (effect.reason === 'stopped') resigned?.();
    else node.fail(new NodeError('NODE_EXPELLED', effect.message));
  };
  const supersedes = store.supersedes === undefined ? {} : { supersedes: store.supersedes };
  const initial = initialCoordinator({ ...node.self, ...supersedes }, follower.state, readClocks(), {
    reportQueues: node.topics.reports.queues,
    sessionMs: settings.sessionTimeoutMs,
  });
  const loop: CoordinatorLoop = new CoordinatorLoop(initial, (effect) => {
    effects.run(effect);
  });
  const input = loop.input.bind(loop);
  // From here on, because the state above is of now: an entry between the two would be missed.
  const unsubscribe = follower.subscribe(({ state, accepted, skipped, nextOffset }) => {
    input({ kind: 'log.folded', state, accepted, skipped, nextOffset });
  });
  const listener = {
    onCommand: (readId: number, offset: number, command: Command): void => {
      input({ kind: 'command.read', readId, offset, command });
    },
    onCut: (readId: number, minOffset: number): void => {
      input({ kind: 'commands.cut', readId, minOffset });
    },
  };
  const commands = new CommandReader(node, listener, scoped);
  const readCommands = commands.readFrom.bind(commands);
  const effects = new EffectRunner({
    node,
    rpc,
    input,
    maySend: (append) => maySend(loop.state, append, readClocks()),
    readCommands,
    onExit,
    logger: scoped,
    signal: ended.signal,
  });
  const heartbeat = nodeHeartbeat(node);
  const head = new HeadWatch(
    follower,
    {
      intervalMs: headIntervalMs,
      onReached: (sentAt) => {
        input({ kind: 'head.reached', sentAt, minOffset: follower.minOffset });
      },
    },
    logger.scoped('log'),
  );
  const persister = new StatePersister(
    store,
    () => follower.state,
    { position: completeCopies(positions, positionsLog) },
    settings.persistIntervals,
    logger.scoped('store'),
  );
  const keeper = new PositionKeeper({ positions, state: () => loop.state, logger: positionsLog });
  let following: Promise<void> = Promise.resolve();
  return {
    module: {
      module: CoordinatorModule,
      imports: [
        HealthModule.forChecks(
          nodeChecks(node, rpc, {
            name: 'election',
            check: () => ({ role: loop.state.role, epoch: follower.state.epoch }),
          }),
        ),
        MetricsModule.forRegistry(coordinatorMetrics(node, rpc, loop)),
      ],
    },
    start: () => {
      following = node.reports
        .follow((signs, queue, storedAt) => {
          input({ kind: 'reports.read', queue, signs, storedAt });
        }, ended.signal)
        .catch((error: unknown) => {
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
      input({ kind: 'stop' });
      const late = (): Error => new Error(`The leader has not resigned within ${String(resignTimeoutMs)} ms`);
      await withinTime(gone, resignTimeoutMs, late).catch(() => undefined);
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

function coordinatorMetrics(node: ClusterNode, rpc: RpcEndpoint, loop: CoordinatorLoop): MetricRegistry {
  const metrics = nodeMetrics(node, rpc);
  let last: CoordinatorState['reports'] | undefined;
  let view: ReportsView = new Map();
  collectModel(metrics, node.follower, () => {
    const { reports } = loop.state;
    if (reports !== last) view = new Map([...reports].map(([key, { report }]) => [key, report]));
    last = reports;
    return view;
  });
  metrics.collectOne('sluice_coordinator_leads', () => (loop.state.role === 'leader' ? 1 : 0));
  metrics.collectOne('sluice_commands_waiting', () => loop.state.commands.length);
  return metrics;
}
