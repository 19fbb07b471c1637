import type { CheckedMessage } from './outgoing-message.js';

export interface RequestLimits {
  readonly maxMessages: number;
  /** Of what the broker stores for all messages of one request together: its `maxMessageSize`. */
  readonly maxBytes: number;
}

/** Requests that must go one after the other, each a list of messages. Different lanes may go at the same time. */
export type RequestLane<T extends CheckedMessage> = readonly (readonly T[])[];

/** What the broker stores beside body and given properties: fixed fields, topic, and the properties that the Proxy adds. */
const STORED_OVERHEAD_BYTES = 512;

/**
 * Puts messages into requests. Only plain messages share one. The Proxy picks the queue of a request by its message group
 * only when it holds one message, and refuses batches of delayed ones. The messages of a group form one lane.
 */
export function planRequests<T extends CheckedMessage>(messages: readonly T[], limits: RequestLimits): RequestLane<T>[] {
  const groups = new Map<string, T[][]>();
  const lanes: RequestLane<T>[] = [];
  let batch: T[] = [];
  let batchBytes = 0;
  for (const checked of messages) {
    const { messageGroup, deliverAt } = checked.message;
    if (messageGroup !== undefined) {
      const lane = groups.get(messageGroup);
      if (lane === undefined) groups.set(messageGroup, [[checked]]);
      else lane.push([checked]);
      continue;
    }
    if (deliverAt !== undefined) {
      lanes.push([[checked]]);
      continue;
    }
    const bytes = storedBytes(checked);
    if (batch.length > 0 && (batch.length >= limits.maxMessages || batchBytes + bytes > limits.maxBytes)) {
      lanes.push([batch]);
      batch = [];
      batchBytes = 0;
    }
    batch.push(checked);
    batchBytes += bytes;
  }
  if (batch.length > 0) lanes.push([batch]);
  return [...lanes, ...groups.values()];
}

function storedBytes({ message }: CheckedMessage): number {
  let bytes = STORED_OVERHEAD_BYTES + message.body.length + Buffer.byteLength(message.tag ?? '');
  for (const key of message.keys ?? []) bytes += Buffer.byteLength(key) + 1;
  for (const [name, value] of message.properties ?? []) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
  }
  return bytes;
}
