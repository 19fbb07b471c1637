import { backoffMs, type BackoffLimits } from '@sluice/time';
import type { QueueRef } from '../../routing/topic-route.js';
import { MessageFifo, type PendingMessage } from './pending-message.js';

const NONE: readonly PendingMessage[] = [];

/** What is on its way to one queue: at most one batch at a time, so that the queue keeps the order of the sends. */
export class Lane {
  /** Messages for this queue alone; those for any queue wait elsewhere. */
  readonly fifo = new MessageFifo();
  /** The batch on its way; empty when there is none. */
  underWay = NONE;
  /** The next batch is one for any queue if there is one: neither kind keeps the other waiting forever. */
  isOthersTurn = false;
  /** The queue is left alone until then; -Infinity for one that takes messages. */
  notBefore = -Infinity;
  #refusals = 0;

  constructor(readonly queue: QueueRef) {}

  get isBusy(): boolean {
    return this.underWay.length > 0;
  }

  settled(): void {
    this.underWay = NONE;
  }

  /** The broker said that the queue takes no messages. */
  refused(now: number, backoff: BackoffLimits): void {
    this.#refusals += 1;
    this.notBefore = now + backoffMs(this.#refusals, backoff);
  }

  accepted(): void {
    this.#refusals = 0;
    this.notBefore = -Infinity;
  }
}
