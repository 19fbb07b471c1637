import { backoffMs } from '@sluice/time';
import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetReset } from '../ports/offset-store.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { OffsetCommits } from './offset-commits.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';

export interface OffsetResetsOptions {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'counters' | 'warnings'>;
  readonly ports: Pick<SinkLoopPorts, 'offsets' | 'lease'>;
  readonly queues: QueueSet;
  readonly commits: Pick<OffsetCommits, 'commit'>;
  readonly policy: (call: string) => RetryPolicy;
  /** Aborted when nothing more is read: resets that are not followed by then are left to the next start. */
  readonly stopping: AbortSignal;
  /** Aborted when nothing more is committed. */
  readonly killed: AbortSignal;
  /** Asks the sink for everything that was put, and commits it, until `isSafe`. */
  readonly flushUntil: (isSafe: () => boolean) => Promise<void>;
  /** Makes the sink store these positions beside those of the queues that it reads. */
  readonly store: (positions: Iterable<SinkPosition>) => Promise<void>;
  /** Called with queues that go where an operator has sent the group: a task that has asked for another offset does not go there. */
  readonly ordered: (queues: readonly QueueRef[]) => void;
  /** Reads queues from positions. */
  readonly begin: (positions: readonly SinkPosition[]) => Promise<void>;
}

/** Ends or follows what an operator does who resets the offsets of the sink's consumer group. */
export class OffsetResets {
  constructor(private readonly options: OffsetResetsOptions) {}

  /** Ends the resets that the sink has passed and follows the others. */
  async resolve(resets: readonly OffsetReset[]): Promise<void> {
    const { queues, stopping, flushUntil, begin } = this.options;
    const isLeft = ({ queue }: OffsetReset): boolean => {
      const intake = queues.get(queue);
      return intake !== undefined && (intake.isAdvanced || intake.isUnsafe);
    };
    // Where the operator sends the group ahead, nobody reads again what the sink still holds.
    if (resets.some(isLeft)) await flushUntil(() => !resets.some(isLeft));
    const left = await this.#settle(resets);
    const isStopping = (): boolean => stopping.aborted;
    if (left.length === 0 || isStopping()) return;
    try {
      await queues.release(left.map(({ queue }) => queue));
      await begin([...(await this.follow(left)).values()]);
    } catch (error) {
      if (!isStopping()) throw error;
    }
  }

  /**
   * Follows resets of queues that are not read. The sink stores the new positions before the broker knows of them. Whatever dies in between, the reset is found again.
   * @returns where to resume, by queue key
   */
  async follow(first: readonly OffsetReset[]): Promise<ReadonlyMap<string, SinkPosition>> {
    const { store, commits, policy, stopping, ordered } = this.options;
    const followed = new Map<string, SinkPosition>();
    const known = new Set<string>();
    const again = policy('following a reset of offsets');
    let attempt = 0;
    try {
      for (let resets = first; resets.length > 0;) {
        let repeated: string | undefined;
        for (const reset of resets) {
          const place = placeOf(reset);
          if (known.has(place)) repeated = place;
          else this.#report(place);
          known.add(place);
          followed.set(queueKey(reset.queue), reset);
        }
        ordered(resets.map(({ queue }) => queue));
        if (repeated !== undefined) await this.#waitAfter(repeated, again, ++attempt);
        await store(followed.values());
        const taken = await this.#take(resets, stopping);
        const newer = taken.filter(({ nextOffset }, index) => nextOffset !== resets[index]?.nextOffset);
        resets = newer.length > 0 ? newer : await commits.commit(taken, stopping);
      }
    } finally {
      again.waiting?.ended();
    }
    return followed;
  }

  /**
   * Ends the resets after which nothing has to be read again: the queues stay where they are. Nothing of them may be left to flush.
   * @returns the other resets, which have to be followed
   */
  async #settle(resets: readonly OffsetReset[]): Promise<readonly OffsetReset[]> {
    const { queues, commits, killed } = this.options;
    const passed = resets.filter((reset) => this.#isPassed(reset));
    if (passed.length === 0) return resets;
    const taken = await this.#take(passed, killed);
    const kept: SinkPosition[] = [];
    for (const { queue, nextOffset } of taken.filter((reset) => this.#isPassed(reset))) {
      const position = queues.get(queue)?.safePosition;
      if (position === undefined) continue;
      kept.push(position);
      const from = `queue ${queueKey(queue)} was read once from offset ${nextOffset} since the last commit`;
      this.#report(`${from} and resumes at offset ${position.nextOffset}`);
    }
    const newer = taken.filter((reset) => !this.#isPassed(reset));
    // What this commit shows is left to the next look.
    if (kept.length > 0) await commits.commit(kept);
    return [...resets.filter((reset) => !passed.includes(reset)), ...newer];
  }

  /**
   * Returns whether the operator may have sent the group ahead to an offset that the sink has passed since. What the sink had at the last accepted
   * commit it had taken before the reset. A reset to such a record is an order to read it again.
   */
  #isPassed({ queue, nextOffset }: OffsetReset): boolean {
    const intake = this.options.queues.get(queue);
    if (intake === undefined) return false;
    const taken = intake.accepted?.taken ?? intake.committed;
    return taken <= nextOffset && nextOffset < intake.safePosition.nextOffset;
  }

  /** A broker that shows a reset again which the group has followed may do so without end. */
  async #waitAfter(place: string, { clock, limits, ...policy }: RetryPolicy, attempt: number): Promise<void> {
    const error = new Error(`The broker asks again for a reset that the group has followed: ${place}`);
    policy.waiting?.failed(error);
    policy.onRetry?.(error, attempt);
    await clock.sleep(backoffMs(attempt, limits, clock.random()), this.options.stopping);
  }

  #take(resets: readonly OffsetReset[], signal: AbortSignal): Promise<readonly OffsetReset[]> {
    const { spec, ports, policy } = this.options;
    return Promise.all(
      resets.map((reset) =>
        retrying(policy('taking a reset of offsets'), signal, async () => {
          // A successor may be reading: it has to find what the operator orders from then on.
          await ports.lease.whenHeld(signal);
          return ports.offsets.takeReset(spec.group, reset);
        }),
      ),
    );
  }

  #report(text: string): void {
    const { spec } = this.options;
    spec.counters.offsetResets++;
    spec.warnings.add(`The offset of consumer group ${spec.group} was reset: ${text}`);
  }
}

function placeOf({ queue, nextOffset }: { readonly queue: QueueRef; readonly nextOffset: number }): string {
  return `queue ${queueKey(queue)} resumes at offset ${nextOffset}`;
}
