import type { QueueRef } from './topic-route.js';
import type { TolerantKey, TolerantMap, TolerantValue } from '../wire/tolerant-json.js';
import { asMap, readMap, readNumber, readText } from '../wire/tolerant-reader.js';

/** Decodes `{offsetTable: {{queue}: value}}`, sorted by topic, broker and queue. @throws MalformedDataError */
export function queueTable<T extends { readonly queue: QueueRef }>(
  root: TolerantMap,
  decode: (queue: QueueRef, value: TolerantValue) => T,
): T[] {
  const rows = [...readMap(root, 'offsetTable')].map(([key, value]) => decode(queueOf(key), value));
  return rows.sort((a, b) => compareQueues(a.queue, b.queue));
}

/** @throws MalformedDataError */
export function queueOf(key: TolerantKey): QueueRef {
  const map = asMap(typeof key === 'string' ? undefined : key, 'queue');
  return {
    topic: readText(map, 'topic'),
    brokerName: readText(map, 'brokerName'),
    queueId: readNumber(map, 'queueId'),
  };
}

export function compareQueues(a: QueueRef, b: QueueRef): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1;
  return a.queueId - b.queueId;
}
