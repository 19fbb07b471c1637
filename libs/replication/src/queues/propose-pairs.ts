import { queueKey, type QueueRef } from '@sluice/sdk';
import { compareText } from '../text-order.js';
import { compareQueues } from './queue-order.js';

/** What {@link proposePairs} looks at; all queues of `source` are of one topic, all of `target` of the topic that it is copied to. */
export interface QueuesToPair {
  readonly source: readonly QueueRef[];
  readonly target: readonly QueueRef[];
  /** Names of the target's brokers that could get queues of the topic. */
  readonly targetBrokers: readonly string[];
  /** The pairs in force, also of other topics: `topic@broker:queue` of the source to the same of the target (`queueKey`). */
  readonly inForce: ReadonlyMap<string, string>;
}

export interface QueueProposal {
  /** Pairs to add, for `AgreedPairs.extend`. */
  readonly add: ReadonlyMap<string, string>;
  /** Queues of the source that no queue of the target is left for. */
  readonly unplaced: readonly QueueRef[];
  /** How many queues the target's topic needs on a broker, by broker name. Only where it needs more than it has. */
  readonly needed: ReadonlyMap<string, number>;
  /** Pairs in force whose queue of the target is not there: their queues of the source wait for it. */
  readonly targetGone: ReadonlyMap<string, string>;
}

/**
 * Proposes a queue of the target for each queue of a topic that has none yet. No two get the same one, and pairs in force stay. The same arguments give
 * the same proposal, in whatever order the queues are.
 *
 * A queue goes to the one of equal broker and number, if that is free. Each broker of the source has a partner: the broker that its pairs lead to.
 * Without pairs that is the broker of equal name, else the next in the order of names. The queue of equal number there comes next, then the first that
 * is free there, then any.
 */
export function proposePairs({ source, target, targetBrokers, inForce }: QueuesToPair): QueueProposal {
  const free = new Map([...target].sort(compareQueues).map((queue) => [queueKey(queue), queue]));
  const targetGone = new Map<string, string>();
  const waiting: QueueRef[] = [];
  for (const value of inForce.values()) free.delete(value);
  const present = new Set(target.map(queueKey));
  for (const queue of [...source].sort(compareQueues)) {
    const pair = inForce.get(queueKey(queue));
    if (pair === undefined) waiting.push(queue);
    else if (!present.has(pair)) targetGone.set(queueKey(queue), pair);
  }

  const partners = partnersOf(source, [...targetBrokers, ...target.map(({ brokerName }) => brokerName)], inForce);
  const add = new Map<string, string>();
  let rest: readonly QueueRef[] = waiting;
  for (const choose of [sameQueue, sameNumber, anyOfPartner, anyQueue]) {
    rest = rest.filter((queue) => {
      const chosen = choose(queue, free, partners);
      if (chosen === undefined) return true;
      add.set(queueKey(queue), chosen);
      free.delete(chosen);
      return false;
    });
  }
  return { add, unplaced: rest, needed: neededFor(rest, targetGone, target, partners), targetGone };
}

type FreeQueues = ReadonlyMap<string, QueueRef>;
type Partners = ReadonlyMap<string, string>;

function sameQueue({ brokerName, queueId }: QueueRef, free: FreeQueues): string | undefined {
  return find(free, (queue) => queue.brokerName === brokerName && queue.queueId === queueId);
}

function sameNumber({ brokerName, queueId }: QueueRef, free: FreeQueues, partners: Partners): string | undefined {
  const partner = partners.get(brokerName);
  return find(free, (queue) => queue.brokerName === partner && queue.queueId === queueId);
}

function anyOfPartner({ brokerName }: QueueRef, free: FreeQueues, partners: Partners): string | undefined {
  const partner = partners.get(brokerName);
  return find(free, (queue) => queue.brokerName === partner);
}

function anyQueue(_queue: QueueRef, free: FreeQueues): string | undefined {
  return find(free, () => true);
}

function find(free: FreeQueues, isWanted: (queue: QueueRef) => boolean): string | undefined {
  for (const [key, queue] of free) if (isWanted(queue)) return key;
  return undefined;
}

/** Finds for each broker of the source the broker of the target that its queues go to, if they can. */
function partnersOf(source: readonly QueueRef[], targetBrokers: readonly string[], inForce: ReadonlyMap<string, string>): Partners {
  const brokers = [...new Set(targetBrokers)].sort(compareText);
  const names = [...new Set(source.map(({ brokerName }) => brokerName))].sort(compareText);
  const partners = new Map<string, string>();
  for (const queue of [...source].sort(compareQueues)) {
    const broker = brokerOf(inForce.get(queueKey(queue)));
    if (broker !== undefined && brokers.includes(broker) && !partners.has(queue.brokerName)) partners.set(queue.brokerName, broker);
  }
  for (const name of names) if (!partners.has(name) && brokers.includes(name)) partners.set(name, name);
  const taken = new Set(partners.values());
  const left = brokers.filter((broker) => !taken.has(broker));
  const cycle = left.length > 0 ? left : brokers;
  let next = 0;
  for (const name of names) {
    const partner = cycle[next % cycle.length];
    if (partners.has(name) || partner === undefined) continue;
    partners.set(name, partner);
    next += 1;
  }
  return partners;
}

function neededFor(
  unplaced: readonly QueueRef[],
  targetGone: ReadonlyMap<string, string>,
  target: readonly QueueRef[],
  partners: Partners,
): ReadonlyMap<string, number> {
  const needed = new Map<string, number>();
  const brokers = new Set(partners.values());
  const sizeOf = (broker: string): number => needed.get(broker) ?? queuesOn(broker, target);
  for (const pair of targetGone.values()) {
    const broker = brokerOf(pair);
    if (broker !== undefined && brokers.has(broker)) needed.set(broker, Math.max(sizeOf(broker), numberOf(pair) + 1));
  }
  for (const { brokerName } of unplaced) {
    const partner = partners.get(brokerName);
    if (partner !== undefined) needed.set(partner, sizeOf(partner) + 1);
  }
  return needed;
}

/** Returns the broker in the text of a queue: no topic has an `@`, and the number has no colon. */
function brokerOf(key: string | undefined): string | undefined {
  return key?.slice(key.indexOf('@') + 1, key.lastIndexOf(':'));
}

function numberOf(key: string): number {
  return Number(key.slice(key.lastIndexOf(':') + 1));
}

/** Brokers number the queues of a topic from 0, so the greatest number says how many there are. */
function queuesOn(broker: string, target: readonly QueueRef[]): number {
  return target.reduce((most, { brokerName, queueId }) => (brokerName === broker ? Math.max(most, queueId + 1) : most), 0);
}
