import type { LogEvent, LogMessage, QueueBounds, ReadEntry, TailAnswer, TailQuestion } from '@sluice/core';
import { decodeLogEntry, entryDigest, MalformedMessageError, PROTOCOL_VERSION } from '@sluice/protocol';
import type { QueueReader, QueueRef, RocketMqClient, StoredMessage } from '@sluice/rocketmq';
import { fittingAnswer } from './known-queue.js';

const PROBE_TIMEOUT_MS = 2000;
const READ_AHEAD = 4;
/** Messages that brokers give in one answer by default, at most. */
const ONE_ANSWER = 32;

/** The log's only queue, read by offset. */
export class LogQueue {
  constructor(
    private readonly client: RocketMqClient,
    private readonly ref: QueueRef,
    private readonly group: string,
  ) {}

  async bounds(signal: AbortSignal): Promise<QueueBounds> {
    const { admin } = this.client;
    const [minOffset, maxOffset] = await Promise.all([admin.minOffset(this.ref, { signal }), admin.maxOffset(this.ref, { signal })]);
    return { minOffset, maxOffset };
  }

  /** Answers with what the master says at once. Messages that stand close together are looked at in one pull. */
  async answer({ about, nextOffset }: TailQuestion, signal: AbortSignal): Promise<TailAnswer> {
    const from = about[0]?.offset ?? nextOffset;
    const last = about.at(-1);
    const count = last === undefined ? 1 : last.offset - from + 1;
    const { digests, bounds } = await this.#pullAt(from, count <= ONE_ANSWER ? count : 1, signal);
    if (last === undefined || digests.has(last.offset) || last.offset === from) {
      return { found: about.map(({ offset }) => digests.get(offset)), bounds };
    }
    const other = await this.#pullAt(last.offset, 1, signal);
    return { found: [digests.get(from), other.digests.get(last.offset)], bounds: other.bounds };
  }

  async #pullAt(
    offset: number,
    maxMessages: number,
    signal: AbortSignal,
  ): Promise<{ readonly digests: ReadonlyMap<number, string>; readonly bounds: QueueBounds }> {
    const { kind, messages, minOffset, maxOffset } = await fittingAnswer(maxMessages, (count) =>
      this.client.consumer.pull({
        queue: this.ref,
        offset,
        group: this.group,
        maxMessages: count,
        suspendMs: 0,
        timeoutMs: PROBE_TIMEOUT_MS,
        signal,
      }),
    );
    const digests = new Map<number, string>();
    for (const message of kind === 'found' ? messages : []) {
      if (digests.size === 0 || message === messages.at(-1)) digests.set(message.queueOffset, entryDigest(message.body));
    }
    return { digests, bounds: { minOffset, maxOffset } };
  }

  /** The entries from `from` up to but without `to`; what cannot be understood is left out. */
  async read(from: number, to: number, signal: AbortSignal): Promise<readonly ReadEntry[]> {
    const reader = this.reader(from, READ_AHEAD, signal);
    const entries: ReadEntry[] = [];
    try {
      for (let next = from; next < to;) {
        const messages = await reader.next();
        for (const message of messages) {
          next = message.queueOffset + 1;
          const decoded = next > to ? undefined : decodeLogMessage(message);
          if (decoded !== undefined && 'entry' in decoded) entries.push(decoded);
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

/** An entry with the digest of its bytes, or why this build cannot decode it. */
export function decodeLogMessage(message: StoredMessage): LogMessage {
  const digest = entryDigest(message.body);
  try {
    return { offset: message.queueOffset, digest, entry: decodeLogEntry<LogEvent>(message.body) };
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error;
    const { v, logId } = error.fields ?? {};
    return {
      offset: message.queueOffset,
      digest,
      why: error.message,
      logId: typeof logId === 'string' ? logId : undefined,
      isNewer: typeof v === 'number' && v > PROTOCOL_VERSION,
    };
  }
}
