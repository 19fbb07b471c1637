import { onAbort } from '@sluice/time';
import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { OffsetCommits } from './offset-commits.js';
import type { OffsetResets } from './offset-resets.js';
import { prepareStart } from './prepare-start.js';
import type { QueueSet } from './queue-set.js';
import type { SinkCalls } from './sink-calls.js';
import type { SinkLoopPorts, SinkLoopSettings, SinkLoopSpec } from './sink-loop-options.js';
import type { SinkRequests } from './sink-requests.js';
import { checkedAnswers, describeStart, isTopicKnown, startPositions, type StartQuestion } from './start-positions.js';
import { byTopicPart } from './topic-parts.js';

export interface QueueOpeningOptions {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'logger' | 'warnings'>;
  readonly ports: Pick<SinkLoopPorts, 'messages' | 'offsets'>;
  readonly queues: QueueSet;
  readonly calls: Pick<SinkCalls, 'open'>;
  readonly commits: Pick<OffsetCommits, 'commit'>;
  readonly requests: Pick<SinkRequests, 'offer'>;
  readonly resets: Pick<OffsetResets, 'follow'>;
  readonly policy: (call: string, onRetry?: () => void) => RetryPolicy;
  /** Aborted when nothing more is read. */
  readonly signal: AbortSignal;
  /** Called when queues are read that were not before. */
  readonly opened: () => void;
  readonly failed: (error: unknown) => void;
}

/** Finds out where the queues of one topic on one broker are read from. */
interface PartOpening {
  readonly part: string;
  readonly topic: string;
  /** A call to a broker failed and is repeated. */
  isRepeating: boolean;
  running: Promise<void>;
}

/** Opens queues, for each topic and broker on their own: one that is unavailable delays its own queues only. */
export class QueueOpening {
  readonly #openings = new Set<PartOpening>();
  #changed: () => void = () => undefined;

  constructor(private readonly options: QueueOpeningOptions) {}

  /** Has the task open queues, then looks in the background where to begin and reads them from there. */
  async open(queues: readonly QueueRef[], reset: SinkLoopSettings['offsetReset']): Promise<void> {
    const { spec, ports, calls, requests } = this.options;
    if (queues.length === 0) {
      spec.logger.warn('The task has no queue to read yet; it looks for new ones');
      return;
    }
    requests.offer(queues);
    const answers = checkedAnswers(queues, await calls.open(queues));
    this.options.queues.reserve(queues);
    const question = { ...ports, group: spec.group, reset, answers };
    // The answer must not change while some of a new topic's queues are committed already.
    const known = new Map<string, Promise<boolean>>();
    const isKnown = (topic: string): Promise<boolean> => {
      const ask = (): Promise<boolean> => isTopicKnown(question, topic);
      const repeated = (): void => {
        this.#noteRepeating(topic);
      };
      const asked = known.get(topic) ?? this.#untilAnswered(ask, repeated);
      known.set(topic, asked);
      return asked;
    };
    for (const [part, { topic, items }] of byTopicPart(queues, (queue) => queue)) {
      this.#begin(part, topic, (opening) => this.#openPart(opening, question, items, isKnown));
    }
  }

  /**
   * Resolves once all queues are read; but a broker that is unavailable is not waited for while queues of another one are read. Rejects with the
   * reason when queues cannot be opened.
   */
  async whenFed(): Promise<void> {
    const { signal } = this.options;
    signal.throwIfAborted();
    // A call that a broker does not answer must not delay the end of the task.
    const cancel = onAbort(signal, () => {
      this.#changed();
    });
    try {
      while (!this.#isFed) {
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
        signal.throwIfAborted();
      }
    } finally {
      cancel();
    }
  }

  get #isFed(): boolean {
    const areRepeating = [...this.#openings].every(({ isRepeating }) => isRepeating);
    return this.#openings.size === 0 || (areRepeating && this.options.queues.queues.length > 0);
  }

