import { ConnectError, ConnectErrorCode, queueKey, type QueueRef } from '@sluice/sdk';

/** The offset at which a queue should be read is not there. */
export class QueueOffsetError extends ConnectError {
  constructor(
    readonly queue: QueueRef,
    readonly reason: 'below-min' | 'beyond-end',
    readonly offset: number,
    /** The oldest offset that is there, or the offset after the newest. */
    readonly limit: number,
  ) {
    super(ConnectErrorCode.positionInvalid, message(queueKey(queue), reason, offset, limit));
  }
}

function message(queue: string, reason: 'below-min' | 'beyond-end', offset: number, limit: number): string {
  switch (reason) {
    case 'below-min':
      return (
        `Queue ${queue} should be read at offset ${offset}, but retention removed everything before ${limit}: ` +
        `${limit - offset} record(s) are lost. Set the offset, or errors.tolerance=all, to go on behind them`
      );
    case 'beyond-end':
      return (
        `Queue ${queue} should be read at offset ${offset}, but it ends at ${limit}: it lost its tail or was created anew. ` +
        `Set the offset to go on`
      );
  }
}
