import type { QueueRef } from '@sluice/sdk';
import { compareText } from '../text-order.js';

/** Orders queues by topic, broker and number. */
export function compareQueues(a: QueueRef, b: QueueRef): number {
  return compareText(a.topic, b.topic) || compareText(a.brokerName, b.brokerName) || a.queueId - b.queueId;
}
