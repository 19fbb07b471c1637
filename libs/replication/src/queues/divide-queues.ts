import { queueKey, type QueueRef } from '@sluice/sdk';
import { compareQueues } from './queue-order.js';

/** What a task owns: single queues, or whole topics. */
export type TaskGranularity = 'topic' | 'queue';

/**
 * Divides queues among at most `maxTasks` tasks. No task has more than one queue, or one topic, more than another, and none has none. The same queues give
 * the same tasks, in the same order. The queues of a topic are spread over the tasks where they are divided one by one.
 *
 * @param queues each once, in any order
 * @returns the queues of each task, in order; no task where there is no queue
 */
export function divideQueues(
  queues: readonly QueueRef[],
  maxTasks: number,
  granularity: TaskGranularity,
): readonly (readonly QueueRef[])[] {
  const units = new Map<string, QueueRef[]>();
  for (const queue of [...queues].sort(compareQueues)) {
    const unit = granularity === 'topic' ? queue.topic : queueKey(queue);
    const members = units.get(unit);
    if (members === undefined) units.set(unit, [queue]);
    else members.push(queue);
  }
  const tasks: QueueRef[][] = Array.from({ length: Math.min(maxTasks, units.size) }, () => []);
  for (const [index, members] of [...units.values()].entries()) tasks[index % tasks.length]?.push(...members);
  return tasks;
}
