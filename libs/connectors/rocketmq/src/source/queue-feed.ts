import { encodePosition } from '@sluice/replication';
import {
  BrokerNotFoundError,
  isGroupMissing,
  isRetriableRocketMqError,
  type LogicalMessage,
  MessageUnreadableError,
  OffsetOutOfRangeError,
  type QueueReader,
  type RocketMqClient,
  TopicNotFoundError,
} from '@sluice/rocketmq';
import { ConnectError, ConnectErrorCode, queueKey, type SourcePartition, type SourceRecord, type SourceTaskContext } from '@sluice/sdk';
import { backoffMs, type BackoffLimits, pause, untilCalled } from '@sluice/time';
import { describeLoss, type LossWatch } from './loss-watch.js';
import type { MessageCopier } from './message-copier.js';
import type { QueueLink } from '../flow/queue-links.js';
import type { QueueBudget } from './read-budget.js';
import type { QueueStart } from './queue-start.js';

/** Pulls in flight per queue, ahead of what the task has taken. */
const PULLS_AHEAD = 4;
/** Between two answers that are further apart, in milliseconds, the queue could be deleted, created again, and filled up to any offset. */
const DOUBT_AFTER_MS = 50;
/** More than producers can fill a queue with in a millisecond: up to a low offset it is filled sooner. */
const MOST_MESSAGES_IN_MS = 10_000;
/** After so many failures in a row a reader is given up, and it is looked for what is wrong. */
const FAILURES_TO_DOUBT = 3;
/** How long a queue has to be missing before that is a loss, in milliseconds: topics are created again, and brokers move. */
const LOST_AFTER_MS = 10_000;
const BACKOFF: BackoffLimits = { initialMs: 200, maxMs: 5000 };

export interface QueueFeedOptions {
  readonly client: RocketMqClient;
  /** Of the pulls. */
  readonly group: string;
  readonly partition: SourcePartition;
  readonly copier: MessageCopier;
  /** Says where to read, and whether the queue is still the one that was read. */
  readonly start: QueueStart;
  readonly losses: Pick<LossWatch, 'lossOf'>;
  readonly budget: QueueBudget;
  /** Creates the group on the brokers that lack it: a broker refuses reads of a group that it does not know. */
  readonly createGroup: () => Promise<void>;
  readonly unreadable: SourceTaskContext['unreadable'];
  readonly passOver: SourceTaskContext['passOver'];
  /** Called when there is something to take. */
  readonly arrived: () => void;
  /** Called when `waiting` or `failure` has changed. */
  readonly changed: () => void;
  readonly signal: AbortSignal;
}

type Answer =
  | { readonly kind: 'messages'; readonly messages: readonly LogicalMessage[]; readonly bytes: number }
  | { readonly kind: 'unreadable'; readonly next: number; readonly error: MessageUnreadableError };

/** Reads one queue of the source ahead of the task, in order, and makes records of its messages when the task takes them. */
export class QueueFeed {
  readonly link: QueueLink;
  readonly key: string;
  readonly #options: QueueFeedOptions;
  readonly #signal: AbortSignal;
  readonly #closing = new AbortController();
  readonly #rocketmq: { readonly queue: QueueLink['target'] };
  readonly #answers: Answer[] = [];
  /** How many messages of the first answer are taken. */
  #taken = 0;
  #resume: (() => void) | undefined;
  #waiting: string | undefined;
  #failure: { readonly error: unknown } | undefined;
  #reading: Promise<void> = Promise.resolve();
  #reader: QueueReader | undefined;
  #isDoubtful = false;
  /** When the queue was known to be the same. */
  #provenMs = -Infinity;
  #end: number | undefined;
  /** Since when the source has no such queue. */
  #missingSinceMs: number | undefined;
  #isLossReported = false;
  /** What the reader could not get over. */
  #interruption: Error | undefined;

  constructor(link: QueueLink, options: QueueFeedOptions) {
    this.link = link;
    this.key = queueKey(link.source);
    this.#options = options;
    this.#rocketmq = { queue: link.target };
    this.#signal = AbortSignal.any([options.signal, this.#closing.signal]);
  }

