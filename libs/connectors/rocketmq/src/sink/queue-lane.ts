import type { CopyProgress, SinkStream } from '@sluice/replication';
import {
  BatchEncoder,
  BrokerNotFoundError,
  BrokerResponseError,
  isMessageRefused,
  isQueueRefused,
  isRetriableRocketMqError,
  isRocketMqError,
  MessageTooLargeError,
  type RocketMqClient,
  SendOutcomeUnknownError,
  TopicNotFoundError,
} from '@sluice/rocketmq';
import { ConnectError, ConnectErrorCode, isRetriable, queueKey, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import { backoffMs, type BackoffLimits, pause, untilAborted } from '@sluice/time';
import type { QueueLink } from '../flow/queue-links.js';
import type { QueueStart } from '../source/queue-start.js';
import type { CallPermit } from './call-permit.js';
import type { RecordCopier, RecordCopy } from './record-copier.js';
import type { TargetTail } from './target-tail.js';

/** The most messages of a batch: as many copies a task that has lost its queue may still send. */
export const MAX_BATCH_MESSAGES = 1024;
const MAX_BATCH_BYTES = 1_048_576;
/** What a copy needs beside its body and properties, at most: its stamp and what the batch keeps of it. */
const OVERHEAD_BYTES = 160;
const BACKOFF: BackoffLimits = { initialMs: 200, maxMs: 5000 };

export interface QueueLaneOptions {
  readonly client: RocketMqClient;
  readonly stream: SinkStream;
  readonly generation: number;
  readonly copier: RecordCopier;
  readonly tail: TargetTail;
  /** Proves that the source still has the queue that was copied up to a position. */
  readonly startAt: (progress: CopyProgress) => QueueStart;
  readonly permit: CallPermit;
  /** How many bytes it holds before no more records are wanted. */
  readonly maxHeldBytes: number;
  readonly skipRecord: (record: SinkRecord, error: ConnectError) => Promise<void>;
  /** Called when `isFull` has changed. */
  readonly changed: (lane: QueueLane) => void;
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Copies the records of one queue of the source into its queue of the target, in order. One batch at a time is on its way. */
export class QueueLane {
  readonly link: QueueLink;
  readonly key: string;
  readonly #options: QueueLaneOptions;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #stamp: (progress: CopyProgress) => string;
  /** What is not acknowledged. */
  #held: RecordCopy[] = [];
  #heldBytes = 0;
  #isFull = false;
  /** Of the last copy that the target has. */
  #seq = 0;
  /** The offset of the next record that is wanted; `undefined` before that is known. */
  #next: number | undefined;
  /** What the target itself says of how far the queue is copied. */
  #written: number | undefined;
  /** Where the runtime was asked to begin, until it has. */
  #awaited: number | undefined;
  #isReady = false;
  #isUncertain = false;
  #maxMessages = MAX_BATCH_MESSAGES;
  #encoder = new BatchEncoder();
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(link: QueueLink, options: QueueLaneOptions) {
    this.link = link;
    this.key = queueKey(link.source);
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#closing.signal]);
    this.#stamp = options.stream.stamper(options.generation);
  }

  /** Whether it is known how far the queue is copied. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether no more records are wanted for now. */
  get isFull(): boolean {
    return this.#isFull;
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Finds out how far the queue is copied, and tries again while the target, or the source, is unavailable. Never rejects.
   * @returns where the runtime has to begin; `undefined` where the target has no copy, or the lane has failed or is closed
   */
  async recover(): Promise<SinkPosition | undefined> {
    try {
      const progress = await this.#recovered();
      if (progress !== undefined) {
        const offset = await this.#persistently('The queue of the source could not be looked at', () =>
          this.#options.startAt(progress).next(this.#signal),
        );
        this.#seq = progress.seq;
        this.#written = progress.position.offset;
        this.#next = offset;
      }
      this.#isReady = true;
      return this.#next === undefined ? undefined : { queue: this.link.source, nextOffset: this.#next };
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Notes that the runtime was asked to read on from where the lane is: until then its positions say nothing. */
  awaitSeek(): void {
    this.#awaited = this.#next;
  }

  /** Takes a record, which is sent soon. @throws ConnectError for one that cannot be copied, where such records are not skipped */
  add(record: SinkRecord): void {
    const { offset } = record;
    if (this.#next !== undefined && offset < this.#next) return;
    this.#awaited = undefined;
    const copy = this.#options.copier.copy(record);
    if (copy instanceof ConnectError) this.#skip(record, copy);
    else if (copy !== undefined) {
      this.#held.push(copy);
      this.#heldBytes += bytesOf(copy);
      this.#noteHeld();
    }
    this.#next = offset + 1;
  }

  /** Sends what it holds, in the background. */
  kick(): void {
    if (this.#running !== undefined || this.#held.length === 0) return;
    this.#running = this.#sendAll().finally(() => {
      this.#running = undefined;
    });
  }

  /**
   * Returns up to where the target has everything. Writes that down at the target where an operator has reset the queue, and with `everything`.
   * @throws RetriableError and others of the target where that cannot be written
   */
  async flush(position: SinkPosition, everything: boolean): Promise<SinkPosition> {
    const { nextOffset } = position;
    if (!this.#isReady || (this.#awaited !== undefined && nextOffset !== this.#awaited)) return position;
    this.#awaited = undefined;
    const [first] = this.#held;
    if (first !== undefined) return { queue: this.link.source, nextOffset: Math.min(nextOffset, first.record.offset) };
    const isReset = this.#next !== undefined && nextOffset < this.#next;
    if (isReset || (everything && this.#written !== nextOffset && this.#written !== undefined)) await this.#mark(nextOffset, isReset);
    this.#next = nextOffset;
    return position;
  }

  async #mark(offset: number, isReset: boolean): Promise<void> {
    try {
      await this.#options.tail.mark({ seq: this.#seq, position: { offset } });
      this.#written = offset;
    } catch (error) {
      // Messages that are not copied are passed over again where this is not written down; a stop need not wait for that.
      if (isReset || !isPassing(error)) throw error;
      this.#options.warn(`How far queue ${this.key} is read could not be written to the target: ${(error as Error).message}`);
    }
  }

  /** Ends everything, and drops what is not sent. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`Queue ${this.key} is not copied any more`));
    await this.#running;
    this.#held = [];
  }

  async #sendAll(): Promise<void> {
    try {
      for (let attempt = 1; this.#held.length > 0; attempt++) {
        try {
          if (this.#isUncertain) await this.#settleUncertain();
          await this.#options.permit.whenHeld(this.#signal);
          if (this.#held.length > 0) await this.#sendBatch();
          attempt = 0;
        } catch (error) {
          this.#signal.throwIfAborted();
          if (await this.#isRefused(error)) continue;
          if (error instanceof SendOutcomeUnknownError) await this.#noteUnknown(error);
          else if (!isPassing(error)) throw error;
          if (!this.#isUncertain || attempt > 1) await this.#backOff(attempt, error, 'could not be written');
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #sendBatch(): Promise<void> {
    const { client, permit } = this.#options;
    const [first] = this.#held;
    if (first === undefined) return;
    const { sysFlag, bornAt } = first;
    const encoder = this.#encoder;
    encoder.reset();
    let count = 0;
    for (const copy of this.#held) {
      if (count >= this.#maxMessages || copy.sysFlag !== sysFlag || copy.bornAt !== bornAt) break;
      if (count > 0 && encoder.bytes + bytesOf(copy) > MAX_BATCH_BYTES) break;
      const stamp = Buffer.from(this.#stamp({ seq: this.#seq + count + 1, position: copy.position }));
      encoder.add(copy.body, Buffer.concat([copy.properties, stamp]), copy.flag);
      count += 1;
    }
    await client.producer.sendBatch(this.link.target, encoder.finish({ sysFlag, bornAt }), {
      signal: this.#signal,
      maySend: permit.isHeld,
    });
    this.#stored(count);
  }

  #stored(count: number): void {
    const stored = this.#held.splice(0, count);
    for (const copy of stored) this.#heldBytes -= bytesOf(copy);
    this.#seq += count;
    this.#written = stored.at(-1)?.position.offset ?? this.#written;
    this.#maxMessages = MAX_BATCH_MESSAGES;
    this.#noteHeld();
  }

  /** Nothing may follow a send before its end is known. */
  async #noteUnknown(error: SendOutcomeUnknownError): Promise<void> {
    // Its bytes may still be on their way.
    this.#encoder = new BatchEncoder();
    this.#isUncertain = true;
    this.#isUncertain = (await this.#settled(error)) !== 'failed';
  }

  /** Looks how much of a send of unknown outcome the target has. */
  async #settleUncertain(): Promise<void> {
    const before = this.#seq;
    const progress = await this.#recovered();
    if ((progress?.seq ?? 0) < before) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `Queue ${queueKey(this.link.target)} of the target has lost copies: it had number ${before} and ends at ${progress?.seq ?? 0}. ` +
          `Restart the task: it copies them again`,
      );
    }
    this.#isUncertain = false;
    const count = progress === undefined ? 0 : this.#held.filter(({ record }) => record.offset < progress.position.offset).length;
    this.#stored(count);
    this.#seq = progress?.seq ?? 0;
    this.#options.warn(
      `The outcome of a send to queue ${queueKey(this.link.target)} of the target was unknown; it has ${count} of the messages that were not acknowledged`,
    );
  }

  #recovered(): Promise<CopyProgress | undefined> {
    return this.#persistently('The tail of the queue could not be read', async () => {
      await this.#options.permit.whenHeld(this.#signal);
      return this.#options.tail.recover();
    });
  }

  /** Sends less of what the broker refuses, or leaves out the record that it refuses alone. */
  async #isRefused(error: unknown): Promise<boolean> {
    const isRefused = error instanceof MessageTooLargeError || (error instanceof BrokerResponseError && isMessageRefused(error));
    const [first] = this.#held;
    if (!isRefused || first === undefined) return false;
    if (this.#maxMessages > 1) {
      this.#maxMessages = 1;
      return true;
    }
    await this.#options.skipRecord(first.record, new ConnectError(ConnectErrorCode.recordTooLarge, error.message, { cause: error }));
    this.#held.shift();
    this.#heldBytes -= bytesOf(first);
    this.#noteHeld();
    return true;
  }

  #skip(record: SinkRecord, error: ConnectError): void {
    // It is waited for before a flush; where records may not be skipped the call throws.
    this.#options.skipRecord(record, error).catch((failed: unknown) => {
      this.#fail(failed);
    });
  }

  async #persistently<T>(what: string, action: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (error instanceof SendOutcomeUnknownError) await this.#settled(error);
        else if (!isPassing(error)) throw error;
        await this.#backOff(attempt, error, what);
      }
    }
  }

  /** Resolves once no answer can come any more. A stop does not wait for that. */
  async #settled(error: SendOutcomeUnknownError): Promise<'stored' | 'failed' | 'unknown'> {
    const settled = await Promise.race([error.settled, untilAborted(this.#signal)]);
    this.#signal.throwIfAborted();
    return settled?.kind ?? 'unknown';
  }

  async #backOff(attempt: number, error: unknown, what: string): Promise<void> {
    // The first failures pass by themselves most of the time.
    if (attempt === 3) this.#options.warn(`Queue ${queueKey(this.link.target)} of the target waits. ${what}: ${(error as Error).message}`);
    await pause(backoffMs(attempt, BACKOFF), this.#signal);
    this.#signal.throwIfAborted();
  }

  #noteHeld(): void {
    const isFull = this.#isFull ? this.#heldBytes * 2 > this.#options.maxHeldBytes : this.#heldBytes > this.#options.maxHeldBytes;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#options.changed(this);
  }

  #fail(error: unknown): void {
    if (!this.#signal.aborted) this.#failure ??= { error };
  }
}

function bytesOf({ body, properties }: RecordCopy): number {
  return body.length + properties.length + OVERHEAD_BYTES;
}

/** Returns whether an error may pass by itself. Name servers also forget the topic of a broker that is restarting. */
function isPassing(error: unknown): boolean {
  if (error instanceof TopicNotFoundError || error instanceof BrokerNotFoundError || isRetriableRocketMqError(error)) return true;
  if (error instanceof BrokerResponseError) return isQueueRefused(error);
  // Where the permit was over nothing was sent.
  return isRocketMqError(error) ? error.code === 'REQUEST_ABORTED' && error.outcome === 'not-sent' : isRetriable(error);
}
