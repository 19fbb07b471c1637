import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RocketMqOffsetStore, RocketMqPositionStore, RocketMqQueueMessages, RocketMqRecordProducer, SpareEncoders } from '@sluice/runner';
import { createCluster } from '../../support/create-cluster.js';
import { scanBarrier, topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import {
  ConvertingDecoder,
  ConvertingEncoder,
  RawDecoder,
  RawEncoder,
  createConverters,
  NOTHING_MOVED,
  SharedRate,
  newTaskCounters,
  SinkTaskLoop,
  SourceTaskLoop,
  TaskFigures,
  systemClock,
  TaskWaits,
  TaskWarnings,
  type Lease,
  type RawMessage,
  type SourceLoopSpec,
  type TaskCounters,
  createTransforms,
} from '@sluice/runtime';
import type {
  QueueRef,
  SinkRecord,
  SinkTask,
  SourcePartition,
  SourceRecord,
  SourceTask,
  SourceTaskContext,
  TaskConfig,
  TaskLogger,
} from '@sluice/sdk';

const always: Lease = { held: true, doubtfulUpTo: -1, gaps: 0, whenHeld: () => Promise.resolve() };
const limits = {
  backoff: { initialMs: 20, maxMs: 500 },
  retryTimeoutMs: undefined,
  skipsBadRecords: false,
  errors: { logs: true, logsContents: false, deadLetters: undefined },
};
const strings = { 'key.converter': 'StringConverter', 'value.converter': 'StringConverter' };

/** Gives the lines of its files, one record each; lines may be added while it runs. */
export class LineSource implements SourceTask {
  readonly #next = new Map<string, { readonly partition: SourcePartition; at: number }>();

  constructor(
    private readonly topic: string,
    readonly files: Readonly<Record<string, string[]>>,
  ) {}

  start(context: SourceTaskContext): Promise<void> {
    for (const file of Object.keys(this.files)) {
      const partition = { file };
      this.#next.set(file, { partition, at: Number(context.position(partition)?.['position'] ?? 0) });
    }
    return Promise.resolve();
  }

  async poll(): Promise<readonly SourceRecord[]> {
    const records: SourceRecord[] = [];
    for (const [file, state] of this.#next) {
      for (const value of this.files[file]?.slice(state.at) ?? []) {
        state.at++;
        records.push({ topic: this.topic, value, partition: state.partition, position: { position: state.at } });
      }
    }
    if (records.length === 0) await delay(20);
    return records;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** Keeps what it is given. */
export class LineSink implements SinkTask {
  readonly values: string[] = [];

  start(): Promise<void> {
    return Promise.resolve();
  }

  open(): Promise<[]> {
    return Promise.resolve([]);
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    for (const { value } of records) this.values.push(value as string);
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

export interface RunningLoop<L> {
  readonly loop: L;
  readonly counters: TaskCounters;
  readonly log: readonly string[];
}

/** The loops of tasks on a real RocketMQ, without the processes around them. */
export class DataPlane {
  readonly client: RocketMqClient;
  readonly connector = `c${randomUUID().slice(0, 8)}`;
  readonly #topics = topicsOf(this.connector);
  #generation = 0;
  #positions: RocketMqPositionStore | undefined;

  constructor(namesrv: string) {
    this.client = RocketMqClient.open({ namesrv });
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** A topic of its own name, with as many queues as asked for. */
  async topic(writeQueues: number, readQueues = writeQueues): Promise<string> {
    const topic = `t${randomUUID().slice(0, 8)}`;
    await this.client.admin.createTopic({ topic, readQueues, writeQueues });
    return topic;
  }

  /** Starts the next generation of the connector's only source task. */
  async source(
    task: SourceTask,
    {
      onRead = () => undefined,
      config = {},
      queueKeys,
      isRaw = false,
      settings = {},
    }: {
      readonly onRead?: (offset: number) => void;
      readonly config?: TaskConfig;
      readonly queueKeys?: SourceLoopSpec['queueKeys'];
      readonly isRaw?: boolean;
      readonly settings?: Partial<SourceLoopSpec['settings']>;
    } = {},
  ): Promise<RunningLoop<SourceTaskLoop>> {
    const generation = ++this.#generation;
    const counters = newTaskCounters();
    const log: string[] = [];
    const { client } = this;
    const messages = new RocketMqQueueMessages(client, `r-${this.connector}`);
    const read = messages.read.bind(messages);
    messages.read = (queue, from, signal) => {
      onRead(from);
      return read(queue, from, signal);
    };
    const loop = new SourceTaskLoop(
      {
        connector: this.connector,
        index: 0,
        generation,
        task,
        config,
        transforms: createTransforms({}),
        encoder: isRaw ? new RawEncoder() : new ConvertingEncoder(createConverters(strings, undefined)),
        queueKeys,
        isRaw,
        settings: {
          ...limits,
          flushIntervalMs: 200,
          maxBatchBytes: 256 * 1024,
          maxBufferedBytes: 8 * 1024 * 1024,
          maxBufferedRecords: 50_000,
          shutdownTimeoutMs: 10_000,
          rewriteIntervalMs: 3_600_000,
          maxUnavailableMs: 1000,
          ...settings,
        },
        logger: loggerTo(log),
        hide: (text) => text,
        counters,
        figures: new TaskFigures(),
        warnings: new TaskWarnings(systemClock, loggerTo(log)),
        waits: new TaskWaits(systemClock),
        rate: new SharedRate(() => systemClock.nowMs()),
        requestTaskReconfiguration: () => undefined,
      },
      {
        producer: new RocketMqRecordProducer(client, new SpareEncoders(), undefined, () => undefined),
        messages,
        positions: await this.#positionStore(),
        lease: always,
        clock: systemClock,
      },
    );
    await loop.start();
    return { loop, counters, log };
  }

  /** Starts a sink task that reads topics, with a group that is named after the first one. */
  async sink(
    task: SinkTask,
    topics: string | readonly [string, ...string[]],
    config: TaskConfig = {},
    isRaw = false,
  ): Promise<RunningLoop<SinkTaskLoop>> {
    const names = typeof topics === 'string' ? [topics] : topics;
    const counters = newTaskCounters();
    const log: string[] = [];
    const { client } = this;
    const loop = new SinkTaskLoop(
      {
        connector: this.connector,
        index: 0,
        generation: 1,
        task,
        config,
        group: `g-${this.connector}-${names[0]}`,
        subscription: { topics: { kind: 'names', names }, share: { index: 0, count: 1, granularity: 'queue', moved: NOTHING_MOVED } },
        requestTaskReconfiguration: () => undefined,
        transforms: createTransforms({}),
        decoder: isRaw ? new RawDecoder() : new ConvertingDecoder(createConverters(strings, undefined)),
        settings: {
          ...limits,
          flushIntervalMs: 200,
          maxPutRecords: 2000,
          maxAheadPerQueue: { maxBytes: 1024 * 1024, maxRecords: 20_000 },
          maxAhead: { maxBytes: 8 * 1024 * 1024, maxRecords: 100_000 },
          refreshIntervalMs: 30_000,
          offsetReset: 'earliest',
          shutdownTimeoutMs: 10_000,
        },
        logger: loggerTo(log),
        hide: (text) => text,
        hasRepeatablePut: false,
        counters,
        figures: new TaskFigures(),
        warnings: new TaskWarnings(systemClock, loggerTo(log)),
        waits: new TaskWaits(systemClock),
        rate: new SharedRate(() => systemClock.nowMs()),
      },
      {
        producer: new RocketMqRecordProducer(client, new SpareEncoders(), undefined, () => undefined),
        messages: new RocketMqQueueMessages(client, `r-${this.connector}`),
        offsets: new RocketMqOffsetStore(client),
        lease: always,
        clock: systemClock,
      },
    );
    await loop.start();
    return { loop, counters, log };
  }

  /** All that a queue holds. */
  async messagesOf(queue: QueueRef): Promise<readonly RawMessage[]> {
    const end = await this.client.admin.maxOffset(queue);
    const found: RawMessage[] = [];
    if (end === 0) return found;
    const stop = new AbortController();
    const reader = new RocketMqQueueMessages(this.client, `r-${this.connector}`).read(queue, 0, stop.signal);
    try {
      while (found.length < end) found.push(...(await reader.next()));
    } finally {
      reader.close();
    }
    return found;
  }

  async barriersIn(queue: QueueRef): Promise<number> {
    return (await this.messagesOf(queue)).filter(({ rawProperties }) => scanBarrier(rawProperties) !== undefined).length;
  }

  async queuesOf(topic: string, count: number): Promise<readonly QueueRef[]> {
    const { brokers } = await this.client.routes.get(topic);
    return brokers.flatMap(({ brokerName }) => Array.from({ length: count }, (_, queueId) => ({ topic, brokerName, queueId })));
  }

  async #positionStore(): Promise<RocketMqPositionStore> {
    if (this.#positions !== undefined) return this.#positions;
    const { client } = this;
    const topics = this.#topics;
    const { brokerName } = await createCluster(client, this.connector);
    const owners = (): { asOf: number; live: Map<number, number>; tasksSince: number; hasCommitted: boolean } => ({
      asOf: this.#generation,
      live: new Map([[0, this.#generation]]),
      tasksSince: 0,
      hasCommitted: false,
    });
    const logger = { ...loggerTo([]), log: () => undefined };
    this.#positions = new RocketMqPositionStore(client, topics, brokerName, `sluice-${this.connector}-reader`, owners, logger);
    return this.#positions;
  }
}

function loggerTo(lines: string[]): TaskLogger {
  const add =
    (level: string) =>
    (message: string): void => {
      lines.push(`${level} ${message}`);
    };
  return { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') };
}
