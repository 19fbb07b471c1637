import { type QueueRef } from '../../routing/topic-route.js';
import { MessageFifo } from './pending-message.js';

/** What is on its way to one queue: at most one batch at a time, so that the queue keeps the order of the sends. */
export class Lane {
  /** Messages for this queue alone; those for any queue wait elsewhere. */
  readonly fifo = new MessageFifo();
  isBusy = false;
  /** The next batch is one for any queue if there is one: neither kind keeps the other waiting for ever. */
  isOthersTurn = false;

  constructor(readonly queue: QueueRef) {}
}
