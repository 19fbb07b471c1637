import { queueKey } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { LaneContext } from './queue-lane.js';
import { readTail, type TailReading } from './read-tail.js';
import { sendBarrier, type BarrierSending } from './send-barrier.js';

export interface LaneServicePorts extends BarrierSending, TailReading {
  readonly messages: QueueMessages;
  readonly retried: (call: string) => Pick<RetryPolicy, 'waiting' | 'onRetry'>;
}

/** What lanes ask of the cluster beside sending: a queue's end, and what this generation really has in a queue. */
export function laneServices(
  ports: LaneServicePorts,
  { task, generation }: { readonly task: string; readonly generation: number },
): Pick<LaneContext, 'endOffset' | 'sendBarrier' | 'examine'> {
  const { messages, clock, backoff, signal, retried } = ports;
  return {
    endOffset: (queue) => {
      const policy = { clock, limits: backoff, ...retried(`asking for the end of queue ${queueKey(queue)}`) };
      return retrying(policy, signal, () => messages.endOffset(queue));
    },
    sendBarrier: (queue) => sendBarrier(ports, queue, { task, generation }),
    examine: async (queue, from, barrierOffset) => {
      const seqs = new Map<string, number>();
      const onStamp = ({ stream, seq }: { stream: string; seq: number }): unknown => seqs.set(stream, seq);
      await readTail(ports, { queue, from, barrierOffset, task, generation, onStamp });
      return seqs;
    },
  };
}
