import { parseBarrier, parseStamp, scanBarrier, scanStamp, type Stamp } from '@sluice/protocol';
import { queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import {
  isQueueReadFailure,
  type QueueMessages,
  type QueueReader,
  type RawMessage,
} from '../ports/queue-messages.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { backoffMs, type BackoffLimits } from '../retry/backoff.js';
import { QueueOffsetError } from './queue-offset-error.js';
import { type AheadBudget, ReadAhead } from './read-ahead.js';
import type { RecordDecoder } from './record-decoder.js';
import { StreamFilter } from './stream-filter.js';

export interface IntakeContext {
  readonly messages: QueueMessages;
  readonly clock: Clock;
  readonly counters: TaskCounters;
  readonly backoff: BackoffLimits;
  readonly decoder: RecordDecoder;
  readonly budget: AheadBudget;
  readonly maxAheadBytes: number;
  readonly skipsBadRecords: boolean;
  /** Aborted when nothing more is read. */
  readonly signal: AbortSignal;
  readonly arrived: () => void;
  readonly failed: (error: unknown) => void;
  readonly warn: (message: string) => void;
  readonly skipped: (queue: QueueRef, offset: number, error: unknown) => void;
}

/** Thrown by {@link QueueIntake.take} for a message that cannot be converted, with where it is. */
export class MessageConversionFailure extends Error {
  override readonly name = 'MessageConversionFailure';

  constructor(
    readonly queue: QueueRef,
    readonly offset: number,
    override readonly cause: unknown,
  ) {
    super(`The record of topic ${queue.topic} in queue ${queueKey(queue)} at offset ${offset} cannot be converted`);
  }
}

/** Reads one queue ahead of need, drops what is doubled, and knows how far the task has taken it. */
export class QueueIntake {
  readonly key: string;
  private readonly ahead: ReadAhead;
  private readonly filter: StreamFilter;
  private next: number;
  /** The offset of the last flushed position. */
  private flushed: number | undefined;

  constructor(
    readonly queue: QueueRef,
    start: SinkPosition,
    private readonly context: IntakeContext,
  ) {
    this.key = queueKey(queue);
    this.ahead = new ReadAhead(context.budget, context.maxAheadBytes);
    this.filter = StreamFilter.restore(start.filterState ?? '');
    this.next = start.nextOffset;
    this.flushed = start.nextOffset;
  }

  get hasMessages(): boolean {
    return !this.ahead.isEmpty;
  }

  /** Something was taken since the last flush. */
  get isAdvanced(): boolean {
    return this.next !== this.flushed;
  }

  /** How far the queue was taken. */
  position(): SinkPosition {
    const filterState = this.filter.serialize();
    return { queue: this.queue, nextOffset: this.next, ...(filterState === '' ? undefined : { filterState }) };
  }

  markFlushed(position: SinkPosition): void {
    this.flushed = position.nextOffset;
  }

  /**
   * Moves records into `records` until there are `max`. Throws a {@link MessageConversionFailure} at a message that cannot be converted: what
   * comes before it is taken then, and the position lies on it.
   */
  take(records: SinkRecord[], max: number): void {
    const { counters, decoder, skipsBadRecords, skipped } = this.context;
    while (records.length < max) {
      const message = this.ahead.take();
      if (message === undefined) return;
      counters.recordsRead++;
      const stamp = this.judge(message);
      if (stamp !== 'dropped') {
        try {
          records.push(decoder.decode(this.queue, message));
        } catch (error) {
          counters.conversionErrors++;
          if (!skipsBadRecords) throw new MessageConversionFailure(this.queue, message.queueOffset, error);
          counters.recordsSkipped++;
          skipped(this.queue, message.queueOffset, error);
        }
        if (stamp !== undefined) this.filter.remember(stamp, message.storeTimestamp);
      }
      this.next = message.queueOffset + 1;
    }
  }

  /** Reads until the signal is aborted. Never rejects. */
  async read(): Promise<void> {
    const { messages, signal, counters, arrived, failed } = this.context;
    let from = this.next;
    let reader: QueueReader | undefined;
    try {
      for (let attempt = 1; !signal.aborted; attempt++) {
        await this.ahead.room(signal);
        reader ??= messages.read(this.queue, from, signal);
        let answer: readonly RawMessage[] = [];
        try {
          answer = await reader.next();
        } catch (error) {
          signal.throwIfAborted();
          from = await this.afterFailure(error, from, attempt);
          reader.close();
          reader = undefined;
          continue;
        }
        const last = answer.at(-1);
        if (last === undefined) continue;
        from = last.queueOffset + 1;
        attempt = 0;
        counters.bytesRead += this.ahead.add(answer);
        arrived();
      }
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      reader?.close();
      this.ahead.clear();
    }
  }

  /** Returns where reading goes on, or throws. */
  private async afterFailure(error: unknown, from: number, attempt: number): Promise<number> {
    const { messages, clock, backoff, signal, counters, skipsBadRecords, warn } = this.context;
    if (!isQueueReadFailure(error)) throw error;
    switch (error.reason) {
      case 'below-min': {
        const minOffset = await messages.minOffset(this.queue);
        if (minOffset <= from) return from;
        counters.recordsLost += minOffset - from;
        const problem = new QueueOffsetError(this.queue, 'below-min', from, minOffset);
        if (!skipsBadRecords) throw problem;
        warn(problem.message);
        return minOffset;
      }
      case 'beyond-end':
        throw new QueueOffsetError(this.queue, 'beyond-end', from, await messages.endOffset(this.queue));
      case 'unavailable':
        if (!error.retriable) throw error;
        warn(`Reading ${this.key} at offset ${from} failed and is repeated: ${error.message}`);
        await clock.sleep(backoffMs(attempt, backoff, clock.random()), signal);
        return from;
    }
  }

  /** The stamp of a record that was not seen before, if it has one; `dropped` for barriers and doubled records. */
  private judge({ rawProperties, storeTimestamp }: RawMessage): Stamp | undefined | 'dropped' {
    const { counters } = this.context;
    const stampText = scanStamp(rawProperties);
    if (stampText !== undefined) {
      const stamp = parseStamp(stampText);
      if (stamp === undefined) return undefined;
      switch (this.filter.verdict(stamp)) {
        case 'accept':
          return stamp;
        case 'older-generation':
          counters.droppedOlderGeneration++;
          return 'dropped';
        case 'repeated-seq':
          counters.droppedRepeatedSeq++;
          return 'dropped';
      }
    }
    const barrier = parseBarrier(scanBarrier(rawProperties) ?? '');
    if (barrier === undefined) return undefined;
    this.filter.barrier(barrier.task, barrier.generation, storeTimestamp);
    return 'dropped';
  }
}
