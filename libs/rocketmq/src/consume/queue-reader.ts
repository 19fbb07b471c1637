import { backoffMs, pause, type BackoffLimits } from '@sluice/time';
import {
  ClientClosedError,
  FrameTooLargeError,
  InvalidArgumentError,
  isRetriableRocketMqError,
  MalformedDataError,
  OffsetOutOfRangeError,
  RequestAbortedError,
  TopicNotFoundError,
} from '../errors.js';
import type { QueueRef } from '../routing/topic-route.js';
import type { StoredMessage } from '../wire/stored-message.js';
import { logicalMessages, type LogicalMessage, MessageUnreadableError } from './logical-messages.js';
import { compileFilter, type CompiledFilter } from './message-filter.js';
import { byteBudget, PullCharge, type PullBudget } from './pull-budget.js';
import { PullWindow } from './pull-window.js';
import { decodePullAnswer, type PullAnswer, type PullResult } from './pull.js';
import type { QueueReaderOptions, QueueReaderSource } from './queue-reader-options.js';

type PullEnd = { readonly kind: 'answered'; readonly answer: PullAnswer } | { readonly kind: 'failed'; readonly error: unknown };

interface Pull {
  readonly offset: number;
  readonly asked: number;
  /** Where the next pull begins; undefined while only the answer can show it. */
  nextOffset: number | undefined;
  readonly end: Promise<PullEnd>;
  readonly charge: PullCharge;
}

const DEFAULT_BACKOFF: BackoffLimits = { initialMs: 50, maxMs: 3_000 };

/**
 * Reads one queue in order and without a gap. Several pulls are in flight at predicted offsets: each begins where the
 * answer before it is expected to end. An answer that ends elsewhere drops the ones behind it. Where nothing can be
 * predicted, each pull starts when the answer before it has come.
 * At the head of the queue there is one pull, which the broker holds until a message comes.
 */
