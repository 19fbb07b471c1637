import { setTimeout as delay } from 'node:timers/promises';
import { BatchEncoder, isRocketMqError, type QueueRef, type RocketMqClient, SendOutcomeUnknownError } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const BATCH = 10;
const RETRY_MS = 50;
/** A steady load: what is measured is what becomes of it. */
const PAUSE_MS = 5;

/** What was found of a load, after all that was stored has been read. */
export interface LoadBalance {
  readonly acknowledged: number;
  /** Of the batches that were acknowledged: messages that are not in the queues. */
  readonly lost: number;
  /** Messages that are in the queues more than once, though every send of theirs but one was refused unprocessed. */
  readonly doubled: number;
  /** Batches of which one send ended with nothing known, so that it was sent again. */
  readonly unknownBatches: number;
  /** Messages of such batches that are in the queues more than once. */
  readonly doubledByUnknown: number;
  /** Failed sends by error code. */
  readonly failures: ReadonlyMap<string, number>;
  /** The longest time between two acknowledgements of one producer. */
  readonly longestPauseMs: number;
}

/**
 * Producers that send batches until they are stopped, each to its own queue, and the account of what became of every message. A batch that
 * failed is sent again, also when nothing is known about the first send.
 */
export class BatchLoad {
  readonly acknowledged = new Set<string>();
  readonly #unknown = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #producers: Promise<void>[];
  #longestPauseMs = 0;
  #isAbandoned = false;
  #fatal: unknown;

  constructor(
    private readonly client: RocketMqClient,
    private readonly queues: readonly QueueRef[],
  ) {
    this.#producers = queues.map((queue, index) => this.#produce(queue, index));
    for (const producer of this.#producers) {
      producer.catch((error: unknown) => {
        this.#fatal = error;
      });
    }
  }

  /** Resolves when `count` further batches were acknowledged; rejects with what no producer gets over. */
  async progress(count: number, timeoutMs = 60_000): Promise<void> {
    const goal = this.acknowledged.size + count;
    const what = `${count} further batches`;
    const isReached = (): boolean => {
      if (this.#fatal !== undefined) throw this.#fatal as Error;
      return this.acknowledged.size >= goal;
    };
    await until(what, isReached, timeoutMs, () => JSON.stringify([...this.#failures]));
  }

  /** Lets every producer end with an acknowledgement. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#producers);
  }

  /** Ends every producer as soon as its send under way has ended, whatever became of it. */
  async abandon(): Promise<void> {
    this.#stopping.abort();
    this.#isAbandoned = true;
    await Promise.allSettled(this.#producers);
  }

  /** Reads all queues and compares them with the account. */
  async balance(group: string): Promise<LoadBalance> {
    const found = new Map<string, number>();
    for (const queue of this.queues) {
      const end = await this.client.admin.maxOffset(queue);
      const reader = this.client.consumer.readQueue(queue, { from: 0, group });
      while (reader.position < end) {
        for (const message of await reader.next()) {
          const id = message.body.toString();
          found.set(id, (found.get(id) ?? 0) + 1);
        }
      }
      reader.close();
    }
    const acknowledged = [...this.acknowledged].flatMap(idsOf);
    const twice = [...found].filter(([, count]) => count > 1).map(([id]) => id.slice(0, id.lastIndexOf('/')));
    return {
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((id) => !found.has(id)).length,
      doubled: twice.filter((batch) => !this.#unknown.has(batch)).length,
      unknownBatches: this.#unknown.size,
      doubledByUnknown: twice.filter((batch) => this.#unknown.has(batch)).length,
      failures: this.#failures,
      longestPauseMs: Math.round(this.#longestPauseMs),
    };
  }

  async #produce(queue: QueueRef, producer: number): Promise<void> {
    let acknowledgedAt = performance.now();
    for (let sequence = 0; !this.#stopping.signal.aborted; sequence += 1) {
      const batch = `${producer}/${sequence}`;
      while (!(await this.#send(queue, batch))) {
        if (this.#isAbandoned) return;
        await delay(RETRY_MS);
      }
      this.acknowledged.add(batch);
      const now = performance.now();
      this.#longestPauseMs = Math.max(this.#longestPauseMs, now - acknowledgedAt);
      acknowledgedAt = now;
      await delay(PAUSE_MS);
    }
  }

  /** Whether the batch is stored for sure. */
  async #send(queue: QueueRef, batch: string): Promise<boolean> {
    const encoder = new BatchEncoder();
    for (const id of idsOf(batch)) encoder.add(Buffer.from(id), '');
    try {
      return (await this.client.producer.sendBatch(queue, encoder.finish())).status === 'stored';
    } catch (error) {
      if (!isRocketMqError(error) || !(error.retriable || error.code === 'TOPIC_NOT_FOUND')) throw error;
      this.#failures.set(error.code, (this.#failures.get(error.code) ?? 0) + 1);
      if (!(error instanceof SendOutcomeUnknownError)) return false;
      const settled = await error.settled;
      if (settled.kind === 'unknown') this.#unknown.add(batch);
      return settled.kind === 'stored';
    }
  }
}

function idsOf(batch: string): string[] {
  return Array.from({ length: BATCH }, (_, index) => `${batch}/${index}`);
}
