import type { BackoffLimits } from '@sluice/time';
import type { SinkTask, TaskConfig, TaskLogger } from '@sluice/sdk';
import type { ErrorReporting } from '../dead-letters/record-errors.js';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { OffsetStore } from '../ports/offset-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { SharedRate } from '../task/shared-rate.js';
import type { TaskFigures } from '../task/task-figures.js';
import type { TaskWaits } from '../retry/task-waits.js';
import type { TaskWarnings } from '../task/task-warnings.js';
import type { SinkTraces } from '../traces/sink-traces.js';
import type { TransformChain } from '../transforms/transform-chain.js';
import type { AheadLimits } from './read-ahead.js';
import type { RecordDecoder } from './record-decoder.js';
import type { Subscription } from './subscription.js';

export interface SinkLoopPorts {
  /** Of dead letters. */
  readonly producer: RecordProducer;
  readonly messages: QueueMessages;
  readonly offsets: OffsetStore;
  readonly lease: Lease;
  readonly clock: Clock;
}

export interface SinkLoopSettings {
  /** Every how many milliseconds the task is flushed. */
  readonly flushIntervalMs: number;
  /** Records per `put`, at most. */
  readonly maxPutRecords: number;
  /** Reading a queue waits while so much of it is asked for or not put. A queue may always hold one answer. */
  readonly maxAheadPerQueue: AheadLimits;
  /** What all queues may hold together. Each may hold an equal part of as much beyond that, so that none starves beside others that wait. */
  readonly maxAhead: AheadLimits;
  /** Every how many milliseconds new topics and queues are looked for. */
  readonly refreshIntervalMs: number;
  /** Where a group that never committed begins. */
  readonly offsetReset: 'earliest' | 'latest';
  /** How long a stop may take in all. */
  readonly shutdownTimeoutMs: number;
  /** Retriable errors of the task: how long the same call is made again; `undefined` without end. */
  readonly retryTimeoutMs: number | undefined;
  readonly backoff: BackoffLimits;
  /** Leave out, rather than fail on, records that cannot be converted, and resume behind records that retention removed. */
  readonly skipsBadRecords: boolean;
  /** What is done about records that are left out. */
  readonly errors: ErrorReporting;
}

export interface SinkLoopSpec {
  readonly connector: string;
  readonly index: number;
  readonly generation: number;
  readonly task: SinkTask;
  readonly config: TaskConfig;
  /** The consumer group whose offsets are committed. */
  readonly group: string;
  readonly subscription: Subscription;
  /** Requests new task configs of the connector, soon. */
  readonly requestTaskReconfiguration: () => void;
  readonly decoder: RecordDecoder;
  readonly transforms: TransformChain;
  readonly settings: SinkLoopSettings;
  /** A `put` that threw has taken nothing, or what it took may be put again: a batch that fails is put in parts. */
  readonly hasRepeatablePut: boolean;
  readonly logger: TaskLogger;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
  readonly counters: TaskCounters;
  readonly figures: TaskFigures;
  /** Absent where no record is traced. */
  readonly traces?: SinkTraces | undefined;
  /** What the status shows beside the state. */
  readonly warnings: TaskWarnings;
  readonly waits: TaskWaits;
  /** What the connector may take in a second, which its tasks share. */
  readonly rate: SharedRate;
}
