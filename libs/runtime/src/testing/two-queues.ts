import { queueKey } from '@sluice/sdk';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { SourceLoopSettings } from '../source/source-loop-options.js';
import type { SourceTaskLoop } from '../source/source-task-loop.js';
import type { FakeQueue, SendFate } from './fake-cluster.js';
import type { ListSource } from './list-source.js';
import { SourceWorld } from './source-world.js';

/** The records t0, t1, ... of topic t. */
export const recordsOf = (count: number): { topic: string; value: string }[] =>
  Array.from({ length: count }, (_, index) => ({ topic: 't', value: `t${index}` }));

/** Their values, from one on. */
export const valuesOf = (count: number, from = 0): string[] => Array.from({ length: count - from }, (_, index) => `t${index + from}`);

export interface TwoQueues {
  readonly world: SourceWorld;
  readonly loop: SourceTaskLoop;
  readonly counters: TaskCounters;
  /** What the source gives; it may grow. */
  readonly list: { topic: string; value: string }[];
  /** The queue that has the first five records, and the one that has none. */
  readonly first: FakeQueue;
  readonly other: FakeQueue;
  readonly stop: (queue: FakeQueue, state: 'closed' | 'refusing' | 'unavailable') => void;
}

/** Stops the queue that has the first records with the next send, which ends so. */
export function stopWithNextSend({ world, first, stop }: TwoQueues, state: 'refusing' | 'unavailable', fate: SendFate): void {
  world.cluster.fate = () => {
    stop(first, state);
    world.cluster.fate = () => ({ kind: 'store' });
    return fate;
  };
}

/**
 * Runs a source that has sent five records of one partition, in a topic with a queue on each of two brokers.
 *
 * @param empty the other partitions
 */
export async function onTwoQueues(settings: Partial<SourceLoopSettings> = {}, empty: ListSource['lists'] = {}): Promise<TwoQueues> {
  const world = new SourceWorld();
  world.cluster.addTopic('t', 1, 'broker-a');
  world.cluster.addTopic('t', 1, 'broker-b');
  const list = recordsOf(5);
  const { loop, counters } = world.loop(world.source({ a: list, ...empty }, 4), { settings });
  await loop.start();
  await world.clock.until(() => counters.recordsSent === 5);
  await world.clock.advance(2000);
  const [one, two] = world.cluster.queuesOf('t').map((ref) => world.cluster.queue(ref));
  if (one === undefined || two === undefined) throw new Error('There are two queues');
  const [first, other] = one.messages.length > 0 ? [one, two] : [two, one];
  const stop = (queue: FakeQueue, state: 'closed' | 'refusing' | 'unavailable'): void => {
    world.cluster.stopped.set(queueKey(queue.ref), state);
  };
  return { world, loop, counters, list, first, other, stop };
}
