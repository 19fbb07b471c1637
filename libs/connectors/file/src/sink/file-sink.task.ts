import {
  ConnectError,
  ConnectErrorCode,
  queueKey,
  type QueueRef,
  requireTaskConfig,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TaskLogger,
} from '@sluice/sdk';
import { AppendedFile, requirePlace } from './appended-file.js';
import { LineWriter } from './line-writer.js';
import { advance } from './offsets-record.js';
import { fileSinkSpec } from './settings.js';

interface StartedTask {
  readonly path: string;
  readonly connector: string;
  readonly logger: TaskLogger;
  readonly skipRecord: SinkTaskContext['skipRecord'];
}

/**
 * Appends the values of records to a file, a line each.
 *
 * Beside the file it keeps `<file>.sluice-offsets`: the length of the file and the offsets of the queues whose records it holds. A flush
 * replaces that side record after the data is durable; an open cuts the file back to that length. So a record is in the file once, also
 * after a crash.
 */
export class FileSinkTask implements SinkTask {
  #started: StartedTask | undefined;
  #file: AppendedFile | undefined;
  readonly #writer = new LineWriter();
  readonly #openQueues = new Set<string>();
  /** The offset after the last record that was put, for each queue with records since the last flush. */
  readonly #unflushed = new Map<string, number>();

  async start(context: SinkTaskContext): Promise<void> {
    const { file } = requireTaskConfig(context, fileSinkSpec);
    // Its queues may come much later.
    await requirePlace(file);
    const skipRecord: SinkTaskContext['skipRecord'] = (record, error) => context.skipRecord(record, error);
    this.#started = { path: file, connector: context.connectorName, logger: context.logger, skipRecord };
  }

  async open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    const { path, connector, logger } = this.#running();
    this.#file ??= await AppendedFile.open(path, connector);
    if (this.#openQueues.size === 0 && this.#unflushed.size > 0) {
      await this.#file.cutBack();
      this.#unflushed.clear();
    }
    const positions: SinkPosition[] = [];
    for (const queue of queues) {
      const key = queueKey(queue);
      this.#openQueues.add(key);
      const progress = this.#file.record.queues[key];
      if (progress === undefined) continue;
      positions.push({ queue, ...progress });
      logger.info(`File ${path}: resumes queue ${key} at offset ${progress.nextOffset}.`);
    }
    return positions;
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { skipRecord } = this.#running();
    // The runtime waits for what becomes of a skipped record before it flushes.
    await this.#opened().append(this.#writer.pieces(records, (record, error) => void skipRecord(record, error)));
    let queue: QueueRef | undefined;
    let next = 0;
    for (const record of records) {
      if (queue !== undefined && record.queue !== queue) this.#unflushed.set(queueKey(queue), next);
      queue = record.queue;
      next = record.offset + 1;
    }
    if (queue !== undefined) this.#unflushed.set(queueKey(queue), next);
  }

  async flush(positions: readonly SinkPosition[]): Promise<void> {
    const file = this.#opened();
    if (positions.length === 0 && this.#unflushed.size === 0) return;
    this.#checkCovered(positions);
    await file.commit(advance(file.record, file.length, positions));
    this.#unflushed.clear();
  }

  close(queues: readonly QueueRef[]): Promise<void> {
    for (const queue of queues) this.#openQueues.delete(queueKey(queue));
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#openQueues.clear();
    this.#unflushed.clear();
    await file?.close();
  }

  /** Requires that the positions cover the whole file: a record that none covers would be written twice after a crash. */
  #checkCovered(positions: readonly SinkPosition[]): void {
    const covered = new Map(positions.map((position) => [queueKey(position.queue), position.nextOffset]));
    for (const [key, needed] of this.#unflushed) {
      const given = covered.get(key);
      if (given !== undefined && given >= needed) continue;
      throw new ConnectError(
        ConnectErrorCode.internal,
        `File sink: records of queue ${key} up to offset ${needed - 1} were put, but the flush is for ` +
          `${given === undefined ? 'other queues' : `records before ${given}`}: it must cover everything that was put.`,
      );
    }
  }

  #running(): StartedTask {
    if (this.#started !== undefined) return this.#started;
    throw new ConnectError(ConnectErrorCode.internal, 'The file sink is used before its start.');
  }

  #opened(): AppendedFile {
    if (this.#file !== undefined) return this.#file;
    throw new ConnectError(ConnectErrorCode.internal, 'The file sink is used before it was opened.');
  }
}
