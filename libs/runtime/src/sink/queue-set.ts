import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import { RateLimitedLogger } from '@sluice/time';
import type { RetryPolicy } from '../retry/retrying.js';
import type { QueueStart } from './prepare-start.js';
import { type QueueIntakeOptions, BadRecordError, QueueIntake } from './queue-intake.js';
import { AheadBudget } from './read-ahead.js';
import type { SinkErrors } from './sink-errors.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';
import { SinkStage } from './sink-stage.js';

/** How often the status may warn of what the filter against duplicates has forgotten, in milliseconds. */
const FORGOTTEN_INTERVAL_MS = 600_000;

export interface TakenRecords {
  readonly records: SinkRecord[];
  /** The message at which the taking stopped. */
  readonly failure: BadRecordError | undefined;
}

/** What a task was asked to flush, and what of it is durable: all, where it does not say. */
export interface Flushed {
  readonly asked: readonly SinkPosition[];
  readonly safe: readonly SinkPosition[] | undefined;
}

/** Holds the queues of a task: those that it reads, and those whose place to resume is not known yet. */
export class QueueSet {
  readonly #intakes = new Map<string, QueueIntake>();
  /** Opened and not read yet, or not read until a reset is followed. */
  readonly #reserved = new Map<string, QueueRef>();
  #first = 0;

  constructor(private readonly options: QueueIntakeOptions) {}

  get isEmpty(): boolean {
    return this.#intakes.size === 0 && this.#reserved.size === 0;
  }

