import { type BackoffLimits, backoffMs } from '@sluice/time';
import { isRedriven, queueTag } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import { RecordFailure } from '../dead-letters/record-failure.js';
import type { Clock } from '../ports/clock.port.js';
import {
  contradictionOf,
  QueueReadFailure,
  type QueueMessages,
  type MessageReader,
  type RawMessage,
} from '../ports/queue-messages.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { TaskWaits, WaitingCall } from '../retry/task-waits.js';
import type { SinkTrace, SinkTraces } from '../traces/sink-traces.js';
import type { RateLimit } from '../task/rate-limit.js';
import type { TaskFigures } from '../task/task-figures.js';
import { TransformError } from '../transforms/transform-chain.js';
import { QueueOffsetError } from './queue-offset-error.js';
import { AheadBudget, type AheadLimits, ReadAhead } from './read-ahead.js';
import type { QueueStart } from './prepare-start.js';
import type { DropReason, ReadState } from './read-state.js';
import { requireSameMessage } from './same-message.js';
import type { SinkOutcome, SinkStage } from './sink-stage.js';

/** A wait for messages, or for room, that is longer, in milliseconds, may have outlasted the queue: it could be deleted and created again. */
const DOUBT_AFTER_MS = 1000;

export interface QueueIntakeOptions {
  /** The consumer group of the sink. */
  readonly group: string;
  readonly messages: QueueMessages;
  readonly clock: Clock;
  readonly counters: TaskCounters;
  readonly figures: TaskFigures;
  readonly backoff: BackoffLimits;
  readonly waits: TaskWaits;
  readonly stage: SinkStage;
  /** Of all queues of the task. */
  readonly budget: AheadBudget;
  readonly maxAheadPerQueue: AheadLimits;
  readonly skipsBadRecords: boolean;
  /** Of the task; `undefined` where it has none. */
  readonly rate: Pick<RateLimit, 'active'>;
  /** Aborted when nothing more is read. */
  readonly signal: AbortSignal;
  readonly arrived: () => void;
  readonly failed: (error: unknown) => void;
  readonly warn: (message: string) => void;
  /** Called for a message that is left out. */
  readonly skipped: (error: BadRecordError, failure: RecordFailure, queue: QueueRef, message: RawMessage) => Promise<void> | undefined;
  /** Absent where no record is traced. */
  readonly traces: SinkTraces | undefined;
  /** Called when duplicates may pass that the task cannot recognise. */
  readonly forgot: (message: string) => void;
}

/** How far a queue was taken when a commit was made, and when the broker accepted the commit. */
interface AcceptedCommit {
  readonly taken: number;
  readonly atMs: number;
}

/** Thrown by {@link QueueIntake.take} for a message that cannot be converted or transformed. */
export class BadRecordError extends ConnectError {
  constructor(queue: QueueRef, offset: number, cause: unknown) {
    const record = `The record of topic ${queue.topic} in queue ${queueKey(queue)} at offset ${offset}`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isTransformed = cause instanceof TransformError;
    const code = isTransformed ? cause.code : ConnectErrorCode.conversionFailed;
    super(code, `${record} cannot be ${isTransformed ? 'transformed' : 'converted'}: ${reason}`, { cause });
  }
}

/** Reads one queue ahead of need, drops duplicates, and knows how far the task has taken it. */
export class QueueIntake {
  readonly queue: QueueRef;
  readonly key: string;
  #committedOffset: number;
  #lastAccepted: AcceptedCommit | undefined;
  readonly #tag: string;
  readonly #waiting: WaitingCall;
  readonly #ahead: ReadAhead;
  readonly #state: ReadState;
  /** By offset: what became of messages that are read and not taken yet, where the stage prepares. */
  readonly #prepared = new Map<number, SinkOutcome>();
  /** By offset, of the few messages that are read, not taken yet, and traced. */
  readonly #traces = new Map<number, SinkTrace>();
  #next: number;
  /** Behind the last record that was given to the task. */
  #given: number;
  /** The offset that the last flush asked for. */
  #flushed: number;
  /** The offset up to which the task has reported everything durable. */
  #safe: number;
  readonly #closing = new AbortController();
  /** Aborted when this queue is not read any more. */
  readonly #signal: AbortSignal;
  #reading: Promise<void> = Promise.resolve();
  /** Of what the filter has forgotten, what was reported. */
  #reported = 0;

  constructor(
    start: QueueStart,
    private readonly options: QueueIntakeOptions,
  ) {
    this.queue = start.queue;
    this.key = queueKey(start.queue);
    this.#tag = queueTag(start.queue);
    this.#waiting = options.waits.begin(`reading queue ${this.key}`);
    this.#ahead = new ReadAhead(new AheadBudget(options.maxAheadPerQueue, options.budget), options.counters, options.stage);
    this.#state = start.state;
    this.#signal = AbortSignal.any([options.signal, this.#closing.signal]);
    this.#next = start.nextOffset;
    this.#given = start.nextOffset;
    this.#flushed = start.nextOffset;
    this.#safe = start.nextOffset;
    this.#committedOffset = start.nextOffset;
  }

