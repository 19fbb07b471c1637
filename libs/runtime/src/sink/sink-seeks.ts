import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { OffsetCommits } from './offset-commits.js';
import type { QueueOpening } from './queue-opening.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';
import { byTopicPart } from './topic-parts.js';

export interface SinkSeeksOptions {
  readonly spec: Pick<SinkLoopSpec, 'logger' | 'settings'>;
  readonly ports: Pick<SinkLoopPorts, 'messages'>;
  readonly queues: QueueSet;
  readonly commits: Pick<OffsetCommits, 'heldQueues' | 'commit' | 'idle'>;
  readonly opening: Pick<QueueOpening, 'move'>;
  readonly policy: (call: string, onRetry?: () => void) => RetryPolicy;
  /** Flushes everything that was put, and commits what is safe. */
  readonly flush: () => Promise<void>;
  /** Makes the sink store these positions beside those of the queues that it reads. */
  readonly store: (positions: readonly SinkPosition[]) => Promise<void>;
  /** Called when a seek has to be followed. */
  readonly asked: () => void;
  /** Aborted when nothing more is committed. */
  readonly killed: AbortSignal;
}

/**
 * Has queues read elsewhere, as their task asks. It follows the order of an operator's reset: everything is flushed, the sink stores the new
 * position, the group has its offset, and reading begins.
 */
export class SinkSeeks {
  /** By queue key: not begun. */
  readonly #asked = new Map<string, SinkPosition>();
  /** By queue key: the queue is not read meanwhile. */
  readonly #underWay = new Map<string, SinkPosition>();
  /** Everything was flushed since the task asked. */
  #isFlushed = false;

  constructor(private readonly options: SinkSeeksOptions) {}

  get isEmpty(): boolean {
    return this.#asked.size === 0 && this.#underWay.size === 0;
  }

  /** Notes where the task wants queues to be read; the last call for a queue counts. */
  ask(positions: readonly SinkPosition[]): void {
    for (const { queue, nextOffset } of positions) this.#asked.set(queueKey(queue), { queue, nextOffset });
    this.#isFlushed = false;
    this.options.asked();
  }

  /** Begins, between two calls of the task, what was asked for and can be done; returns whether that was anything. */
  async begin(): Promise<boolean> {
    if (this.#asked.size === 0) return false;
    const { queues, commits, opening, flush } = this.options;
    const ready = [...this.#asked.values()].filter(
      ({ queue }) => queues.get(queue) !== undefined && !commits.heldQueues.has(queueKey(queue)),
    );
    if (ready.length === 0) return false;
    if (!this.#isFlushed) {
      this.#isFlushed = true;
      await flush();
      return true;
    }
    for (const position of ready) {
      const key = queueKey(position.queue);
      this.#asked.delete(key);
      this.#underWay.set(key, position);
    }
    await this.#release(ready);
    opening.move(ready, {
      before: async (positions, signal, repeated) => {
        await this.#check(positions, signal, repeated);
        await this.options.store(positions);
      },
      done: (positions) => {
        for (const { queue } of positions) this.#underWay.delete(queueKey(queue));
      },
    });
    return true;
  }

  /** Has the next owner begin where the task wants to go, at the end of a task that cannot go there any more. */
  async leave(): Promise<void> {
    const { commits, store, killed } = this.options;
    const left = [...new Map([...this.#underWay, ...this.#asked]).values()];
    if (left.length === 0) return;
    await this.#release(left);
    await commits.idle();
    await this.#check(left, killed);
    await store(left);
    for (const { items } of byTopicPart(left, ({ queue }) => queue).values()) await commits.commit(items, killed);
  }

  async #release(positions: readonly SinkPosition[]): Promise<void> {
    const { queues, spec } = this.options;
    for (const { queue, nextOffset } of positions) {
      const taken = queues.get(queue)?.taken;
      if (taken !== undefined) spec.logger.info(`The task seeks to offset ${nextOffset} of queue ${queueKey(queue)}, from offset ${taken}`);
    }
    await queues.release(positions.map(({ queue }) => queue));
  }

  async #check(positions: readonly SinkPosition[], signal: AbortSignal, repeated?: () => void): Promise<void> {
    const { ports, policy } = this.options;
    const limits = await retrying(policy('asking for the ends of queues', repeated), signal, () =>
      Promise.all(positions.map(async ({ queue }) => Promise.all([ports.messages.minOffset(queue), ports.messages.endOffset(queue)]))),
    );
    for (const [at, { queue, nextOffset }] of positions.entries()) {
      const [min, end] = limits[at] ?? [0, 0];
      if (nextOffset <= end && (nextOffset >= min || this.options.spec.settings.skipsBadRecords)) continue;
      this.#underWay.delete(queueKey(queue));
      throw seekError(queue, nextOffset, min, end);
    }
  }
}

function seekError(queue: QueueRef, offset: number, min: number, end: number): ConnectError {
  const remedy = offset < min ? '. With errors.tolerance=all the task goes to the oldest one and counts the others as lost' : '';
  return new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The task cannot seek to offset ${offset} of queue ${queueKey(queue)}, which has offsets from ${min} to ${end}${remedy}`,
  );
}
