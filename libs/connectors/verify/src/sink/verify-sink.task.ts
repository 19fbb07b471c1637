import {
  ConnectError,
  ConnectErrorCode,
  type FlushOptions,
  queueKey,
  type QueueRef,
  requireTaskConfig,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@sluice/sdk';
import { requireWritableFolder } from '@sluice/sdk/files';
import { verifySinkSpec } from './settings.js';
import { VerifiedQueue } from './verified-queue.js';

interface StartedTask {
  readonly folder: string;
  readonly connector: string;
  readonly warmUpMs: number;
}

/**
 * Checks verification records and keeps a report for each queue. A flush replaces the report together with its offset, so the report counts
 * each record once, also after a crash. Reports belong to queues: any task that gets a queue continues its report.
 */
export class VerifySinkTask implements SinkTask {
  #started: StartedTask | undefined;
  readonly #queues = new Map<string, VerifiedQueue>();

  async start(context: SinkTaskContext): Promise<void> {
    const config = requireTaskConfig(context, verifySinkSpec);
    const folder = config['report.dir'];
    await requireWritableFolder(folder, 'Reports cannot be written to report.dir');
    this.#started = { folder, connector: context.connectorName, warmUpMs: config['latency.warmup.ms'] };
  }

  /** When a lock is still held, the runtime calls again: queues that were opened before stay as they are. */
  async open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    const { folder, connector, warmUpMs } = this.#running();
    const positions: SinkPosition[] = [];
    for (const queue of queues) {
      const key = queueKey(queue);
      const opened = this.#queues.get(key) ?? (await VerifiedQueue.open(folder, connector, queue, warmUpMs));
      this.#queues.set(key, opened);
      if (opened.stored !== undefined) positions.push({ ...opened.stored, queue });
    }
    return positions;
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    return new Promise((resolve) => {
      const arrivedMs = Date.now();
      let ref: QueueRef | undefined;
      let queue: VerifiedQueue | undefined;
      for (const record of records) {
        if (queue === undefined || record.queue !== ref) queue = this.#opened(record.queue);
        ref = record.queue;
        queue.add(record, arrivedMs);
      }
      resolve();
    });
  }

  /** Reports are written while further records come, and are safe with a later flush: waiting for the disk would delay what is measured. */
  async flush(positions: readonly SinkPosition[], _signal: AbortSignal, { everything }: FlushOptions): Promise<readonly SinkPosition[]> {
    const byQueue = new Map(positions.map((position) => [queueKey(position.queue), position]));
    for (const { queue } of positions) this.#opened(queue);
    const safe: SinkPosition[] = [];
    for (const [key, queue] of this.#queues) {
      const position = byQueue.get(key);
      // What lies before the report is no record more: an operator has reset the group.
      const isBack = position !== undefined && queue.stored !== undefined && position.nextOffset < queue.stored.nextOffset;
      if (everything || isBack) await queue.flush(position);
      else queue.beginFlush(position);
      if (position !== undefined && queue.stored !== undefined) safe.push({ ...queue.stored, queue: position.queue });
    }
    return safe;
  }

  async close(queues: readonly QueueRef[]): Promise<void> {
    for (const queue of queues) {
      const key = queueKey(queue);
      const opened = this.#queues.get(key);
      this.#queues.delete(key);
      await opened?.release();
    }
  }

  async stop(): Promise<void> {
    const opened = [...this.#queues.values()];
    this.#queues.clear();
    for (const queue of opened) await queue.release();
  }

  #running(): StartedTask {
    if (this.#started !== undefined) return this.#started;
    throw new ConnectError(ConnectErrorCode.internal, 'The verify sink is used before its start.');
  }

  #opened(queue: QueueRef): VerifiedQueue {
    const opened = this.#queues.get(queueKey(queue));
    if (opened !== undefined) return opened;
    throw new ConnectError(
      ConnectErrorCode.internal,
      `The verify sink received records or a position of queue ${queueKey(queue)}, which it does not own.`,
    );
  }
}
