import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetReset } from '../ports/offset-store.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { QueueIntake } from './queue-intake.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';

export interface OffsetCommitting {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'counters'>;
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

/** For so long an accepted commit proves that no operator has reset a queue. Less than the 4 s between two looks: the commit of a look ends after it. */
const commitAgainMs = 2000;

/** The commits to one broker, which are made one after the other. */
interface BrokerCommits {
  /** By queue key. */
  readonly waiting: Map<string, SinkPosition>;
  running: Promise<void> | undefined;
}

/**
 * Commits offsets to the sink's consumer group, broker by broker. No record of a queue is taken, so that it is held, until its commit is
 * accepted. So an unavailable broker holds only its own queues, with a bounded number of uncommitted records.
 */
export class OffsetCommits {
  private readonly brokers = new Map<string, BrokerCommits>();
  private readonly held = new Set<string>();

  constructor(private readonly options: OffsetCommitting) {}

  /** The keys of the queues whose commit was not accepted yet. */
  get heldQueues(): ReadonlySet<string> {
    return this.held;
  }

  /** Commits positions in the background and holds their queues meanwhile. */
  add(positions: readonly SinkPosition[]): void {
    for (const [brokerName, ofBroker] of byBroker(positions)) {
      let broker = this.brokers.get(brokerName);
      if (broker === undefined) this.brokers.set(brokerName, (broker = { waiting: new Map(), running: undefined }));
      for (const position of ofBroker) {
        const key = queueKey(position.queue);
        broker.waiting.set(key, position);
        this.held.add(key);
      }
      broker.running ??= this.run(broker);
    }
  }

  /** Resolves once every commit is accepted, has failed or was given up. */
  async idle(): Promise<void> {
    for (;;) {
      const running = [...this.brokers.values()].flatMap((broker) => broker.running ?? []);
      if (running.length === 0) return;
      await Promise.all(running);
    }
  }

  /**
   * Commits positions of one broker, again while it is unavailable.
   * @returns where an operator has reset the group
   */
  async commit(
    positions: readonly SinkPosition[],
    signal = this.options.signal,
    onRetry?: () => void,
  ): Promise<readonly OffsetReset[]> {
    const { spec, ports, queues, policy } = this.options;
    const [first] = positions;
    if (first === undefined) return [];
    const taken = positions.map(({ queue }) => queues.get(queue)?.taken ?? 0);
    const repeated = policy(`committing offsets to ${first.queue.brokerName}`, onRetry);
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
    return resets;
  }

  /**
   * Returns the queues whose offset has to be committed once more. The group has another offset where an operator has reset it, or a broker has
   * lost it. Only a commit shows a reset to the committed offset: a queue with nothing to flush, or with rare flushes, needs one. Leaves out queues that
   * are held, and those whose broker does not answer.
   */
  async suspects(): Promise<readonly QueueRef[]> {
    const { spec, ports, queues } = this.options;
    const nowMs = ports.clock.nowMs();
    const isSettled = (intake: QueueIntake): boolean =>
      intake.isAdvanced && nowMs - (intake.accepted?.atMs ?? -Infinity) < commitAgainMs;
    const asked = queues.all().filter(({ key }) => !this.held.has(key));
    const answers = await Promise.allSettled(
      asked.map(async (intake) => {
        const offset = await ports.offsets.read(spec.group, intake.queue);
        return offset === intake.committed && isSettled(intake) ? undefined : intake.queue;
      }),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? (answer.value ?? []) : []));
  }

  /** Commits once more what was flushed of queues: a broker has lost it, or says now that the group was reset. */
  addFlushed(queues: readonly QueueRef[]): void {
    const free = queues.filter((queue) => !this.held.has(queueKey(queue)));
    this.add(free.flatMap((queue) => this.options.queues.get(queue)?.flushedPosition ?? []));
  }

  private async run(broker: BrokerCommits): Promise<void> {
    const { resolve, committed, failed } = this.options;
    const { waiting } = broker;
    try {
      while (waiting.size > 0) {
        const positions = [...waiting.values()];
        waiting.clear();
        const resets = await this.commit(positions);
        if (resets.length > 0) await resolve(resets);
        // What waits of these queues was flushed before the reset was ended or followed.
        for (const { queue } of resets) waiting.delete(queueKey(queue));
        for (const { queue } of positions) if (!waiting.has(queueKey(queue))) this.held.delete(queueKey(queue));
        committed();
      }
    } catch (error) {
      failed(error);
    } finally {
      broker.running = undefined;
    }
  }
}

/** Groups what belongs to queues by the name of their broker. */
export function byBroker<T extends { readonly queue: QueueRef }>(items: readonly T[]): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const { brokerName } = item.queue;
    const group = groups.get(brokerName);
    if (group === undefined) groups.set(brokerName, [item]);
    else group.push(item);
  }
  return groups;
}
