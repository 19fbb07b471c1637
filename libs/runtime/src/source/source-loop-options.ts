import type { BackoffLimits } from '@sluice/time';
import type { SourceTask, TaskConfig, TaskLogger } from '@sluice/sdk';
import type { ErrorReporting } from '../dead-letters/record-errors.js';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import type { PositionStore } from '../ports/position-store.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { RecordProducer } from '../ports/record-producer.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { SharedRate } from '../task/shared-rate.js';
import type { TaskFigures } from '../task/task-figures.js';
import type { TaskWaits } from '../retry/task-waits.js';
import type { TaskWarnings } from '../task/task-warnings.js';
import type { SourceTraces } from '../traces/source-traces.js';
import type { TransformChain } from '../transforms/transform-chain.js';
import type { QueueKeys } from './queue-keys.js';
import type { RecordEncoder } from './record-encoder.js';

export interface SourceLoopPorts {
  readonly producer: RecordProducer;
  readonly messages: QueueMessages;
  readonly positions: PositionStore;
  readonly lease: Lease;
  readonly clock: Clock;
}

export interface SourceLoopSettings {
  /** Every how many milliseconds positions are stored. */
  readonly flushIntervalMs: number;
  /** A batch is closed once it has this many bytes. */
  readonly maxBatchBytes: number;
  /** Polling waits while this much is not acknowledged. */
  readonly maxBufferedBytes: number;
  readonly maxBufferedRecords: number;
  /** How long a stop may take in all. */
  readonly shutdownTimeoutMs: number;
  /** Retriable errors of the task: how long the same call is made again; `undefined` without end. */
  readonly retryTimeoutMs: number | undefined;
  /** How long a queue is waited for whose broker is unavailable; `undefined` without end. */
  readonly maxUnavailableMs: number | undefined;
  readonly backoff: BackoffLimits;
  /** Leave out, rather than fail on, records that cannot be converted or are too large. */
  readonly skipsBadRecords: boolean;
  /** What is done about records that are left out. */
  readonly errors: ErrorReporting;
  /** All positions are written again this often, well within the retention of their topic. */
  readonly rewriteIntervalMs: number;
}

export interface SourceLoopSpec {
  readonly connector: string;
  readonly index: number;
  readonly generation: number;
  readonly task: SourceTask;
  readonly config: TaskConfig;
  readonly transforms: TransformChain;
  readonly encoder: RecordEncoder;
  /** Chooses queues record by record; `undefined` where partitions have queues. */
  readonly queueKeys?: QueueKeys | undefined;
  /** Records are messages that pass as they are, and each names the only queue of its partition. */
  readonly isRaw?: boolean | undefined;
  readonly settings: SourceLoopSettings;
  readonly logger: TaskLogger;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
  readonly counters: TaskCounters;
  readonly figures: TaskFigures;
  /** Absent where no record is traced. */
  readonly traces?: SourceTraces | undefined;
  /** What the status shows beside the state. */
  readonly warnings: TaskWarnings;
  readonly waits: TaskWaits;
  /** What the connector may take in a second, which its tasks share. */
  readonly rate: SharedRate;
  /** Requests new task configs of the connector, soon. */
  readonly requestTaskReconfiguration: () => void;
}
