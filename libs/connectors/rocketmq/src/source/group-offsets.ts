import { parsePartition, parsePosition } from '@sluice/replication';
import type { RocketMqClient } from '@sluice/rocketmq';
import { type CommittedPosition, queueKey, type QueueRef } from '@sluice/sdk';

export interface GroupOffsetsOptions {
  readonly client: RocketMqClient;
  readonly group: string;
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

interface QueueOffset {
  readonly queue: QueueRef;
  readonly offset: number;
}

/**
 * Reports to the brokers of the source how far their queues are copied, as offsets of a consumer group, so that tools show the lag. Nothing depends on it:
 * what a broker does not take comes with the next offset of the queue.
 */
export class GroupOffsets {
  readonly #options: GroupOffsetsOptions;
  /** By queue: offsets that are to be sent, the latest of each. */
  readonly #pending = new Map<string, QueueOffset>();
  #sending: Promise<void> | undefined;
  /** By broker: what it refused last, so that the log says it once. */
  readonly #refused = new Map<string, string>();

  constructor(options: GroupOffsetsOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is sent any more. */
  get ended(): Promise<void> {
    return this.#sending ?? Promise.resolve();
  }

  /** Notes stored positions, and sends their offsets soon. */
  note(positions: readonly CommittedPosition[]): void {
    for (const { partition, position } of positions) {
      const queue = parsePartition(partition)?.queue;
      const offset = parsePosition(position)?.offset;
      if (queue !== undefined && offset !== undefined) this.#pending.set(queueKey(queue), { queue, offset });
    }
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Sends one after the other for each broker, and to all brokers at a time. Never rejects. */
  async #send(): Promise<void> {
    while (this.#pending.size > 0 && !this.#options.signal.aborted) {
      const byBroker = new Map<string, QueueOffset[]>();
      for (const pending of this.#pending.values()) {
        const { brokerName } = pending.queue;
        const others = byBroker.get(brokerName);
        if (others === undefined) byBroker.set(brokerName, [pending]);
        else others.push(pending);
      }
      this.#pending.clear();
      await Promise.all([...byBroker].map(([brokerName, offsets]) => this.#sendTo(brokerName, offsets)));
    }
  }

  async #sendTo(brokerName: string, offsets: readonly QueueOffset[]): Promise<void> {
    const { client, group, log, signal } = this.#options;
    try {
      for (const { queue, offset } of offsets) await client.admin.updateOffset(group, queue, offset, { signal });
      this.#refused.delete(brokerName);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#refused.get(brokerName) === reason) return;
      this.#refused.set(brokerName, reason);
      log(`Broker ${brokerName} of the source did not take offsets of group ${group}, which show how far its queues are copied: ${reason}`);
    }
  }
}
