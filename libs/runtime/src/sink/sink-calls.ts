import {
  ConnectError,
  ConnectErrorCode,
  type FlushOptions,
  isRetriable,
  type QueueRef,
  type SinkPosition,
  type SinkRecord,
  type SinkTaskContext,
} from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { BadRecordError } from './queue-intake.js';
import type { Flushed, TakenRecords } from './queue-set.js';
import type { SinkRequests } from './sink-requests.js';
import type { SinkLoopSpec } from './sink-loop-options.js';

export interface SinkCallsOptions {
  readonly spec: Pick<SinkLoopSpec, 'task' | 'transforms' | 'counters' | 'settings' | 'logger'>;
  readonly lease: Lease;
  readonly requests: Pick<SinkRequests, 'callBegins'>;
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
    const { spec, policy, stopping, killed } = this.options;
    const { task, counters } = spec;
    return this.#alone(async () => {
      const repeated = policy('put', () => {
        counters.putRetries++;
      });
      try {
        const { records, failure } = take();
        if (records.length === 0) return failure;
        let left: readonly SinkRecord[] = records;
        await retrying(repeated, stopping, async () => {
          try {
            await this.#attempt(stopping, () => task.put(left, killed));
            counters.recordsPut += left.length;
          } catch (error) {
            const written = writtenBefore(error, left.length);
            counters.recordsPut += written;
            left = left.slice(written);
            throw error;
          }
        });
        return failure;
      } catch (error) {
        this.#broken = { error };
        throw error;
      }
    });
  }

  /** Lets the task do what is due by time, until `signal` is aborted. */
  tick(signal: AbortSignal): Promise<void> {
    const { spec, policy } = this.options;
    return this.#alone(() => retrying(policy('tick'), signal, () => this.#attempt(signal, async () => spec.task.tick?.(signal))));
  }

  /** Asks the task to make everything durable that was put, with positions that are asked for once nothing else runs. */
  flush(positions: () => readonly SinkPosition[], options: FlushOptions): Promise<Flushed> {
    const { spec, policy, killed } = this.options;
    const { task, counters } = spec;
    return this.#alone(async () => {
      this.#throwIfBroken();
      const asked = positions();
      const safe = await retrying(policy('flush'), killed, async () =>
        requirePositions(await this.#attempt<unknown>(killed, () => task.flush(asked, killed, options))),
      );
      this.#throwIfBroken();
      counters.flushes++;
      return { asked, safe };
    });
  }

  /** Has positions flushed no more: the task has not written what is before them. */
  giveUp(error: unknown): void {
    this.#broken ??= { error };
  }

  /** Closes what was opened and stops the task. Never rejects. */
  async end(opened: readonly QueueRef[]): Promise<void> {
    const { task, transforms, logger } = this.options.spec;
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

  async #attempt<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const { lease, requests } = this.options;
    await lease.whenHeld(signal);
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
