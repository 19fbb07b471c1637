import type { QueueMessages } from '../ports/queue-messages.port.js';
import { boundTail, type BarrierSending } from './bound-tail.js';
import type { LaneContext } from './queue-lane.js';
import { readTail, type TailReading } from './read-tail.js';

export interface LaneServicePorts extends BarrierSending, TailReading {
  readonly messages: QueueMessages;
}

/** What lanes ask of the cluster beside sending: a queue's end, and what this generation really has in a queue. */
export function laneServices(
  ports: LaneServicePorts,
  { task, generation }: { readonly task: string; readonly generation: number },
): Pick<LaneContext, 'endOffset' | 'boundTail' | 'examine'> {
  return {
    endOffset: (queue) => ports.messages.endOffset(queue),
    boundTail: (queue) => boundTail(ports, queue, { task, generation }),
    examine: async (queue, from, to) => {
      const seqs = new Map<string, number>();
      const onStamp = ({ stream, seq }: { stream: string; seq: number }): unknown => seqs.set(stream, seq);
      await readTail(ports, { queue, from, to, task, generation, onStamp });
      return seqs;
    },
  };
}
