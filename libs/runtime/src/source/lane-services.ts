import type { QueueRef } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { boundTail, type BarrierSending } from './bound-tail.js';
import type { LaneContext } from './queue-lane.js';
import { readTail, type TailReading } from './read-tail.js';
import { SuccessorCheck, type SentQueue } from './successor-check.js';

export interface LaneServicePorts extends BarrierSending, TailReading {
  readonly messages: QueueMessages;
}

/** What lanes ask of the cluster beside sending: a queue's end, and what this generation and newer ones really have in a queue. */
export function laneServices(
  ports: LaneServicePorts,
  { task, generation }: { readonly task: string; readonly generation: number },
  queues: () => Iterable<SentQueue>,
): Pick<LaneContext, 'endOffset' | 'boundTail' | 'examine' | 'successors'> {
  const newestIn = async (queue: QueueRef, from: number): Promise<number | undefined> => {
    let newest = -1;
    const cut = await readTail(ports, {
      queue,
      from,
      to: await ports.messages.endOffset(queue),
      task,
      generation,
      onStamp: () => undefined,
      onGeneration: (found) => {
        newest = Math.max(newest, found);
      },
    });
    return cut === undefined ? newest : undefined;
  };
  return {
    successors: new SuccessorCheck({ generation, lease: ports.lease, newestIn, queues }),
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