  get hasMessages(): boolean {
    return !this.#ahead.isEmpty;
  }

  /** Something was taken since the last flush. */
  get isAdvanced(): boolean {
    return this.#next !== this.#flushed;
  }

  /** Something was flushed that the task has not reported as durable. */
  get isUnsafe(): boolean {
    return this.#safe !== this.#flushed;
  }

  /** The offset up to which records were taken. */
  get taken(): number {
    return this.#next;
  }

  /** The offset that the broker has for the group, as far as this task knows. */
  get committed(): number {
    return this.#committedOffset;
  }

  /** The last commit that the broker accepted: no operator had reset the group then. Undefined before the first one. */
  get accepted(): AcceptedCommit | undefined {
    return this.#lastAccepted;
  }

  /** Notes that the broker accepted a commit of an offset. */
  noteCommit(offset: number, accepted: AcceptedCommit): void {
    this.#committedOffset = offset;
    this.#lastAccepted = accepted;
  }

  /** How far the queue was taken. */
  position(): SinkPosition {
    const readState = this.#state.serialize(this.#next);
    return { queue: this.queue, nextOffset: this.#next, ...(readState === '' ? undefined : { readState }) };
  }

  /** How far everything is durable. */
  get safePosition(): SinkPosition {
    return { queue: this.queue, nextOffset: this.#safe };
  }

  /**
   * Notes a flush up to `asked`, after which the task reports everything before `answer` as durable; `undefined` where it says nothing of the queue.
   * What the task was not given it holds nothing of.
   * @returns how far everything is durable, if that is new
   * @throws ConnectError for an answer that is no offset from the last one to the one asked for
   */
  markFlushed({ nextOffset: asked }: SinkPosition, answer: number | undefined): SinkPosition | undefined {
    const last = this.#safe;
    const safe = answer ?? last;
    if (!Number.isSafeInteger(safe) || safe < last || safe > asked) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `The sink reports queue ${this.key} as safe up to offset ${safe}; it may report offsets from ${last}, which were safe before, ` +
          `to ${asked}, up to which it was flushed`,
      );
    }
    this.#reportForgotten();
    this.#flushed = asked;
    this.#safe = safe >= this.#given ? asked : safe;
    return this.#safe === last ? undefined : this.safePosition;
  }

  /**
   * Moves records into `records` until there are `max`; returns whether the task may take more of other queues. Throws a {@link BadRecordError} at a message that cannot be converted: what
   * comes before it is taken then, and the position lies on it.
   */
  take(records: SinkRecord[], max: number): boolean {
    const { counters, figures, skipsBadRecords, skipped } = this.options;
    const rate = this.options.rate.active;
    while (records.length < max) {
      const message = this.#ahead.take();
      if (message === undefined) return true;
      let mayTakeMore = true;
      counters.recordsRead++;
      const judged = this.#state.judge(message, this.#tag);
      // A redriven one has no stamp: records of sources pay nothing here.
      if (judged === undefined && isRedriven(message.rawProperties)) counters.recordsRedriven++;
      const isDropped = typeof judged === 'string';
      const trace = this.#traces.size === 0 ? undefined : this.#takeTrace(message.queueOffset);
      const outcome = this.#outcomeOf(message, isDropped, trace);
      if (isDropped) {
        this.#countDropped(judged);
        trace?.end(judged);
      } else if (outcome === undefined) {
        counters.recordsFiltered++;
        trace?.end('filtered');
      } else if (outcome instanceof RecordFailure) {
        trace?.failed(outcome);
        counters.conversionErrors++;
        counters.recordErrors++;
        figures.noteError(outcome.stage);
        const problem = new BadRecordError(this.queue, message.queueOffset, outcome.cause);
        if (!skipsBadRecords) {
          trace?.end('failed');
          throw problem;
        }
        counters.recordsSkipped++;
        const written = skipped(problem, outcome, this.queue, message);
        trace?.leftOut(written);
      } else {
        records.push(outcome);
        trace?.taken(outcome);
        this.#given = message.queueOffset + 1;
        if (rate !== undefined) mayTakeMore = rate.take(this.options.stage.bytesOf(message));
      }
      this.#state.took(message, judged);
      this.#next = message.queueOffset + 1;
      if (!mayTakeMore) return false;
    }
    return false;
  }

  #reportForgotten(): void {
    const { forgotten } = this.#state;
    if (forgotten === this.#reported) return;
    this.#reported = forgotten;
    this.options.forgot(
      `More source partitions write to queue ${this.key} than the filter against duplicates can hold. It has forgotten the last record of one ` +
        `${forgotten} time(s) since the task began to read the queue: where such a record comes again, the task takes it twice`,
    );
  }

