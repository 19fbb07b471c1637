import { pause } from '@sluice/time';
import {
  type ComparisonResult,
  type ComparisonState,
  comparisonStart,
  PropertyCopier,
  QueueComparison,
  rangeSizeFor,
} from '@sluice/replication';
import { type Found, QueueCursor } from '../queues/queue-cursor.js';
import { copyFingerprint, CopyReader, expectedCopy } from './flow-copies.js';
import { type FlowEnds, type FoundCopies, type OtherMessages, type QueuePair, VERIFY_GROUP } from './pair-queues.js';

/** How far the comparison of a pair is, as a file keeps it. */
export interface PairState {
  readonly pair: QueuePair;
  /** Where the target is to be read on; absent where it has not been read yet. */
  readonly targetNext?: number;
  readonly comparison?: ComparisonState;
  readonly others?: OtherMessages;
}

/** What the comparison of a pair found. */
export interface PairResult {
  readonly pair: QueuePair;
  readonly comparison: ComparisonResult;
  readonly others: OtherMessages;
}

/** How pairs are compared. */
export interface PairOptions {
  /** Waits where messages are compared faster than they may. */
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

const NO_OTHERS: OtherMessages = { local: 0, otherFlows: 0, barriers: 0 };
const AHEAD = 4;
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** Compares a queue of the source with its copies, up to the end that the target has at the beginning. It can be written down and taken up again. */
export class PairComparison {
  readonly #copier: PropertyCopier;
  #comparison: QueueComparison | undefined;
  #targetNext: number | undefined;
  #local: number;
  #otherFlows: number;
  #barriers: number;

