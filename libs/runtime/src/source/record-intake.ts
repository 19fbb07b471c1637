import { describePosition } from '@sluice/protocol';
import {
  type ConnectRecord,
  type ConnectError,
  ConnectErrorCode,
  queueKey,
  type QueueRef,
  type SourceRecord,
  type SourceTaskContext,
  targetTopicProblem,
} from '@sluice/sdk';
import type { RateLimitedLogger } from '@sluice/time';
import { PartFailure } from '../converters/part-failure.js';
import { RecordFailure } from '../dead-letters/record-failure.js';
import type { Clock } from '../ports/clock.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { orAborted, unlessAborted } from '../retry/unless-aborted.js';
import type { RateLimit } from '../task/rate-limit.js';
import { withSkipRemedy } from '../task/skip-remedy.js';
import type { PartitionState, RecordRoute } from './partition-state.js';
import type { PartitionTable } from './partition-table.js';
import type { RefusedRecord } from './pending-batch.js';
import type { PositionWriter } from './position-writer.js';
import type { QueueLane } from './queue-lane.js';
import { type SourceTrace, tracedEncoder, type TracedPoll } from '../traces/source-traces.js';
import { TransformError, type TransformOutcome } from '../transforms/transform-chain.js';
import { bytesOf, describe, requireStorablePosition, suffixOf, tooLarge } from './record-problems.js';
import { RecordRoutes, RouteProblem } from './record-routes.js';
import type { SourceErrors } from './source-errors.js';
import type { SourceLoopSpec } from './source-loop-options.js';
import type { SourceStage } from './source-stage.js';
import { PASSED } from './unreadable-inputs.js';
import type { WritableQueues } from './writable-queues.js';

export interface RecordIntakeOptions {
  readonly spec: Pick<SourceLoopSpec, 'settings' | 'counters' | 'figures' | 'encoder' | 'queueKeys' | 'isRaw' | 'traces'>;
  readonly partitions: PartitionTable;
  readonly writer: Pick<PositionWriter, 'markDirty'>;
  readonly queues: Pick<WritableQueues, 'of' | 'has'>;
  readonly stage: SourceStage;
  readonly errors: SourceErrors;
  readonly skips: RateLimitedLogger;
  readonly rate: RateLimit;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Retries without end. */
  readonly policy: (call: string) => RetryPolicy;
  /** Called for each record that no message is sent for; absent where nobody wants to know. */
  readonly passedOver: ((record: SourceRecord) => void) | undefined;
  /** Resolves when records may have been sent. */
  readonly whenSent: () => Promise<void>;
  /** Aborted when nothing more is taken. */
  readonly signal: AbortSignal;
}

/**
 * How much of a partition may be stored behind a record that is not, in UTF-16 units. After an unclean end its position lists that, and has to fit a
 * message of 4 MiB; a unit takes three bytes at most.
 */
const MAX_SPREAD_UNITS = 1024 * 1024;
/** What an item of that list takes beside the text of its position. */
const AHEAD_ITEM_UNITS = 50;

/** Why appending ended, and with which record it resumes. */
type IntakeStop =
  | { readonly kind: 'done'; readonly next: number }
  | { readonly kind: 'full'; readonly next: number }
  | { readonly kind: 'limited'; readonly next: number }
  | { readonly kind: 'failed'; readonly next: number }
  | { readonly kind: 'unknown-topic'; readonly next: number; readonly topic: string }
  | { readonly kind: 'unknown-queue'; readonly next: number; readonly queue: QueueRef };

interface FailedRecord {
  readonly state: PartitionState;
  readonly record: SourceRecord;
  /** Resolves when a broker has its dead letter. */
  readonly written: Promise<void>;
}

