import type { QueueRef } from '../../routing/topic-route.js';

/** Keys are spread over the slots, slots over the queues: 4,096 keep 64 queues within some 15 % of each other. */
const SLOTS = 4_096;

export function laneKey(queue: QueueRef): string {
  return `${queue.brokerName}/${queue.queueId}`;
}

/** Returns the slot of a sharding key. */
export function slotOf(key: string): number {
  return hashOf(key) % SLOTS;
}

/** Which of a topic's queues a message goes to. */
export class QueueChoice {
  readonly #keys: ReadonlySet<string>;
  #next = 0;
  #slots: readonly QueueRef[] | undefined;

  constructor(
    /** For messages without a key. */
    readonly queues: readonly QueueRef[],
    /** For messages with one. */
    readonly keyed: readonly QueueRef[] = queues,
  ) {
    this.#keys = new Set([...queues, ...keyed].map(laneKey));
  }

  has(queue: QueueRef): boolean {
    return this.#keys.has(laneKey(queue));
  }

  /** Returns whether both choose alike. */
  isSame(other: QueueChoice): boolean {
    return isSameList(this.queues, other.queues) && isSameList(this.keyed, other.keyed);
  }

  /** Returns the next queue in turn that is usable. */
  next(isUsable: (queue: QueueRef) => boolean): QueueRef | undefined {
    for (let step = 0; step < this.queues.length; step += 1) {
      const queue = this.queues[(this.#next + step) % this.queues.length];
      if (queue === undefined || !isUsable(queue)) continue;
      this.#next = (this.#next + step + 1) % this.queues.length;
      return queue;
    }
    return undefined;
  }

  /**
   * Returns the queue of a slot: the one with the greatest hash for it. So a queue that comes or goes moves only the keys
   * that it gains or loses.
   */
  ofSlot(slot: number): QueueRef | undefined {
    this.#slots ??= assignSlots(this.keyed);
    return this.#slots[slot];
  }

  isOwner(queue: QueueRef, slot: number): boolean {
    const owner = this.ofSlot(slot);
    return owner?.brokerName === queue.brokerName && owner.queueId === queue.queueId;
  }
}

function isSameList(a: readonly QueueRef[], b: readonly QueueRef[]): boolean {
  return a.length === b.length && a.every((queue, index) => laneKey(queue) === laneKey(b[index] ?? queue));
}

function assignSlots(queues: readonly QueueRef[]): QueueRef[] {
  const hashed = queues.map((queue) => ({ queue, hash: hashOf(laneKey(queue)) }));
  const slots: QueueRef[] = [];
  for (let slot = 0; slot < SLOTS && hashed.length > 0; slot += 1) {
    const slotHash = mix(slot + 1);
    const owner = hashed.reduce((best, candidate) => (mix(candidate.hash ^ slotHash) > mix(best.hash ^ slotHash) ? candidate : best));
    slots.push(owner.queue);
  }
  return slots;
}

/** FNV-1a over UTF-16 units, mixed. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93);
  return mix(hash);
}

/** Every bit of the result depends on every bit of the input (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85_eb_ca_6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2_b2_ae_35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
