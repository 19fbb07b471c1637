import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** A topic that no record can be sent to: it does not exist, or none of its queues is writable. */
export class NoQueueError extends ConnectError {
  constructor(readonly topic: string) {
    super(
      ConnectErrorCode.unavailable,
      `Topic ${topic} has no queue that may be read and written. Create it, or give it read and write permission (perm 6)`,
      {
        retriable: true,
      },
    );
  }
}