/** Takes polled records into the lanes of their queues, and waits for room and for topics. */
export class RecordIntake {
  #lastPartition: SourceRecord['partition'] | undefined;
  #lastState: PartitionState | undefined;
  readonly #touched = new Set<QueueLane>();
  /** Counts what is taken; `undefined` while nothing is limited. */
  #rate: RateLimit['active'];
  /** The rate limit allows another record before the next wait. */
  #mayTakeMore = true;
  /** The last record, whose position advances once its dead letter is written. */
  #failed: FailedRecord | undefined;
  /** Of the records that are accepted now, where some are traced, and of the one at hand. */
  #traced: TracedPoll | undefined;
  #trace: SourceTrace | undefined;

  readonly #routes: RecordRoutes;

  constructor(private readonly options: RecordIntakeOptions) {
    this.#routes = new RecordRoutes(options);
  }

  get isFull(): boolean {
    const { counters, settings } = this.options.spec;
    return counters.bufferedBytes >= settings.maxBufferedBytes || counters.bufferedRecords >= settings.maxBufferedRecords;
  }

  /** Make marks for input that is no record, to be taken among the records. */
  get marks(): Pick<SourceTaskContext, 'unreadable' | 'passOver'> {
    const { mark: unreadable, passOver } = this.options.stage.unreadable;
    return { unreadable, passOver };
  }

  /** Takes records, in order, until the task stops. */
  async accept(records: readonly SourceRecord[]): Promise<void> {
    const { signal, whenSent, stage, rate, spec } = this.options;
    if (records.length === 0) rate.idle();
    let beganMs = performance.now();
    this.#traced = spec.traces?.begin(records);
    const staged = stage.outcomesOf(records);
    const outcomes = staged instanceof Promise ? await unlessAborted(staged, signal) : staged;
    let convertMs = performance.now() - beganMs;
    if (outcomes === undefined) return;
    this.#traced?.staged();
    const isOver = (): boolean => signal.aborted;
    for (let next = 0; next < records.length && !signal.aborted;) {
      this.#rate = rate.active;
      if (this.#rate !== undefined) await this.#whenAllowed(rate);
      else rate.idle();
      this.#mayTakeMore = true;
      if (isOver()) return;
      beganMs = performance.now();
      const stop = this.#append(records, outcomes, next);
      convertMs += performance.now() - beganMs;
      next = stop.next;
      if (stop.kind === 'unknown-topic') await this.#loadQueues(stop.topic);
      else if (stop.kind === 'unknown-queue') await this.#lookFor(stop.queue, records[next]);
      else if (stop.kind === 'full') await whenSent();
      if (this.#failed !== undefined) await this.#passFailed(this.#failed);
    }
    if (records.length > 0) spec.figures.observe('convert', convertMs);
  }

  /** Moves on once the dead letter of the last record is written; not before, and not where the task stops meanwhile. */
  async #passFailed({ state, record, written }: FailedRecord): Promise<void> {
    const { signal } = this.options;
    await orAborted(written, signal);
    this.#failed = undefined;
    if (!signal.aborted) this.#advance(state, record);
  }

  async #whenAllowed(rate: RateLimit): Promise<void> {
    const { clock, signal } = this.options;
    for (let waitMs = rate.waitMs(); waitMs > 0 && !signal.aborted; waitMs = rate.waitMs()) {
      await unlessAborted(clock.sleep(waitMs, signal), signal);
    }
    if (signal.aborted) rate.idle();
  }

