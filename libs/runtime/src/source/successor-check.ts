import { ConnectError, ConnectErrorCode, queueKey, type QueueRef } from '@sluice/sdk';
import { SupersededError } from '../task/superseded-error.js';
import { isDoubtful, type Lease } from '../ports/lease.port.js';
import type { QueueLook } from './writable-queues.js';

/** A queue, and how far no successor has sent to it. */
export interface SentQueue {
  readonly queue: QueueRef;
  /** No successor has sent anything to the queue before this offset; `undefined` where this generation has sent nothing to it. */
  readonly ownUpTo: number | undefined;
  /** When the message before that offset was stored; `undefined` where it is this generation's. */
  readonly storedMs?: number | undefined;
}

/** How far a queue was looked at, and when the last message there was stored. */
export type LookedAt = Required<Pick<SentQueue, 'ownUpTo' | 'storedMs'>>;

export interface SuccessorCheckOptions {
  readonly generation: number;
  readonly lease: Pick<Lease, 'doubtfulUpTo' | 'gaps'>;
  /**
   * Reads a queue from an offset to its end and resolves with how far it looked.
   * @throws SupersededError, also where messages are missing or others are in their place; QueueLostError
   */
  readonly look: (queue: QueueRef, from: number, storedMs: number | undefined) => Promise<LookedAt>;
  /** Resolves with whether a queue takes messages, and so barriers too. */
  readonly stateOf: (queue: QueueRef) => Promise<QueueLook['state']>;
  readonly queues: () => Iterable<SentQueue>;
}

/** Reports that the name servers do not answer, so nobody knows which queues would take a successor's barrier. */
class UndecidedError extends ConnectError {
  constructor(unused: QueueRef) {
    super(
      ConnectErrorCode.unavailable,
      `No name server says which queues take messages, before the first send to ${queueKey(unused)}. The task asks again`,
      { retriable: true },
    );
  }
}

/**
 * Finds out, after a gap in the lease, whether a newer generation has sent records of the task. The control plane's log may have lost that
 * generation; the queues have not. A successor puts a barrier into each queue that this generation has sent to, and sends no record before.
 */
export class SuccessorCheck {
  /** Gaps after which a queue held no barrier of a successor: then no other queue holds a record of one. */
  #clearedGaps = 0;

  constructor(private readonly options: SuccessorCheckOptions) {}

  /** Returns whether a queue that was cleared after so many gaps has to be checked before the next send. */
  isDue(clearedGaps: number): boolean {
    const { generation, lease } = this.options;
    return isDoubtful(lease, generation, clearedGaps);
  }

  /**
   * Resolves once the queues show that no successor has sent anything, with the gaps after which that holds. To be called with the lease.
   * @throws SupersededError, also where no queue can show that; UndecidedError, QueueLostError
   */
  async clear({ queue, ownUpTo, storedMs }: SentQueue): Promise<SentQueue & { readonly gaps: number }> {
    const { lease, look, stateOf } = this.options;
    const { gaps } = lease;
    if (ownUpTo === undefined) {
      if (this.#clearedGaps < gaps) await this.#askOthers(queue);
      this.#clearedGaps = Math.max(this.#clearedGaps, gaps);
      return { queue, ownUpTo, gaps };
    }
    const lookedAt = await look(queue, ownUpTo, storedMs);
    if ((await stateOf(queue)) === 'writable') this.#clearedGaps = Math.max(this.#clearedGaps, gaps);
    return { queue, ...lookedAt, gaps };
  }

  async #askOthers(unused: QueueRef): Promise<void> {
    const { generation, look, stateOf, queues } = this.options;
    let isUndecided = false;
    for (const { queue, ownUpTo, storedMs } of queues()) {
      if (ownUpTo === undefined) continue;
      const state = await stateOf(queue);
      if (state === 'closed' || state === 'unavailable') continue;
      try {
        await look(queue, ownUpTo, storedMs);
        if (state === 'writable') return;
        isUndecided = true;
      } catch (error) {
        if (error instanceof SupersededError) throw error;
      }
    }
    if (isUndecided) throw new UndecidedError(unused);
    throw SupersededError.ofSource(
      generation,
      `no queue that this generation has sent to can show whether a newer one exists, before it sends to ${queueKey(unused)}`,
    );
  }
}
