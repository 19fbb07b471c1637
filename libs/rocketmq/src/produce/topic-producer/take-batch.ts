import type { MessageFifo, PendingMessage } from './pending-message.js';

export interface BatchLimits {
  readonly maxBatchMessages: number;
  /** As brokers count them. */
  readonly maxBatchBytes: number;
  /** How long a batch that is not full waits for more. */
  readonly lingerMs: number;
}

/** Returns whether the next batch need not wait for more messages. */
export function isBatchDue(fifo: MessageFifo, limits: BatchLimits, now: number): boolean {
  const head = fifo.peek();
  return head !== undefined && batchDueAt(head, fifo, limits) <= now;
}

/** When the next batch goes even if no message is added, on the clock of `sentAt`; `-Infinity`: at once. */
export function batchDueAt(head: PendingMessage, fifo: MessageFifo, limits: BatchLimits): number {
  const isFull = fifo.count >= limits.maxBatchMessages || fifo.bytes >= limits.maxBatchBytes;
  return isFull || goesAlone(head) || head.lastError !== undefined ? -Infinity : head.sentAt + limits.lingerMs;
}

/**
 * Returns the messages of the next batch: from the front of the list, or the first one alone where it cannot be with others. A batch
 * has one born time.
 */
export function takeBatch(fifo: MessageFifo, limits: BatchLimits): PendingMessage[] {
  const first = fifo.take();
  if (first === undefined) return [];
  const batch = [first];
  if (goesAlone(first)) return batch;
  let bytes = first.prepared.storedBytes;
  while (batch.length < limits.maxBatchMessages) {
    const next = fifo.peek();
    if (next === undefined || goesAlone(next) || next.prepared.bornAt !== first.prepared.bornAt) break;
    bytes += next.prepared.storedBytes;
    if (bytes > limits.maxBatchBytes) break;
    fifo.take();
    batch.push(next);
  }
  return batch;
}

function goesAlone(message: PendingMessage): boolean {
  return message.isAlone || message.prepared.isSingle;
}
