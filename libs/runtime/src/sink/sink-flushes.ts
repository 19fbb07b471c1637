import { backoffMs } from '@sluice/time';
import { queueKey } from '@sluice/sdk';
import { someOf } from '../task/some-of.js';
import type { OffsetCommits } from './offset-commits.js';
import type { QueueSet } from './queue-set.js';
import type { SinkCalls } from './sink-calls.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';
import { MAX_NAMED_QUEUES } from './sink-requests.js';

/** How long a task that was asked for everything, and has not written it yet, is left alone. */
const ASK_AGAIN = { initialMs: 50, maxMs: 1000 };

export interface SinkFlushesOptions {
  readonly spec: Pick<SinkLoopSpec, 'settings' | 'waits' | 'logger'>;
  readonly ports: Pick<SinkLoopPorts, 'clock'>;
  readonly queues: QueueSet;
  readonly calls: Pick<SinkCalls, 'flush' | 'tick'>;
  readonly commits: Pick<OffsetCommits, 'add'>;
  /** Aborted when nothing more is read. */
  readonly stopping: AbortSignal;
  /** Aborted when nothing more is flushed. */
  readonly killed: AbortSignal;
  /** Called when a flush has become due. */
  readonly due: () => void;
}

/** Flushes a sink when that is due, and commits what it reports as safe. */
export class SinkFlushes {
  #isDue = false;
  /** Flushes in a row that were asked for everything and left something. */
  #unanswered = 0;
  #isAskingAgain = false;
  /** How many wait until the task has written everything. */
  #waiting = 0;
  readonly #holding;

  constructor(private readonly options: SinkFlushesOptions) {
    this.#holding = options.spec.waits.begin('writing what the sink holds');
  }

  /** Makes a flush due. */
  request(): void {
    this.#isDue = true;
    this.options.due();
  }

  /** Returns, once, whether a flush is due. */
  takeDue(): boolean {
    const isDue = this.#isDue;
    this.#isDue = false;
    return isDue;
  }

  /** Makes a flush due at each interval, until the task stops. Never rejects. */
  async run(): Promise<void> {
    const { spec, ports, stopping } = this.options;
    while (!stopping.aborted) {
      try {
        await ports.clock.sleep(spec.settings.flushIntervalMs, stopping);
      } catch {
        return;
      }
      this.request();
    }
  }

  /**
   * Makes durable what was put, and commits in the background what is. Where the task was asked for `everything` and has not written it yet, the next
   * flush is due soon.
   */
  async flush(isEverything: boolean): Promise<void> {
    const { queues, calls, commits } = this.options;
    const everything = isEverything || this.#waiting > 0;
    if (queues.isAdvanced || queues.isUnsafe) commits.add(queues.markFlushed(await calls.flush(() => queues.positions(), { everything })));
    if (!queues.isUnsafe || !everything) {
      this.#unanswered = 0;
      this.#holding.ended();
    } else {
      this.#unanswered++;
      this.#holding.failed(this.#heldBack());
      if (!this.#isAskingAgain) void this.#askAgain();
    }
  }

  /** Asks for everything until `isSafe`, and has the task tick meanwhile. Rejects when the task is given up before. */
  async until(isSafe: () => boolean): Promise<void> {
    const { calls, killed } = this.options;
    this.#unanswered = 0;
    this.#waiting++;
    try {
      await this.flush(true);
      while (!isSafe()) {
        await this.#pause(killed);
        await calls.tick(killed);
        await this.flush(true);
      }
    } finally {
      this.#waiting--;
    }
  }

  /**
   * Asks for everything until it is durable. Rejects when the task is given up before.
   * @param flushed called after each flush: it may give up queues
   */
  async drain(flushed: () => void): Promise<void> {
    const { queues, spec } = this.options;
    try {
      await this.until(() => {
        flushed();
        return !queues.isUnsafe;
      });
    } finally {
      this.#holding.ended();
      if (queues.isUnsafe) {
        spec.logger.warn(`The task ends before the sink has written everything: ${this.#heldBack()}. It is read again from there`);
      }
    }
  }

  async #askAgain(): Promise<void> {
    this.#isAskingAgain = true;
    await this.#pause(this.options.stopping).then(
      () => {
        this.request();
      },
      () => undefined,
    );
    this.#isAskingAgain = false;
  }

  #pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.options.ports;
    return clock.sleep(backoffMs(this.#unanswered, ASK_AGAIN, clock.random()), signal);
  }

  #heldBack(): string {
    const unsafe = this.options.queues.all().filter(({ isUnsafe }) => isUnsafe);
    const places = unsafe.map(
      ({ queue, safePosition, taken }) => `${queueKey(queue)} is safe up to offset ${safePosition.nextOffset} of ${taken}`,
    );
    return someOf(places, MAX_NAMED_QUEUES);
  }
}
