import type { QueueRef } from '@sluice/sdk';

/** Orders queues by topic, broker and number. */
export function compareQueues(a: QueueRef, b: QueueRef): number {
  return compareText(a.topic, b.topic) || compareText(a.brokerName, b.brokerName) || a.queueId - b.queueId;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
