import {
  ConnectError,
  ConnectErrorCode,
  MAX_SINK_TIMEOUT_MS,
  queueKey,
  type QueueRef,
  type SinkPosition,
  type SinkRecord,
  type SinkTaskContext,
} from '@sluice/sdk';
import { withSkipRemedy } from '../task/skip-remedy.js';
import { someOf } from '../task/some-of.js';
import type { SinkErrors } from './sink-errors.js';
import type { SinkLoopSpec } from './sink-loop-options.js';

/** How many queues an error or a warning names. */
export const MAX_NAMED_QUEUES = 10;

export interface SinkRequestsOptions {
  readonly spec: Pick<SinkLoopSpec, 'settings' | 'counters' | 'figures'>;
  readonly errors: Pick<SinkErrors, 'refused'>;
  /** Makes the next flush due. */
  readonly flush: () => void;
  /** Called when records may be taken that could not before. */
  readonly resumed: () => void;
  readonly seek: (positions: readonly SinkPosition[]) => void;
  /** Called with the error of a record that may not be skipped. */
  readonly refused: (error: ConnectError) => void;
}

/** What a sink task asks of the runtime through its context. */
export class SinkRequests implements Pick<SinkTaskContext, 'requestCommit' | 'pause' | 'resume' | 'timeout' | 'seek' | 'skipRecord'> {
  /** Keys of the queues that the task was offered. */
  readonly #offered = new Set<string>();
  readonly #paused = new Set<string>();
  #retryAfterMs: number | undefined;

  constructor(private readonly options: SinkRequestsOptions) {}

  /** Notes queues that the task is about to open: it may pause them from then on. */
  offer(queues: readonly QueueRef[]): void {
    for (const queue of queues) this.#offered.add(queueKey(queue));
  }

  /** Adds the queues that the task has paused to the keys of others that give no records now. */
  withPaused(held: ReadonlySet<string>): ReadonlySet<string> {
    return this.#paused.size === 0 ? held : new Set([...held, ...this.#paused]);
  }

  /** Forgets what earlier calls of the task have asked for. */
  callBegins(): void {
    this.#retryAfterMs = undefined;
  }

  /** After how many milliseconds the task wants to be called again, if it says so. */
  get retryAfterMs(): number | undefined {
    return this.#retryAfterMs;
  }

  readonly requestCommit = (): void => {
    this.options.flush();
  };

  readonly pause = (queues: readonly QueueRef[]): void => {
    for (const key of this.#keysOf('pause', queues)) this.#paused.add(key);
  };

  readonly resume = (queues: readonly QueueRef[]): void => {
    for (const key of this.#keysOf('resume', queues)) this.#paused.delete(key);
    this.options.resumed();
  };

  readonly timeout = (delayMs: number): void => {
    if (!Number.isInteger(delayMs) || delayMs < 0 || delayMs > MAX_SINK_TIMEOUT_MS) {
      const text = `The task cannot be called again after ${delayMs} ms; a whole number from 0 to ${MAX_SINK_TIMEOUT_MS} is allowed`;
      throw new ConnectError(ConnectErrorCode.requestInvalid, text);
    }
    this.#retryAfterMs = delayMs;
  };

  readonly seek = (positions: readonly SinkPosition[]): void => {
    this.#keysOf(
      'seek in',
      positions.map(({ queue }) => queue),
    );
    for (const { queue, nextOffset } of positions) {
      if (Number.isSafeInteger(nextOffset) && nextOffset >= 0) continue;
      const text = `The task cannot seek to ${nextOffset} in queue ${queueKey(queue)}; offsets are whole numbers from 0`;
      throw new ConnectError(ConnectErrorCode.requestInvalid, text);
    }
    this.options.seek(positions);
  };

  readonly skipRecord = (record: SinkRecord, error: ConnectError): Promise<void> => {
    const { spec, errors, refused } = this.options;
    const { queue, offset } = record;
    const text = `The record of topic ${queue.topic} in queue ${queueKey(queue)} at offset ${offset} is refused: ${error.message}`;
    const problem = new ConnectError(error.code, text, { cause: error });
    if (!spec.settings.skipsBadRecords) {
      spec.counters.recordErrors++;
      spec.figures.noteError('TASK_PUT');
      const failure = withSkipRemedy(problem);
      refused(failure);
      throw failure;
    }
    return errors.refused(record, problem, error);
  };

  #keysOf(call: string, queues: readonly QueueRef[]): readonly string[] {
    const keys = queues.map(queueKey);
    const unknown = keys.filter((key) => !this.#offered.has(key));
    if (unknown.length === 0) return keys;
    const known = someOf([...this.#offered], MAX_NAMED_QUEUES) || 'none';
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `The task cannot ${call} ${someOf(unknown, MAX_NAMED_QUEUES)}; it has opened: ${known}`,
    );
  }
}
