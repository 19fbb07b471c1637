import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { describeStop, type QueueStop } from './writable-queues.js';

/** What a queue holds cannot be read, and is not waited for any longer. */
export class QueueLostError extends ConnectError {
  override readonly name = 'QueueLostError';

  constructor(stop: QueueStop) {
    super(ConnectErrorCode.unavailable, describeStop(stop));
  }
}

/** Throws when the queue's broker is unavailable for longer than the task waits. */
export function throwIfLost(stop: QueueStop | undefined): void {
  if (stop?.isOverdue === true && stop.state === 'unavailable') throw new QueueLostError(stop);
}

/** Across package copies and realms, where `instanceof` fails. */
export function isQueueLostError(error: unknown): error is QueueLostError {
  return error instanceof Error && error.name === 'QueueLostError';
}
