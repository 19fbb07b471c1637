import { ConnectError, ConnectErrorCode, queueKey, type QueueRef } from '@sluice/sdk';

/** `below-min`: retention has passed the offset; `beyond-end`: it lies behind the end; `replaced`: the queue holds other messages. */
export type OffsetProblem = 'below-min' | 'beyond-end' | 'replaced';

/** Reports that the offset at which a queue should be read is not there, or is that of another message. */
export class QueueOffsetError extends ConnectError {
  readonly queue: QueueRef;
  readonly reason: OffsetProblem;
  readonly offset: number;
  /** The oldest offset that is there, or the offset after the newest. */
  readonly limit: number;

  constructor(
    found: {
      readonly queue: QueueRef;
      readonly reason: OffsetProblem;
      readonly offset: number;
      readonly limit: number;
    },
    group: string,
    detail = '',
  ) {
    super(ConnectErrorCode.positionInvalid, `${problem(found, detail)}. ${remedy(found, group)}`);
    this.queue = found.queue;
    this.reason = found.reason;
    this.offset = found.offset;
    this.limit = found.limit;
  }
}

type Found = ConstructorParameters<typeof QueueOffsetError>[0];

function problem({ queue, reason, offset, limit }: Found, detail: string): string {
  const what = `Queue ${queueKey(queue)} should be read at offset ${offset}`;
  switch (reason) {
    case 'below-min':
      return `${what}, but retention removed everything before ${limit}: ${limit - offset} record(s) are lost`;
    case 'beyond-end':
      return `${what}, but it ends at ${limit}: it lost its tail or was created again`;
    case 'replaced':
      return `${what}, but ${detail}: the queue lost its tail or was created again`;
  }
}

/** The command needs RocketMQ 5.2, which keeps the reset until the sink takes it. */
function remedy({ queue, reason }: Found, group: string): string {
  const command = `mqadmin resetOffsetByTime -n <name server> -g ${group} -t ${queue.topic} -s 0`;
  const tolerate = reason === 'below-min' ? ', or set errors.tolerance=all' : '';
  return `To read the topic from its oldest message, run "${command}" (-s now: from its end)${tolerate}; then restart the task`;
}
