import type { ConnectError } from '../errors/connect-error.js';
import type { QueueRef, SourcePartition, SourcePosition, SourceRecord } from '../record/record.js';
import type { TaskContext } from '../record/task-context.js';

/** The most partitions whose positions one call of a source task asks for. */
export const MAX_POSITIONS_PER_CALL = 10_000;

/** What the runtime gives a source task at its start. */
export interface SourceTaskContext extends TaskContext {
  /** The position after the last record of `partition` that is known to be stored, or `undefined` if there is none. */
  position(partition: SourcePartition): SourcePosition | undefined;

  /**
   * The positions of many partitions, in their order, as {@link position} returns each.
   * @throws {ConnectError} for more than {@link MAX_POSITIONS_PER_CALL} partitions
   */
  positions(partitions: readonly SourcePartition[]): readonly (SourcePosition | undefined)[];

  /**
   * Skips a record that the task cannot hand over, and reports why. With `errors.tolerance=all` the runtime counts and logs it; else this
   * call throws the error, which ends the task. The position stays: where the input has one, return {@link unreadable} instead.
   */
  skipRecord(error: ConnectError): void;

  /**
   * Makes a mark for input that the task cannot read, to be returned by `poll` in the place of its record. `position` is that after the input.
   * With `errors.tolerance=all` the runtime counts and logs it, and the position takes effect when all records before it are stored. Else the
   * task fails with the error; what the same poll returned before the mark is sent and stored.
   */
  unreadable(partition: SourcePartition, position: SourcePosition, error: ConnectError): SourceRecord;

  /**
   * Makes a mark for input that is left out on purpose, to be returned by `poll` in its place. It is no error, and nothing is sent. `position` is
   * that after the input: it takes effect when all records before it are stored. A restart then does not read the input again.
   */
  passOver(partition: SourcePartition, position: SourcePosition): SourceRecord;

  /**
   * Shows in the status that the task waits for its input, and for what; `undefined` says that it is there. The log says each once. Call it
   * from `poll` as often as you like.
   */
  waitFor(reason: string | undefined): void;

  /**
   * Says that the task has no more data, for good. The records of the `poll` that is under way are the last; during `start` there are none.
   * The runtime commits them and calls `stop`, and the task is COMPLETED: the cluster does not run it again by itself. After a restart, new
   * settings or a stop of the connector it resumes behind its last position, and says so again.
   */
  complete(): void;

  /**
   * Asks for new task settings, because the other system has changed. The runtime calls the connector's `taskConfigs` soon and restarts
   * tasks whose settings changed, perhaps this one too. Returns at once; one call may answer many requests.
   */
  requestTaskReconfiguration(): void;
}

/**
 * Reads records from another system for the runtime, which calls one method at a time.
 *
 * Order of calls: `start`, then `poll` again and again, now and then `commit`, at the end `stop` (always, also after an error in
 * `start`). A thrown error fails the task, unless it is marked `retriable`: then the same call is made again after a backoff.
 */
export interface SourceTask {
  start(context: SourceTaskContext): Promise<void>;

  /**
   * Returns the next records, in order per partition. Waits for data for a moment when there is none and then returns an empty array;
   * returns early when `signal` is aborted. The runtime does not call it again before the records were accepted for sending.
   */
  poll(signal: AbortSignal): Promise<readonly SourceRecord[]>;

  /**
   * Called once for each record that the task polled, marks left out, in the order in which a queue acknowledged its records. Records of several queues have
   * no common order. Where no message was sent, the call comes at once, without metadata. A transform dropped the record then, it was
   * skipped for an error, or a restart found it in its queue.
   *
   * - `commit` gets a position only after all records before it were given to this method.
   * - A promise is waited for before any other call, so a slow one slows the task down.
   * - A retriable error has the same record given again after a backoff. Another one fails the task, and nothing is committed any more.
   *
   * A record that was acknowledged shortly before an unclean end may never be given: the task then resumes behind it.
   */
  commitRecord?(record: SourceRecord, metadata: RecordMetadata | undefined): Promise<void> | void;

  /** Called after the positions up to `positions` were stored: what lies before them is never asked for again. */
  commit?(positions: readonly CommittedPosition[]): Promise<void>;

  /** Frees everything. Called once, never during another call. */
  stop(): Promise<void>;
}

export interface CommittedPosition {
  readonly partition: SourcePartition;
  readonly position: SourcePosition;
}

/** Where a broker stored a record. */
export interface RecordMetadata {
  readonly queue: QueueRef;
  /** Its place in the queue; `undefined` where the reply to the send was lost and the record is in the queue all the same. */
  readonly offset: number | undefined;
  /** By which RocketMQ's tools find the message; `undefined` where the broker named none. */
  readonly messageId: string | undefined;
}
