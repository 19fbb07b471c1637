import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import { someOf } from '../task/some-of.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { OffsetCommits } from './offset-commits.js';
import type { QueueOpening } from './queue-opening.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';
import { MAX_NAMED_QUEUES } from './sink-requests.js';
import { byTopicPart, topicPart } from './topic-parts.js';

export interface SinkSeeksOptions {
  readonly spec: Pick<SinkLoopSpec, 'logger' | 'settings'>;
  readonly ports: Pick<SinkLoopPorts, 'messages'>;
  readonly queues: QueueSet;
  readonly commits: Pick<OffsetCommits, 'heldQueues' | 'commit' | 'idle'>;
  readonly opening: Pick<QueueOpening, 'move' | 'idle'>;
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
 * Has queues read elsewhere, as their task asks. First everything before the new offset is safe, then the
 * sink stores that offset, the group has it, and reading begins. A task that stops leaves the offsets to its next owner in the same order.
 */
export class SinkSeeks {
  /** By queue key: not begun. */
  readonly #asked = new Map<string, SinkPosition>();
  /** By queue key: the queue is not read meanwhile. */
  readonly #underWay = new Map<string, SinkPosition>();
  /** Everything was flushed since the task asked. */
  #isFlushed = false;
  /** At the end of the task: by topic part. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Where the next owner cannot begin, and why. */
  readonly #lost: string[] = [];

  constructor(private readonly options: SinkSeeksOptions) {}

  get isEmpty(): boolean {
    return this.#lost.length === 0 && this.#wanted().length === 0;
  }

