import { parseBarrier, parseStamp, queueTag, scanBarrier, scanStamp } from '@sluice/protocol';
import { StreamFilter } from '../task/stream-filter.js';
import type { FakeQueue } from './fake-cluster.js';

/** The bodies of a queue as readers see them that drop duplicates. */
export function readValid(queue: FakeQueue): readonly string[] {
  const filter = new StreamFilter();
  const tag = queueTag(queue.ref);
  const seen: string[] = [];
  for (const { rawProperties, body, storeTimestamp } of queue.messages) {
    const barrier = parseBarrier(scanBarrier(rawProperties) ?? '', tag);
    if (barrier !== undefined) {
      filter.barrier(barrier.task, barrier.generation, storeTimestamp);
      continue;
    }
    const stamp = parseStamp(scanStamp(rawProperties) ?? '', tag);
    if (stamp === undefined || filter.judge(stamp, storeTimestamp) === 'accept') seen.push(body.toString('utf8'));
  }
  return seen;
}

/** Every record's body that anyone could see, duplicates ones included. */
export function readEverything(queue: FakeQueue): readonly string[] {
  return queue.messages.filter(({ rawProperties }) => scanBarrier(rawProperties) === undefined).map(({ body }) => body.toString('utf8'));
}
