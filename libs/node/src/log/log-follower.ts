import { pause, RateLimitedLogger } from '@sluice/time';
import {
  behindBy,
  beginningAt,
  CATCH_UP_ENTRIES,
  holdsLease,
  initialNodeLoop,
  leaseRemainingMs,
  NewerVersionNeededError,
  planStart,
  RestoreUnfinishedError,
  SnapshotMissingError,
  stepNode,
  tailQuestion,
  tailVerdict,
  type ClusterState,
  type FoldResult,
  type NodeEffect,
  type NodeEnd,
  type NodeInputBody,
  type NodeLease,
  type NodeLoop,
  type QueueBounds,
} from '@sluice/core';
import type { QueueReader, QueueRef, RocketMqClient, StoredMessage } from '@sluice/rocketmq';
import { isRocketMqError } from '@sluice/rocketmq';
import { untilAnswered } from './known-queue.js';
import { type ScopedLogger, WARNING_INTERVAL_MS } from '../logging/process-logger.js';
import { findSnapshot } from './find-snapshot.js';
import { decodeLogMessage, LogQueue } from './log-queue.js';
import { NodeError } from '../errors/node-error.js';
import { LogBehindError, LogRewrittenError, LogUnclearError } from './log-errors.js';
import { readClocks } from './read-clocks.js';

export interface LogUpdate extends FoldResult {
  /** The offset after the last message read, whether it could be understood or not. */
  readonly nextOffset: number;
  readonly lease: NodeLease;
}

export type LogListener = (update: LogUpdate) => void;

export interface LogFollowerOptions {
  /** The member whose lease is kept. */
  readonly self?: { readonly nodeId: string; readonly incarnation: string };
  /** Where the queue begins and ends, if not as the broker says. */
  readonly bounds?: (signal: AbortSignal) => Promise<QueueBounds>;
  /** Without a local copy, a snapshot is looked for where the log has more entries than this. */
  readonly preferSnapshotBeyond?: number;
}

const READ_AHEAD = 2;
/** Time between two questions while the first has not proven the head. */
const ASK_AGAIN_MS = 250;
const noMember = { nodeId: '', incarnation: '' };

/** Runs the node's loop on a real queue: reads the log by offset, asks what the loop needs, and notifies listeners of what is folded. */
export class LogFollower {
  readonly #listeners = new Set<LogListener>();
  readonly #proofWaiters = new Set<() => void>();
  readonly #source: LogQueue;
  readonly #skips: RateLimitedLogger;
  #loop: NodeLoop;
  /** The end of the queue when this began. */
  #catchUpTo = 0;
  readonly #ended = new AbortController();
  /** Ends the present reader. */
  #reading = new AbortController();

