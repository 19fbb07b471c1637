import { queueTag } from '@sluice/protocol';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import { isSendFailure, type RecordProducer, type SendSettlement } from '../ports/record-producer.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { backoffMs, type BackoffLimits } from '../retry/backoff.js';
import type { TaskWaits, WaitingCall } from '../retry/task-waits.js';
import { PendingBatch } from './pending-batch.js';
import type { PartitionState } from './partition-state.js';

/** What the lanes of a task share. */
export interface LaneContext {
  readonly producer: RecordProducer;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly counters: TaskCounters;
  readonly backoff: BackoffLimits;
  /** A batch is closed once it has this many bytes, or when the producer says that it is full. */
  readonly maxBatchBytes: number;
  /** Aborted when nothing may be sent any more. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly waits: TaskWaits;
  /** The offset that the next message of the queue gets. */
  readonly endOffset: (queue: QueueRef) => Promise<number>;
  /** Sends this generation's barrier and returns its offset. */
  readonly sendBarrier: (queue: QueueRef) => Promise<number>;
  /** Resolves when the place to scan the lane's queue from, and the routes of the batch's partitions, are stored. */
  readonly storeRoutes: (lane: QueueLane, batch: PendingBatch) => Promise<void>;
  /** Reads the queue from an offset up to a barrier and returns the last seq per stream that this generation has there. */
  readonly examine: (queue: QueueRef, from: number, barrierOffset: number) => Promise<ReadonlyMap<string, number>>;
  readonly acknowledged: (lane: QueueLane, batch: PendingBatch) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Sends the records of one queue, in order: one batch is unacknowledged at a time, and while it is, further records collect in the next
 * ones. A queue that cannot be reached keeps its records until it can: they are never sent elsewhere.
 */
export class QueueLane {
  readonly key: string;
  /** The queue's name in stamps. */
  readonly tag: string;
  /** What this generation sent and the stored positions do not cover lies here or later; `undefined` before its first batch. */
  private scanFromOffset: number | undefined;
  /** Closed batches, the first of which is being sent. */
  private readonly closed: PendingBatch[] = [];
  private open: PendingBatch | undefined;
  /** Acknowledged batches that are not part of the stored positions in full. */
  private readonly unsettled: PendingBatch[] = [];
  private running = false;
  private readonly waiting: WaitingCall;
  /** The position store knows from where to scan this queue. */
  scanIsStored = false;

  constructor(
    readonly queue: QueueRef,
    private readonly context: LaneContext,
  ) {
    this.key = queueKey(queue);
    this.tag = queueTag(queue);
    this.waiting = context.waits.begin(`sending to queue ${this.key}`);
  }

  /** True when everything given to it is acknowledged. */
  get idle(): boolean {
    return !this.running && this.open === undefined && this.closed.length === 0;
  }

  /**
   * Appends a record, under the partition's next seq, to what is to be sent and returns its batch. Returns `undefined`, and appends
   * nothing, when not even an empty batch takes it: the record is too large.
   */
  append(partition: PartitionState, body: Buffer, properties: Buffer, hasNewRoute: boolean): PendingBatch | undefined {
    const { counters } = this.context;
    const seq = partition.lastSeq + 1;
    let batch = (this.open ??= new PendingBatch(this.context.producer));
    if (!batch.add(partition, seq, body, properties)) {
      if (batch.count === 0) return undefined;
      const next = new PendingBatch(this.context.producer);
      if (!next.add(partition, seq, body, properties)) return undefined;
      this.close(batch);
      batch = this.open = next;
    }
    counters.bufferedBytes += body.length + properties.length;
    counters.bufferedRecords++;
    if (hasNewRoute) batch.hasNewRoutes = true;
    if (batch.encodedBytes >= this.context.maxBatchBytes) {
      this.open = undefined;
      this.close(batch);
    }
    return batch;
  }

  /** Sends what has collected, unless a batch is on its way: then it goes after it. */
  kick(): void {
    if (this.running || (this.open === undefined && this.closed.length === 0)) return;
    this.running = true;
    void this.sendAll();
  }

  /** From here on lies what the stored positions do not cover. `undefined` when this generation sent nothing to the queue. */
  scanFrom(): number | undefined {
    let settled = 0;
    for (const batch of this.unsettled) {
      if (batch.unsettled > 0) break;
      this.scanFromOffset = batch.endOffset;
      settled++;
    }
    if (settled > 0) this.unsettled.splice(0, settled);
    return this.scanFromOffset;
  }

