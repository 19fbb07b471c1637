import {
  ConfigError,
  type Connector,
  type ConnectorInstance,
  RetriableError,
  type SinkConnector,
  type SourceConnector,
  type TaskConfig,
  type TaskLogger,
} from '@sluice/sdk';
import { parseSinkSettings, parseSourceSettings } from '../config/connector-settings.js';
import { queueByOf, sinkLoopSettings, sourceLoopSettings, subscriptionOf, topicCreationOf } from '../config/loop-settings.js';
import { rawErrors } from '../config/raw-rule.js';
import type { Converters } from '../converters/converter.js';
import { createConverters } from '../converters/create-converters.js';
import type { ErrorReporting } from '../dead-letters/record-errors.js';
import type { PluginRegistry } from '../plugins/plugin-registry.js';
import type { ResolvedTask } from '../secrets/resolved-task.js';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { OffsetStore } from '../ports/offset-store.port.js';
import type { PositionStore } from '../ports/position-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import { newTaskCounters } from '../ports/task-counters.port.js';
import { ConvertingDecoder, RawDecoder } from '../sink/record-decoder.js';
import type { SinkLoopSpec } from '../sink/sink-loop-options.js';
import { SinkTaskLoop } from '../sink/sink-task-loop.js';
import { convertedQueueKeys } from '../source/queue-keys.js';
import { ConvertingEncoder, RawEncoder, type RecordEncoder } from '../source/record-encoder.js';
import { SourceTaskLoop } from '../source/source-task-loop.js';
import { TaskWaits } from '../retry/task-waits.js';
import { taskSupervision } from '../config/task-supervision.js';
import { createTransforms } from '../transforms/create-transforms.js';
import { TransformChain } from '../transforms/transform-chain.js';
import { SharedRate } from '../task/shared-rate.js';
import { TaskFigures } from '../task/task-figures.js';
import { TaskWarnings } from '../task/task-warnings.js';
import { SinkTraces } from '../traces/sink-traces.js';
import { SourceTraces, type SourceTracesOptions } from '../traces/source-traces.js';
import type { Tracer } from '../traces/tracer.js';
import { CallBoard, sharedNowMs } from './call-board.js';
import { describerOf } from './error-trace.js';
import { InstanceKeeper } from './instance-keeper.js';
import { LoopWithInstance } from './loop-with-instance.js';
import type { TaskLoop } from './task-loop.js';
import { timedOffsets, timedPositions } from './timed-stores.js';
import { watchedInstance, watchedSink, watchedSource } from './watched-task.js';

/** Queues of a dead letter topic that a sink creates, as Apache RocketMQ Connect has them. */
const DEAD_LETTER_QUEUES = 8;

/** What the loops of a node's tasks stand on. */
export interface TaskEnvironment {
  /** `creation` says whether and with how many queues a missing topic is made. */
  readonly producer: (creation: { readonly queues: number } | undefined) => RecordProducer;
  readonly messages: QueueMessages;
  readonly positions: PositionStore;
  readonly offsets: OffsetStore;
  readonly lease: Lease;
  readonly clock: Clock;
  /** The consumer group of a sink connector. */
  readonly groupOf: (connector: string) => string;
  readonly loggerOf: (of: { readonly connector: string; readonly task?: number }) => TaskLogger;
  /** Requests new task configs of a connector, soon. */
  readonly requestTaskReconfiguration: (connector: string) => void;
  /** Returns the pairs that a connector has agreed upon; absent where nobody knows the log. */
  readonly agreedPairs?: (connector: string) => Promise<ReadonlyMap<string, string>>;
  /** Where the calls of the task are shown, if anybody but its status reads them. */
  readonly calls?: CallBoard;
  /** Where what is measured of the task is kept, if anybody reads it. */
  readonly figures?: TaskFigures;
  /** What the tasks of the connector share; nothing is limited where it is absent. */
  readonly rate?: SharedRate;
  /** Chooses records that are traced; absent where none is. */
  readonly tracer?: Tracer | undefined;
}

