import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetReset } from '../ports/offset-store.port.js';
import { backoffMs } from '../retry/backoff.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';

export interface GroupOffsetsOptions {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'counters' | 'warnings'>;
  readonly ports: Pick<SinkLoopPorts, 'offsets' | 'lease'>;
  readonly queues: QueueSet;
  readonly policy: (call: string) => RetryPolicy;
  /** Aborted when nothing more is committed. */
  readonly signal: AbortSignal;
  /** Makes the sink store these positions in place of what it has for their queues. */
  readonly store: (positions: readonly SinkPosition[]) => Promise<void>;
}

/** The offsets of the sink's consumer group: commits them, and follows an operator who resets them. */
export class GroupOffsets {
  constructor(private readonly options: GroupOffsetsOptions) {}

  /** Returns where an operator has reset the group. */
  async commit(positions: readonly SinkPosition[]): Promise<readonly OffsetReset[]> {
    const { spec, ports, queues, policy, signal } = this.options;
    const resets = await retrying(policy('committing offsets'), signal, async () => {
      await ports.lease.whenHeld(signal);
      return ports.offsets.commit(spec.group, positions);
    });
    for (const { queue, nextOffset } of positions) {
      const intake = queues.get(queue);
      if (intake !== undefined) intake.committed = nextOffset;
    }
    spec.counters.offsetCommits++;
    return resets;
  }

  /**
   * Follows resets. The sink stores the new positions before the broker is told: whatever dies in between, the reset is found again.
   * @returns where to read on, by queue key
   */
  async follow(first: readonly OffsetReset[]): Promise<ReadonlyMap<string, SinkPosition>> {
    const { queues, store, policy } = this.options;
    const followed = new Map<string, SinkPosition>();
    const told = new Set<string>();
    const again = policy('following a reset of offsets');
    let attempt = 0;
    try {
      for (let resets = first; resets.length > 0;) {
        let repeated: string | undefined;
        for (const reset of resets) {
          const place = placeOf(reset);
          if (told.has(place)) repeated = place;
          else this.tell(reset);
          told.add(place);
          followed.set(queueKey(reset.queue), reset);
        }
        if (repeated !== undefined) await this.waitAfter(repeated, again, ++attempt);
        await store([...queues.positions(), ...followed.values()]);
        const taken = await this.take(resets);
        const newer = taken.filter(({ nextOffset }, index) => nextOffset !== resets[index]?.nextOffset);
        resets = newer.length > 0 ? newer : await this.commit(taken);
      }
    } finally {
      again.waiting?.ended();
    }
    return followed;
  }

  /** A broker that asks for a reset which it was told of may do so for ever. */
  private async waitAfter(place: string, { clock, limits, ...policy }: RetryPolicy, attempt: number): Promise<void> {
    const error = new Error(`The broker asks again for a reset that the group has followed: ${place}`);
    policy.waiting?.failed(error);
    policy.onRetry?.(error, attempt);
    await clock.sleep(backoffMs(attempt, limits, clock.random()), this.options.signal);
  }

  /**
   * The queues for which the group has another offset than the one that was committed: an operator may have reset it, or a broker has lost it.
   * A queue whose broker does not answer is left to the next time.
   */
  async suspects(): Promise<readonly QueueRef[]> {
    const { spec, ports, queues } = this.options;
    const answers = await Promise.allSettled(
      queues.all().map(async (intake) => {
        const offset = await ports.offsets.read(spec.group, intake.queue);
        return offset === intake.committed ? undefined : intake.queue;
      }),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? (answer.value ?? []) : []));
  }

  private async take(resets: readonly OffsetReset[]): Promise<readonly OffsetReset[]> {
    const { spec, ports, policy, signal } = this.options;
    return Promise.all(
      resets.map((reset) =>
        retrying(policy('taking a reset of offsets'), signal, () => ports.offsets.takeReset(spec.group, reset)),
      ),
    );
  }

  private tell(reset: OffsetReset): void {
    const { spec } = this.options;
    spec.counters.offsetResets++;
    spec.warnings.add(`The offset of consumer group ${spec.group} was reset: ${placeOf(reset)}`);
  }
}

function placeOf({ queue, nextOffset }: OffsetReset): string {
  return `queue ${queueKey(queue)} is read on at offset ${nextOffset}`;
}
