import { findQueueLosses, type QueueLoss } from '@sluice/replication';
import { readableQueues, type RocketMqClient, TopicNotFoundError } from '@sluice/rocketmq';
import type { QueueRef } from '@sluice/sdk';

/** How long an answer of the name servers holds, in milliseconds: all queues of a topic ask at a time. */
const KEPT_MS = 5000;

interface Look {
  readonly atMs: number;
  readonly losses: Promise<readonly QueueLoss[]>;
}

/** Finds out which queues of a task the source has no more. Asks for topics alone of which a queue cannot be read. */
export class LossWatch {
  readonly #looks = new Map<string, Look>();
  readonly #known = new Map<string, QueueRef[]>();

  /** @param queues all that the task copies */
  constructor(
    private readonly client: RocketMqClient,
    queues: readonly QueueRef[],
    private readonly signal: AbortSignal,
  ) {
    for (const queue of queues) {
      const others = this.#known.get(queue.topic);
      if (others === undefined) this.#known.set(queue.topic, [queue]);
      else others.push(queue);
    }
  }

  /**
   * Returns how a queue is missing; `undefined` where it is there, where its broker is unavailable, and where that cannot be found out now.
   */
  async lossOf({ topic, brokerName, queueId }: QueueRef): Promise<QueueLoss | undefined> {
    const losses = await this.#lossesOf(topic).catch(() => []);
    const loss = losses.find((each) => each.brokerName === brokerName && each.queueIds.includes(queueId));
    return loss?.kind === 'broker-away' ? undefined : loss;
  }

  #lossesOf(topic: string): Promise<readonly QueueLoss[]> {
    const nowMs = performance.now();
    const last = this.#looks.get(topic);
    if (last !== undefined && nowMs - last.atMs < KEPT_MS) return last.losses;
    const losses = this.#look(topic);
    this.#looks.set(topic, { atMs: nowMs, losses });
    return losses;
  }

  async #look(topic: string): Promise<readonly QueueLoss[]> {
    // A broker that goes or comes between the answers must not seem to have lost its topic.
    const before = await this.#brokers();
    const present = await this.#queuesOf(topic);
    const after = await this.#brokers();
    const brokers = new Set([...before].filter((name) => after.has(name)));
    return findQueueLosses(this.#known.get(topic) ?? [], present, brokers);
  }

  async #brokers(): Promise<ReadonlySet<string>> {
    const { brokers } = await this.client.admin.clusterInfo({ signal: this.signal });
    return new Set(brokers.flatMap(({ brokerName, masterAddress }) => (masterAddress === undefined ? [] : [brokerName])));
  }

  async #queuesOf(topic: string): Promise<readonly QueueRef[]> {
    try {
      // A topic that may not be read for now is there.
      const { brokers, ...route } = await this.client.admin.topicRoute(topic, { signal: this.signal });
      return readableQueues({ ...route, brokers: brokers.map((broker) => ({ ...broker, isReadable: true })) });
    } catch (error) {
      if (error instanceof TopicNotFoundError) return [];
      throw error;
    }
  }
}

const WORDS: Readonly<Record<QueueLoss['kind'], string>> = {
  'fewer-queues': 'its broker has fewer queues of the topic',
  'not-on-broker': 'its broker has the topic no more',
  'other-brokers': 'its broker has the topic no more, and other brokers do',
  'topic-gone': 'no broker has the topic',
  'broker-away': 'its broker is unavailable',
};

/** Says why a queue is missing. */
export function describeLoss({ kind }: QueueLoss): string {
  return `(${kind}): ${WORDS[kind]}`;
}
