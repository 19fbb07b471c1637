import type { QueueRef, SinkRecord } from '../record/record.js';
import type { TaskContext } from '../record/task-context.js';

export type SinkTaskContext = TaskContext;

/** How far a queue was consumed. */
export interface SinkPosition {
  readonly queue: QueueRef;
  /** The offset of the next record that is to be put. */
  readonly nextOffset: number;
  /** What the runtime knows of the queue up to the offset; opaque, to be stored and returned together with it. */
  readonly readState?: string;
}

/**
 * Writes records to another system for the runtime, which calls one method at a time.
 *
 * Order of calls: `start`, `open`, then `put` and `flush` again and again, `close`, `stop` (always). A thrown error fails the task,
 * unless it is marked `retriable`: then the same call with the same records is made again after a backoff.
 */
export interface SinkTask {
  start(context: SinkTaskContext): Promise<void>;

  /**
   * Gives `queues` to the task. A sink that stores offsets with its data returns them: the runtime resumes there, so the system receives
   * every record exactly once. A queue without an answer resumes at the consumer group's offset.
   */
  open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]>;

  /** Takes records, in order per queue. They need not be durable before the next `flush`. */
  put(records: readonly SinkRecord[], signal: AbortSignal): Promise<void>;

  /**
   * Makes everything put before `positions` durable, and in a sink that stores offsets `positions` with it. The runtime commits the offsets
   * to the consumer group afterwards. A position may lie before the last one, or after everything that was put. An operator has reset the
   * group then, and the sink resumes there.
   */
  flush(positions: readonly SinkPosition[], signal: AbortSignal): Promise<void>;

  /** Takes `queues` from the task. Everything put was flushed before, unless the task failed. */
  close(queues: readonly QueueRef[]): Promise<void>;

  stop(): Promise<void>;
}