  /** Why nothing can be read for now; `undefined` while the queue is read. */
  get waiting(): string | undefined {
    return this.#waiting;
  }

  /** What ended the reading for good. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  get isEmpty(): boolean {
    return this.#answers.length === 0;
  }

  /** Where the queue ends, as of the last answer of its broker; `undefined` before the first. */
  get end(): number | undefined {
    return this.#reader?.maxOffset ?? this.#end;
  }

  /** Begins to read, until {@link close} or the signal. */
  begin(): void {
    this.#reading = this.#read();
  }

  /** Ends the reading, and drops what was not taken. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`Queue ${this.key} is not read any more`));
    await this.#reading;
    while (this.#answers.length > 0) this.#dropFirst();
    this.#options.budget.end();
  }

  /**
   * Makes records of what is left of the first answer, in order, at most `max`, and appends them. A mark follows where the last message is left out.
   * @returns how many records were appended: fewer than there were messages where some are not copied
   */
  take(records: SourceRecord[], max: number): number {
    const [answer] = this.#answers;
    if (answer === undefined) return 0;
    if (answer.kind === 'unreadable') {
      records.push(this.#markOf(answer.next, answer.error));
      this.#dropFirst();
      return 1;
    }
    const before = records.length;
    const { copier, partition, passOver } = this.#options;
    const { messages } = answer;
    const topic = this.link.target.topic;
    const rocketmq = this.#rocketmq;
    let at = this.#taken;
    let left: LogicalMessage | undefined;
    for (; at < messages.length && records.length - before < max; at++) {
      const message = messages[at] as LogicalMessage;
      const copied = copier.copy(message);
      if (copied === undefined) {
        left = message;
        continue;
      }
      left = undefined;
      if (copied instanceof ConnectError) records.push(this.#markOf(message.queueOffset + 1, copied));
      else records.push({ topic, value: null, partition, position: copied.position, rocketmq, raw: copied.raw });
    }
    // A queue of which nothing is copied has to come on too: what was left out is not read again, and retention may take it.
    if (left !== undefined) records.push(passOver(partition, copier.positionBehind(left)));
    this.#taken = at;
    if (at >= messages.length) this.#dropFirst();
    return records.length - before;
  }

  #markOf(next: number, error: Error): SourceRecord {
    const { unreadable, partition } = this.#options;
    const reason =
      error instanceof ConnectError ? error : new ConnectError(ConnectErrorCode.recordInvalid, error.message, { cause: error });
    return unreadable(partition, encodePosition({ offset: next }), reason);
  }

  async #read(): Promise<void> {
    const signal = this.#signal;
    const isOver = (): boolean => signal.aborted;
    try {
      for (let attempt = 1; !isOver(); attempt++) {
        try {
          if (attempt > 1) await pause(backoffMs(attempt - 1, BACKOFF), signal);
          const from = await this.#options.start.next(signal);
          this.#noteWaiting(undefined);
          await this.#follow(from, () => {
            attempt = 0;
            this.#missingSinceMs = undefined;
            this.#isLossReported = false;
          });
        } catch (error) {
          if (isOver()) return;
          if (isGroupMissing(error)) {
            await this.#options.createGroup();
            // A new flow has no group yet: that is nothing to wait for.
            if (attempt === 1) continue;
          } else if (!(await this.#isMissing()) && !isPassing(error)) throw error;
          if (isOver()) return;
          this.#noteWaiting(error as Error);
        }
      }
    } catch (error) {
      if (isOver()) return;
      this.#failure = { error: error instanceof ConnectError ? error : unreadableQueue(this.key, error) };
      this.#options.changed();
    }
  }

