import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import { acquireExclusiveLock, type ExclusiveLock, sinkFileError } from '@sluice/sdk/files';
import { QueueFindings } from './queue-findings.js';
import { type QueueReport, readReport, reportPath, writeReport } from './report-file.js';

/** A queue that a task owns: its findings in memory, its report in a file, and the lock that keeps other tasks from both. */
export class VerifiedQueue {
  readonly #path: string;
  readonly #connector: string;
  readonly #queue: QueueRef;
  readonly #lock: ExclusiveLock;
  readonly #findings: QueueFindings;
  #stored: SinkPosition | undefined;
  /** The offset after the last record since the last flush. */
  #unflushedTo: number | undefined;
  /** A flush that nobody waits for; never rejects. */
  #writing: Promise<void> | undefined;
  /** Why that flush failed. */
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    path: string,
    connector: string,
    queue: QueueRef,
    lock: ExclusiveLock,
    report: QueueReport | undefined,
    warmUpMs: number,
  ) {
    this.#path = path;
    this.#connector = connector;
    this.#queue = queue;
    this.#lock = lock;
    this.#findings = new QueueFindings(report?.findings, { warmUpMs });
    this.#stored = report?.position;
  }

  /**
   * Takes the queue's lock and continues its report, or begins one.
   * @throws {ConnectError} if another task has the queue (retriable), or the report is damaged or of another connector
   */
  static async open(folder: string, connector: string, queue: QueueRef, warmUpMs: number): Promise<VerifiedQueue> {
    const path = reportPath(folder, queue);
    const lock = await acquireExclusiveLock(`${path}.lock`, `connector ${connector}`).catch((error: unknown) => {
      throw sinkFileError(`Report ${path} cannot be written`, error);
    });
    try {
      const report = await readReport(path);
      if (report !== undefined && report.connector !== connector) throw foreign(path, connector, report);
      return new VerifiedQueue(path, connector, queue, lock, report, warmUpMs);
    } catch (error) {
      await lock.release();
      throw sinkFileError(`Report ${path} cannot be read`, error);
    }
  }

  /** The position in the report; `undefined` before the first flush. */
  get stored(): SinkPosition | undefined {
    return this.#stored;
  }

  add(record: SinkRecord, arrivedMs: number): void {
    this.#findings.add(record, arrivedMs);
    this.#unflushedTo = record.offset + 1;
  }

  /**
   * Begins to write the report while further records are added, unless one is being written.
   *
   * @param position as of {@link flush}
   * @throws {ConnectError} why the report before could not be written
   */
  beginFlush(position: SinkPosition | undefined): void {
    this.#throwFailure();
    this.#writing ??= this.#write(position)
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /**
   * Writes the report, if it is not in the file already.
   * @param position must cover every record that was added
   */
  async flush(position: SinkPosition | undefined): Promise<void> {
    await this.#writing;
    this.#throwFailure();
    await this.#write(position);
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  async #write(position: SinkPosition | undefined): Promise<void> {
    const needed = this.#unflushedTo;
    if (needed !== undefined && (position === undefined || position.nextOffset < needed)) {
      throw new ConnectError(
        ConnectErrorCode.internal,
        `Verify sink: records of queue ${queueKey(this.#queue)} up to offset ${needed - 1} were put, but the flush is for ` +
          `${position === undefined ? 'other queues' : `records before ${position.nextOffset}`}: it must cover everything that was put.`,
      );
    }
    if (position === undefined || (needed === undefined && isSame(position, this.#stored))) return;
    try {
      await writeReport(this.#path, { connector: this.#connector, position, findings: this.#findings.state });
    } catch (error) {
      throw sinkFileError(`Writing report ${this.#path} failed`, error);
    }
    this.#stored = position;
    // Records may have come meanwhile.
    if (this.#unflushedTo === needed) this.#unflushedTo = undefined;
  }

  /** Gives the queue up. What was not flushed is forgotten. */
  async release(): Promise<void> {
    await this.#writing;
    await this.#lock.release();
  }
}

function isSame(left: SinkPosition, right: SinkPosition | undefined): boolean {
  return left.nextOffset === right?.nextOffset && left.readState === right.readState;
}

function foreign(path: string, connector: string, report: QueueReport): ConnectError {
  return new ConnectError(
    ConnectErrorCode.stateInvalid,
    `Report ${path} is written by connector ${report.connector}: give connector ${connector} another report.dir, or remove the reports.`,
  );
}