  async #loadQueues(topic: string): Promise<void> {
    const { partitions, queues, policy, signal } = this.options;
    const found = await unlessAborted(
      retrying(policy(`asking for the queues of topic ${topic}`), signal, () => queues.of(topic, partitions.lastQueuesOf(topic))),
      signal,
    );
    if (found !== undefined) partitions.setQueues(topic, found);
  }

  /** Looks for a queue that a record names: topics grow. */
  async #lookFor(queue: QueueRef, record: SourceRecord | undefined): Promise<void> {
    const { partitions, queues, policy, signal } = this.options;
    const look = retrying(policy(`looking for queue ${queueKey(queue)}`), signal, () => queues.has(queue));
    const isThere = await unlessAborted(look, signal);
    if (isThere === true) partitions.addQueue(queue);
    else if (isThere === false) this.#routes.noteLost(record);
  }

  /** Appends records from `from` on, until one has to wait; then lets the lanes send. */
  #append(records: readonly SourceRecord[], outcomes: readonly TransformOutcome[], from: number): IntakeStop {
    try {
      return this.#appendUntilBlocked(records, outcomes, from);
    } finally {
      for (const lane of this.#touched) lane.kick();
      this.#touched.clear();
    }
  }

  /** Counts a record that is left out for an error, or throws why where that ends the task. */
  readonly countSkipped = (error: ConnectError): void => {
    this.#count(error, 'TASK_POLL');
    this.options.errors.log(error);
  };

  /** Leaves out a record that a broker refuses as a message. Resolves when its dead letter is written: then its position may advance. */
  async isolate({ topic }: QueueRef, { record, message, trace }: RefusedRecord, error: Error): Promise<void> {
    const problem = describe(record, error, ConnectErrorCode.recordTooLarge);
    const failure = new RecordFailure('ROCKETMQ_PRODUCE', '', error);
    trace?.failed(failure);
    this.#count(problem, failure.stage);
    await this.options.errors.refused(problem, failure, { ...record, topic }, message, trace);
  }

  #count(error: ConnectError, stage: RecordFailure['stage']): void {
    const { counters, figures, settings } = this.options.spec;
    counters.conversionErrors++;
    counters.recordErrors++;
    figures.noteError(stage);
    if (!settings.skipsBadRecords) throw withSkipRemedy(error);
    counters.recordsSkipped++;
  }

  /** Synchronous: most of a source's time is spent here. */
  #appendUntilBlocked(records: readonly SourceRecord[], outcomes: readonly TransformOutcome[], from: number): IntakeStop {
    let lastLane: QueueLane | undefined;
    for (let next = from; next < records.length; next++) {
      const record = records[next];
      if (record === undefined) break;
      if (this.#failed !== undefined) return { kind: 'failed', next };
      if (this.isFull) return { kind: 'full', next };
      this.#trace = this.#traced?.at(next);
      const state = this.#stateOf(record);
      const unreadable = this.options.stage.unreadable.reasonOf(record);
      if (unreadable === PASSED) {
        this.#advance(state, record);
        continue;
      }
      if (unreadable !== undefined) {
        this.#skip(state, record, unreadable, new RecordFailure('TASK_POLL', '', unreadable.cause));
        continue;
      }
      const outcome = outcomes[next];
      if (outcome === undefined || outcome instanceof TransformError) {
        this.#leaveOut(state, record, outcome);
        continue;
      }
      const { topic } = outcome;
      if (topic !== record.topic && !this.#mayRoute(state, record, outcome)) continue;
      if (state.spreadUnits >= MAX_SPREAD_UNITS) return { kind: 'full', next };
      const route = this.#routes.routeFor(state, record, outcome);
      if (route === undefined) return { kind: 'unknown-topic', next, topic };
      if (route instanceof RouteProblem) {
        const { reason, code, stage } = route;
        this.#skip(state, record, describe(record, reason, code), RecordFailure.of(reason, stage), outcome);
        continue;
      }
      if (!('lane' in route)) return { kind: 'unknown-queue', next, queue: route };
      if (route.lane !== lastLane) {
        this.#touched.add(route.lane);
        lastLane = route.lane;
      }
      this.#appendTo(route, state, record, outcome);
      if (!this.#mayTakeMore) return { kind: 'limited', next: next + 1 };
    }
    return { kind: 'done', next: records.length };
  }

  #stateOf(record: SourceRecord): PartitionState {
    if (record.partition === this.#lastPartition && this.#lastState !== undefined) return this.#lastState;
    const state = this.options.partitions.obtain(record.partition);
    this.#lastPartition = record.partition;
    this.#lastState = state;
    return state;
  }

  #appendTo({ lane, stampPrefix }: RecordRoute, state: PartitionState, record: SourceRecord, outcome: ConnectRecord): void {
    const seq = state.nextSeq;
    const suffix = suffixOf(seq, record);
    const aheadUnits = suffix.length + AHEAD_ITEM_UNITS;
    if (state.ahead.size > 0) {
      if (state.isStored(record.position)) {
        if (state.appendStored(record.position, aheadUnits)) this.options.writer.markDirty(state);
        this.options.passedOver?.(record);
        this.#trace?.end('already-stored');
        return;
      }
      if (state.takeReordering()) this.#tellOfReordering(record);
    }
    try {
      const parts = tracedEncoder(this.options.spec.encoder, this.#trace).encode(outcome, stampPrefix + suffix);
      const batch = lane.append(state, seq, record, parts);
      if (batch === undefined) throw tooLarge(outcome, bytesOf(parts));
      if (this.#trace !== undefined) batch.addTrace(this.#trace);
      state.append(batch, record.position, aheadUnits);
      if (this.#rate !== undefined) this.#mayTakeMore = this.#rate.take(bytesOf(parts));
    } catch (error) {
      const failure = RecordFailure.of(error, 'ROCKETMQ_PRODUCE');
      this.#skip(state, record, describe(record, error instanceof PartFailure ? failure.cause : error), failure, outcome);
    }
  }

  /** Passes over a record that has a reason to be left out, or that the transforms dropped. */
  #leaveOut(state: PartitionState, record: SourceRecord, problem: TransformError | undefined): void {
    if (problem !== undefined) {
      this.#skip(state, record, describe(record, problem, problem.code), RecordFailure.of(problem, 'TRANSFORMATION'));
      return;
    }
    this.options.spec.counters.recordsFiltered++;
    this.#trace?.end('filtered');
    this.#advance(state, record);
  }

  /** Returns whether a transform may send a record to the topic that it gave it; skips the record where not. */
  #mayRoute(state: PartitionState, record: SourceRecord, outcome: ConnectRecord): boolean {
    const problem = state.routeTo(outcome.topic) === undefined ? targetTopicProblem(outcome.topic) : undefined;
    if (problem === undefined) return true;
    const reason = new Error(`a transform gave the record another topic. ${problem}`);
    const failure = new RecordFailure('TRANSFORMATION', '', reason);
    this.#skip(state, record, describe(record, reason, ConnectErrorCode.transformFailed), failure);
    return false;
  }

  /**
   * Leaves a record out for an error; its position advances, once its dead letter is written where it gets one.
   * @param failed what failed: what the source gave, or what the transforms made of it
   */
  #skip(state: PartitionState, record: SourceRecord, problem: ConnectError, failure: RecordFailure, failed: ConnectRecord = record): void {
    this.#trace?.failed(failure);
    this.#count(problem, failure.stage);
    requireStorablePosition(record);
    const written = this.options.errors.skipped(problem, failure, record, failed, this.#trace);
    if (written === undefined) this.#advance(state, record);
    else this.#failed = { state, record, written };
  }

  /** Moves the position of a partition over a record that is not sent. */
  #advance(state: PartitionState, record: SourceRecord): void {
    requireStorablePosition(record);
    if (state.skip(record.position)) this.options.writer.markDirty(state);
    // A mark stands for input that is no record.
    if (this.options.stage.unreadable.reasonOf(record) === undefined) this.options.passedOver?.(record);
  }

  #tellOfReordering(record: SourceRecord): void {
    this.options.skips.write(
      `Partition ${describePosition(record.partition)} gives other records than before the restart, from the one before position ` +
        `${describePosition(record.position)} on: records that the queues have already are sent again`,
    );
  }
}
