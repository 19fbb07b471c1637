import { type BrokerRoute, MASTER_ID, type QueueRef } from './topic-route.js';

/** A broker of a group that may answer a pull. */
export interface ReadTarget {
  /** 0 is the master. */
  readonly brokerId: number;
  /** `host:port` */
  readonly address: string;
}

/** How long pulls go to a replica first after their master failed. */
const MASTER_AVOIDED_MS = 5_000;
const MAX_SUGGESTIONS = 10_000;

/**
 * Decides where pulls that a replica may answer go. They go to the replica that a broker suggested for the queue, to any
 * replica while the master is unavailable, and otherwise to the master.
 */
export class ReadTargets {
  /** Broker ids of replicas, by queue; the one suggested first is first to go when there are too many. */
  readonly #suggested = new Map<string, number>();
  /** By broker name. */
  readonly #masterAvoidedUntil = new Map<string, number>();

  /** At most two: the first choice, and what to do when it fails. Empty when the group has no broker at all. */
  of(broker: BrokerRoute, queue: QueueRef, now: number): readonly ReadTarget[] {
    const known = [...broker.addresses].sort(([a], [b]) => a - b).map(([brokerId, address]) => ({ brokerId, address }));
    const master = known.filter((target) => target.brokerId === MASTER_ID);
    const replicas = known.filter((target) => target.brokerId !== MASTER_ID);
    const suggestedId = this.#suggested.get(keyOf(queue));
    const replica = replicas.find((target) => target.brokerId === suggestedId) ?? replicas[0];
    if (replica === undefined) return master;
    const isMasterAvoided = now < (this.#masterAvoidedUntil.get(queue.brokerName) ?? 0);
    return suggestedId !== undefined || isMasterAvoided ? [replica, ...master] : [...master, replica];
  }

  /** @param suggestedId the broker that the answer suggests for the next pull */
  onAnswer(queue: QueueRef, target: ReadTarget, suggestedId: number): void {
    const key = keyOf(queue);
    if (target.brokerId === MASTER_ID) this.#masterAvoidedUntil.delete(queue.brokerName);
    this.#suggested.delete(key);
    if (suggestedId === MASTER_ID) return;
    this.#suggested.set(key, suggestedId);
    const [oldest] = this.#suggested.keys();
    if (this.#suggested.size > MAX_SUGGESTIONS && oldest !== undefined) this.#suggested.delete(oldest);
  }

  /** Records that the target did not answer, or gave no final answer. */
  onFailure(queue: QueueRef, target: ReadTarget, now: number): void {
    if (target.brokerId === MASTER_ID) this.#masterAvoidedUntil.set(queue.brokerName, now + MASTER_AVOIDED_MS);
    else this.#suggested.delete(keyOf(queue));
  }
}

function keyOf({ topic, brokerName, queueId }: QueueRef): string {
  return `${topic}/${brokerName}/${queueId}`;
}