  constructor(
    private readonly ends: FlowEnds,
    private readonly start: PairState,
    private readonly options: PairOptions,
  ) {
    const { comparison, targetNext, others = start.pair.copies?.before ?? NO_OTHERS } = start;
    // Born times are not compared, so that it does not matter how the flow keeps them.
    this.#copier = new PropertyCopier({ source: ends.sourceIdentity, target: ends.targetIdentity, bornTime: 'native' });
    this.#comparison = comparison === undefined ? undefined : QueueComparison.resume(comparison);
    this.#targetNext = targetNext;
    [this.#local, this.#otherFlows, this.#barriers] = [others.local, others.otherFlows, others.barriers];
  }

  /** Returns what to take it up with again. */
  get state(): PairState {
    if (this.#comparison === undefined || this.#targetNext === undefined) return this.start;
    return { pair: this.start.pair, targetNext: this.#targetNext, comparison: this.#comparison.state(), others: this.#others };
  }

  /**
   * Compares up to the end.
   *
   * @param isComplete whether messages behind the last copy are missing
   * @throws what the readers of both sides throw
   */
  async run(isComplete: boolean): Promise<PairResult> {
    const { pair } = this.start;
    const { copies } = pair;
    // The target's end first: whatever has been copied up to there is in the source.
    const targetEnd = copies === undefined ? 0 : await this.ends.target.admin.maxOffset(copies.queue);
    const comparison = (this.#comparison ??= await this.#begin());
    const source = new SourceFeed(this.ends, pair, comparison, this.#copier, this.options);
    try {
      await source.open();
      if (copies !== undefined) await this.#readCopies(copies, targetEnd, source, comparison);
      await source.addRest();
    } finally {
      source.close();
    }
    return { pair, comparison: comparison.result(isComplete), others: this.#others };
  }

  async #begin(): Promise<QueueComparison> {
    const { source, copies } = this.start.pair;
    const { admin } = this.ends.source;
    const [sourceFrom, sourceTo] = await Promise.all([admin.minOffset(source), admin.maxOffset(source)]);
    const isTargetCut = copies !== undefined && (await this.ends.target.admin.minOffset(copies.queue)) > 0;
    const start = comparisonStart({ sourceFrom, firstCopy: copies, isTargetCut });
    return QueueComparison.begin(start, rangeSizeFor(sourceTo - start.from));
  }

  async #readCopies(
    { queue, stream, targetOffset }: FoundCopies,
    to: number,
    source: SourceFeed,
    comparison: QueueComparison,
  ): Promise<void> {
    const { pace, signal } = this.options;
    const reader = new CopyReader(queue);
    const from = (this.#targetNext ??= targetOffset);
    const reading = { group: VERIFY_GROUP, signal, ahead: AHEAD, maxBufferedBytes: MAX_BUFFERED_BYTES };
    const cursor = new QueueCursor(this.ends.target, { queue, from, to }, reading);
    try {
      for (;;) {
        const found = cursor.peek() ?? (await cursor.head());
        if (found === undefined) return;
        cursor.take();
        if (pace.isAhead) await pace.wait(signal);
        switch (found.kind) {
          case 'removed':
            comparison.addRemovedAtTarget(found.from, found.to);
            this.#targetNext = found.to;
            break;
          case 'unreadable':
            comparison.addUnreadableCopy(found.offset);
            this.#targetNext = found.offset + 1;
            break;
          case 'message': {
            const message = reader.read(found.message);
            if (message.kind === 'local') this.#local += 1;
            else if (message.kind === 'barrier') this.#barriers += 1;
            else if (message.at.stream !== stream) this.#otherFlows += 1;
            else {
              const { sourceOffset } = message.at;
              if (sourceOffset >= comparison.sourceNext) await source.feed(sourceOffset);
              comparison.addCopy(sourceOffset, copyFingerprint(found.message));
            }
            // Last: what is written down meanwhile has this message before it.
            this.#targetNext = found.message.queueOffset + 1;
            pace.count();
          }
        }
      }
    } finally {
      cursor.close();
    }
  }

  get #others(): OtherMessages {
    return { local: this.#local, otherFlows: this.#otherFlows, barriers: this.#barriers };
  }
}

/** Reads the source on demand. */
class SourceFeed {
  #cursor: QueueCursor | undefined;
  #end = 0;

  constructor(
    private readonly ends: FlowEnds,
    private readonly pair: QueuePair,
    private readonly comparison: QueueComparison,
    private readonly copier: PropertyCopier,
    private readonly options: PairOptions,
  ) {}

  async open(): Promise<void> {
    const queue = this.pair.source;
    this.#end = await this.ends.source.admin.maxOffset(queue);
    const range = { queue, from: Math.min(this.comparison.sourceNext, this.#end), to: this.#end };
    const reading = { group: VERIFY_GROUP, signal: this.options.signal, ahead: AHEAD, maxBufferedBytes: MAX_BUFFERED_BYTES };
    this.#cursor = new QueueCursor(this.ends.source, range, reading);
  }

  close(): void {
    this.#cursor?.close();
  }

  /** Adds the messages up to an offset, where the source reaches that far. */
  async feed(offset: number): Promise<void> {
    if (offset >= this.#end) return;
    while (this.comparison.sourceNext <= offset) {
      const found = await this.#next(offset);
      if (found === undefined) return;
      this.#add(found);
    }
  }

  /** Adds what is behind the last copy, in pages, so that nothing of it is held. */
  async addRest(): Promise<void> {
    const { pace, signal } = this.options;
    for (;;) {
      const found = await this.#next(Infinity);
      if (found === undefined) return;
      if (pace.isAhead) await pace.wait(signal);
      pace.count();
      if (found.kind === 'message' && expectedCopy(found.message, this.copier).kind === 'copied') {
        this.comparison.addRest(found.message.queueOffset);
      } else if (found.kind === 'unreadable') {
        this.comparison.addRest(found.offset);
      }
    }
  }

  /** Returns what is next and does not begin behind an offset. */
  async #next(offset: number): Promise<Found | undefined> {
    const cursor = this.#cursor;
    const found = cursor?.peek() ?? (await cursor?.head());
    if (found === undefined || firstOffset(found) > offset) return undefined;
    cursor?.take();
    return found;
  }

  #add(found: Found): void {
    switch (found.kind) {
      case 'removed':
        this.comparison.addRemovedAtSource(found.from, found.to);
        break;
      case 'unreadable':
        this.comparison.addSource(found.offset, undefined);
        break;
      case 'message': {
        const { queueOffset } = found.message;
        const expected = expectedCopy(found.message, this.copier);
        if (expected.kind === 'left-out') this.comparison.leaveOut(queueOffset);
        else this.comparison.addSource(queueOffset, expected.fingerprint);
      }
    }
  }
}

function firstOffset(found: Found): number {
  switch (found.kind) {
    case 'message':
      return found.message.queueOffset;
    case 'unreadable':
      return found.offset;
    case 'removed':
      return found.from;
  }
}

/** Counts what is compared, and shows when it goes faster than it may. All pairs share one. */
export class Pace {
  #count = 0;
  readonly #startedAt = performance.now();

  constructor(private readonly ratePerSecond: number) {}

  /** Messages that were looked at. */
  get total(): number {
    return this.#count;
  }

  count(): void {
    this.#count += 1;
  }

  get isAhead(): boolean {
    return this.#aheadMs >= MIN_PAUSE_MS;
  }

  /** Waits until it is not ahead any more. @throws the signal's reason */
  async wait(signal: AbortSignal): Promise<void> {
    await pause(this.#aheadMs, signal);
    signal.throwIfAborted();
  }

  get #aheadMs(): number {
    return this.ratePerSecond === Infinity ? 0 : (this.#count / this.ratePerSecond) * 1000 - (performance.now() - this.#startedAt);
  }
}

/** Timers are not more exact. */
const MIN_PAUSE_MS = 5;
