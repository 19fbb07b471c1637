import { createHash } from 'node:crypto';
import { ConnectError, ConnectErrorCode, isRetriable, type QueueRef } from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';
import { type RecordProducer, SendFailure, type SettledSend, type WholeMessage } from '../ports/record-producer.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { WaitingCall } from '../retry/task-waits.js';
import { SupersededError } from '../task/superseded-error.js';
import { withoutParts, withoutValue } from './dead-letter.js';

/** Letters that may wait before their task has to wait for them, and their bytes. */
const MAX_PENDING = 1000;
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** How long a reply is waited for that is late, in milliseconds; then the letter is sent again. */
const LATE_REPLY_MS = 30_000;

/** What is left of a letter after each refusal of what is in it. */
const REDUCTIONS = [withoutValue, withoutParts] as const;

export interface DeadLetterWriterOptions {
  readonly topic: string;
  readonly producer: Pick<RecordProducer, 'queues' | 'sendMessage'>;
  readonly lease: Lease;
  readonly counters: Pick<TaskCounters, 'deadLettersWritten' | 'deadLetterFailures'>;
  /** Retries without end. */
  readonly policy: (call: string, onRetry: () => void) => RetryPolicy;
  /** Aborted when nothing more is written. */
  readonly signal: AbortSignal;
}

/**
 * Writes dead letters, those of one lane in order, until a broker has each. Whoever advances an offset or a position waits for them first. A letter
 * whose send has no known outcome is sent again: it may be there twice.
 */
export class DeadLetterWriter {
  /** By lane: resolves with its last letter. A letter that was given up leaves its lane rejected. */
  readonly #tails = new Map<string, Promise<void>>();
  #pending = 0;
  #pendingBytes = 0;
  /** How many letters failed and are written again. */
  #failing = 0;
  readonly #policy: RetryPolicy;

  constructor(private readonly options: DeadLetterWriterOptions) {
    const { counters, policy, topic } = options;
    const onRetry = (): void => {
      counters.deadLetterFailures++;
    };
    // What the lease refuses once, it refuses for good.
    const mayRetry = (error: unknown): boolean => !(error instanceof SupersededError);
    this.#policy = { ...policy(`writing dead letters to topic ${topic}`, onRetry), mayRetry };
  }

  /** Requires the topic, which is created where that is allowed. @throws ConnectError that says why there is none */
  async open(signal: AbortSignal): Promise<void> {
    const { producer, policy, topic } = this.options;
    const policyOfOpen = policy(`looking for dead letter topic ${topic}`, () => undefined);
    try {
      await retrying(policyOfOpen, signal, () => producer.queues(topic));
    } catch (error) {
      if (signal.aborted || isRetriable(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConnectError(ConnectErrorCode.unavailable, `The dead letter topic ${topic} cannot be used: ${reason}`, { cause: error });
    }
  }

  /** Some letter is not written yet. */
  get hasPending(): boolean {
    return this.#tails.size > 0;
  }

  /**
   * Writes a letter behind those of its lane. Resolves when a broker has it; rejects when the task is given up before. A caller may leave the promise
   * alone.
   *
   * @param make makes the letter, once; again after an error; `undefined` where there is nothing to be written any more
   * @param bytes what it holds in memory until it is written
   */
  add(lane: string, make: () => WholeMessage | Promise<WholeMessage | undefined>, bytes: number): Promise<void> {
    const before = this.#tails.get(lane) ?? Promise.resolve();
    const written = before.then(() => this.#write(lane, make));
    this.#tails.set(lane, written);
    this.#pending++;
    this.#pendingBytes += bytes;
    written.then(
      () => {
        this.#pending--;
        this.#pendingBytes -= bytes;
        if (this.#tails.get(lane) === written) this.#tails.delete(lane);
      },
      () => undefined,
    );
    return written;
  }

  /** Resolves when all are written. Rejects when the task is given up before. */
  async settled(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  /** Resolves when more may be added. */
  async room(): Promise<void> {
    if (this.#pending >= MAX_PENDING || this.#pendingBytes >= MAX_PENDING_BYTES) await this.settled();
  }

  async #write(lane: string, make: () => WholeMessage | Promise<WholeMessage | undefined>): Promise<void> {
    const { topic, producer, lease, signal, counters } = this.options;
    // Another queue after each failure: its broker may be the reason.
    let place = firstPlace(lane);
    let letter: WholeMessage | undefined;
    let reductions = 0;
    const waiting = this.#waiting();
    const isWritten = await retrying({ ...this.#policy, waiting }, signal, async () => {
      await lease.whenHeld(signal);
      letter ??= await make();
      if (letter === undefined) return false;
      const queues = await producer.queues(topic);
      const queue = queues[place++ % queues.length];
      if (queue === undefined) throw new Error(`topic ${topic} has no queue that takes messages`);
      try {
        await this.#send(queue, letter, waiting);
      } catch (error) {
        if (error instanceof SendFailure && error.refusesMessages) letter = REDUCTIONS[reductions++]?.(letter) ?? letter;
        throw error;
      }
      return true;
    });
    if (isWritten) counters.deadLettersWritten++;
  }

  async #send(queue: QueueRef, letter: WholeMessage, waiting: WaitingCall): Promise<void> {
    const { producer, signal } = this.options;
    try {
      await producer.sendMessage(queue, letter, signal);
    } catch (error) {
      if (!(error instanceof SendFailure) || error.settled === undefined) throw error;
      waiting.failed(error);
      if ((await this.#lateReply(error.settled)) !== 'stored') throw error;
    }
  }

  /** Resolves with `undefined` where no reply comes in time. */
  async #lateReply(settled: Promise<SettledSend>): Promise<SettledSend | undefined> {
    const over = new AbortController();
    const none = (): undefined => undefined;
    const late = this.#policy.clock.sleep(LATE_REPLY_MS, AbortSignal.any([this.options.signal, over.signal])).then(none, none);
    try {
      return await Promise.race([settled, late]);
    } finally {
      over.abort();
    }
  }

  /** Shows the call in the status while any letter fails. */
  #waiting(): WaitingCall {
    const shared = this.#policy.waiting;
    let isFailing = false;
    return {
      failed: (error) => {
        if (!isFailing) this.#failing++;
        isFailing = true;
        shared?.failed(error);
      },
      ended: () => {
        if (!isFailing) return;
        isFailing = false;
        this.#failing--;
        if (this.#failing === 0) shared?.ended();
      },
    };
  }
}

/** Letters of one lane begin with one queue, in which they stay in order. */
function firstPlace(lane: string): number {
  return createHash('sha256').update(lane).digest().readUInt32BE(0);
}
