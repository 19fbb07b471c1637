import {
  ConnectError,
  ConnectErrorCode,
  type FlushOptions,
  isRetriable,
  queueKey,
  type QueueRef,
  type SinkPosition,
  type SinkRecord,
  type SinkTaskContext,
} from '@sluice/sdk';
import type { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import type { Lease } from '../ports/lease.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { BadRecordError } from './queue-intake.js';
import type { Flushed, TakenRecords } from './queue-set.js';
import type { SinkErrors } from './sink-errors.js';
import type { SinkRequests } from './sink-requests.js';
import type { SinkLoopSpec } from './sink-loop-options.js';

export interface SinkCallsOptions {
  readonly spec: Pick<SinkLoopSpec, 'task' | 'transforms' | 'counters' | 'settings' | 'logger' | 'hasRepeatablePut' | 'traces'>;
  readonly lease: Lease;
  readonly requests: Pick<SinkRequests, 'callBegins'>;
  readonly errors: Pick<SinkErrors, 'letters' | 'refused'>;
  readonly policy: (call: string, onRetry?: () => void) => RetryPolicy;
  /** Aborted when nothing more is put. */
  readonly stopping: AbortSignal;
  /** Aborted when nothing more is flushed. */
  readonly killed: AbortSignal;
}

/** Calls the sink's task: one method at a time, again after a retriable error, and only while the lease is held. */
export class SinkCalls {
  #last: Promise<unknown> = Promise.resolve();
  #isStarted = false;
  /** Why records that were taken from their queues were not put: positions behind them must not be flushed. */
  #broken: { readonly error: unknown } | undefined;

  constructor(private readonly options: SinkCallsOptions) {}

  /** Records were taken that the task did not get. */
  get hasLeftovers(): boolean {
    return this.#broken !== undefined;
  }

  async start(context: SinkTaskContext): Promise<void> {
    this.#isStarted = true;
    await this.options.spec.task.start(context);
  }

  open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    const { spec, policy, stopping } = this.options;
    return this.#alone(() => retrying(policy('open'), stopping, () => this.#attempt(stopping, () => spec.task.open(queues))));
  }

  /**
   * Takes records from their queues and puts them, without a flush between.
   * @returns what stopped the taking
   */
  put(take: () => TakenRecords): Promise<BadRecordError | undefined> {
    const { letters } = this.options.errors;
    return this.#alone(async () => {
      try {
        const { records, failure } = take();
        if (records.length > 0) await this.#putAll(records);
        if (letters?.hasPending === true) await letters.room();
        return failure;
      } catch (error) {
        this.#broken = { error };
        throw error;
      }
    });
  }

  /** Puts records; where that fails for good, narrows the failure down to single records, if that is allowed. */
  async #putAll(records: readonly SinkRecord[]): Promise<void> {
    const failed = await this.#putTogether(records);
    if (failed !== undefined) await this.#putApart(failed.left, failed.error);
  }

  /** Returns the records that failed and may be put one by one; rejects where they may not. */
  async #putTogether(
    records: readonly SinkRecord[],
  ): Promise<{ readonly left: readonly SinkRecord[]; readonly error: unknown } | undefined> {
    const { spec, policy, stopping, killed } = this.options;
    const { task, counters, traces } = spec;
    const repeated = policy('put', () => {
      counters.putRetries++;
    });
    let left = records;
    try {
      await retrying(repeated, stopping, async () => {
        const traced = traces?.puts(left);
        try {
          await this.#attempt(stopping, () => task.put(left, killed));
          counters.recordsPut += left.length;
          counters.batchesPut++;
          traced?.succeeded();
        } catch (error) {
          counters.recordFailures++;
          const written = writtenBefore(error, left.length);
          traced?.failed(error, written);
          counters.recordsPut += written;
          left = left.slice(written);
          throw error;
        }
      });
      return undefined;
    } catch (error) {
      stopping.throwIfAborted();
      // An error of the moment that lasts is the other system's: its records are not to blame.
      if (!this.#mayNarrow || isRetriable(error)) throw error;
      return { left, error };
    }
  }

  /** Halves records that cannot be put together until each that fails is alone, in their order: at most two calls a record. */
  async #putApart(records: readonly SinkRecord[], error: unknown): Promise<void> {
    const [first] = records;
    if (records.length <= 1) {
      if (first !== undefined) this.#refuse(first, error);
      return;
    }
    const half = records.length >> 1;
    await this.#putAll(records.slice(0, half));
    await this.#putAll(records.slice(half));
  }

  #refuse(record: SinkRecord, cause: unknown): void {
    const { errors } = this.options;
    const { queue, offset } = record;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `The record of topic ${queue.topic} in queue ${queueKey(queue)} at offset ${offset} cannot be put: ${reason}`;
    void errors.refused(record, new ConnectError(ConnectErrorCode.sinkFailed, text, { cause }), cause);
  }

  /** Records that fail are kept as dead letters, and the sink allows that others of the same call are put again. */
  get #mayNarrow(): boolean {
    const { spec, errors } = this.options;
    return spec.hasRepeatablePut && spec.settings.skipsBadRecords && errors.letters !== undefined;
  }

  /** Lets the task do what is due by time, until `signal` is aborted. */
  tick(signal: AbortSignal): Promise<void> {
    const { spec, policy } = this.options;
    return this.#alone(() => retrying(policy('tick'), signal, () => this.#attempt(signal, async () => spec.task.tick?.(signal))));
  }

  /** Asks the task to make everything durable that was put, with positions that are asked for once nothing else runs. */
  flush(positions: () => readonly SinkPosition[], options: FlushOptions): Promise<Flushed> {
    const { spec, policy, killed } = this.options;
    const { task, counters, traces } = spec;
    const { letters } = this.options.errors;
    return this.#alone(async () => {
      this.#throwIfBroken();
      if (letters?.hasPending === true) await letters.settled();
      const asked = positions();
      const fromMs = traces?.nowMs() ?? 0;
      let safe: readonly SinkPosition[] | undefined;
      try {
        safe = await retrying(policy('flush'), killed, async () =>
          requirePositions(await this.#attempt<unknown>(killed, () => task.flush(asked, killed, options), letters)),
        );
      } catch (error) {
        if (!killed.aborted) traces?.flushFailed(error);
        throw error;
      }
      traces?.flushed(fromMs);
      this.#throwIfBroken();
      // The flush may have refused records.
      if (letters?.hasPending === true) await letters.settled();
      counters.flushes++;
      return { asked, safe };
    });
  }

  /** Has positions flushed no more: the task has not written what is before them. */
  giveUp(error: unknown): void {
    this.#broken ??= { error };
  }

  /** Closes what was opened and stops the task. Never rejects. Nothing is traced any more. */
  async end(opened: readonly QueueRef[]): Promise<void> {
    const { task, transforms, logger, traces } = this.options.spec;
    traces?.end();
    const calls: [string, () => Promise<void>][] = [];
    if (opened.length > 0) calls.push(["The task's close", () => task.close(opened)]);
    if (this.#isStarted) calls.push(["The task's stop", () => task.stop()]);
    calls.push(['Closing the transforms', () => transforms.close()]);
    for (const [name, call] of calls) {
      await this.#alone(call).catch((error: unknown) => {
        logger.warn(`${name} failed: ${String(error)}`);
      });
    }
  }

  /** @param letters written before the call: a sink that stores positions with its data moves them in a flush */
  async #attempt<T>(signal: AbortSignal, call: () => Promise<T>, letters?: DeadLetterWriter): Promise<T> {
    const { lease, requests } = this.options;
    await lease.whenHeld(signal);
    // The task may skip records between two tries. Nothing is awaited between the last look and the call.
    while (letters?.hasPending === true) {
      await letters.settled();
      await lease.whenHeld(signal);
    }
    requests.callBegins();
    return call();
  }

  #throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  #alone<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** How many of the records of a failed `put` its error says were written; at least one is left. */
function writtenBefore(error: unknown, count: number): number {
  const first = isRetriable(error) ? (error as { readonly firstUnwritten?: unknown }).firstUnwritten : undefined;
  return typeof first === 'number' && Number.isInteger(first) && first > 0 && first < count ? first : 0;
}

/** Plugins are not type-checked against this runtime. */
function requirePositions(answer: unknown): readonly SinkPosition[] | undefined {
  if (answer === undefined || Array.isArray(answer)) return answer as readonly SinkPosition[] | undefined;
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The sink's flush returned ${typeof answer}; it may return positions or nothing`,
  );
}