  #takeTrace(offset: number): SinkTrace | undefined {
    const trace = this.#traces.get(offset);
    this.#traces.delete(offset);
    return trace;
  }

  #outcomeOf(message: RawMessage, isDropped: boolean, trace: SinkTrace | undefined): SinkOutcome {
    const { stage } = this.options;
    if (!stage.prepares) return isDropped ? undefined : stage.outcomeOf(this.queue, message, trace);
    const { queueOffset } = message;
    if (!this.#prepared.has(queueOffset)) {
      throw new ConnectError(ConnectErrorCode.internal, `Offset ${queueOffset} of queue ${this.key} was read and not prepared`);
    }
    const outcome = this.#prepared.get(queueOffset);
    this.#prepared.delete(queueOffset);
    return outcome;
  }

  /** Prepares what was read, where something takes time, and hands it over. */
  async #add(answer: readonly RawMessage[]): Promise<void> {
    const { stage, counters, figures, arrived, traces } = this.options;
    const traced = traces?.begin(this.queue, answer);
    if (stage.prepares) {
      const beganMs = performance.now();
      const outcomes = await stage.prepared(this.queue, answer, this.#signal);
      for (const [at, { queueOffset }] of answer.entries()) this.#prepared.set(queueOffset, outcomes[at]);
      figures.observe('convert', performance.now() - beganMs);
      for (const trace of traced ?? []) trace.did('prepare');
    }
    for (const trace of traced ?? []) this.#traces.set(trace.offset, trace);
    counters.bytesRead += this.#ahead.add(answer);
    counters.batchesRead++;
    arrived();
  }

  /** Reads until it is closed or the task ends. */
  start(): void {
    this.#reading = this.#read();
  }

  /** Resolves when nothing is read any more; what was read and not taken is dropped. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`Queue ${this.key} is not read any more`));
    await this.#reading;
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    const { messages, group, clock, failed } = this.options;
    const signal = this.#signal;
    let from = this.#next;
    let lastStoredMs = this.#state.lastStoredMs;
    let provenMs = -Infinity;
    let reader: MessageReader | undefined;
    try {
      for (let attempt = 1; !signal.aborted; attempt++) {
        if (attempt === 1) provenMs = clock.nowMs();
        await this.#ahead.room(signal);
        reader ??= messages.read(this.queue, from, signal, this.#ahead.budget);
        let answer: readonly RawMessage[] = [];
        try {
          answer = await reader.next();
          const mayBeAnother = attempt > 1 || clock.nowMs() - provenMs > DOUBT_AFTER_MS;
          if (mayBeAnother) await requireSameMessage({ messages, group, signal }, this.queue, from, lastStoredMs);
        } catch (error) {
          signal.throwIfAborted();
          from = await this.#afterFailure(error, from, attempt);
          reader.close();
          reader = undefined;
          continue;
        }
        this.#waiting.ended();
        const last = answer.at(-1);
        if (last === undefined) continue;
        lastStoredMs = last.storeTimestamp;
        from = last.queueOffset + 1;
        attempt = 0;
        await this.#add(answer);
      }
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      this.#waiting.ended();
      reader?.close();
      this.#ahead.close();
    }
  }

  /** Waits where the broker is unavailable; returns where reading resumes, or throws. */
  async #afterFailure(error: unknown, from: number, attempt: number): Promise<number> {
    try {
      return await this.#afterRefusal(error, from, attempt);
    } catch (problem) {
      if (!(problem instanceof QueueReadFailure) || problem.reason !== 'unavailable' || !problem.retriable) throw problem;
      await this.#waitAfter(problem, from, attempt);
      return from;
    }
  }

  /** Returns where reading resumes after the broker refused an offset, or throws; it may become unavailable meanwhile. */
  async #afterRefusal(error: unknown, from: number, attempt: number): Promise<number> {
    const { messages, group, counters, skipsBadRecords, warn } = this.options;
    const { queue } = this;
    if (!(error instanceof QueueReadFailure)) throw error;
    switch (error.reason) {
      case 'below-min': {
        const minOffset = await messages.minOffset(this.queue);
        if (minOffset <= from) {
          await this.#waitAfter(contradictionOf(error, minOffset), from, attempt);
          return from;
        }
        counters.recordsLost += minOffset - from;
        const problem = new QueueOffsetError({ queue, reason: 'below-min', offset: from, limit: minOffset }, group);
        if (!skipsBadRecords) throw problem;
        warn(problem.message);
        return minOffset;
      }
      case 'beyond-end':
        throw new QueueOffsetError({ queue, reason: 'beyond-end', offset: from, limit: await messages.endOffset(queue) }, group);
      case 'unavailable':
        throw error;
    }
  }

  async #waitAfter(error: Error, from: number, attempt: number): Promise<void> {
    const { clock, backoff, warn } = this.options;
    this.#waiting.failed(error);
    warn(`Reading ${this.key} at offset ${from} failed and is retried: ${error.message}`);
    await clock.sleep(backoffMs(attempt, backoff, clock.random()), this.#signal);
  }

  #countDropped(reason: DropReason): void {
    const { counters } = this.options;
    if (reason === 'older-generation') counters.droppedOlderGeneration++;
    if (reason === 'repeated-seq') counters.droppedRepeatedSeq++;
  }
}
