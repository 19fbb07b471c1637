import { createHash } from 'node:crypto';
import {
  BrokerResponseError,
  isQueueRefused,
  isRetriableRocketMqError,
  type QueueRef,
  type RocketMqClient,
  SendOutcomeUnknownError,
  TopicNotFoundError,
  writableQueues,
} from '@sluice/rocketmq';
import { retry, withinTime } from '@sluice/time';
import type { RedrivenMessage } from './plan-letter.js';

/**
 * What became of a send. `refused`: nothing was stored, and another try changes nothing. `unavailable`: nothing was stored, and the others
 * would fare alike. `unknown`: it may be stored.
 */
export type SendOutcome = { readonly kind: 'sent' } | { readonly kind: 'refused' | 'unavailable' | 'unknown'; readonly reason: string };

const SEND_TIMEOUT_MS = 10_000;
/** How long a reply is waited for that is late. */
const LATE_REPLY_MS = 30_000;
/** How long a send is repeated of which nothing was stored. */
const RETRY_MS = 30_000;
const RETRY_PAUSES = { initialMs: 100, maxMs: 3_000 } as const;

/** Nobody knows whether the record was stored. */
class UnknownOutcomeError extends Error {}

/** No queue of the topic takes messages now. */
class NoQueueError extends Error {
  constructor(topic: string) {
    super(`topic '${topic}' has no queue that takes messages`);
  }
}

/** Sends records one by one. */
export class RecordSender {
  /** By topic: why it took no record. It is not asked again. */
  readonly #closed = new Map<string, string>();

  constructor(
    private readonly client: RocketMqClient,
    /** Ends the tries; one that is under way comes to its end. */
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Sends a record to the wanted queue of a topic where that takes messages. Else the lane fixes the queue, so that records of one lane stay in
   * order. Never rejects.
   */
  async send(topic: string, wanted: QueueRef | undefined, lane: string, message: RedrivenMessage): Promise<SendOutcome> {
    const closed = this.#closed.get(topic);
    if (closed !== undefined) return { kind: 'refused', reason: closed };
    try {
      await retry(() => this.#try(topic, wanted, lane, message), {
        limits: RETRY_PAUSES,
        signal: this.signal,
        limitMs: RETRY_MS,
        mayRetry: isPassing,
        onRetry: () => void this.client.routes.refresh(topic).catch(() => undefined),
      });
      return { kind: 'sent' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof UnknownOutcomeError) return { kind: 'unknown', reason };
      if (error instanceof NoQueueError || error instanceof TopicNotFoundError) this.#closed.set(topic, reason);
      else if (isPassing(error)) return { kind: 'unavailable', reason };
      return { kind: 'refused', reason };
    }
  }

  async #try(topic: string, wanted: QueueRef | undefined, lane: string, message: RedrivenMessage): Promise<void> {
    const queues = writableQueues(await this.client.routes.get(topic));
    const isWanted = (queue: QueueRef): boolean => queue.brokerName === wanted?.brokerName && queue.queueId === wanted.queueId;
    const queue = queues.find(isWanted) ?? queues[hashOf(lane) % Math.max(1, queues.length)];
    if (queue === undefined) throw new NoQueueError(topic);
    try {
      await this.client.producer.sendEncoded(queue, message, { timeoutMs: SEND_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof SendOutcomeUnknownError)) throw error;
      await requireStored(error);
    }
  }
}

/** Waits for a late reply. @throws UnknownOutcomeError where none comes, or why nothing was stored */
async function requireStored({ message, settled }: SendOutcomeUnknownError): Promise<void> {
  const late = await withinTime(settled, LATE_REPLY_MS, () => new UnknownOutcomeError(message));
  if (late.kind === 'failed') throw late.error;
  if (late.kind === 'unknown') throw new UnknownOutcomeError(message);
}

/** Returns whether another try may store the record, of which nothing is stored. */
function isPassing(error: unknown): boolean {
  if (error instanceof NoQueueError || (error instanceof BrokerResponseError && isQueueRefused(error))) return true;
  return isRetriableRocketMqError(error);
}

function hashOf(lane: string): number {
  return createHash('sha256').update(lane).digest().readUInt32BE(0);
}