  /** Resolves when no opening is under way; with a `part` none of a topic's queues on one broker. */
  async idle(part?: string): Promise<void> {
    for (const opening of this.#openings) if (part === undefined || opening.part === part) await opening.running;
  }

  /** Reads queues from positions, after a look at what was read before them. */
  async read(positions: readonly SinkPosition[], onRetry?: () => void): Promise<void> {
    const { spec, ports, queues, policy, signal, opened } = this.options;
    const context = { messages: ports.messages, group: spec.group, signal };
    const starts = await retrying(policy('looking at what was read', onRetry), signal, () =>
      Promise.all(positions.map((position) => prepareStart(context, position))),
    );
    for (const start of starts) queues.add(start);
    opened();
  }

  /**
   * Commits other positions for queues that are opened and not read, then reads them from there, in the background. `before` is called first, and
   * `done` once the group has them; both with the positions of one topic on one broker.
   */
  move(
    positions: readonly SinkPosition[],
    steps: {
      readonly before: (positions: readonly SinkPosition[], signal: AbortSignal, repeated: () => void) => Promise<void>;
      readonly done: (positions: readonly SinkPosition[]) => void;
    },
  ): void {
    for (const [part, { topic, items }] of byTopicPart(positions, ({ queue }) => queue)) {
      this.#begin(part, topic, async (opening) => {
        const repeated = this.#noterOf(opening);
        await steps.before(items, this.options.signal, repeated);
        const followed = await this.#commit(items, repeated);
        steps.done(items);
        await this.read(
          items.map((position) => followed.get(queueKey(position.queue)) ?? position),
          repeated,
        );
      });
    }
  }

  /** Every queue of a topic that may be new to the group waits for all brokers of the topic. */
  #noteRepeating(topic: string): void {
    for (const opening of this.#openings) if (opening.topic === topic) opening.isRepeating = true;
    this.#changed();
  }

  #begin(part: string, topic: string, work: (opening: PartOpening) => Promise<void>): void {
    const { signal, failed } = this.options;
    const opening: PartOpening = { part, topic, isRepeating: false, running: Promise.resolve() };
    this.#openings.add(opening);
    opening.running = work(opening)
      .catch((error: unknown) => {
        if (!signal.aborted) failed(error);
      })
      .finally(() => {
        this.#openings.delete(opening);
        this.#changed();
      });
  }

  async #openPart(
    opening: PartOpening,
    question: StartQuestion,
    queues: readonly QueueRef[],
    isKnown: (topic: string) => Promise<boolean>,
  ): Promise<void> {
    const repeated = this.#noterOf(opening);
    const { positions, ahead, undecided } = await this.#untilAnswered(() => startPositions(question, queues), repeated);
    if (positions.length > 0) await this.#readFrom(positions, question, ahead, repeated);
    const [first] = undecided;
    if (first === undefined) return;
    const { messages } = this.options.ports;
    const fromOldest = (): Promise<readonly SinkPosition[]> =>
      Promise.all(undecided.map(async ({ queue }) => ({ queue, nextOffset: await messages.minOffset(queue) })));
    const decided = (await isKnown(first.queue.topic)) ? await this.#untilAnswered(fromOldest, repeated) : undecided;
    await this.#readFrom(decided, question, new Map(), repeated);
  }

  async #readFrom(
    positions: readonly SinkPosition[],
    { group, answers }: StartQuestion,
    ahead: ReadonlyMap<string, number>,
    repeated: () => void,
  ): Promise<void> {
    const { spec } = this.options;
    // A position that the reset policy chose must not be chosen again.
    const followed = await this.#commit(positions, repeated);
    for (const { queue, nextOffset } of positions) {
      const key = queueKey(queue);
      const offset = ahead.get(key);
      if (offset === undefined || followed.has(key)) continue;
      spec.warnings.add(
        `Queue ${key} resumes at offset ${nextOffset}, which the sink has stored; that of consumer group ${group} was ahead, at ${offset}`,
      );
    }
    const starts = positions.map((position) => followed.get(queueKey(position.queue)) ?? position);
    spec.logger.info(describeStart(group, answers, starts));
    await this.read(starts, repeated);
  }

  /** Commits positions; returns, by queue key, those of an operator who has reset the group. */
  async #commit(positions: readonly SinkPosition[], repeated: () => void): Promise<ReadonlyMap<string, SinkPosition>> {
    const { commits, resets, signal } = this.options;
    return resets.follow(await commits.commit(positions, signal, repeated));
  }

  #noterOf(opening: PartOpening): () => void {
    return () => {
      opening.isRepeating = true;
      this.#changed();
    };
  }

  #untilAnswered<T>(ask: () => Promise<T>, onRetry?: () => void): Promise<T> {
    const { policy, signal } = this.options;
    return retrying(policy('asking for offsets', onRetry), signal, ask);
  }
}
