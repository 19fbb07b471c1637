import type { QueueRef } from '@sluice/sdk';
import { stableId } from './stable-id.js';

/** Characters of a queue's tag. Of 100 queues, two share one with a probability below 1 in 10,000. */
export const QUEUE_TAG_LENGTH = 5;

/**
 * Names a queue in stamps and barriers: five base36 characters of a hash of topic, broker and queue number. A copy of a message with all
 * its properties has its stamp too. The tag shows readers of another queue that the stamp is not about theirs.
 */
export function queueTag({ topic, brokerName, queueId }: QueueRef): string {
  return stableId('queue', topic, brokerName, String(queueId)).slice(-QUEUE_TAG_LENGTH);
}

/** Returns whether the tag and then a full stop stand at `start`. */
export function isTag(text: string, start: number, tag: string): boolean {
  return text.startsWith(tag, start) && text[start + QUEUE_TAG_LENGTH] === '.';
}
