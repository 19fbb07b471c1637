import { foldEntries, type ClusterState, type LogEvent, type ReadEntry } from '@sluice/core';
import { decodeLogEntry, entryDigest, MalformedMessageError } from '@sluice/protocol';
import type { QueueRef, RocketMqClient, StoredMessage } from '@sluice/rocketmq';
import type { ScopedLog } from '../logging/node-log.js';

/** Thrown when the log is not the one that this node has folded: its tail was cut, or its topic was created again. */
export class LogRewrittenError extends Error {
  override readonly name = 'LogRewrittenError';
  constructor(reason: string) {
    super(`The log was rewritten: ${reason}. The node drops its local copy and has to start again`);
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

const probeTimeoutMs = 2000;

/** Reads the log by offset, folds it and tells its listeners. Used by every role. */
export class LogFollower {
  private readonly listeners = new Set<LogListener>();
  private readonly headWaiters = new Set<{ readonly offset: number; readonly resolve: () => void }>();
  private folded: ClusterState;
  private nextOffset: number;
  private readonly ended = new AbortController();
  private lastReadAt = performance.now();
  private lastAcceptedAt = performance.now();
  private malformed = 0;

  constructor(
    private readonly client: RocketMqClient,
    private readonly queue: QueueRef,
    private readonly group: string,
    initial: ClusterState,
    private readonly log: ScopedLog,
  ) {
    this.folded = initial;
    this.nextOffset = initial.head.offset + 1;
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

  /** Messages of the log that could not be understood. */
  get malformedCount(): number {
    return this.malformed;
  }

  subscribe(listener: LogListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Checks that the log goes on where the local copy ends.
   *
   * @throws LogRewrittenError
   */
  async verify(signal: AbortSignal): Promise<void> {
    const { head } = this.folded;
    if (head.seq < 0) {
      this.nextOffset = await this.client.admin.minOffset(this.queue, { signal });
      return;
    }
    const answer = await this.client.consumer.pull({
      queue: this.queue,
      offset: head.offset,
      group: this.group,
      maxMessages: 1,
      suspendMs: 0,
      timeoutMs: probeTimeoutMs,
      signal,
    });
    const message = answer.kind === 'found' ? answer.messages[0] : undefined;
    if (message?.queueOffset !== head.offset) {
      throw new LogRewrittenError(`there is no entry at offset ${String(head.offset)} any more`);
    }
    if (entryDigest(message.body) !== head.digest) {
      throw new LogRewrittenError(`the entry at offset ${String(head.offset)} is another one`);
    }
  }

  /** Follows the log until {@link close}. Rejects when the log was rewritten or cannot be read for good. */
  async run(): Promise<void> {
    const signal = this.ended.signal;
    const reader = this.client.consumer.readQueue(this.queue, {
      from: this.nextOffset,
      group: this.group,
      ahead: 2,
      signal,
    });
    try {
      while (!signal.aborted) this.apply(await reader.next());
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      reader.close();
    }
  }

  /**
   * Asks the master where the log ends and waits until everything before is folded.
   *
   * @returns the monotonic time at which the question was sent: the node knew all of the log as of then.
   */
  async proveHead(signal: AbortSignal): Promise<{ readonly sentAt: number }> {
    const sentAt = performance.now();
    const answer = await this.client.consumer.pull({
      queue: this.queue,
      offset: this.nextOffset,
      group: this.group,
      maxMessages: 1,
      suspendMs: 0,
      timeoutMs: probeTimeoutMs,
      signal,
    });
    if (answer.maxOffset < this.nextOffset) {
      throw new LogRewrittenError(
        `it ends at offset ${String(answer.maxOffset)}, but ${String(this.nextOffset)} was read`,
      );
    }
    await this.folding(answer.maxOffset, signal);
    this.lastReadAt = Math.max(this.lastReadAt, sentAt);
    return { sentAt };
  }

  close(): void {
    this.ended.abort();
  }

  private apply(messages: readonly StoredMessage[]): void {
    const entries: ReadEntry[] = [];
    for (const message of messages) {
      this.nextOffset = message.queueOffset + 1;
      try {
        const entry = decodeLogEntry<LogEvent>(message.body);
        entries.push({ offset: message.queueOffset, digest: entryDigest(message.body), entry });
      } catch (error) {
        if (!(error instanceof MalformedMessageError)) throw error;
        this.malformed += 1;
        this.log.warn(`Offset ${String(message.queueOffset)} of the log is skipped: ${error.message}`);
      }
    }
    if (messages.length > 0) {
      const { state, skipped } = foldEntries(this.folded, entries);
      const refused = new Set(skipped.map((entry) => entry.offset));
      this.folded = state;
      const accepted = refused.size === 0 ? entries : entries.filter((entry) => !refused.has(entry.offset));
      if (accepted.length > 0) this.lastAcceptedAt = performance.now();
      for (const listener of this.listeners) listener({ state, read: entries, accepted, nextOffset: this.nextOffset });
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
        reject(signal.reason as Error);
      };
      this.headWaiters.add(waiter);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