/**
 * Makes the loop of a task from its settings.
 *
 * @throws UnknownPluginError, ConfigError
 */
export function createTaskLoop(task: ResolvedTask, plugins: PluginRegistry, environment: TaskEnvironment): TaskLoop {
  const connector = plugins.connectorOf(task.config);
  const errors = rawErrors(connector, task.config);
  if (errors.length > 0) throw new ConfigError('The configuration of the connector', errors);
  const calls = environment.calls ?? new CallBoard();
  const watching = { ...environment, calls, figures: environment.figures ?? new TaskFigures() };
  const loop =
    connector.kind === 'source' ? createSourceLoop(task, connector, plugins, watching) : createSinkLoop(task, connector, plugins, watching);
  const { createInstance } = connector;
  if (createInstance === undefined || task.id.index !== 0) return loop;
  const create = (): ConnectorInstance => watchedInstance(createInstance.call(connector), calls);
  return new LoopWithInstance(loop, keeperOf(task, plugins, create, environment));
}

function keeperOf(
  task: ResolvedTask,
  plugins: PluginRegistry,
  create: () => ConnectorInstance,
  { clock, lease, loggerOf, requestTaskReconfiguration, agreedPairs = unknownPairs }: TaskEnvironment,
): InstanceKeeper {
  const { id, generation, config: ofTask, connectorConfig: config = ofTask, resolved } = task;
  const hide = plugins.secretsHider(config, resolved);
  const { restart, shutdownTimeoutMs } = taskSupervision(config);
  return new InstanceKeeper({
    create,
    connectorName: id.connector,
    generation,
    config,
    logger: loggerWithoutSecrets(loggerOf({ connector: id.connector }), hide),
    requestTaskReconfiguration: () => {
      requestTaskReconfiguration(id.connector);
    },
    agreedPairs: () => agreedPairs(id.connector),
    restart,
    stopLimitMs: shutdownTimeoutMs,
    describe: describerOf({ ...task, config }, plugins),
    lease,
    clock,
  });
}

function unknownPairs(connector: string): Promise<never> {
  return Promise.reject(new RetriableError(`The pairs of connector ${connector} are not known here`));
}

type WatchedEnvironment = TaskEnvironment & Required<Pick<TaskEnvironment, 'calls' | 'figures'>>;

function createSourceLoop(
  task: ResolvedTask,
  connector: SourceConnector,
  plugins: PluginRegistry,
  environment: WatchedEnvironment,
): TaskLoop {
  const settings = parseSourceSettings(task.config);
  const { transforms, converters } = stagesOf(connector, task.config, plugins);
  const queueBy = queueByOf(settings);
  const { messages, positions, lease, clock, calls, figures } = environment;
  const encoder: RecordEncoder = converters === undefined ? new RawEncoder() : new ConvertingEncoder(converters);
  const shared = common(task, plugins, environment);
  const loopSettings = sourceLoopSettings(settings);
  figures.limitBuffer({ records: loopSettings.maxBufferedRecords, bytes: loopSettings.maxBufferedBytes });
  const tracing = tracingOf(environment.tracer, shared, loopSettings);
  return new SourceTaskLoop(
    {
      ...shared,
      task: watchedSource(connector.createTask(), calls, figures),
      transforms,
      encoder,
      queueKeys: queueBy === undefined || converters === undefined ? undefined : convertedQueueKeys(queueBy, converters),
      isRaw: converters === undefined,
      settings: loopSettings,
      counters: newTaskCounters(),
      traces: tracing && new SourceTraces({ ...tracing, hasStage: !transforms.isEmpty || encoder.prepare !== undefined }),
    },
    { producer: environment.producer(topicCreationOf(settings)), messages, positions: timedPositions(positions, figures), lease, clock },
  );
}