export class QueueReader {
  readonly #ahead: number;
  readonly #filter: CompiledFilter;
  readonly #budget: PullBudget;
  readonly #suspendMs: number;
  readonly #backoff: BackoffLimits;
  readonly #closing = new AbortController();
  readonly #onAbort = (): void => {
    this.close();
  };
  readonly #window: PullWindow;
  #inFlight: Pull[] = [];
  /** Ends the pulls of `#inFlight` when they are dropped. */
  #dropping = new AbortController();
  #position: number;
  #maxOffset: number | undefined;
  #averageBytes = 0;
  #failures = 0;
  #hasAnswered = false;
  /** Whether the last pull failed: the next one asks for an answer at once, which proves that the broker answers again. */
  #isFailing = false;
  #pausing: Promise<void> | undefined;
  #isTaking = false;
  /** What is left of an answer that was given in part, and where the answer ends. */
  #rest: { readonly messages: readonly StoredMessage[]; readonly nextOffset: number } | undefined;

  constructor(
    readonly queue: QueueRef,
    private readonly options: QueueReaderOptions,
    private readonly source: QueueReaderSource,
  ) {
    this.#filter = compileFilter(options.filter);
    this.#ahead = this.#filter.isAll ? (options.ahead ?? 4) : Math.min(1, options.ahead ?? 1);
    this.#budget = options.budget ?? byteBudget(options.maxBufferedBytes ?? 8 * 1024 * 1024);
    this.#suspendMs = options.suspendMs ?? 15_000;
    this.#backoff = options.retryBackoff ?? DEFAULT_BACKOFF;
    this.#window = new PullWindow(options.maxMessagesPerPull ?? 512);
    this.#position = checkedOffset(options.from);
    if (!Number.isInteger(this.#ahead) || this.#ahead < 0) {
      throw new InvalidArgumentError(`ahead ${this.#ahead}: expected an integer from 0`);
    }
    if (options.signal?.aborted === true || source.closing.aborted) this.close();
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    source.closing.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Offset of the first message that the next `next` or `nextMessages` gives. */
  get position(): number {
    return this.#position;
  }

  /** The queue's end as of the last answer; undefined before the first. */
  get maxOffset(): number | undefined {
    return this.#maxOffset;
  }

  /**
   * Returns what `next` returns as the producers made it: bodies decompressed, inner batches unwrapped from the position
   * on. Errors as for `next`, and MessageUnreadableError for an inner batch that cannot be read: the position stays
   * there, `seek` behind the batch to resume.
   */
  async nextMessages(options: { readonly timeoutMs?: number } = {}): Promise<readonly LogicalMessage[]> {
    const endsAt = options.timeoutMs === undefined ? undefined : performance.now() + options.timeoutMs;
    for (;;) {
      const from = this.#position;
      const stored = await this.next(endsAt === undefined ? {} : { timeoutMs: Math.max(0, endsAt - performance.now()) });
      const messages = this.#logical(this.#split(stored, from), from);
      if (messages.length > 0 || (endsAt !== undefined && performance.now() >= endsAt)) return messages;
    }
  }

  /**
   * Returns the messages of the next pull answer as they are stored; the first may be an inner batch that begins before
   * the position. Waits while there are none, through broker restarts too. With `timeoutMs` the call returns an empty
   * list after that time, and keeps its pulls in flight.
   *
   * @throws OffsetOutOfRangeError: the position stays, `seek` to resume elsewhere. MessageUnreadableError for a message whose bytes are
   * malformed: the position stays, `seek` to the error's `nextOffset` to pass over it. TopicNotFoundError: if the topic was unknown from
   * the start. Other RocketMqErrors that are not retriable. RequestAbortedError after `close` or the signal's abort. InvalidArgumentError
   * while another `next` waits.
   */
  async next(options: { readonly timeoutMs?: number } = {}): Promise<readonly StoredMessage[]> {
    if (this.#isTaking) throw new InvalidArgumentError('next() while another next() of the same reader waits');
    this.#isTaking = true;
    try {
      const { timeoutMs } = options;
      const endsAt = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
      for (;;) {
        this.#throwIfClosed();
        const messages = this.#takeRest() ?? (await this.#step(endsAt));
        if (messages !== undefined) return messages;
        if (endsAt !== undefined && performance.now() >= endsAt) return [];
      }
    } finally {
      this.#isTaking = false;
    }
  }

  /**
   * The messages as `nextMessages` gives them, one by one and without end: `close` ends the loop, an error and the signal's
   * abort throw. The loop's end, also by `break`, closes the reader. `position` stands behind the answer that the message
   * came with: keep the message's own offset + 1 to resume.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<LogicalMessage, void, undefined> {
    try {
      for (;;) {
        const messages = await this.nextMessages().catch((error: unknown) => {
          if (this.#closing.signal.aborted && this.options.signal?.aborted !== true && !this.source.closing.aborted) {
            return undefined;
          }
          throw error;
        });
        if (messages === undefined) return;
        yield* messages;
      }
    } finally {
      this.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Continues at another offset. Not while a `next` waits. */
  seek(offset: number): void {
    if (this.#isTaking) throw new InvalidArgumentError('seek() while a next() waits');
    this.#position = checkedOffset(offset);
    this.#rest = undefined;
    this.#drop();
  }

  /** Ends a waiting `next` and all pulls. */
  close(): void {
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.source.closing.removeEventListener('abort', this.#onAbort);
    this.#closing.abort();
    this.#drop();
  }

  /** Keeps what follows a compressed inner batch for the next call: together they could take many times the memory of one. */
  #split(stored: readonly StoredMessage[], from: number): readonly StoredMessage[] {
    if (stored.length === this.#position - from) return stored;
    const end = stored.findIndex((message) => message.isInnerBatch && message.isCompressed) + 1;
    const next = end === 0 ? undefined : stored[end];
    if (next === undefined) return stored;
    this.#rest = { messages: stored.slice(end), nextOffset: this.#position };
    this.#position = next.queueOffset;
    return stored.slice(0, end);
  }

  #takeRest(): readonly StoredMessage[] | undefined {
    const rest = this.#rest;
    if (rest === undefined) return undefined;
    this.#rest = undefined;
    this.#position = rest.nextOffset;
    return rest.messages;
  }

  #logical(stored: readonly StoredMessage[], from: number): readonly LogicalMessage[] {
    try {
      const messages = logicalMessages(stored, from, this.options);
      if (messages === stored || this.#filter.isAll) return messages;
      return messages.filter((message) => this.#filter.matches(message));
    } catch (error) {
      this.seek(from);
      throw error;
    }
  }

  /** Waits for what is next, and returns its messages if it has any. */
  async #step(endsAt: number | undefined): Promise<readonly StoredMessage[] | undefined> {
    if (this.#pausing !== undefined) {
      await this.#until(this.#pausing, endsAt);
      return undefined;
    }
    this.#fill();
    const [head] = this.#inFlight;
    if (head === undefined) return undefined;
    const end = await this.#until(head.end, endsAt);
    if (end === undefined || this.#inFlight[0] !== head) return undefined;
    this.#inFlight.shift();
    head.charge.end();
    if (end.kind === 'failed') {
      this.#onFailure(head, end.error);
      return undefined;
    }
    const result = this.#decoded(head, end.answer);
    return result === undefined ? undefined : this.#onAnswer(head, result);
  }

  #decoded(head: Pull, answer: PullAnswer): PullResult | undefined {
    try {
      return decodePullAnswer(answer, this.#filter);
    } catch (error) {
      if (!(error instanceof MalformedDataError)) throw error;
      this.#drop();
      // Fewer messages give those before the malformed one, and then that one alone.
      if (this.#window.onUnreadable(head.asked, answer.nextOffset - head.offset)) return undefined;
      const { offset: queueOffset } = head;
      const nextOffset = Math.max(queueOffset + 1, answer.nextOffset);
      throw new MessageUnreadableError({ ...this.queue, queueOffset }, error, nextOffset);
    }
  }

  #onAnswer(head: Pull, result: PullResult): readonly StoredMessage[] | undefined {
    this.#hasAnswered = true;
    this.#failures = 0;
    if (this.#isFailing) {
      this.#isFailing = false;
      this.options.onState?.({ kind: 'reading' });
    }
    this.#maxOffset = result.maxOffset;
    switch (result.kind) {
      case 'found': {
        this.#position = result.nextOffset;
        if (!this.#filter.isAll) this.#window.onFull(head.asked);
        else this.#window.onFound(head.offset, head.asked, { ...result, stored: result.messages.length });
        if (this.#inFlight[0]?.offset !== result.nextOffset) this.#drop();
        this.#averageBytes = Math.max(result.bytes, (this.#averageBytes + result.bytes) / 2);
        if (this.#ahead > 0) this.#fill();
        return result.messages;
      }
      case 'filtered':
        this.#drop();
        this.#position = result.nextOffset;
        return undefined;
      case 'empty':
        this.#drop();
        if (result.nextOffset !== head.offset) throw this.#outOfRange('removed', head.offset, result);
        return undefined;
      case 'offset-moved':
        this.#drop();
        throw this.#outOfRange(head.offset < result.minOffset ? 'below-min' : 'beyond-max', head.offset, result);
    }
  }

  #onFailure(head: Pull, error: unknown): void {
    this.#drop();
    this.#throwIfClosed();
    if (error instanceof FrameTooLargeError && this.#window.onTooLarge(head.asked)) return;
    this.#isFailing = true;
    // The name servers also forget the topic of a broker that is restarting.
    const isPassing = isRetriableRocketMqError(error) || (this.#hasAnswered && error instanceof TopicNotFoundError);
    if (!isPassing) throw error;
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, this.#backoff);
    this.source.invalidateRoute();
    this.options.onState?.({ kind: 'retrying', error, failures: this.#failures, delayMs });
    this.#pausing = pause(delayMs, this.#closing.signal).then(() => {
      this.#pausing = undefined;
    });
  }

  /** Starts what may be in flight now. Only the first pull may wait at the head; others start where messages are known to be. */
  #fill(): void {
    if (this.#closing.signal.aborted || this.#pausing !== undefined) return;
    if (this.#inFlight.length === 0) {
      // Without the queue's end one pull asks for all it may and learns the broker's limit.
      this.#start(this.#position, this.#isFailing ? 0 : this.#suspendMs);
    }
    this.#extend();
  }

  #extend(): void {
    for (let last = this.#inFlight.at(-1); last !== undefined && this.#inFlight.length < this.#ahead;) {
      const { nextOffset } = last;
      if (nextOffset === undefined || this.#maxOffset === undefined || nextOffset >= this.#maxOffset) return;
      if (!this.#budget.hasRoom(this.#averageBytes, this.#window.span ?? this.#window.asked)) return;
      last = this.#start(nextOffset, 0);
    }
  }

  #start(offset: number, suspendMs: number): Pull {
    const { signal } = this.#dropping;
    const { asked, span } = this.#window;
    const charge = new PullCharge(this.#budget, this.#averageBytes, Math.min(span ?? asked, (this.#maxOffset ?? 0) - offset));
    const answer = this.source.pull({
      queue: this.queue,
      group: this.options.group,
      offset,
      maxMessages: asked,
      suspendMs,
      filter: this.options.filter,
      signal,
    });
    const pull: Pull = {
      offset,
      asked,
      nextOffset: span === undefined ? undefined : offset + span,
      charge,
      end: answer.then(
        (received): PullEnd => {
          charge.received(received.body.length, received.nextOffset - offset);
          if (span === undefined && received.kind === 'found') {
            pull.nextOffset = received.nextOffset;
            this.#extend();
          }
          return { kind: 'answered', answer: received };
        },
        (error: unknown): PullEnd => ({ kind: 'failed', error }),
      ),
    };
    this.#inFlight.push(pull);
    return pull;
  }

  #drop(): void {
    if (this.#inFlight.length === 0) return;
    for (const { charge } of this.#inFlight) charge.end();
    this.#inFlight = [];
    this.#dropping.abort();
    this.#dropping = new AbortController();
  }

  /** Returns the value, or undefined once the time is over. A closed reader's pulls end by themselves. */
  async #until<T>(work: Promise<T>, endsAt: number | undefined): Promise<T | undefined> {
    if (endsAt === undefined) return work;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, endsAt - performance.now()), undefined);
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #throwIfClosed(): void {
    if (!this.#closing.signal.aborted) return;
    const what = `reader of ${this.queue.topic}/${this.queue.brokerName}/${this.queue.queueId}`;
    if (this.source.closing.aborted) throw new ClientClosedError(what);
    throw new RequestAbortedError(what, 'not-sent', this.options.signal?.reason);
  }

  #outOfRange(reason: OffsetOutOfRangeError['reason'], offset: number, result: PullResult): OffsetOutOfRangeError {
    const { nextOffset, minOffset, maxOffset } = result;
    return new OffsetOutOfRangeError(this.queue, reason, { offset, nextOffset, minOffset, maxOffset });
  }
}

function checkedOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new InvalidArgumentError(`offset ${offset}: expected a safe integer from 0`);
}
