import {
  CATCH_UP_ENTRIES,
  foldEntries,
  NewerVersionNeededError,
  planStart,
  RestoreUnfinishedError,
  SnapshotMissingError,
  tailBreak,
  type ClusterState,
  type QueueBounds,
  type ReadEntry,
  type Tail,
} from '@sluice/core';
import { entryDigest, MalformedMessageError } from '@sluice/protocol';
import type { QueueReader, QueueRef, RocketMqClient, StoredMessage } from '@sluice/rocketmq';
import { untilAnswered } from '../adapters/known-queue.js';
import type { ScopedLog } from '../logging/node-log.js';
import { findSnapshot } from './find-snapshot.js';
import { decodeEntry, LogQueue } from './log-queue.js';

/** Thrown when the log is not the one that this node has folded: its tail was cut, or its topic was created again. */
export class LogRewrittenError extends Error {
  override readonly name = 'LogRewrittenError';
  constructor(reason: string) {
    super(`The log was rewritten: ${reason}. The node puts its local copy aside and has to start again`);
  }
}

/** Thrown when the node did not get to the end of the log in time. */
export class LogBehindError extends Error {
  override readonly name = 'LogBehindError';
  constructor(
    /** Entries that it has not read yet. */
    readonly behind: number,
    seq: number,
    options?: ErrorOptions,
  ) {
    super(
      `The node is ${String(behind)} entries behind the end of the log, it has read up to entry ${String(seq)}`,
      options,
    );
  }
}

export interface LogUpdate {
  readonly state: ClusterState;
  /** As they were read, accepted or not. */
  readonly read: readonly ReadEntry[];
  readonly accepted: readonly ReadEntry[];
  /** The offset after the last message read, whether it could be understood or not. */
  readonly nextOffset: number;
}

export type LogListener = (update: LogUpdate) => void;

export interface LogFollowerOptions {
  /** Where the queue begins and ends, if not as the broker says. */
  readonly bounds?: (signal: AbortSignal) => Promise<QueueBounds>;
  /** Without a local copy, a snapshot is looked for where the log has more entries than this. */
  readonly preferSnapshotBeyond?: number;
}

const readAhead = 2;

/** Reads the log by offset, folds it and tells its listeners. Used by every role. */
export class LogFollower {
  private readonly listeners = new Set<LogListener>();
  private readonly headWaiters = new Set<{ readonly offset: number; readonly resolve: () => void }>();
  private readonly source: LogQueue;
  private folded: ClusterState;
  private nextOffset: number;
  private tail: Tail | undefined;
  /** The head was reached once: from then on others rely on what is folded. */
  private isLive = false;
  /** The end of the queue when this began. */
  private catchUpTo = 0;
  /** The end of the queue as the broker last told it. */
  private endOffset = 0;
  private readonly ended = new AbortController();
  private lastReadAt = performance.now();
  private lastAcceptedAt = performance.now();
  private malformed = 0;

  constructor(
    client: RocketMqClient,
    queue: QueueRef,
    group: string,
    initial: ClusterState,
    private readonly log: ScopedLog,
    private readonly options: LogFollowerOptions = {},
  ) {
    this.source = new LogQueue(client, queue, group);
    this.folded = initial;
    this.nextOffset = initial.head.offset + 1;
    this.tail = initial.head.seq < 0 ? undefined : initial.head;
  }

  get state(): ClusterState {
    return this.folded;
  }

  /** Milliseconds since the log was last known to be read up to its head. */
  get ageMs(): number {
    return performance.now() - this.lastReadAt;
  }

  /** Milliseconds since an entry was accepted: a leader writes one at least every third of its lease. */
  get leaderSilentMs(): number {
    return performance.now() - this.lastAcceptedAt;
  }

  /** Messages between what is folded and the end of the log as the broker last told it. */
  get behind(): number {
    return Math.max(0, this.endOffset - this.nextOffset);
  }

  /** Messages of the log that could not be understood. */
  get malformedCount(): number {
    return this.malformed;
  }

