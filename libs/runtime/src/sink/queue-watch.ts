import { queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { WaitingCall } from '../retry/task-waits.js';
import type { ForeignConsumers } from './foreign-consumers.js';
import type { QueueSet } from './queue-set.js';
import type { ResetWatch } from './reset-watch.js';

const FIRST_QUEUE_INTERVAL_MS = 500;

export interface QueueWatchOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly queues: QueueSet;
  readonly resets: Pick<ResetWatch, 'lookForDue'>;
  readonly foreign: Pick<ForeignConsumers, 'look'>;
  /** The queues that the task reads. */
  readonly list: () => Promise<readonly QueueRef[]>;
  /** Aborted when nothing more is looked for. */
  readonly signal: AbortSignal;
  /** Called when there is something to take. */
  readonly found: () => void;
  /** Shows in the status what the look for new queues fails with. */
  readonly waiting: WaitingCall;
  readonly warn: (message: string) => void;
  readonly info: (message: string) => void;
}

/** Looks for new queues, for offsets that have to be committed once more, and for members of the group outside the Connect cluster. */
export class QueueWatch {
  #listed: readonly QueueRef[] = [];
  readonly #due = new Map<string, QueueRef>();

  constructor(private readonly options: QueueWatchOptions) {}

  /** Returns, once, the queues that are not opened yet. */
  takeNew(): readonly QueueRef[] {
    const listed = this.#listed;
    this.#listed = [];
    return listed.length === 0 ? listed : this.options.queues.notYetOpened(listed);
  }

  /** Returns, once, the queues whose offset has to be committed again. */
  takeDue(): readonly QueueRef[] {
    const due = [...this.#due.values()];
    this.#due.clear();
    return due;
  }

  /** Looks until the task stops. Never rejects. */
  async run(): Promise<void> {
    const { intervalMs, clock, queues, resets, foreign, list, signal, found, waiting, warn, info } = this.options;
    const isOver = (): boolean => signal.aborted;
    let failures = 0;
    while (!isOver()) {
      try {
        // A task without a queue waits for its topic to be created, most often by a source that starts beside it.
        const waitMs = queues.isEmpty ? Math.min(FIRST_QUEUE_INTERVAL_MS, intervalMs) : intervalMs;
        await clock.sleep(waitMs, signal);
        // Not waited for: a broker that does not answer must not delay what the others have.
        resets.lookForDue((queue) => {
          this.#due.set(queueKey(queue), queue);
          found();
        });
        void foreign.look();
        this.#listed = queues.notYetOpened(await list());
        if (this.#listed.length > 0) found();
        if (failures > 0) info(`New queues are looked for again, after ${failures} failure(s)`);
        failures = 0;
        waiting.ended();
      } catch (error) {
        if (isOver()) break;
        failures += 1;
        waiting.failed(error);
        if (failures === 1) warn(`Looking for new queues failed and is retried until it succeeds: ${String(error)}`);
      }
    }
    waiting.ended();
  }
}
