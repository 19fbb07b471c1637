import type { LogEvent, QueueBounds, ReadEntry } from '@sluice/core';
import { decodeLogEntry, entryDigest, MalformedMessageError } from '@sluice/protocol';
import type { QueueReader, QueueRef, RocketMqClient, StoredMessage } from '@sluice/rocketmq';

export interface TailAnswer {
  /** Digest of the message at the offset that was asked for, if it is there. */
  readonly digest: string | undefined;
  readonly bounds: QueueBounds;
}

const probeTimeoutMs = 2000;
const readAhead = 4;

/** The log's only queue, read by offset. */
export class LogQueue {
  constructor(
    private readonly client: RocketMqClient,
    private readonly ref: QueueRef,
    private readonly group: string,
  ) {}

  async bounds(signal: AbortSignal): Promise<QueueBounds> {
    const { admin } = this.client;
    const [minOffset, maxOffset] = await Promise.all([
      admin.minOffset(this.ref, { signal }),
      admin.maxOffset(this.ref, { signal }),
    ]);
    return { minOffset, maxOffset };
  }

  /** What stands at an offset now and where the queue ends, as the master says at once. */
  async at(offset: number, signal: AbortSignal): Promise<TailAnswer> {
    const { kind, messages, minOffset, maxOffset } = await this.client.consumer.pull({
      queue: this.ref,
      offset,
      group: this.group,
      maxMessages: 1,
      suspendMs: 0,
      timeoutMs: probeTimeoutMs,
      signal,
    });
    const message = kind === 'found' ? messages[0] : undefined;
    const digest = message?.queueOffset === offset ? entryDigest(message.body) : undefined;
    return { digest, bounds: { minOffset, maxOffset } };
  }

  /** The entries from `from` up to but without `to`; what cannot be understood is left out. */
  async read(from: number, to: number, signal: AbortSignal): Promise<readonly ReadEntry[]> {
    const reader = this.reader(from, readAhead, signal);
    const entries: ReadEntry[] = [];
    try {
      for (let next = from; next < to;) {
        const messages = await reader.next();
        for (const message of messages) {
          next = message.queueOffset + 1;
          const entry = next > to ? undefined : decodeEntry(message);
          if (entry !== undefined && !(entry instanceof MalformedMessageError)) entries.push(entry);
        }
      }
    } finally {
      reader.close();
    }
    return entries;
  }

  reader(from: number, ahead: number, signal: AbortSignal): QueueReader {
    return this.client.consumer.readQueue(this.ref, { from, group: this.group, ahead, signal });
  }
}

/** An entry with the digest of its bytes, or why it cannot be understood. */
export function decodeEntry(message: StoredMessage): ReadEntry | MalformedMessageError {
  try {
    const entry = decodeLogEntry<LogEvent>(message.body);
    return { offset: message.queueOffset, digest: entryDigest(message.body), entry };
  } catch (error) {
    if (error instanceof MalformedMessageError) return error;
    throw error;
  }
}