  /** All queues that the task has opened. */
  get opened(): readonly QueueRef[] {
    return [...this.queues, ...this.#reserved.values()];
  }

  /** Those that are read. */
  get queues(): readonly QueueRef[] {
    return [...this.#intakes.values()].map(({ queue }) => queue);
  }

  /** Returns whether records were taken of any queue since the last flush. */
  get isAdvanced(): boolean {
    for (const intake of this.#intakes.values()) if (intake.isAdvanced) return true;
    return false;
  }

  /** Returns whether something was flushed that the task has not reported as durable. */
  get isUnsafe(): boolean {
    for (const intake of this.#intakes.values()) if (intake.isUnsafe) return true;
    return false;
  }

  all(): readonly QueueIntake[] {
    return [...this.#intakes.values()];
  }

  /** Returns whether the task has opened a queue. */
  isOpened(queue: QueueRef): boolean {
    const key = queueKey(queue);
    return this.#intakes.has(key) || this.#reserved.has(key);
  }

  get(queue: QueueRef): QueueIntake | undefined {
    return this.#intakes.get(queueKey(queue));
  }

  positions(): readonly SinkPosition[] {
    return [...this.#intakes.values()].map((intake) => intake.position());
  }

  /**
   * Notes what the task has answered to a flush, and returns the positions up to which everything is durable since then.
   *
   * @throws ConnectError for safe offsets that cannot be
   */
  markFlushed({ asked, safe }: Flushed): readonly SinkPosition[] {
    const answers = safe === undefined ? undefined : this.#offsetsOf(safe);
    return asked.flatMap((position) => {
      const answer = answers === undefined ? position.nextOffset : answers.get(queueKey(position.queue));
      return this.get(position.queue)?.markFlushed(position, answer) ?? [];
    });
  }

  notYetOpened(queues: readonly QueueRef[]): readonly QueueRef[] {
    return queues.filter((queue) => !this.#intakes.has(queueKey(queue)) && !this.#reserved.has(queueKey(queue)));
  }

  /** Notes that the task has opened queues, which are read once their place to begin is known. */
  reserve(queues: readonly QueueRef[]): void {
    for (const queue of queues) this.#reserved.set(queueKey(queue), queue);
  }

  /** Reads a queue. */
  add(start: QueueStart): void {
    const intake = new QueueIntake(start, this.options);
    this.#reserved.delete(intake.key);
    this.#intakes.set(intake.key, intake);
    intake.start();
  }

  /** Stops reading queues, which stay opened; what was read of them and not taken is dropped. */
  async release(queues: readonly QueueRef[]): Promise<void> {
    const released = queues.flatMap((queue) => this.get(queue) ?? []);
    for (const { key } of released) this.#intakes.delete(key);
    this.reserve(released.map(({ queue }) => queue));
    await Promise.all(released.map((intake) => intake.close()));
  }

  /** Returns whether there is something to take of queues other than those with the keys `held`. */
  hasMessages(held: ReadonlySet<string>): boolean {
    for (const intake of this.#intakes.values()) if (intake.hasMessages && !held.has(intake.key)) return true;
    return false;
  }

  /** Takes up to `max` records of all queues but the held ones in turn, beginning with another queue each time. */
  take(max: number, held: ReadonlySet<string>): TakenRecords {
    const records: SinkRecord[] = [];
    const intakes = this.all();
    const { stage, figures } = this.options;
    const beganMs = performance.now();
    this.#first++;
    try {
      for (let n = 0; n < intakes.length && records.length < max; n++) {
        const intake = intakes[(this.#first + n) % intakes.length];
        if (intake !== undefined && !held.has(intake.key) && !intake.take(records, max)) break;
      }
      return { records, failure: undefined };
    } catch (error) {
      if (error instanceof BadRecordError) return { records, failure: error };
      throw error;
    } finally {
      // Where something takes time, records were converted when they were read.
      if (!stage.prepares) figures.observe('convert', performance.now() - beganMs);
    }
  }

  #offsetsOf(safe: readonly SinkPosition[]): ReadonlyMap<string, number> {
    const offsets = new Map<string, number>();
    for (const { queue, nextOffset } of safe) {
      const key = queueKey(queue);
      if (!this.isOpened(queue)) {
        throw new ConnectError(
          ConnectErrorCode.positionInvalid,
          `The sink reports queue ${key} as safe up to offset ${nextOffset}, but it has not opened that queue`,
        );
      }
      offsets.set(key, nextOffset);
    }
    return offsets;
  }

  /** Resolves when nothing is read any more; positions stay. */
  async stopReading(): Promise<void> {
    await Promise.all(this.all().map((intake) => intake.close()));
  }
}

export interface QueueSetParts extends Pick<QueueIntakeOptions, 'arrived' | 'failed' | 'rate'> {
  readonly spec: SinkLoopSpec;
  readonly ports: SinkLoopPorts;
  readonly errors: SinkErrors;
  /** Retries without end. */
  readonly policy: (call: string) => RetryPolicy;
  /** Aborted when nothing more is read. */
  readonly stopping: AbortSignal;
  readonly killed: AbortSignal;
}

/** Makes the queues of a task. */
export function queueSetOf({ spec, ports, errors, policy, stopping, killed, ...told }: QueueSetParts): QueueSet {
  const { settings, counters, figures, decoder, transforms, traces, group, waits, logger, warnings } = spec;
  const { clock, messages } = ports;
  const preparing = { ...policy('preparing records'), limitMs: settings.retryTimeoutMs };
  const forgotten = new RateLimitedLogger({ clock, signal: killed, intervalMs: FORGOTTEN_INTERVAL_MS, log: warnings.add });
  return new QueueSet({
    group,
    messages,
    clock,
    counters,
    figures,
    waits,
    traces,
    stage: new SinkStage({ transforms, decoder, policy: preparing }),
    backoff: settings.backoff,
    budget: new AheadBudget(settings.maxAhead),
    maxAheadPerQueue: settings.maxAheadPerQueue,
    skipsBadRecords: settings.skipsBadRecords,
    signal: stopping,
    ...told,
    warn: logger.warn.bind(logger),
    skipped: errors.skipped.bind(errors),
    forgot: forgotten.write.bind(forgotten),
  });
}