  subscribe(listener: LogListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Finds out where to begin: behind the local copy where the log goes on there, else behind the newest snapshot, else at the first
   * entry. To be called before {@link run}.
   *
   * @throws LogRewrittenError when the local copy is of another log.
   * @throws SnapshotMissingError when the first entries are gone and there is no snapshot.
   * @throws RestoreUnfinishedError
   */
  async begin(signal: AbortSignal): Promise<void> {
    const bounds = await (this.options.bounds?.(signal) ?? this.source.bounds(signal));
    this.catchUpTo = bounds.maxOffset;
    this.endOffset = bounds.maxOffset;
    const plan = planStart(this.tail && this.folded.head, bounds, this.options.preferSnapshotBeyond);
    switch (plan.kind) {
      case 'rewritten':
        throw new LogRewrittenError(plan.reason);
      case 'local':
        await this.checkTail(signal);
        return;
      case 'snapshot':
        await this.loadSnapshot(bounds, plan.isRequired, signal);
        return;
      case 'beginning':
        await this.beginAtFirst(bounds, signal);
        return;
    }
  }

  /** Follows the log until {@link close}. Rejects when the log was rewritten, needs a newer version (NewerVersionNeededError) or cannot be read for good. */
  async run(): Promise<void> {
    const signal = this.ended.signal;
    const reader = this.source.reader(this.nextOffset, readAhead, signal);
    try {
      while (!signal.aborted) {
        const messages = await this.nextMessages(reader);
        if (this.isLive) await untilAnswered(() => this.checkTail(signal), signal);
        this.apply(messages);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      reader.close();
    }
  }

  /**
   * Asks the master where the log ends, makes sure that it still is the log that was read, and waits until everything before its end is folded.
   *
   * @returns the monotonic time at which the question was sent: the node knew all of the log as of then.
   * @throws LogRewrittenError
   * @throws LogBehindError when the broker answered, but the signal is aborted before everything is folded.
   */
  async proveHead(signal: AbortSignal): Promise<{ readonly sentAt: number }> {
    const sentAt = performance.now();
    const { maxOffset } = await this.checkTail(signal);
    await this.folding(maxOffset, signal);
    this.isLive = true;
    this.lastReadAt = Math.max(this.lastReadAt, sentAt);
    return { sentAt };
  }

  close(): void {
    this.ended.abort();
  }

  /** Until the end that was found at the start is reached, many at once: folding few at a time would take long then. */
  private async nextMessages(reader: QueueReader): Promise<readonly StoredMessage[]> {
    const first = await reader.next();
    if (this.isLive) return first;
    const messages = [...first];
    for (let last = messages.at(-1); last !== undefined; last = messages.at(-1)) {
      if (last.queueOffset + 1 >= this.catchUpTo || messages.length >= CATCH_UP_ENTRIES) break;
      messages.push(...(await reader.next()));
    }
    return messages;
  }

  private async loadSnapshot(bounds: QueueBounds, isRequired: boolean, signal: AbortSignal): Promise<void> {
    try {
      const state = await findSnapshot(this.source.read.bind(this.source), bounds, signal);
      this.folded = state;
      this.tail = state.head;
      this.nextOffset = state.head.offset + 1;
      this.log.info(`Begins with the snapshot that ends at offset ${String(state.head.offset)}`);
    } catch (error) {
      if (isRequired || !(error instanceof SnapshotMissingError)) throw error;
      await this.beginAtFirst(bounds, signal, true);
    }
  }

  /** A log that was restored begins with a snapshot, any other with genesis. */
  private async beginAtFirst(bounds: QueueBounds, signal: AbortSignal, isWithoutSnapshot = false): Promise<void> {
    this.nextOffset = bounds.minOffset;
    if (bounds.minOffset >= bounds.maxOffset) return;
    const [first] = await this.source.read(bounds.minOffset, bounds.minOffset + 1, signal);
    if (first?.entry.event.kind !== 'snapshot.chunk') return;
    if (isWithoutSnapshot) throw new RestoreUnfinishedError();
    await this.loadSnapshot(bounds, false, signal);
  }

  /** A queue that was cut and has grown again would otherwise be taken for the old one. */
  private async checkTail(signal: AbortSignal): Promise<QueueBounds> {
    const { tail, nextOffset } = this;
    const { digest, bounds } = await this.source.at(tail?.offset ?? nextOffset, signal);
    const broken = tail === undefined ? undefined : tailBreak(tail, digest, bounds);
    if (broken !== undefined) throw new LogRewrittenError(broken);
    this.endOffset = bounds.maxOffset;
    return bounds;
  }

  private apply(messages: readonly StoredMessage[]): void {
    const read: ReadEntry[] = [];
    for (const message of messages) {
      const { queueOffset } = message;
      this.nextOffset = queueOffset + 1;
      const entry = decodeEntry(message);
      if (entry instanceof MalformedMessageError) {
        this.malformed += 1;
        this.log.warn(`Offset ${String(queueOffset)} of the log is skipped: ${entry.message}`);
        this.tail = { offset: queueOffset, digest: entryDigest(message.body) };
        continue;
      }
      read.push(entry);
      this.tail = { offset: queueOffset, digest: entry.digest };
    }
    if (messages.length > 0) {
      const { state, accepted } = foldEntries(this.folded, read);
      this.folded = state;
      if (accepted.length > 0) this.lastAcceptedAt = performance.now();
      if (state.needsNewer !== undefined) throw new NewerVersionNeededError(state.needsNewer);
      for (const listener of this.listeners) listener({ state, read, accepted, nextOffset: this.nextOffset });
    }
    for (const waiter of this.headWaiters) {
      if (waiter.offset > this.nextOffset) continue;
      this.headWaiters.delete(waiter);
      waiter.resolve();
    }
  }

  private folding(offset: number, signal: AbortSignal): Promise<void> {
    if (this.nextOffset >= offset) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        offset,
        resolve: () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        },
      };
      const aborted = (): void => {
        this.headWaiters.delete(waiter);
        const behind = Math.max(0, offset - this.nextOffset);
        reject(new LogBehindError(behind, this.folded.head.seq, { cause: signal.reason }));
      };
      this.headWaiters.add(waiter);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
