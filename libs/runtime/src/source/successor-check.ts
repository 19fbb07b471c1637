import { ConnectError, ConnectErrorCode, queueKey, type QueueRef } from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';

/** A newer generation of the task has sent records, or may have: readers drop what this one sends. */
export class SucceededError extends ConnectError {
  override readonly name = 'SucceededError';

  constructor(generation: number, why: string) {
    super(
      ConnectErrorCode.fenced,
      `Another runner may have had this task while its own had no contact to the control plane: ${why}. ` +
        `Readers may drop the records of generation ${generation}; the task needs a new one`,
    );
  }
}

/** A queue that this generation has sent to. */
export interface SentQueue {
  readonly queue: QueueRef;
  /** No successor has sent anything to the queue before this offset; `undefined` where that is not known. */
  readonly ownUpTo: number | undefined;
}

export interface SuccessorCheckOptions {
  readonly generation: number;
  readonly lease: Pick<Lease, 'doubtfulUpTo'>;
  /** The newest generation of the task in a queue from an offset on; `undefined` where retention has removed a part. */
  readonly newestIn: (queue: QueueRef, from: number) => Promise<number | undefined>;
  readonly queues: () => Iterable<SentQueue>;
}

/**
 * Finds out, after a gap in the lease, whether a newer generation has sent records of the task. The control plane's log may have lost that there
 * was one; the queues have not. A successor puts a barrier into each queue that this generation has sent to, and sends no record before.
 */
export class SuccessorCheck {
  /** As `clearedUpTo` of lanes: where a queue has no barrier, the others have no record of a successor. */
  private clearedUpTo = -1;

  constructor(private readonly options: SuccessorCheckOptions) {}

  /** Whether a lane that was cleared up to a number has to be checked before it sends. */
  isDue(clearedUpTo: number): boolean {
    const { generation, lease } = this.options;
    return generation <= lease.doubtfulUpTo && clearedUpTo < lease.doubtfulUpTo;
  }

  /**
   * Resolves with what the queue is cleared up to then. To be called with the lease.
   * @throws SucceededError, also where nobody can say; QueueLostError
   */
  async clear({ queue, ownUpTo }: SentQueue): Promise<number> {
    const upTo = this.options.lease.doubtfulUpTo;
    if (ownUpTo === undefined) await this.clearUnused(queue, upTo);
    else await this.throwIfSucceeded(queue, ownUpTo);
    this.clearedUpTo = Math.max(this.clearedUpTo, upTo);
    return upTo;
  }

  private async clearUnused(unused: QueueRef, upTo: number): Promise<void> {
    if (this.clearedUpTo >= upTo) return;
    for (const { queue, ownUpTo } of this.options.queues()) {
      if (ownUpTo !== undefined) return this.throwIfSucceeded(queue, ownUpTo);
    }
    throw this.succeeded(`this generation has sent nothing yet, so queue ${queueKey(unused)} cannot tell`);
  }

  private async throwIfSucceeded(queue: QueueRef, from: number): Promise<void> {
    const newest = await this.options.newestIn(queue, from);
    if (newest === undefined)
      throw this.succeeded(`retention has removed a part of queue ${queueKey(queue)} from offset ${from} on`);
    if (newest > this.options.generation)
      throw this.succeeded(`queue ${queueKey(queue)} holds generation ${newest} of it from offset ${from} on`);
  }

  private succeeded(why: string): SucceededError {
    return new SucceededError(this.options.generation, why);
  }
}
