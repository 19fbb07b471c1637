import { describePosition, stampSuffix } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type SourceRecord } from '@sluice/sdk';
import type { RateLimitedLogger } from '@sluice/time';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { unlessAborted } from '../retry/unless-aborted.js';
import { withSkipRemedy } from '../task/skip-remedy.js';
import type { PartitionState, RecordRoute } from './partition-state.js';
import type { PartitionTable } from './partition-table.js';
import type { PositionWriter } from './position-writer.js';
import type { QueueLane } from './queue-lane.js';
import type { SourceLoopSpec } from './source-loop-options.js';
import type { WritableQueues } from './writable-queues.js';

export interface RecordIntakeOptions {
  readonly spec: Pick<SourceLoopSpec, 'settings' | 'counters' | 'encoder'>;
  readonly partitions: PartitionTable;
  readonly writer: Pick<PositionWriter, 'markDirty'>;
  readonly queues: Pick<WritableQueues, 'of'>;
  readonly skips: RateLimitedLogger;
  /** Retries without end. */
  readonly policy: (call: string) => RetryPolicy;
  /** Resolves when records may have been sent. */
  readonly whenSent: () => Promise<void>;
  /** Aborted when nothing more is taken. */
  readonly signal: AbortSignal;
}

/** Why appending ended, and with which record it resumes. */
type IntakeStop =
  | { readonly kind: 'done'; readonly next: number }
  | { readonly kind: 'full'; readonly next: number }
  | { readonly kind: 'unknown-topic'; readonly next: number; readonly topic: string };

/** Takes polled records into the lanes of their queues, and waits for room and for topics. */
export class RecordIntake {
  #lastPartition: SourceRecord['partition'] | undefined;
  #lastState: PartitionState | undefined;
  readonly #touched = new Set<QueueLane>();

  constructor(private readonly options: RecordIntakeOptions) {}

  get isFull(): boolean {
    const { counters, settings } = this.options.spec;
    return counters.bufferedBytes >= settings.maxBufferedBytes || counters.bufferedRecords >= settings.maxBufferedRecords;
  }

  /** Takes records, in order, until the task stops. */
  async accept(records: readonly SourceRecord[]): Promise<void> {
    const { signal, whenSent } = this.options;
    for (let next = 0; next < records.length && !signal.aborted;) {
      const stop = this.#append(records, next);
      next = stop.next;
      if (stop.kind === 'unknown-topic') await this.#loadQueues(stop.topic);
      else if (stop.kind === 'full') await whenSent();
    }
  }

  async #loadQueues(topic: string): Promise<void> {
    const { partitions, queues, policy, signal } = this.options;
    const found = await unlessAborted(
      retrying(policy(`asking for the queues of topic ${topic}`), signal, () => queues.of(topic, partitions.lastQueuesOf(topic))),
      signal,
    );
    if (found !== undefined) partitions.setQueues(topic, found);
  }

  /** Appends records from `from` on, until one has to wait; then lets the lanes send. */
  #append(records: readonly SourceRecord[], from: number): IntakeStop {
    try {
      return this.#appendUntilBlocked(records, from);
    } finally {
      for (const lane of this.#touched) lane.kick();
      this.#touched.clear();
    }
  }

  /** Counts a record that the task could not even make, or throws why where that ends the task. */
  readonly skipUnpolled = (error: ConnectError): void => {
    const { counters, settings } = this.options.spec;
    counters.conversionErrors++;
    if (!settings.skipsBadRecords) throw withSkipRemedy(error);
    counters.recordsSkipped++;
    this.options.skips.write(`A record was skipped. ${error.message}`);
  };

  /** Synchronous: most of a source's time is spent here. */
  #appendUntilBlocked(records: readonly SourceRecord[], from: number): IntakeStop {
    let lastLane: QueueLane | undefined;
    for (let next = from; next < records.length; next++) {
      const record = records[next];
      if (record === undefined) break;
      if (this.isFull) return { kind: 'full', next };
      const state = this.#stateOf(record);
      const route = state.sameRoute(record.topic) ?? this.#routeOf(state, record.topic);
      if (route === undefined) return { kind: 'unknown-topic', next, topic: record.topic };
      if (route.lane !== lastLane) {
        this.#touched.add(route.lane);
        lastLane = route.lane;
      }
      this.#appendTo(route, state, record);
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

  #routeOf(state: PartitionState, topic: string): RecordRoute | undefined {
    let lane = state.routeTo(topic);
    if (lane === undefined) {
      const queues = this.options.partitions.queuesOf(topic);
      if (queues === undefined) return undefined;
      lane = this.options.partitions.chooseRoute(state, queues);
      if (lane === undefined) return undefined;
    }
    // Before the first record the store has to know the route, and to whom the partition belongs now.
    if (!state.areRoutesStored) this.options.writer.markDirty(state);
    const route = { topic, lane, stampPrefix: this.options.partitions.stampPrefixOf(state, lane) };
    state.keepRoute(route);
    return route;
  }

  #appendTo({ lane, stampPrefix }: RecordRoute, state: PartitionState, record: SourceRecord): void {
    const seq = state.nextSeq;
    const suffix = suffixOf(seq, record);
    if (state.ahead.size > 0) {
      if (state.isStored(record.position)) {
        if (state.appendStored(record.position)) this.options.writer.markDirty(state);
        return;
      }
      if (state.takeReordering()) this.#tellOfReordering(record);
    }
    try {
      const { body, properties } = this.options.spec.encoder.encode(record, stampPrefix + suffix);
      const batch = lane.append(state, seq, body, properties);
      if (batch === undefined) throw tooLarge(record, body.length + properties.length);
      state.append(batch, record.position);
    } catch (error) {
      this.options.spec.counters.conversionErrors++;
      if (!this.options.spec.settings.skipsBadRecords) throw withSkipRemedy(describe(record, error));
      this.options.spec.counters.recordsSkipped++;
      this.options.skips.write(`A record was skipped. ${describe(record, error).message}`);
      if (state.skip(record.position)) this.options.writer.markDirty(state);
    }
  }

  #tellOfReordering(record: SourceRecord): void {
    this.options.skips.write(
      `Partition ${describePosition(record.partition)} gives other records than before the restart, from the one before position ` +
        `${describePosition(record.position)} on: records that the queues have already are sent again`,
    );
  }
}

function tooLarge(record: SourceRecord, bytes: number): ConnectError {
  return new ConnectError(
    ConnectErrorCode.recordTooLarge,
    `A record for topic ${record.topic} takes ${bytes} bytes, which is more than a message may have`,
  );
}

/** A position that cannot be stored is a mistake of the connector: no tolerance of bad records covers it. */
function suffixOf(seq: number, record: SourceRecord): string {
  try {
    return stampSuffix(seq, record.position);
  } catch (error) {
    throw describe(record, error, ConnectErrorCode.positionInvalid);
  }
}

function describe(
  { topic, partition, position }: SourceRecord,
  error: unknown,
  code: ConnectErrorCode = ConnectErrorCode.conversionFailed,
): ConnectError {
  const reason = error instanceof Error ? error.message : String(error);
  const [from, before] = [describePosition(partition), describePosition(position)];
  return new ConnectError(code, `Record for topic ${topic} of partition ${from}, before position ${before}: ${reason}`, { cause: error });
}
