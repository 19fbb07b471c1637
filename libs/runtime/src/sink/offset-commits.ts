import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetReset } from '../ports/offset-store.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';
import { byTopicPart } from './topic-parts.js';

export interface OffsetCommitsOptions {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'counters' | 'traces'>;
  readonly ports: Pick<SinkLoopPorts, 'offsets' | 'lease' | 'clock'>;
  readonly queues: QueueSet;
  readonly policy: (call: string, onRetry?: () => void) => RetryPolicy;
  /** Aborted when nothing more is committed. */
  readonly signal: AbortSignal;
  /** Ends or follows the resets that a commit has shown. Their queues are held until it resolves. */
  readonly resolve: (resets: readonly OffsetReset[]) => Promise<void>;
  /** Called after each commit: queues may be held no longer. */
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

/** The commits of a topic's queues on one broker, which are made one after the other. */
interface PartCommits {
  /** By queue key. */
  readonly waiting: Map<string, SinkPosition>;
  running: Promise<void>;
}

/**
 * Commits offsets to the sink's consumer group, for each topic and broker on their own. A queue is held, so that no record of it is taken, until
 * its commit is accepted. So an unavailable broker, or a deleted topic, holds only its own queues, with a bounded number of uncommitted records.
 */
export class OffsetCommits {
  /** What is committed now. */
  readonly #underWay = new Map<string, PartCommits>();
  readonly #held = new Set<string>();

  constructor(private readonly options: OffsetCommitsOptions) {}

  /** The keys of the queues whose commit was not accepted yet. */
  get heldQueues(): ReadonlySet<string> {
    return this.#held;
  }

  /** Commits positions in the background and holds their queues meanwhile. */
  add(positions: readonly SinkPosition[]): void {
    this.options.spec.traces?.durable(positions);
    for (const [part, { items }] of byTopicPart(positions, ({ queue }) => queue)) {
      const waiting = this.#underWay.get(part)?.waiting ?? new Map<string, SinkPosition>();
      for (const position of items) {
        const key = queueKey(position.queue);
        waiting.set(key, position);
        this.#held.add(key);
      }
      if (!this.#underWay.has(part)) this.#begin(part, waiting);
    }
  }

  /** Resolves once every commit is accepted, has failed or was given up; with a `part` only those of a topic's queues on one broker. */
  async idle(part?: string): Promise<void> {
    const running = (): readonly Promise<void>[] =>
      [...this.#underWay].flatMap(([key, committing]) => (part === undefined || key === part ? [committing.running] : []));
    for (let left = running(); left.length > 0; left = running()) await Promise.all(left);
  }

  /**
   * Commits positions of one topic on one broker, again while it is unavailable.
   * @returns where an operator has reset the group
   */
  async commit(positions: readonly SinkPosition[], signal = this.options.signal, onRetry?: () => void): Promise<readonly OffsetReset[]> {
    const { spec, ports, queues, policy } = this.options;
    const [first] = positions;
    if (first === undefined) return [];
    const taken = positions.map(({ queue }) => queues.get(queue)?.taken ?? 0);
    const repeated = policy(`committing offsets of topic ${first.queue.topic} to ${first.queue.brokerName}`, onRetry);
    const resets = await retrying(repeated, signal, async () => {
      await ports.lease.whenHeld(signal);
      return ports.offsets.commit(spec.group, positions);
    });
    const refused = new Set(resets.map(({ queue }) => queueKey(queue)));
    for (const [index, { queue, nextOffset }] of positions.entries()) {
      const intake = queues.get(queue);
      if (intake === undefined || refused.has(queueKey(queue))) continue;
      intake.noteCommit(nextOffset, { taken: taken[index] ?? 0, atMs: ports.clock.nowMs() });
    }
    spec.counters.offsetCommits++;
    spec.traces?.committed(refused.size === 0 ? positions : positions.filter(({ queue }) => !refused.has(queueKey(queue))));
    return resets;
  }

  /** Commits once more what is safe of queues: a broker has lost it, or says now that the group was reset. */
  addSafe(queues: readonly QueueRef[]): void {
    const free = queues.filter((queue) => !this.#held.has(queueKey(queue)));
    this.add(free.flatMap((queue) => this.options.queues.get(queue)?.safePosition ?? []));
  }

  #begin(part: string, waiting: Map<string, SinkPosition>): void {
    const committing = { waiting, running: Promise.resolve() };
    this.#underWay.set(part, committing);
    committing.running = this.#run(part, waiting);
  }

  async #run(part: string, waiting: Map<string, SinkPosition>): Promise<void> {
    const { resolve, committed, failed } = this.options;
    try {
      while (waiting.size > 0) {
        const positions = [...waiting.values()];
        waiting.clear();
        const resets = await this.commit(positions);
        if (resets.length > 0) await resolve(resets);
        // What waits of these queues was flushed before the reset was ended or followed.
        for (const { queue } of resets) waiting.delete(queueKey(queue));
        for (const { queue } of positions) if (!waiting.has(queueKey(queue))) this.#held.delete(queueKey(queue));
        committed();
      }
    } catch (error) {
      failed(error);
    } finally {
      this.#underWay.delete(part);
    }
  }
}
