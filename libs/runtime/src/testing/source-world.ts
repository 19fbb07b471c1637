import { recordToMessage } from '@sluice/protocol';
import type { SourceTask, TaskLogger } from '@sluice/sdk';
import { TaskFigures } from '../task/task-figures.js';
import { newTaskCounters, type TaskCounters } from '../ports/task-counters.port.js';
import type { QueueKeys } from '../source/queue-keys.js';
import type { RecordEncoder } from '../source/record-encoder.js';
import type { SourceLoopPorts, SourceLoopSettings } from '../source/source-loop-options.js';
import { SourceTaskLoop } from '../source/source-task-loop.js';
import { FakeCluster } from './fake-cluster.js';
import { FakeLease, FakePositions } from './fake-stores.js';
import { ListSource } from './list-source.js';
import { TaskWaits } from '../retry/task-waits.js';
import { SharedRate } from '../task/shared-rate.js';
import { TaskWarnings } from '../task/task-warnings.js';
import { ManualClock } from './manual-clock.js';
import type { SourceTraces } from '../traces/source-traces.js';
import { TransformChain } from '../transforms/transform-chain.js';

export const textEncoder: RecordEncoder = {
  encode: (record, stamp) => recordToMessage({ value: Buffer.from(record.value as string) }, record, stamp),
};

export const testSettings: SourceLoopSettings = {
  flushIntervalMs: 1000,
  maxBatchBytes: 1024 * 1024,
  maxBufferedBytes: 8 * 1024 * 1024,
  maxBufferedRecords: 50_000,
  shutdownTimeoutMs: 5000,
  retryTimeoutMs: undefined,
  maxUnavailableMs: 300_000,
  backoff: { initialMs: 10, maxMs: 1000 },
  skipsBadRecords: false,
  errors: { logs: true, logsContents: false, deadLetters: undefined },
  rewriteIntervalMs: 3_600_000,
};

export class LogLines implements TaskLogger {
  readonly lines: string[] = [];
  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

/** A log, a position store and a clock that outlive the loops run on them. */
export class SourceWorld {
  readonly clock = new ManualClock();
  readonly cluster = new FakeCluster();
  readonly positions = new FakePositions();
  readonly lease = new FakeLease();
  readonly logger = new LogLines();
  readonly warnings = new TaskWarnings(this.clock, this.logger);
  readonly waits = new TaskWaits(this.clock);
  /** How many times tasks asked for new task configs. */
  reconfigurationRequests = 0;
  /** Of all loops. */
  readonly rate = new SharedRate(() => this.clock.nowMs());
  #generation = 0;

  constructor() {
    this.cluster.nowMs = () => this.clock.wallMs();
  }

  /** A source that waits on this world's clock while it has nothing. */
  source(lists: ListSource['lists'], pollSize?: number): ListSource {
    return new ListSource(lists, pollSize, async (signal) => {
      await this.clock.sleep(100, signal).catch(() => undefined);
    });
  }

  /** New task configs: nobody runs any task until it gets a new generation. */
  retask(): void {
    this.positions.owners = { asOf: this.#generation, live: new Map(), tasksSince: this.#generation + 1 };
  }

  /** A loop of the task's next generation; the one before is over. */
  loop(
    task: SourceTask,
    options: {
      readonly settings?: Partial<SourceLoopSettings>;
      readonly ports?: Partial<SourceLoopPorts>;
      readonly encoder?: RecordEncoder;
      readonly queueKeys?: QueueKeys;
      readonly isRaw?: boolean;
      readonly transforms?: TransformChain;
      readonly traces?: SourceTraces;
      readonly counters?: TaskCounters;
      readonly index?: number;
    } = {},
  ): { readonly loop: SourceTaskLoop; readonly counters: TaskCounters; readonly figures: TaskFigures } {
    this.#generation++;
    const { index = 0 } = options;
    const { live, tasksSince } = this.positions.owners;
    this.positions.owners = {
      asOf: this.#generation,
      live: new Map([...live, [index, this.#generation]]),
      tasksSince,
    };
    const counters = options.counters ?? newTaskCounters();
    const figures = new TaskFigures();
    const spec = {
      connector: 'lists',
      index,
      generation: this.#generation,
      task,
      config: {},
      encoder: options.encoder ?? textEncoder,
      queueKeys: options.queueKeys,
      isRaw: options.isRaw,
      transforms: options.transforms ?? new TransformChain(),
      traces: options.traces,
      settings: { ...testSettings, ...options.settings },
      logger: this.logger,
      requestTaskReconfiguration: () => {
        this.reconfigurationRequests++;
      },
      counters,
      figures,
      warnings: this.warnings,
      hide: (text: string) => text.replaceAll('s3cret', '[hidden]'),
      waits: this.waits,
      rate: this.rate,
    };
    const ports: SourceLoopPorts = {
      producer: this.cluster.producer,
      messages: this.cluster.messages,
      positions: this.positions,
      lease: this.lease,
      clock: this.clock,
      ...options.ports,
    };
    return { loop: new SourceTaskLoop(spec, ports), counters, figures };
  }
}

/** Makes records for one partition, with the values `<topic>0` and so on. */
export function listOf(count: number, topic = 't'): { topic: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ topic, value: `${topic}${index}` }));
}

export function valuesOf(count: number, topic = 't'): string[] {
  return listOf(count, topic).map(({ value }) => value);
}

/** Makes a world whose topic `t` has one queue. */
export function oneQueueWorld(): { world: SourceWorld; queue: ReturnType<SourceWorld['cluster']['queue']> } {
  const world = new SourceWorld();
  world.cluster.addTopic('t', 1);
  return { world, queue: world.cluster.queue({ topic: 't', brokerName: 'broker-a', queueId: 0 }) };
}
