import { barrierMessage, encodeStamp, messageToRecord, queueTag, recordToMessage, streamId, taskId } from '@sluice/protocol';
import type { QueueRef, SinkTask } from '@sluice/sdk';
import { TaskFigures } from '../task/task-figures.js';
import { newTaskCounters, type TaskCounters } from '../ports/task-counters.port.js';
import { NOTHING_MOVED } from '../sink/queue-division.js';
import type { RecordDecoder } from '../sink/record-decoder.js';
import type { SinkLoopPorts, SinkLoopSettings } from '../sink/sink-loop-options.js';
import { SinkTaskLoop } from '../sink/sink-task-loop.js';
import type { Subscription } from '../sink/subscription.js';
import { FakeCluster } from './fake-cluster.js';
import { FakeLease, FakeOffsets } from './fake-stores.js';
import { TaskWaits } from '../retry/task-waits.js';
import { SharedRate } from '../task/shared-rate.js';
import { TaskWarnings } from '../task/task-warnings.js';
import { ManualClock } from './manual-clock.js';
import { LogLines } from './source-world.js';
import type { SinkTraces } from '../traces/sink-traces.js';
import { TransformChain } from '../transforms/transform-chain.js';

export const textDecoder: RecordDecoder = {
  decode: (queue, { body, rawProperties, queueOffset }) => {
    const { value } = messageToRecord({ body, properties: rawProperties });
    const text = value?.toString('utf8') ?? null;
    if (text === 'poison') throw new Error('not a text');
    return { topic: queue.topic, queue, offset: queueOffset, value: text };
  },
};

export const testSinkSettings: SinkLoopSettings = {
  flushIntervalMs: 1000,
  maxPutRecords: 2000,
  maxAheadPerQueue: { maxBytes: 1024 * 1024, maxRecords: 20_000 },
  maxAhead: { maxBytes: 8 * 1024 * 1024, maxRecords: 100_000 },
  refreshIntervalMs: 30_000,
  offsetReset: 'earliest',
  shutdownTimeoutMs: 5000,
  retryTimeoutMs: undefined,
  backoff: { initialMs: 10, maxMs: 1000 },
  skipsBadRecords: false,
  errors: { logs: true, logsContents: false, deadLetters: undefined },
};

/** A log, group offsets and a clock that outlive the loops run on them. */
export class SinkWorld {
  readonly clock = new ManualClock();
  readonly cluster = new FakeCluster();
  readonly offsets = new FakeOffsets();
  readonly lease = new FakeLease();
  readonly logger = new LogLines();
  readonly warnings = new TaskWarnings(this.clock, this.logger);
  readonly waits = new TaskWaits(this.clock);
  reconfigurationRequests = 0;
  /** Of all loops. */
  readonly rate = new SharedRate(() => this.clock.nowMs());
  #generation = 0;

  loop(
    task: SinkTask,
    options: {
      readonly settings?: Partial<SinkLoopSettings>;
      readonly ports?: Partial<SinkLoopPorts>;
      readonly subscription?: Partial<Subscription>;
      readonly transforms?: TransformChain;
      readonly traces?: SinkTraces;
      readonly decoder?: RecordDecoder;
      readonly hasRepeatablePut?: boolean;
    } = {},
  ): { readonly loop: SinkTaskLoop; readonly counters: TaskCounters; readonly figures: TaskFigures } {
    this.#generation++;
    const counters = newTaskCounters();
    const figures = new TaskFigures();
    const loop = new SinkTaskLoop(
      {
        connector: 'sink',
        index: 0,
        generation: this.#generation,
        task,
        config: {},
        group: 'g',
        subscription: {
          topics: { kind: 'names', names: ['t'] },
          share: { index: 0, count: 1, granularity: 'queue', moved: NOTHING_MOVED },
          ...options.subscription,
        },
        requestTaskReconfiguration: () => {
          this.reconfigurationRequests++;
        },
        decoder: options.decoder ?? textDecoder,
        transforms: options.transforms ?? new TransformChain(),
        traces: options.traces,
        settings: { ...testSinkSettings, ...options.settings },
        logger: this.logger,
        counters,
        figures,
        warnings: this.warnings,
        hasRepeatablePut: options.hasRepeatablePut ?? false,
        hide: (text) => text.replaceAll('s3cret', '[hidden]'),
        waits: this.waits,
        rate: this.rate,
      },
      {
        producer: this.cluster.producer,
        messages: this.cluster.messages,
        offsets: this.offsets,
        lease: this.lease,
        clock: this.clock,
        ...options.ports,
      },
    );
    return { loop, counters, figures };
  }

  /** Puts records without stamps into a queue. */
  plain(ref: QueueRef, ...values: readonly string[]): void {
    const parts = values.map((value) => recordToMessage({ value: Buffer.from(value) }, { topic: ref.topic }));
    this.cluster.queue(ref).append(parts, this.clock.wallMs());
  }

  /** Puts stamped records into a queue as generation `generation` of a source: one per seq, with the value `<file><seq>`. */
  stamped(ref: QueueRef, file: string, generation: number, ...seqs: readonly number[]): void {
    const parts = seqs.map((seq) => {
      const stamp = encodeStamp(
        {
          task: taskId('source', 0),
          stream: streamId('source', { file }),
          generation,
          seq,
          position: { position: seq },
        },
        queueTag(ref),
      );
      return recordToMessage({ value: Buffer.from(`${file}${seq}`) }, { topic: ref.topic }, stamp);
    });
    this.cluster.queue(ref).append(parts, this.clock.wallMs());
  }

  /** Puts the barrier of queue `ref` there, or a copy of it into another queue. */
  barrier(ref: QueueRef, generation: number, into = ref): void {
    const message = barrierMessage({ task: taskId('source', 0), generation }, ref);
    this.cluster.queue(into).append([message], this.clock.wallMs());
  }
}
