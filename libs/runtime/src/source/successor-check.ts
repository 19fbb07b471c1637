import { queueKey, type QueueRef } from '@sluice/sdk';
import { isSucceededError, SucceededError } from '../host/succeeded-error.js';
import type { Lease } from '../ports/lease.port.js';

/** A queue and what is known of it. */
export interface SentQueue {
  readonly queue: QueueRef;
  /** No successor has sent anything to the queue before this offset; `undefined` where this generation has sent nothing to it. */
  readonly ownUpTo: number | undefined;
}

export interface SuccessorCheckOptions {
  readonly generation: number;
  readonly lease: Pick<Lease, 'doubtfulUpTo' | 'gaps'>;
  /** Reads a queue from an offset to its end and resolves with that. @throws SucceededError, also where a part is gone; QueueLostError */
  readonly look: (queue: QueueRef, from: number) => Promise<number>;
  /** A queue that takes no messages takes no barrier either. */
  readonly isStopped: (queue: QueueRef) => Promise<boolean>;
  readonly queues: () => Iterable<SentQueue>;
}

/**
 * Finds out, after a gap in the lease, whether a newer generation has sent records of the task. The control plane's log may have lost that there
 * was one; the queues have not. A successor puts a barrier into each queue that this generation has sent to, and sends no record before.
 */
export class SuccessorCheck {
  /** After so many gaps a queue had no barrier of a successor, and so the others have no record of one. */
  private clearedGaps = 0;

  constructor(private readonly options: SuccessorCheckOptions) {}

  /** Whether a queue that was cleared after so many gaps has to be checked before the next send. */
  isDue(clearedGaps: number): boolean {
    const { generation, lease } = this.options;
    return generation <= lease.doubtfulUpTo && clearedGaps < lease.gaps;
  }

  /**
   * Resolves once no successor has sent anything, with the gaps after which that holds. To be called with the lease.
   * @throws SucceededError, also where nobody can say; QueueLostError
   */
  async clear({ queue, ownUpTo }: SentQueue): Promise<SentQueue & { readonly gaps: number }> {
    const { lease, look, isStopped } = this.options;
    const { gaps } = lease;
    if (ownUpTo === undefined) {
      if (this.clearedGaps < gaps) await this.askOthers(queue);
      this.clearedGaps = Math.max(this.clearedGaps, gaps);
      return { queue, ownUpTo, gaps };
    }
    const end = await look(queue, ownUpTo);
    if (!(await isStopped(queue))) this.clearedGaps = Math.max(this.clearedGaps, gaps);
    return { queue, ownUpTo: end, gaps };
  }

  private async askOthers(unused: QueueRef): Promise<void> {
    const { generation, look, isStopped, queues } = this.options;
    for (const { queue, ownUpTo } of queues()) {
      if (ownUpTo === undefined || (await isStopped(queue))) continue;
      try {
        await look(queue, ownUpTo);
        return;
      } catch (error) {
        if (isSucceededError(error)) throw error;
      }
    }
    throw SucceededError.ofSource(
      generation,
      `no queue that this generation has sent to can tell whether one may send to ${queueKey(unused)}`,
    );
  }
}
