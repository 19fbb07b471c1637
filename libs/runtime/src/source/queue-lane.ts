import { backoffMs } from '@sluice/time';
import { queueTag } from '@sluice/protocol';
import { isRetriable, queueKey, type QueueRef, type SourceRecord } from '@sluice/sdk';
import { SupersededError } from '../task/superseded-error.js';
import { type EncodedParts, SendFailure, type SettledSend } from '../ports/record-producer.port.js';
import type { WaitingCall } from '../retry/task-waits.js';
import { PendingBatch } from './pending-batch.js';
import type { PartitionState } from './partition-state.js';
import type { QueueLaneOptions } from './queue-lane-options.js';
import { describeWait, isStop, QueueLostError, type QueueStop } from './writable-queues.js';

/** How often a lane looks whether a queue that took no messages takes them again, in milliseconds. */
const LOOK_INTERVAL_MS = 4000;

/** Sends the records of one queue in order, one batch after the other. A queue that cannot be reached keeps its records until it can or is lost: another lane gets them then. */
export class QueueLane {
  readonly key: string;
  /** The queue's name in stamps. */
  readonly tag: string;
  /** What this generation sent and the stored positions do not cover lies here or later; `undefined` before its first batch. */
  #scanFromOffset: number | undefined;
  #ownUpToOffset: number | undefined;
  #storedBeforeMs: number | undefined;
  /** Gaps in the lease after which no successor had sent anything. */
  #clearedGaps = 0;
  /** Gaps in the lease before the last send began. */
  #gapsAtSend = 0;
  /** Closed batches, the first of which is being sent. */
  #closed: PendingBatch[] = [];
  #open: PendingBatch | undefined;
  #lastBatchBytes = 0;
  /** Acknowledged batches that are not part of the stored positions in full. */
  readonly #unsettled: { readonly batch: PendingBatch; readonly endOffset: number }[] = [];
  #running = false;
  /** The queue may have, or get, records of the batch that is being sent. */
  #isUncertain = false;
  /** No partition sends to it any more. */
  #left = false;
  /** Its partitions leave the queue before the next batch, if that takes no messages then. */
  #isLeaving = false;
  readonly #waiting: WaitingCall;
  #scanStored = false;

  constructor(
    readonly queue: QueueRef,
    private readonly options: QueueLaneOptions,
  ) {
    this.key = queueKey(queue);
    this.tag = queueTag(queue);
    this.#waiting = options.waits.begin(`sending to queue ${this.key}`);
  }