  /**
   * Moves the place to scan from to the end of the queue when nothing of this task is there that its positions do not cover: others may have
   * written much since its last batch. Waits for a move of at least `minMessages`, because each is to be stored.
   */
  async catchUp(minMessages: number): Promise<void> {
    if (!this.isSettled()) return;
    const end = await this.context.endOffset(this.queue);
    // What is given to it from now on lands behind that end.
    if (this.isSettled() && end - (this.scanFromOffset ?? end) >= minMessages) this.scanFromOffset = end;
  }

  /** Something was sent, and all of it is part of the positions. */
  private isSettled(): boolean {
    return this.idle && this.scanIsStored && this.scanFrom() !== undefined && this.unsettled.length === 0;
  }

  private close(batch: PendingBatch): void {
    this.closed.push(batch);
    this.kick();
  }

  private async sendAll(): Promise<void> {
    try {
      for (;;) {
        const batch = this.closed.shift() ?? this.open;
        if (batch === undefined) break;
        if (batch === this.open) this.open = undefined;
        const { count, payloadBytes } = batch;
        await this.deliver(batch);
        this.unsettled.push(batch);
        const { counters } = this.context;
        counters.recordsSent += count;
        counters.bytesSent += payloadBytes;
        counters.batchesSent++;
        counters.bufferedRecords -= count;
        counters.bufferedBytes -= payloadBytes;
        this.context.acknowledged(this, batch);
      }
    } catch (error) {
      this.context.failed(error);
    } finally {
      this.waiting.ended();
      this.running = false;
    }
  }

  private async deliver(batch: PendingBatch): Promise<void> {
    const { lease, signal, producer, counters } = this.context;
    // An earlier generation that ended uncleanly has its barrier already: that came with the taking over.
    this.scanFromOffset ??= await this.context.endOffset(this.queue);
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      if (batch.hasNewRoutes || !this.scanIsStored) await this.context.storeRoutes(this, batch);
      if (!lease.held) await lease.whenHeld(signal);
      signal.throwIfAborted();
      try {
        const { firstOffset } = await producer.send(this.queue, batch.toSend, signal);
        batch.endOffset = firstOffset + batch.toSend.count;
        this.waiting.ended();
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.waiting.failed(error);
        switch (await this.settle(error)) {
          case 'rejected':
            throw error;
          case 'stored':
            // The offsets are not known: scanning again from before the batch is always right.
            batch.endOffset = this.lowerBound();
            this.waiting.ended();
            return;
          case 'unknown':
            if (await this.recover(batch)) {
              this.waiting.ended();
              return;
            }
            break;
          case 'not-stored':
            break;
        }
        counters.sendRetries++;
        const delayMs = backoffMs(attempt, this.context.backoff, this.context.clock.random());
        this.context.warn(
          `Sending ${batch.toSend.count} record(s) to ${this.key} again in ${Math.round(delayMs)} ms: ${String(error)}`,
        );
        await this.context.clock.sleep(delayMs, signal);
      }
    }
  }

  private async settle(error: unknown): Promise<SendSettlement | 'rejected'> {
    if (!isSendFailure(error)) return 'rejected';
    if (error.outcome === 'not-stored') return error.retriable ? 'not-stored' : 'rejected';
    this.context.counters.unknownOutcomes++;
    if (error.settled === undefined) return 'unknown';
    const settlement = await error.settled;
    this.context.signal.throwIfAborted();
    return settlement;
  }

  /**
   * Finds out which records of the batch the queue has, and leaves them out of what is sent next. One that lands later still is a repeated
   * seq to readers. Returns whether nothing is left to send.
   */
  private async recover(batch: PendingBatch): Promise<boolean> {
    const barrierOffset = await this.context.sendBarrier(this.queue);
    const stored = await this.context.examine(this.queue, this.lowerBound(), barrierOffset);
    batch.leaveOut((partition, seq) => seq <= (stored.get(partition.stream) ?? 0));
    this.context.warn(
      `The outcome of a send to ${this.key} is unknown; of ${batch.count} record(s) ${batch.toSend.count} are not in the queue`,
    );
    batch.endOffset = barrierOffset + 1;
    return batch.toSend.count === 0;
  }

  /** An offset that lies before everything that is not acknowledged. */
  private lowerBound(): number {
    return this.unsettled.at(-1)?.endOffset ?? this.scanFromOffset ?? 0;
  }
}
