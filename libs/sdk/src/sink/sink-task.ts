import type { ConnectError } from '../errors/connect-error.js';
import type { QueueRef, SinkRecord } from '../record/record.js';
import type { TaskContext } from '../record/task-context.js';

/** The longest wait that a sink task may ask for, in milliseconds. */
export const MAX_SINK_TIMEOUT_MS = 3_600_000;

/** What the runtime gives a sink task at its start. */
export interface SinkTaskContext extends TaskContext {
  /** Asks for a flush, and with it a commit, before the next one is due. Returns at once. */
  requestCommit(): void;

  /** Gives no further records of these queues to `put` until they are resumed. @throws ConnectError for a queue that the task has not opened */
  pause(queues: readonly QueueRef[]): void;

  /** Gives records of these queues to `put` again. @throws ConnectError for a queue that the task has not opened */
  resume(queues: readonly QueueRef[]): void;

  /**
   * Sets when a call is made again that is about to fail with a retriable error, in milliseconds; else the backoff decides. It holds for the next
   * try alone, within `errors.retry.timeout`. A stop ends the wait.
   *
   * @throws ConnectError unless `delayMs` is a whole number from 0 to {@link MAX_SINK_TIMEOUT_MS}
   */
  timeout(delayMs: number): void;

  /**
   * Has queues read from other offsets, before or after what was put. Returns at once. The runtime begins after the task's present call. It
   * flushes everything, again until all is safe that was put before the new offset. Then it flushes the new positions and commits their offsets. No
   * record of these queues is put meanwhile. The task drops what it holds of the queue from the new offset on, and reports it as safe up to there
   * at least. A `put` that failed is made again first. The filter against duplicates learns again from the 10,000 messages before.
   *
   * A task that stops meanwhile leaves the new offsets to the next owner. It ends unclean, and a warning names those that it cannot leave. Then a
   * `put` was not completed, or what comes before is not safe. Or a broker does not answer in time, or has no such offset. Ask again in `open`.
   *
   * An offset behind the end of the queue fails the task. So does one that retention removed, unless `errors.tolerance=all`: the queue is read from
   * its oldest message then. A reset by an operator goes before: what the task asked for until the reset is followed is dropped.
   *
   * @throws ConnectError for a queue that the task has not opened, or for what is no offset
   */
  seek(positions: readonly SinkPosition[]): void;

  /**
   * Skips a record that the other system refuses for good, and reports why. With `errors.tolerance=all` the runtime counts it, as refused, and logs
   * it before this call returns. Else the call throws the error, and the task fails, whatever becomes of what is thrown: offsets are not committed
   * any more. May be called until a `flush` reports the record as safe, also outside of calls.
   *
   * The promise resolves once the dead letter topic has the record, at once where there is none. It need not be waited for: the runtime waits before
   * it calls `flush`, and before it commits. A sink that stores offsets with its data and skips a record within `flush` waits before it stores them.
   * It rejects when the task is given up.
   */
  skipRecord(record: SinkRecord, error: ConnectError): Promise<void>;
}

/** How far a queue was consumed. */
export interface SinkPosition {
  readonly queue: QueueRef;
  /** The offset of the next record that is to be put. */
  readonly nextOffset: number;
  /** What the runtime knows of the queue up to the offset; opaque, to be stored and returned together with it. With another offset it is ignored. */
  readonly readState?: string;
}

/** How the runtime asks a sink task to flush. */
export interface FlushOptions {
  /**
   * The task is to be paused or stopped, or a queue is to be read elsewhere. Before what was put is safe, nothing more is put: of any queue, or of
   * the one that is to be read elsewhere. A sink that holds records back, for a batch or a file that fills, writes them now. The call is repeated
   * until they are safe.
   */
  readonly everything: boolean;
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

  /**
   * Takes records, in order per queue. They need not be durable before the next `flush`. Where only the first ones were written, a
   * `RetriableError` may name the first that was not.
   */
  put(records: readonly SinkRecord[], signal: AbortSignal): Promise<void>;

  /**
   * Called about every 100 ms while there is nothing to put, for what is due by time, such as a batch that lingers. While the task is paused or
   * stops, only as long as records are not safe.
   */
  tick?(signal: AbortSignal): Promise<void>;

  /**
   * Makes everything put before `positions` durable, and in a sink that stores offsets `positions` with it. The runtime commits the offsets
   * to the consumer group afterwards. A position may lie before the last one, or after everything that was put. An operator has reset the
   * group then, and the sink resumes there.
   *
   * A sink that holds records longer returns the positions that are safe: everything before them is durable. Only those offsets are committed. A
   * queue that the answer leaves out stays where it was last safe; nothing returned says that `positions` are. A safe offset lies between the
   * last one and that of `positions`. Any other fails the task, and so does one of a queue that the task has not opened. The call is repeated while
   * records are not safe, also while the task is paused. The next owner reads again what is not safe at the end.
   */
  flush(positions: readonly SinkPosition[], signal: AbortSignal, options: FlushOptions): Promise<void> | Promise<readonly SinkPosition[]>;

  /** Takes `queues` from the task. Everything put was flushed before, unless the task failed. */
  close(queues: readonly QueueRef[]): Promise<void>;

  stop(): Promise<void>;
}