  /** What was put before the new offset of a queue is not safe yet. */
  get areWaiting(): boolean {
    for (const position of this.#asked.values()) if (!this.#isSafe(position)) return true;
    return false;
  }

  /** Adds the queues that are about to be read elsewhere to the keys of others that give no records now. */
  withWaiting(held: ReadonlySet<string>): ReadonlySet<string> {
    return this.#asked.size === 0 ? held : new Set([...held, ...this.#asked.keys()]);
  }

  /** Notes where the task wants queues to be read; the last call for a queue counts. */
  ask(positions: readonly SinkPosition[]): void {
    for (const { queue, nextOffset } of positions) this.#asked.set(queueKey(queue), { queue, nextOffset });
    this.#isFlushed = false;
    this.options.asked();
  }

  /** Forgets what was asked for of queues that an operator has sent elsewhere. */
  drop(queues: readonly QueueRef[]): void {
    for (const queue of queues) {
      const asked = this.#asked.get(queueKey(queue));
      if (asked === undefined) continue;
      this.#asked.delete(queueKey(queue));
      this.options.spec.logger.info(`The task does not seek to ${described(asked)}: an operator has reset the group`);
    }
  }

  /** Begins, between two calls of the task, what was asked for and can be done; returns whether that was anything. */
  async begin(): Promise<boolean> {
    if (this.#asked.size === 0) return false;
    const { queues, commits, opening, flush } = this.options;
    const read = [...this.#asked.values()].filter(({ queue }) => queues.get(queue) !== undefined);
    if (read.length === 0) return false;
    if (!this.#isFlushed || read.some(({ queue }) => queues.get(queue)?.isAdvanced)) {
      await flush();
      this.#isFlushed = true;
      return true;
    }
    const ready = read.filter((position) => !commits.heldQueues.has(queueKey(position.queue)) && this.#isSafe(position));
    if (ready.length === 0) return false;
    this.#start(ready);
    opening.move(ready, {
      before: async (positions, signal, repeated) => {
        await this.#release(positions);
        const [refused] = await this.#refused(positions, signal, repeated);
        if (refused !== undefined) {
          this.#forget([refused.position]);
          throw refused.error;
        }
        signal.throwIfAborted();
        await this.options.store(positions);
      },
      done: (positions) => {
        this.#forget(positions);
      },
    });
    return true;
  }

  /** Starts to leave, at the end of the task, what can be left to the next owner: for each topic and broker on their own. */
  leave(): void {
    const { killed } = this.options;
    if (killed.aborted) return;
    for (const [part, { items }] of byTopicPart(this.#left(), ({ queue }) => queue)) {
      if (this.#leaving.has(part)) continue;
      const leaving = this.#leavePart(part, items)
        .catch((error: unknown) => {
          if (!killed.aborted) this.#lose(items, String(error));
        })
        .finally(() => this.#leaving.delete(part));
      this.#leaving.set(part, leaving);
    }
  }

  /** Resolves once nothing more can be left to the next owner. Never rejects. */
  async leaveAll(): Promise<void> {
    this.leave();
    while (this.#leaving.size > 0) {
      await Promise.all(this.#leaving.values());
      this.leave();
    }
  }

  /** Warns, at the end of the task, of what the next owner does not begin with. */
  warnOfLeft(): void {
    const places = [...this.#lost, ...this.#wanted().map(described)];
    if (places.length === 0) return;
    this.options.spec.logger.warn(
      `The task ends before the group and the sink have the offsets to which it seeks: ${someOf(places, MAX_NAMED_QUEUES)}. ` +
        'Its next owner may not begin there',
    );
  }

  async #leavePart(part: string, first: readonly SinkPosition[]): Promise<void> {
    const { opening, commits, store, killed } = this.options;
    await this.#release(first);
    // Nothing that began earlier may be stored or committed later.
    await opening.idle(part);
    await commits.idle(part);
    const positions = this.#left().filter(({ queue }) => topicPart(queue) === part);
    this.#start(positions);
    await this.#release(positions);
    const refused = await this.#refused(positions, killed);
    for (const { position, error } of refused) this.#lose([position], error.message);
    const good = positions.filter((each) => !refused.some(({ position }) => position === each));
    if (good.length === 0) return;
    await store(good);
    await commits.commit(good, killed);
    this.#forget(good);
  }

  /** Where the task wants queues to be read that it has opened: one whose `open` failed stores nothing. */
  #wanted(): readonly SinkPosition[] {
    const wanted = new Map([...this.#underWay, ...this.#asked]);
    return [...wanted.values()].filter(({ queue }) => this.options.queues.isOpened(queue));
  }

  /** What can be left to the next owner now. */
  #left(): readonly SinkPosition[] {
    return this.#wanted().filter((position) => this.#isSafe(position));
  }

  /** Returns whether everything is safe that was put before a position: what comes behind it is read again. */
  #isSafe({ queue, nextOffset }: SinkPosition): boolean {
    const intake = this.options.queues.get(queue);
    return intake === undefined || intake.safePosition.nextOffset >= Math.min(nextOffset, intake.taken);
  }

  /** Notes what is under way, in place of what was before. */
  #start(positions: readonly SinkPosition[]): void {
    for (const position of positions) {
      const key = queueKey(position.queue);
      if (this.#asked.get(key) === position) this.#asked.delete(key);
      this.#underWay.set(key, position);
    }
  }

  #forget(positions: readonly SinkPosition[]): void {
    for (const position of positions) {
      const key = queueKey(position.queue);
      for (const wanted of [this.#asked, this.#underWay]) if (wanted.get(key) === position) wanted.delete(key);
    }
  }

  #lose(positions: readonly SinkPosition[], reason: string): void {
    this.#forget(positions);
    for (const position of positions) this.#lost.push(`${described(position)} (${reason})`);
  }

  async #release(positions: readonly SinkPosition[]): Promise<void> {
    const { queues, spec } = this.options;
    for (const position of positions) {
      const taken = queues.get(position.queue)?.taken;
      if (taken !== undefined) spec.logger.info(`The task seeks to ${described(position)}, from offset ${taken}`);
    }
    await queues.release(positions.map(({ queue }) => queue));
  }

  /** Returns the positions at which the brokers have nothing to read. */
  async #refused(
    positions: readonly SinkPosition[],
    signal: AbortSignal,
    repeated?: () => void,
  ): Promise<readonly { readonly position: SinkPosition; readonly error: ConnectError }[]> {
    const { ports, policy, spec } = this.options;
    const limits = await retrying(policy('asking for the ends of queues', repeated), signal, () =>
      Promise.all(positions.map(async ({ queue }) => Promise.all([ports.messages.minOffset(queue), ports.messages.endOffset(queue)]))),
    );
    return positions.flatMap((position, at) => {
      const { queue, nextOffset } = position;
      const [min, end] = limits[at] ?? [0, 0];
      if (nextOffset <= end && (nextOffset >= min || spec.settings.skipsBadRecords)) return [];
      return [{ position, error: seekError(queue, nextOffset, min, end) }];
    });
  }
}

function described({ queue, nextOffset }: SinkPosition): string {
  return `offset ${nextOffset} of queue ${queueKey(queue)}`;
}

function seekError(queue: QueueRef, offset: number, min: number, end: number): ConnectError {
  const remedy = offset < min ? '. With errors.tolerance=all the task goes to the oldest one and counts the others as lost' : '';
  return new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The task cannot seek to offset ${offset} of queue ${queueKey(queue)}, which has offsets from ${min} to ${end}${remedy}`,
  );
}