  constructor(
    client: RocketMqClient,
    queue: QueueRef,
    group: string,
    initial: ClusterState,
    private readonly logger: ScopedLogger,
    private readonly options: LogFollowerOptions = {},
  ) {
    this.#source = new LogQueue(client, queue, group);
    this.#skips = new RateLimitedLogger({
      log: logger.warn.bind(logger),
      intervalMs: WARNING_INTERVAL_MS,
      signal: this.#ended.signal,
    });
    this.#loop = initialNodeLoop(options.self ?? noMember, initial, readClocks());
  }

  get state(): ClusterState {
    return this.#loop.cluster;
  }

  /** Whether the member may act for its tasks now. */
  get holdsLease(): boolean {
    return holdsLease(this.#loop, readClocks());
  }

  /** Which generations of the member's tasks other members may have succeeded without a trace in the log. */
  get doubt(): Pick<NodeLease, 'doubtfulUpTo' | 'gaps'> {
    return this.#loop.lease;
  }

  /** Milliseconds that the member's lease still lasts; negative when it has ended. */
  get leaseRemainingMs(): number {
    return leaseRemainingMs(this.#loop, readClocks());
  }

  /** Milliseconds since the log was last known to be read up to its head; Infinity before. */
  get ageMs(): number {
    return performance.now() - (this.#loop.provenAt ?? -Infinity);
  }

  /** Milliseconds since an entry was accepted: a leader writes one at least every third of its lease. */
  get leaderSilentMs(): number {
    return performance.now() - this.#loop.lastAcceptedAt;
  }

  /** Messages between what is folded and the end of the log as the broker last said. */
  get behind(): number {
    return behindBy(this.#loop);
  }

  /** The first entry that retention has left, as the broker last said. */
  get minOffset(): number {
    return this.#loop.minOffset;
  }

  /** Messages of the log that could not be understood. */
  get malformedCount(): number {
    return this.#loop.unreadableCount;
  }

  /** Nothing is folded any more. */
  get hasEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  subscribe(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Finds out where to begin: behind the local copy where the log continues there, else behind the newest snapshot, else at the first
   * entry. To be called before {@link run}.
   *
   * @throws LogRewrittenError when the local copy is of another log.
   * @throws SnapshotMissingError when the first entries are gone and there is no snapshot.
   * @throws RestoreUnfinishedError
   */
  async begin(signal: AbortSignal): Promise<void> {
    const bounds = await (this.options.bounds?.(signal) ?? this.#source.bounds(signal));
    this.#catchUpTo = bounds.maxOffset;
    const { tail, cluster } = this.#loop;
    const plan = planStart(tail && cluster.head, bounds, this.options.preferSnapshotBeyond);
    switch (plan.kind) {
      case 'rewritten':
        throw new LogRewrittenError(plan.reason);
      case 'local':
        await this.#requireTail(signal);
        return;
      case 'snapshot':
        await this.#loadSnapshot(bounds, plan.isRequired, signal);
        return;
      case 'beginning':
        await this.#beginAtFirst(bounds, signal);
        return;
    }
  }

  /** Follows the log until {@link close}. Rejects when the log was rewritten, needs a newer version (NewerVersionNeededError) or cannot be read for good. */
  async run(): Promise<void> {
    const { signal } = this.#ended;
    try {
      while (!signal.aborted) await this.#readUntilReopened(signal);
    } catch (error) {
      if (!signal.aborted) this.#input({ kind: 'reader.ended', end: endOf(error as Error) });
    }
    if (signal.reason instanceof FollowingEndedError) throw signal.reason.cause;
  }

  /**
   * Proves that the node knows all of the log. Asks the master where the log ends, and checks that it still is the log that was read. Then
   * waits until everything before its end is folded.
   *
   * @returns the monotonic time as of which the node knew all of the log; not before this call.
   * @throws LogRewrittenError
   * @throws LogBehindError when the broker answered, but the signal is aborted before everything is folded.
   * @throws LogUnclearError when the signal is aborted and everything is folded, but an entry may have been missed.
   */
  async proveHead(signal: AbortSignal): Promise<{ readonly sentAt: number }> {
    const since = performance.now();
    for (let isAnswered = false; ; isAnswered = true) {
      try {
        await this.#ask(signal);
      } catch (error) {
        if (!isAnswered || !signal.aborted) throw error;
      }
      const { provenAt = -Infinity, cluster, gap } = this.#loop;
      if (provenAt >= since) return { sentAt: provenAt };
      if (signal.aborted) {
        const cause: unknown = signal.reason;
        if (gap !== undefined && this.behind === 0) throw new LogUnclearError(gap.offset, { cause });
        throw new LogBehindError(this.behind, cluster.head.seq, { cause });
      }
      await this.#nextProof(signal);
    }
  }

  close(): void {
    this.#ended.abort();
  }

  async #readUntilReopened(signal: AbortSignal): Promise<void> {
    const reading = (this.#reading = new AbortController());
    const reader = this.#source.reader(this.#loop.nextOffset, READ_AHEAD, AbortSignal.any([signal, reading.signal]));
    const isOver = (): boolean => signal.aborted || reading.signal.aborted;
    try {
      while (!isOver()) {
        const messages = await this.#nextMessages(reader);
        if (isOver()) return;
        this.#input({ kind: 'pulled', messages: messages.map(decodeLogMessage) });
        await this.#checkPulled(signal);
      }
    } catch (error) {
      if (!reading.signal.aborted) throw error;
    } finally {
      reader.close();
    }
  }

  /**
   * Until the end that was found at the start is reached, many at once: folding few at a time would take long then. The log may have lost that
   * end meanwhile: this waits for nothing behind the end that the last answer named.
   */
  async #nextMessages(reader: QueueReader): Promise<readonly StoredMessage[]> {
    const messages = [...(await reader.next())];
    for (let last = messages.at(-1); last !== undefined; last = messages.at(-1)) {
      if (last.queueOffset + 1 >= Math.min(this.#catchUpTo, this.#loop.endOffset) || messages.length >= CATCH_UP_ENTRIES) break;
      messages.push(...(await reader.next()));
    }
    return messages;
  }

  async #checkPulled(signal: AbortSignal): Promise<void> {
    const isUnchecked = (): boolean => this.#loop.pulled !== undefined;
    while (isUnchecked() && !signal.aborted) {
      await untilAnswered(() => this.#ask(signal), signal);
      if (isUnchecked()) await pause(ASK_AGAIN_MS, signal);
    }
  }

  async #loadSnapshot(bounds: QueueBounds, isRequired: boolean, signal: AbortSignal): Promise<void> {
    try {
      const state = await findSnapshot(this.#source.read.bind(this.#source), bounds, signal);
      this.#loop = beginningAt(this.#loop, state, state.head.offset + 1);
      this.logger.info(`Begins with the snapshot that ends at offset ${state.head.offset}`);
    } catch (error) {
      if (isRequired || !(error instanceof SnapshotMissingError)) throw error;
      await this.#beginAtFirst(bounds, signal, true);
    }
  }

  /** A log that was restored begins with a snapshot, any other with genesis. */
  async #beginAtFirst(bounds: QueueBounds, signal: AbortSignal, isWithoutSnapshot = false): Promise<void> {
    this.#loop = beginningAt(this.#loop, this.state, bounds.minOffset);
    if (bounds.minOffset >= bounds.maxOffset) return;
    const [first] = await this.#source.read(bounds.minOffset, bounds.minOffset + 1, signal);
    if (first?.entry.event.kind !== 'snapshot.chunk') return;
    if (isWithoutSnapshot) throw new RestoreUnfinishedError();
    await this.#loadSnapshot(bounds, false, signal);
  }

  async #requireTail(signal: AbortSignal): Promise<void> {
    const { tail } = this.#loop;
    if (tail === undefined) return;
    const { found, bounds } = await this.#source.answer(tailQuestion(this.#loop, readClocks()), signal);
    const verdict = tailVerdict(tail, found[0], bounds);
    if (typeof verdict === 'object') throw new LogRewrittenError(verdict.broken);
  }

  /** Asks what the loop needs to know now. */
  async #ask(signal: AbortSignal): Promise<void> {
    if (this.#ended.signal.reason instanceof FollowingEndedError) throw this.#ended.signal.reason.cause;
    const question = tailQuestion(this.#loop, readClocks());
    const answer = await this.#source.answer(question, signal);
    this.#input({ kind: 'answered', question, answer });
  }

  #input(body: NodeInputBody): void {
    const { state, effects } = stepNode(this.#loop, { ...body, ...readClocks() });
    this.#loop = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: NodeEffect): void {
    switch (effect.kind) {
      case 'folded': {
        const { state, accepted, skipped, nextOffset } = effect;
        const { lease } = this.#loop;
        for (const listener of this.#listeners) listener({ state, accepted, skipped, nextOffset, lease });
        return;
      }
      case 'unreadable': {
        const { offset, why } = effect.message;
        this.#skips.write(`Offset ${offset} of the log is skipped: ${why}`);
        return;
      }
      case 'head-proven':
        for (const waiter of [...this.#proofWaiters]) waiter();
        return;
      case 'reopen-reader':
        this.logger.warn(`The log is read again from offset ${this.#loop.nextOffset}: ${effect.reason}`);
        this.#reading.abort();
        return;
      case 'end':
        this.#ended.abort(new FollowingEndedError(this.#errorOf(effect.end)));
        return;
    }
  }

  #errorOf(end: NodeEnd): Error {
    if (end.kind === 'rewritten') return new LogRewrittenError(end.reason);
    if (end.kind === 'outdated') return new NewerVersionNeededError(end.entry);
    return end.error;
  }

  /** Waits for a proof, or until it is time to ask again. */
  async #nextProof(signal: AbortSignal): Promise<void> {
    const proven = new AbortController();
    const waiter = (): void => {
      proven.abort();
    };
    this.#proofWaiters.add(waiter);
    try {
      await pause(ASK_AGAIN_MS, AbortSignal.any([signal, this.#ended.signal, proven.signal]));
    } finally {
      this.#proofWaiters.delete(waiter);
    }
  }
}

/** Why nothing is folded any more; a follower that is closed has no such reason. */
class FollowingEndedError extends NodeError {
  constructor(override readonly cause: Error) {
    super('FOLLOWING_ENDED', cause.message, { cause });
  }
}

/** A reader that stands beyond the end, or before the beginning, has read another log than is there. */
function endOf(error: Error): NodeEnd {
  const isOutOfRange = isRocketMqError(error) && error.code === 'OFFSET_OUT_OF_RANGE';
  return isOutOfRange ? { kind: 'rewritten', reason: error.message } : { kind: 'failed', error };
}
