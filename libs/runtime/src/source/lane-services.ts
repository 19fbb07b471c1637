import { parseStamp, queueTag, scanStamp } from '@sluice/protocol';
import { queueKey, type QueueRef } from '@sluice/sdk';
import { SupersededError } from '../task/superseded-error.js';
import type { QueueMessages, RawMessage } from '../ports/queue-messages.port.js';
import { boundTail, type BarrierSending } from './bound-tail.js';
import type { QueueLaneOptions } from './queue-lane-options.js';
import { readTail, type TailReading } from './read-tail.js';
import { SuccessorCheck, type LookedAt, type SentQueue } from './successor-check.js';
import type { QueueLook } from './writable-queues.js';

/** The most messages to look through, for others may have sent many: a new generation costs less than reading more. */
const MAX_LOOK_MESSAGES = 100_000;

export interface LaneServicePorts extends BarrierSending, TailReading {
  readonly messages: QueueMessages;
}

/** What lanes ask of the cluster beside sending: a queue's end, and what this generation and newer ones really have in a queue. */
export function laneServices(
  ports: LaneServicePorts,
  { task, generation }: { readonly task: string; readonly generation: number },
  queues: () => Iterable<SentQueue>,
): Pick<QueueLaneOptions, 'endOffset' | 'boundTail' | 'examine' | 'successors'> {
  /** The last message before an offset. */
  const before = async (queue: QueueRef, offset: number): Promise<RawMessage | undefined> => {
    if (offset === 0) return undefined;
    for await (const [message] of ports.messages.range(queue, offset - 1, offset, ports.signal)) return message;
    return undefined;
  };
  const isOwn = (queue: QueueRef, { rawProperties }: RawMessage): boolean => {
    const stamp = parseStamp(scanStamp(rawProperties) ?? '', queueTag(queue));
    return stamp?.task === task && stamp.generation === generation;
  };
  const look = async (queue: QueueRef, from: number, storedMs: number | undefined): Promise<LookedAt> => {
    const to = await ports.messages.endOffset(queue);
    const what = `queue ${queueKey(queue)} from offset ${from} on`;
    if (to < from) throw SupersededError.ofSource(generation, `${what} has lost its messages`);
    if (to - from > MAX_LOOK_MESSAGES) {
      throw SupersededError.ofSource(generation, `${what} has ${to - from} messages, too many to look through`);
    }
    // A queue that lost its end or was created again may have grown beyond the offset.
    const known = await before(queue, from);
    if (known === undefined || !(storedMs === undefined ? isOwn(queue, known) : known.storeTimestamp === storedMs)) {
      throw SupersededError.ofSource(generation, `${what} follows another message than before`);
    }
    const onGeneration = (found: number): void => {
      if (found > generation) throw SupersededError.ofSource(generation, `${what} holds generation ${found} of the task`);
    };
    const onStamp = (): void => undefined;
    const cut = await readTail(ports, { queue, from, to, task, generation, onStamp, onGeneration });
    if (cut !== undefined) throw SupersededError.ofSource(generation, `retention has removed a part of ${what}`);
    return { ownUpTo: to, storedMs: to === from ? storedMs : (await before(queue, to))?.storeTimestamp };
  };
  const stateOf = async (queue: QueueRef): Promise<QueueLook['state']> => (await ports.queues.look(queue)).state;
  return {
    successors: new SuccessorCheck({ generation, lease: ports.lease, look, stateOf, queues }),
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