function createSinkLoop(task: ResolvedTask, connector: SinkConnector, plugins: PluginRegistry, environment: WatchedEnvironment): TaskLoop {
  const settings = parseSinkSettings(task.config);
  const { messages, offsets, lease, clock, groupOf, calls, figures } = environment;
  const group = groupOf(task.id.connector);
  const { transforms, converters } = stagesOf(connector, task.config, plugins);
  const loopSettings = sinkLoopSettings(settings);
  figures.limitBuffer({ records: loopSettings.maxAhead.maxRecords, bytes: loopSettings.maxAhead.maxBytes });
  const shared = common(task, plugins, environment);
  const tracing = tracingOf(environment.tracer, shared, loopSettings);
  return new SinkTaskLoop(
    {
      ...shared,
      task: watchedSink(connector.createTask(), calls, figures),
      group,
      subscription: subscriptionOf(settings, task.config, task.id.index),
      transforms,
      decoder: converters === undefined ? new RawDecoder() : new ConvertingDecoder(converters),
      settings: loopSettings,
      hasRepeatablePut: connector.hasRepeatablePut === true,
      counters: newTaskCounters(),
      traces: tracing && new SinkTraces({ ...tracing, group }),
    },
    { producer: environment.producer({ queues: DEAD_LETTER_QUEUES }), messages, offsets: timedOffsets(offsets, figures), lease, clock },
  );
}

/**
 * Makes what works on the records of a connector; raw ones have no converters.
 * @throws ConfigError
 */
function stagesOf(
  connector: Connector,
  config: TaskConfig,
  plugins: PluginRegistry,
): { readonly transforms: TransformChain; readonly converters: Converters | undefined } {
  if (connector.records === 'raw') return { transforms: new TransformChain(), converters: undefined };
  const converters = createConverters(config, connector.defaultConverters, plugins.converters);
  return { transforms: createTransforms(config, plugins), converters };
}

/** What a connector writes into an error or a warning may name its secrets: they are taken out before anything is logged, kept or cut. */
function common(
  task: ResolvedTask,
  plugins: PluginRegistry,
  { loggerOf, clock, calls, figures, rate, requestTaskReconfiguration }: WatchedEnvironment,
): Pick<
  SinkLoopSpec,
  | 'connector'
  | 'index'
  | 'generation'
  | 'config'
  | 'logger'
  | 'hide'
  | 'warnings'
  | 'waits'
  | 'figures'
  | 'rate'
  | 'requestTaskReconfiguration'
> {
  const { id, generation, config, resolved } = task;
  const hide = plugins.secretsHider(config, resolved);
  const plain = loggerOf({ connector: id.connector, task: id.index });
  const warnings = new TaskWarnings(clock, plain, hide);
  const waits = new TaskWaits(clock, hide, () => {
    const { ongoing } = calls;
    return ongoing === undefined ? undefined : { call: ongoing.call, forMs: sharedNowMs() - ongoing.sinceMs };
  });
  const logger = loggerWithoutSecrets(plain, hide);
  const { connector: name, index } = id;
  return {
    connector: name,
    index,
    generation,
    config,
    logger,
    hide,
    warnings,
    waits,
    figures,
    rate: rate ?? new SharedRate(sharedNowMs),
    requestTaskReconfiguration: () => {
      requestTaskReconfiguration(name);
    },
  };
}

/** Returns what the traces of a task need; `undefined` where none is made. */
function tracingOf(
  tracer: Tracer | undefined,
  { connector, index, hide }: ReturnType<typeof common>,
  { errors }: { readonly errors: ErrorReporting },
): Omit<SourceTracesOptions, 'hasStage'> | undefined {
  return tracer && { tracer, connector, index, hide, deadLetterTopic: errors.deadLetters?.topic };
}

function loggerWithoutSecrets(logger: TaskLogger, hide: (text: string) => string): TaskLogger {
  return {
    debug: (message) => {
      logger.debug(hide(message));
    },
    info: (message) => {
      logger.info(hide(message));
    },
    warn: (message) => {
      logger.warn(hide(message));
    },
    error: (message) => {
      logger.error(hide(message));
    },
  };
}