  /** Reads from an offset on, until the reading is over or the queue turns out to be another one. */
  async #follow(from: number, answered: () => void): Promise<void> {
    const { client, group, budget } = this.#options;
    const signal = this.#signal;
    const reader = client.consumer.readQueue(this.link.source, {
      from,
      group,
      signal,
      budget,
      ahead: PULLS_AHEAD,
      onState: (state) => {
        this.#isDoubtful = true;
        this.#noteWaiting(state.kind === 'retrying' ? state.error : undefined);
        // The queue may be there no more: the reader would wait for it without end.
        if (state.kind !== 'retrying' || state.failures < FAILURES_TO_DOUBT) return;
        this.#interruption = state.error;
        reader.close();
      },
    });
    this.#reader = reader;
    this.#interruption = undefined;
    try {
      while (!signal.aborted) {
        await this.#room();
        const next = await this.#nextAnswer(reader);
        if (next === undefined) return;
        answered();
        this.#noteWaiting(undefined);
        this.#add(next);
      }
    } catch (error) {
      throw this.#causeOf(error);
    } finally {
      this.#end = reader.maxOffset ?? this.#end;
      reader.close();
      this.#reader = undefined;
    }
  }

  /** Returns whether the source has the queue no more, and reports it once that has been so for a while. @throws as {@link QueueStart.lost} does */
  async #isMissing(): Promise<boolean> {
    const { losses, start } = this.#options;
    const loss = await losses.lossOf(this.link.source);
    if (loss === undefined) {
      this.#missingSinceMs = undefined;
      return false;
    }
    this.#missingSinceMs ??= performance.now();
    if (this.#isLossReported || performance.now() - this.#missingSinceMs < LOST_AFTER_MS) return true;
    this.#isLossReported = true;
    start.lost(describeLoss(loss), this.end);
    return true;
  }

  /** Returns why a reader ended that was closed for its failures. */
  #causeOf(error: unknown): unknown {
    return this.#interruption ?? error;
  }

  /** Waits for messages; `undefined` where reading has to start again. */
  async #nextAnswer(reader: QueueReader): Promise<Answer | undefined> {
    const { start } = this.#options;
    let messages: readonly LogicalMessage[];
    try {
      messages = await reader.nextMessages();
    } catch (error) {
      if (error instanceof OffsetOutOfRangeError) return undefined;
      if (!(error instanceof MessageUnreadableError)) throw error;
      const next = error.nextOffset ?? error.queueOffset + 1;
      reader.seek(next);
      return { kind: 'unreadable', next, error };
    }
    const doubtAfterMs = Math.min(DOUBT_AFTER_MS, (messages[0]?.queueOffset ?? 0) / MOST_MESSAGES_IN_MS);
    if (this.#isDoubtful || performance.now() - this.#provenMs > doubtAfterMs) {
      if (!(await start.isSame(this.#signal))) return undefined;
      this.#isDoubtful = false;
    }
    this.#provenMs = performance.now();
    let bytes = 0;
    for (const { bodyBytes, propertiesBytes } of messages) bytes += bodyBytes + propertiesBytes;
    return { kind: 'messages', messages, bytes };
  }

  #add(answer: Answer): void {
    if (answer.kind === 'messages') {
      const last = answer.messages.at(-1);
      if (last !== undefined) this.#options.start.note(last);
      this.#options.budget.add(answer.bytes, answer.messages.length);
    } else this.#options.start.passOver(answer.next);
    this.#answers.push(answer);
    this.#options.arrived();
  }

  #dropFirst(): void {
    const dropped = this.#answers.shift();
    this.#taken = 0;
    if (dropped?.kind === 'messages') this.#options.budget.add(-dropped.bytes, -dropped.messages.length);
    this.#resume?.();
  }

  /** Resolves when another answer may be read. One may always be held. */
  async #room(): Promise<void> {
    const signal = this.#signal;
    while (this.#answers.length > 0 && !this.#options.budget.hasRoom(0, 0) && !signal.aborted) {
      await untilCalled(signal, (resume) => {
        this.#resume = resume;
      });
      this.#resume = undefined;
    }
    signal.throwIfAborted();
  }

  #noteWaiting(error: Error | undefined): void {
    const waiting = error === undefined ? undefined : `Queue ${this.key} of the source: ${error.message}`;
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    this.#options.changed();
  }
}

function unreadableQueue(key: string, cause: unknown): ConnectError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectError(ConnectErrorCode.sourceFailed, `Queue ${key} of the source cannot be read: ${reason}`, { cause });
}

/** Returns whether an error may pass by itself. Name servers also forget the topic of a broker that is restarting. */
function isPassing(error: unknown): boolean {
  return isRetriableRocketMqError(error) || error instanceof TopicNotFoundError || error instanceof BrokerNotFoundError;
}
