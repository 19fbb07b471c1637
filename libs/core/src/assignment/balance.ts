import { give, type Fleet, type Group, type Item, type Slot } from './fleet.js';
import { PriorityQueue } from './priority-queue.js';

/**
 * Balance by capacity. A fleet is balanced if no task would be better off on another worker that can run it:
 *
 *     load(owner) / capacity(owner) ≤ (load(other) + 1) / capacity(other)
 *
 * for every task and every worker eligible for it, a load being the number of all tasks that a worker holds. Among workers
 * of one capacity that can all run the same tasks, loads then differ by at most one.
 */

/** A queued slot; void once the slot's load has changed. */
interface Candidate {
  readonly slot: Slot;
  readonly load: number;
  readonly hasPlaced: boolean;
}

const EPSILON = 1e-9;
/** Every move lowers the sum of load · (load + 1) / capacity, so passes end; far more of them than ever seen. */
const MAX_PASSES = 1_000;

/**
 * Gives each item to the worker that is the least loaded per capacity after taking it. Of equals it takes `preferred`
 * if that is one of them, else the first.
 */
export function placeOnLeastLoaded(
  { groups }: Fleet,
  items: readonly Item[],
  preferred: (item: Item) => Slot | undefined = () => undefined,
): void {
  const byGroup = new Map<Group, Item[]>(groups.map((group) => [group, []]));
  for (const item of items) byGroup.get(item.group)?.push(item);
  for (const [group, own] of byGroup) {
    if (own.length === 0) continue;
    const queue = new PriorityQueue<Candidate>(isLessLoaded);
    for (const slot of group.eligible) queue.push(candidate(slot, group));
    for (const item of own) {
      const least = current(queue);
      if (least === undefined) break;
      const wish = preferred(item);
      const chosen = wish !== undefined && nextLoad(wish) <= nextLoad(least) + EPSILON ? wish : least;
      give(chosen, item);
      queue.push(candidate(chosen, group));
    }
  }
}

/** Moves items until the fleet is balanced: those that run only after moving the others did not help. */
export function balance({ groups }: Fleet): void {
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    if (groups.some((group) => evenOut(group, 'placed'))) continue;
    if (!groups.some((group) => evenOut(group, 'all'))) return;
  }
}

function evenOut(group: Group, movable: 'placed' | 'all'): boolean {
  if (isEven(group, movable)) return false;
  const givers = new PriorityQueue<Candidate>(isMoreLoaded);
  const takers = new PriorityQueue<Candidate>(isLessLoaded);
  const enqueue = (slot: Slot): void => {
    const entry = candidate(slot, group);
    if (entry.hasPlaced || (movable === 'all' && hasKept(slot, group))) givers.push(entry);
    takers.push(entry);
  };
  group.eligible.forEach(enqueue);
  let hasMoved = false;
  for (;;) {
    const giver = current(givers);
    const taker = current(takers);
    if (giver === undefined || taker === undefined) return hasMoved;
    if (giver.load / giver.worker.capacity <= nextLoad(taker) + EPSILON) return hasMoved;
    const share = giver.shares[group.number];
    const item = share?.placed.pop() ?? share?.kept.pop();
    if (item === undefined) return hasMoved;
    giver.load -= 1;
    give(taker, item);
    enqueue(giver);
    enqueue(taker);
    hasMoved = true;
  }
}

/** Returns whether no worker has a task that would be better off elsewhere; mostly so, and much cheaper than the queues. */
function isEven(group: Group, movable: 'placed' | 'all'): boolean {
  let most = -Infinity;
  let least = Infinity;
  for (const slot of group.eligible) {
    const share = slot.shares[group.number];
    const gives = (share?.placed.length ?? 0) > 0 || (movable === 'all' && (share?.kept.length ?? 0) > 0);
    if (gives) most = Math.max(most, slot.load / slot.worker.capacity);
    least = Math.min(least, nextLoad(slot));
  }
  return most <= least + EPSILON;
}

function hasKept(slot: Slot, group: Group): boolean {
  return (slot.shares[group.number]?.kept.length ?? 0) > 0;
}

function candidate(slot: Slot, group: Group): Candidate {
  return { slot, load: slot.load, hasPlaced: (slot.shares[group.number]?.placed.length ?? 0) > 0 };
}

/** Takes void entries off the queue, then says the first valid one. */
function current(queue: PriorityQueue<Candidate>): Slot | undefined {
  for (let first = queue.peek(); first !== undefined; first = queue.peek()) {
    if (first.load === first.slot.load) return first.slot;
    queue.pop();
  }
  return undefined;
}

function nextLoad({ load, worker }: Slot): number {
  return (load + 1) / worker.capacity;
}

function isLessLoaded(left: Candidate, right: Candidate): boolean {
  const l = (left.load + 1) / left.slot.worker.capacity;
  const r = (right.load + 1) / right.slot.worker.capacity;
  return l === r ? left.slot.order < right.slot.order : l < r;
}

function isMoreLoaded(left: Candidate, right: Candidate): boolean {
  const l = left.load / left.slot.worker.capacity;
  const r = right.load / right.slot.worker.capacity;
  if (l !== r) return l > r;
  return left.hasPlaced === right.hasPlaced ? left.slot.order > right.slot.order : left.hasPlaced;
}
