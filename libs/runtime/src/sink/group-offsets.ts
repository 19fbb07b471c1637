import { backoffMs } from '@sluice/time';
import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { OffsetReset } from '../ports/offset-store.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { QueueIntake } from './queue-intake.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';

export interface GroupOffsetsOptions {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'counters' | 'warnings'>;
  readonly ports: Pick<SinkLoopPorts, 'offsets' | 'lease' | 'clock'>;
  readonly queues: QueueSet;
  readonly policy: (call: string) => RetryPolicy;
  /** Aborted when nothing more is committed. */
  readonly signal: AbortSignal;
  /** Makes the sink store these positions in place of what it has for their queues. */
  readonly store: (positions: readonly SinkPosition[]) => Promise<void>;
}

/**
 * How long an accepted commit proves that no operator has reset a queue: less than the 4 s between two looks, for the commit of a look ends after it.
 */
const commitAgainMs = 2000;
/** How often one broker is asked who else is in the group. */
const strangersIntervalMs = 60_000;
/** How many clients of other applications a task names in warnings. */
const maxStrangers = 100;

/** The offsets of the sink's consumer group: commits them, and follows an operator who resets them. */
export class GroupOffsets {
  /** Client ids that a warning has named. */
  private readonly strangers = new Set<string>();
  private looks = 0;
  private lookAtMs = -Infinity;

  constructor(private readonly options: GroupOffsetsOptions) {}

  /** Returns where an operator has reset the group. */
  async commit(positions: readonly SinkPosition[]): Promise<readonly OffsetReset[]> {
    const { spec, ports, queues, policy, signal } = this.options;
    const taken = positions.map(({ queue }) => queues.get(queue)?.taken ?? 0);
    const resets = await retrying(policy('committing offsets'), signal, async () => {
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
   * Ends the resets after which nothing has to be read again: the queues stay where they are. Nothing may be left to flush.
   * @returns the other resets, which have to be followed
   */
  async settle(resets: readonly OffsetReset[]): Promise<readonly OffsetReset[]> {
    const { queues } = this.options;
    const passed = resets.filter((reset) => this.isPassed(reset));
    if (passed.length === 0) return resets;
    const taken = await this.take(passed);
    const kept: SinkPosition[] = [];
    for (const { queue, nextOffset } of taken.filter((reset) => this.isPassed(reset))) {
      const position = queues.get(queue)?.flushedPosition;
      if (position === undefined) continue;
      kept.push(position);
      const from = `queue ${queueKey(queue)} was read once from offset ${nextOffset} since the last commit`;
      this.tell(`${from} and resumes at offset ${position.nextOffset}`);
    }
    const newer = taken.filter((reset) => !this.isPassed(reset));
    // What this commit shows is left to the next look.
    if (kept.length > 0) await this.commit(kept);
    return [...resets.filter((reset) => !passed.includes(reset)), ...newer];
  }

  /**
   * Returns whether the operator may have sent the group ahead to an offset that the sink has passed since. The sink took what it had at the last
   * accepted commit before the reset: a reset to such a record is an order to read it again.
   */
  private isPassed({ queue, nextOffset }: OffsetReset): boolean {
    const intake = this.options.queues.get(queue);
    if (intake === undefined) return false;
    const taken = intake.accepted?.taken ?? intake.committed;
    return taken <= nextOffset && nextOffset < intake.flushedPosition.nextOffset;
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
          else this.tell(place);
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
   * Returns the queues whose offset has to be committed once more. The group has another offset where an operator has reset it, or a broker has
   * lost it. Only a commit shows a reset to the committed offset, and no other commit is due soon of a queue with nothing to flush, or with rare
   * flushes. Leaves out queues whose broker does not answer.
   */
  async suspects(): Promise<readonly QueueRef[]> {
    const { spec, ports, queues } = this.options;
    const nowMs = ports.clock.nowMs();
    const isSettled = (intake: QueueIntake): boolean =>
      intake.isAdvanced && nowMs - (intake.accepted?.atMs ?? -Infinity) < commitAgainMs;
    const answers = await Promise.allSettled(
      queues.all().map(async (intake) => {
        const offset = await ports.offsets.read(spec.group, intake.queue);
        return offset === intake.committed && isSettled(intake) ? undefined : intake.queue;
      }),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? (answer.value ?? []) : []));
  }

  /** Warns once of each member of the group outside this Connect cluster. Asks one broker a minute, each in turn. Never rejects. */
  async lookForStrangers(): Promise<void> {
    const { spec, ports, queues } = this.options;
    const nowMs = ports.clock.nowMs();
    const queue = queues.queues[this.looks % Math.max(1, queues.queues.length)];
    if (queue === undefined || nowMs < this.lookAtMs || this.strangers.size >= maxStrangers) return;
    this.looks++;
    this.lookAtMs = nowMs + strangersIntervalMs;
    const found = await ports.offsets.strangers(spec.group, queue).catch(() => []);
    const news = found.filter((id) => !this.strangers.has(id)).slice(0, maxStrangers - this.strangers.size);
    if (news.length === 0) return;
    for (const id of news) this.strangers.add(id);
    spec.warnings.add(
      `Consumer group ${spec.group} belongs to this sink, and other applications consume with it: client ${news.join(', ')}. ` +
        'They can move its offsets, so that records are lost or read twice. Give them a group of their own',
    );
  }

  private async take(resets: readonly OffsetReset[]): Promise<readonly OffsetReset[]> {
    const { spec, ports, policy, signal } = this.options;
    return Promise.all(
      resets.map((reset) =>
        retrying(policy('taking a reset of offsets'), signal, () => ports.offsets.takeReset(spec.group, reset)),
      ),
    );
  }

  private tell(text: string): void {
    const { spec } = this.options;
    spec.counters.offsetResets++;
    spec.warnings.add(`The offset of consumer group ${spec.group} was reset: ${text}`);
  }
}

function placeOf({ queue, nextOffset }: OffsetReset): string {
  return `queue ${queueKey(queue)} resumes at offset ${nextOffset}`;
}