  /** True when everything given to it is acknowledged, or is another lane's or nobody's now. */
  get idle(): boolean {
    return (!this.#running || this.#left) && this.#open === undefined && this.#closed.length === 0;
  }

  /** No successor of this generation has anything in the queue before this offset; `undefined` before the first batch is acknowledged. */
  get ownUpTo(): number | undefined {
    return this.#ownUpToOffset;
  }

  /** When the message before `ownUpTo` was stored; `undefined` where it is this generation's. */
  get storedMs(): number | undefined {
    return this.#storedBeforeMs;
  }

  /** The position store knows from where to scan this queue. */
  get isScanStored(): boolean {
    return this.#scanStored;
  }

  /** True while no partition sends to its queue. */
  get isLeft(): boolean {
    return this.#left;
  }

  /**
   * Appends a record of a partition to what is to be sent and returns its batch. Returns `undefined`, and appends nothing, when not even an
   * empty batch takes it: the record is too large.
   */
  append(partition: PartitionState, seq: number, record: SourceRecord, parts: EncodedParts): PendingBatch | undefined {
    const { counters } = this.options;
    const { head } = parts;
    const hasNewRoute = !partition.areRoutesStored;
    if (this.#open?.takes(head) === false) this.#close(this.#open);
    let batch = (this.#open ??= new PendingBatch(this.options, this.#lastBatchBytes, head));
    let bytes = batch.add(partition, seq, record, parts, hasNewRoute);
    if (bytes === 0) {
      if (batch.count === 0) {
        this.#open = undefined;
        return undefined;
      }
      const next = new PendingBatch(this.options, this.#lastBatchBytes, head);
      bytes = next.add(partition, seq, record, parts, hasNewRoute);
      if (bytes === 0) return undefined;
      this.#close(batch);
      batch = this.#open = next;
    }
    counters.bufferedBytes += bytes;
    counters.bufferedRecords++;
    if (batch.encodedBytes >= this.options.maxBatchBytes) this.#close(batch);
    return batch;
  }

  /** Moves what it sends elsewhere as soon as nothing is on its way. */
  leave(stop: QueueStop): void {
    if (this.options.signal.aborted) return;
    if (this.#running) this.#isLeaving = true;
    else if (!this.#left && this.#mayMove(stop)) this.options.move(this, stop, false);
  }

  /** Notes that a partition has its queue for a route. */
  enter(): void {
    this.#left = false;
  }

  /** Returns everything that is not acknowledged, in order, for another queue, and keeps nothing of it. */
  giveAway(): readonly PendingBatch[] {
    const head = this.#closed[0];
    // The queue has a part of it, which positions do not cover before the other part is sent.
    if (head?.isPartlyFound === true) this.#unsettled.push({ batch: head, endOffset: head.endOffset });
    const batches = this.#open === undefined ? this.#closed : [...this.#closed, this.#open];
    this.#closed = [];
    this.#open = undefined;
    this.#left = true;
    return batches;
  }

  /** Sends batches that were meant for another queue after what it has. */
  adopt(batches: readonly PendingBatch[]): void {
    if (this.#open !== undefined && batches.length > 0) {
      this.#closed.push(this.#open);
      this.#open = undefined;
    }
    for (const batch of batches) {
      batch.rebind(this.tag);
      this.#closed.push(batch);
    }
    this.kick();
  }

  /** Sends what has collected, unless a batch is on its way: then it goes after it. */
  kick(): void {
    if (this.#running || (this.#open === undefined && this.#closed.length === 0)) return;
    this.#running = true;
    void this.#sendAll();
  }

  /** From here on lies what the stored positions do not cover. `undefined` when this generation sent nothing to the queue. */
  scanFrom(): number | undefined {
    let settled = 0;
    for (const { batch, endOffset } of this.#unsettled) {
      if (!batch.isSettled) break;
      this.#scanFromOffset = endOffset;
      settled++;
    }
    if (settled > 0) this.#unsettled.splice(0, settled);
    return this.#scanFromOffset;
  }

  /**
   * Moves the place to scan from to the end of the queue when the positions cover all that this task has there. Others may have written much since its
   * last batch. Waits for a move of at least `minMessages`, because each is to be stored.
   */
  async catchUp(minMessages: number): Promise<void> {
    if (!this.isSettled()) return;
    const end = await this.options.endOffset(this.queue);
    // What is given to it from now on lands behind that end.
    if (!this.isSettled() || end - (this.#scanFromOffset ?? end) < minMessages) return;
    this.#scanFromOffset = end;
  }

  /** Notes whether the position store knows from where to scan this queue. */
  noteScan(isStored: boolean): void {
    this.#scanStored = isStored;
  }

  /** Something was sent, and all of it is part of the positions. */
  isSettled(): boolean {
    return this.idle && this.#scanStored && this.scanFrom() !== undefined && this.#unsettled.length === 0;
  }

  #close(batch: PendingBatch): void {
    if (this.#open === batch) this.#open = undefined;
    this.#closed.push(batch);
    this.kick();
  }

  async #sendAll(): Promise<void> {
    try {
      for (;;) {
        if (this.#isLeaving) await this.#moveIfStopped();
        const batch = this.#closed[0] ?? this.#open;
        if (batch === undefined) break;
        if (batch === this.#open) {
          this.#closed.push(batch);
          this.#open = undefined;
        }
        const { count, payloadBytes, heldBytes } = batch;
        if (!(await this.#deliver(batch))) continue;
        this.#lastBatchBytes = batch.encodedBytes;
        this.#closed.shift();
        this.#unsettled.push({ batch, endOffset: batch.endOffset });
        const { counters } = this.options;
        counters.recordsSent += count - batch.refusedCount;
        counters.bytesSent += payloadBytes;
        counters.batchesSent++;
        counters.bufferedRecords -= count;
        counters.bufferedBytes -= heldBytes;
        batch.acknowledge(this.queue);
        this.options.acknowledged(this, batch);
      }
    } catch (error) {
      this.options.failed(error);
    } finally {
      this.#waiting.ended();
      this.#running = false;
    }
  }

  async #moveIfStopped(): Promise<void> {
    const { queues, signal } = this.options;
    this.#isLeaving = false;
    const look = await queues.look(this.queue);
    signal.throwIfAborted();
    if (isStop(look) && this.#mayMove(look) && !this.#left) this.options.move(this, look, false);
  }

  /** Tries until the queue has the batch. Returns false when another lane has the batch now. */
  async #deliver(batch: PendingBatch): Promise<boolean> {
    const { signal, counters, backoff, clock, whenOverdue } = this.options;
    this.#isUncertain = false;
    // Of a try whose outcome nobody knows the queue may get something as long as it takes messages.
    let mayLandLate = false;
    let wasStopped = false;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#trySending(batch);
        this.options.queues.answered(this.queue);
        this.#waiting.ended();
        if (!batch.takeRest(this.queue)) return true;
        attempt = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SupersededError) throw error;
        if (error instanceof SendFailure && error.refusesMessages && this.options.refused !== undefined) {
          if (!(await this.#narrow(batch, error))) return true;
          attempt = 0;
          continue;
        }
        this.#waiting.failed(error);
        batch.noteFailure(error);
        const settlement = await this.#settle(error);
        if (settlement === 'stored' && this.#isUnbrokenSince(this.#gapsAtSend)) {
          // The offsets are not known: scanning again from before the batch is always right.
          batch.endsAt(this.#lowerBound());
          this.#waiting.ended();
          if (!batch.takeRest(this.queue)) return true;
          attempt = 0;
          continue;
        }
        this.#isUncertain ||= settlement === 'unknown' || settlement === 'stored';
        mayLandLate ||= this.#isUncertain;
        const look = await this.options.queues.look(this.queue, whenOverdue !== 'stay');
        signal.throwIfAborted();
        // What a closed queue has of an uncertain batch is read first: the next attempt does.
        if (isStop(look) && this.#mayMove(look) && !(this.#isUncertain && look.state === 'closed')) {
          this.options.move(this, look, look.state === 'closed' ? this.#isUncertain : mayLandLate);
          return false;
        }
        // Name servers that do not answer leave open whether the queue is gone, which explains a rejection.
        if (settlement === 'rejected' && look.state === 'writable') throw error;
        counters.sendRetries++;
        if (isStop(look)) this.#waiting.failed(describeWait(error, look, whenOverdue));
        // The topic exists again: the next failure has nothing to do with those before.
        else if (wasStopped && look.state === 'writable') attempt = 1;
        if (look.state !== 'unknown') wasStopped = isStop(look);
        const delayMs = backoffMs(attempt, backoff, clock.random());
        this.options.warn(`Sending ${batch.toSend.count} record(s) to ${this.key} again in ${Math.round(delayMs)} ms: ${String(error)}`);
        if (!wasStopped) await clock.sleep(delayMs, signal);
        else if (await this.#isBackWithin(delayMs)) attempt = 0;
      }
    }
  }

  /** Sends less of what the broker refused, or leaves out the record that it refuses alone. Returns whether something is left to be sent. */
  async #narrow(batch: PendingBatch, error: SendFailure): Promise<boolean> {
    if (batch.halve()) return true;
    const refused = batch.refuse();
    if (refused === undefined) throw error;
    await this.options.refused?.(this.queue, refused, error);
    if (batch.toSend.count > 0) return true;
    batch.endsAt(Math.max(batch.endOffset, this.#lowerBound()));
    return false;
  }

  /** Waits, and returns early with true once the queue takes messages again. */
  async #isBackWithin(delayMs: number): Promise<boolean> {
    const { clock, signal, queues } = this.options;
    for (let leftMs = delayMs; leftMs > 0; leftMs -= LOOK_INTERVAL_MS) {
      await clock.sleep(Math.min(leftMs, LOOK_INTERVAL_MS), signal);
      if (leftMs > LOOK_INTERVAL_MS && (await queues.look(this.queue)).state === 'writable') return true;
    }
    return false;
  }

  async #trySending(batch: PendingBatch): Promise<void> {
    const { lease, signal, producer, figures } = this.options;
    signal.throwIfAborted();
    // An earlier generation that ended uncleanly has its barrier already: that came with the taking over.
    this.#scanFromOffset ??= await this.options.endOffset(this.queue);
    if (batch.hasNewRoutes || !this.#scanStored) await this.options.storeRoutes(this, batch);
    for (;;) {
      await this.#untilAlone();
      if (!this.#isUncertain) break;
      if (await this.#recover(batch)) return;
    }
    const gaps = (this.#gapsAtSend = lease.gaps);
    const beganMs = performance.now();
    try {
      batch.storedAt(await producer.send(this.queue, batch.toSend, signal));
    } finally {
      figures.observe('send', performance.now() - beganMs);
    }
    this.#noteOwn(batch.endOffset, gaps);
    if (this.#isUnbrokenSince(gaps)) return;
    // Readers drop records behind a successor's barrier: the positions of these must not be stored.
    this.#isUncertain = true;
    await this.#untilAlone();
    this.#isUncertain = false;
  }

  /** Resolves with the lease held, once no successor has sent anything. */
  async #untilAlone(): Promise<void> {
    const { lease, signal, successors } = this.options;
    while (!lease.held || successors.isDue(this.#clearedGaps)) {
      if (!lease.held) {
        await lease.whenHeld(signal);
        continue;
      }
      const { ownUpTo, storedMs, gaps } = await successors.clear(this);
      this.#clearedGaps = gaps;
      this.#ownUpToOffset = ownUpTo;
      this.#storedBeforeMs = storedMs;
    }
    signal.throwIfAborted();
  }

  #isUnbrokenSince(gaps: number): boolean {
    const { lease } = this.options;
    return lease.held && lease.gaps === gaps;
  }

  /** Notes the end of a batch, unless a successor may have sent something before it. */
  #noteOwn(end: number, gaps: number): void {
    if (!this.#isUnbrokenSince(gaps) || this.options.successors.isDue(this.#clearedGaps)) return;
    this.#ownUpToOffset = end;
    this.#storedBeforeMs = undefined;
  }

  async #settle(error: unknown): Promise<SettledSend | 'rejected'> {
    if (!(error instanceof SendFailure)) return isRetriable(error) || error instanceof QueueLostError ? 'not-stored' : 'rejected';
    if (error.outcome === 'not-stored') return error.retriable ? 'not-stored' : 'rejected';
    this.options.counters.unknownOutcomes++;
    if (error.settled === undefined) return 'unknown';
    const settlement = await error.settled;
    this.options.signal.throwIfAborted();
    return settlement;
  }

  /**
   * Finds out which records of the batch the queue has, and leaves them out of what is sent next. One that lands later still is a repeated
   * seq to readers. Returns whether nothing is left to send.
   */
  async #recover(batch: PendingBatch): Promise<boolean> {
    const bound = await this.options.boundTail(this.queue);
    const stored = await this.options.examine(this.queue, this.#lowerBound(), bound);
    this.#isUncertain = false;
    batch.leaveOut(this.queue, (partition, seq) => seq <= (stored.get(partition.stream) ?? 0));
    this.options.warn(
      `The outcome of a send to ${this.key} is unknown; of ${batch.count} record(s) ${batch.toSend.count} are not in the queue`,
    );
    batch.endsAt(bound);
    return batch.toSend.count === 0;
  }

  #mayMove({ isOverdue, others }: QueueStop): boolean {
    return isOverdue && others.length > 0 && this.options.whenOverdue !== 'stay';
  }

  /** An offset that lies before everything that is not acknowledged. */
  #lowerBound(): number {
    return this.#unsettled.at(-1)?.endOffset ?? this.#scanFromOffset ?? 0;
  }
}
