import type { ConnectorType, TaskId } from '../model/connector.js';
import { memberKey, runnerRole } from '../model/member.js';
import type { AssignableTask, AssignmentInput, AssignmentPlan, PreviousAssignment, Worker } from './assignment-plan.js';
import { PriorityQueue } from './priority-queue.js';

/** A worker with what it holds and what it is to be given. */
interface Slot {
  readonly order: number;
  readonly worker: Worker;
  load: number;
  /** By connector class. */
  readonly shares: Map<string, Share>;
}

interface Share {
  readonly kept: Item[];
  /** Given by this plan: moving these again costs nothing. */
  readonly placed: Item[];
  isSorted: boolean;
}

interface Item {
  readonly task: AssignableTask;
  /** Place of the connector's name among all names: cheaper to compare than text. */
  readonly rank: number;
  readonly previous: PreviousAssignment | undefined;
  slot: Slot | undefined;
}

/** A queued slot; void once the slot's load has changed. */
interface Candidate {
  readonly slot: Slot;
  readonly load: number;
  readonly hasPlaced: boolean;
}

const EPSILON = 1e-9;
/** Every pass but the last moves a task and lowers the sum of load²/capacity; far more passes than ever seen. */
const MAX_PASSES = 1_000;

/**
 * Keeps what runs where it runs, gives free tasks to their last owner or else to the least loaded worker, and then moves
 * the fewest tasks that make all workers with the same plugins equal within one task (per capacity). Tasks that are still
 * being stopped somewhere count as placed where they will go, so that repeated plans converge.
 */
export function assignSticky(input: AssignmentInput): AssignmentPlan {
  const assign: (TaskId & { nodeId: string; incarnation: string })[] = [];
  const revoke: TaskId[] = [];
  for (const type of ['source', 'sink'] as const) {
    const round = new StickyRound(type, input);
    round.run();
    assign.push(...round.assign);
    revoke.push(...round.revoke);
  }
  return { assign, revoke };
}

class StickyRound {
  readonly assign: (TaskId & { nodeId: string; incarnation: string })[] = [];
  readonly revoke: TaskId[] = [];
  readonly #slots: readonly Slot[];
  readonly #slotOf: ReadonlyMap<string, Slot>;
  readonly #isKnown: (previous: PreviousAssignment) => boolean;
  readonly #eligible = new Map<string, readonly Slot[]>();
  readonly #items: readonly Item[];
  readonly #revoked: Item[] = [];

  constructor(type: ConnectorType, { tasks, workers, previous }: AssignmentInput) {
    this.#slots = workers
      .filter(({ role, capacity }) => role === runnerRole(type) && capacity > 0)
      .sort((a, b) => compareText(a.nodeId, b.nodeId) || compareText(a.incarnation, b.incarnation))
      .map((worker, order) => ({ order, worker, load: 0, shares: new Map<string, Share>() }));
    this.#slotOf = new Map(this.#slots.map((slot) => [slot.worker.nodeId, slot]));
    const known = new Set(workers.map(memberKey));
    this.#isKnown = (owner) => known.has(memberKey(owner));
    const own = tasks.filter((task) => task.type === type);
    const names = [...new Set(own.map(({ id }) => id.connector))].sort(compareText);
    const ranks = new Map(names.map((name, rank) => [name, rank]));
    let name = '';
    let rank = 0;
    this.#items = own.map((task) => {
      if (task.id.connector !== name) {
        name = task.id.connector;
        rank = ranks.get(name) ?? 0;
      }
      return { task, rank, previous: previous.get(task.key), slot: undefined };
    });
  }

  run(): void {
    const open = this.#keepWhatRuns();
    this.#place(this.#returnToLastOwners(open));
    this.#balance();
    this.#collect(open);
  }

  /** Returns the tasks to be placed, in a fixed order. */
  #keepWhatRuns(): readonly Item[] {
    const open: Item[] = [];
    for (const item of this.#items) {
      const { task, previous } = item;
      const eligible = this.#eligibleFor(task.connectorClass);
      if (previous !== undefined && !previous.revoked) {
        const slot = this.#slotOf.get(previous.nodeId);
        if (slot?.worker.incarnation === previous.incarnation && canRun(slot, task)) {
          shareOf(slot, task).kept.push(item);
          slot.load += 1;
          continue;
        }
        if (this.#isKnown(previous)) this.#revoked.push(item);
      }
      if (eligible.length > 0) open.push(item);
    }
    return open.sort(compareItems);
  }

  /** Gives tasks back to their last owners as far as that can never be undone by balance; returns the others. */
  #returnToLastOwners(open: readonly Item[]): readonly Item[] {
    let total = open.length;
    let capacity = 0;
    for (const slot of this.#slots) {
      total += slot.load;
      capacity += slot.worker.capacity;
    }
    return open.filter((item) => {
      const slot = this.#lastOwner(item);
      if (slot === undefined) return true;
      if (slot.load + 1 > Math.floor((total * slot.worker.capacity) / capacity)) return true;
      this.#give(slot, item);
      return false;
    });
  }

  #place(open: readonly Item[]): void {
    const byClass = new Map<string, Item[]>();
    for (const item of open) {
      const items = byClass.get(item.task.connectorClass);
      if (items === undefined) byClass.set(item.task.connectorClass, [item]);
      else items.push(item);
    }
    for (const connectorClass of [...byClass.keys()].sort(compareText)) {
      const queue = new PriorityQueue<Candidate>(isLessLoaded);
      for (const slot of this.#eligibleFor(connectorClass)) queue.push(candidate(slot, connectorClass));
      for (const item of byClass.get(connectorClass) ?? []) {
        const least = current(queue);
        if (least === undefined) break;
        const last = this.#lastOwner(item);
        const isLastAsGood = last !== undefined && nextLoad(last) <= nextLoad(least) + EPSILON;
        const chosen = isLastAsGood ? last : least;
        this.#give(chosen, item);
        queue.push(candidate(chosen, connectorClass));
      }
    }
  }

  #balance(): void {
    const classes = [...this.#eligible.keys()].sort(compareText);
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      let moved = false;
      for (const connectorClass of classes) moved = this.#balanceClass(connectorClass) || moved;
      if (!moved || classes.length === 1) return;
    }
  }

  #balanceClass(connectorClass: string): boolean {
    const givers = new PriorityQueue<Candidate>(isMoreLoaded);
    const takers = new PriorityQueue<Candidate>(isLessLoaded);
    const enqueue = (slot: Slot): void => {
      const entry = candidate(slot, connectorClass);
      const share = slot.shares.get(connectorClass);
      if (share !== undefined && share.kept.length + share.placed.length > 0) givers.push(entry);
      takers.push(entry);
    };
    this.#eligibleFor(connectorClass).forEach(enqueue);
    let moved = false;
    for (;;) {
      const giver = current(givers);
      const taker = current(takers);
      if (giver === undefined || taker === undefined) return moved;
      if (giver.load / giver.worker.capacity <= nextLoad(taker) + EPSILON) return moved;
      this.#move(giver, taker, connectorClass);
      enqueue(giver);
      enqueue(taker);
      moved = true;
    }
  }

  #move(giver: Slot, taker: Slot, connectorClass: string): void {
    const share = giver.shares.get(connectorClass);
    if (share === undefined) return;
    let item = share.placed.pop();
    if (item === undefined) {
      if (!share.isSorted) share.kept.sort(compareItems);
      share.isSorted = true;
      item = share.kept.pop();
      if (item === undefined) return;
      this.#revoked.push(item);
    }
    giver.load -= 1;
    this.#give(taker, item);
  }

  #collect(open: readonly Item[]): void {
    for (const { task, previous, slot } of open) {
      if (slot === undefined || previous !== undefined) continue;
      const { nodeId, incarnation } = slot.worker;
      this.assign.push({ connector: task.id.connector, index: task.id.index, nodeId, incarnation });
    }
    for (const { task } of this.#revoked.sort(compareItems)) this.revoke.push(task.id);
  }

  #give(slot: Slot, item: Item): void {
    shareOf(slot, item.task).placed.push(item);
    item.slot = slot;
    slot.load += 1;
  }

  #eligibleFor(connectorClass: string): readonly Slot[] {
    let slots = this.#eligible.get(connectorClass);
    if (slots === undefined) {
      slots = this.#slots.filter(({ worker }) => worker.plugins.includes(connectorClass));
      this.#eligible.set(connectorClass, slots);
    }
    return slots;
  }

  #lastOwner({ task, previous }: Item): Slot | undefined {
    const nodeId = previous?.nodeId ?? task.lastNodeId;
    const slot = nodeId === undefined ? undefined : this.#slotOf.get(nodeId);
    return slot !== undefined && canRun(slot, task) ? slot : undefined;
  }
}

function canRun({ worker }: Slot, task: AssignableTask): boolean {
  return worker.plugins.includes(task.connectorClass);
}

function shareOf(slot: Slot, task: AssignableTask): Share {
  let share = slot.shares.get(task.connectorClass);
  if (share === undefined) {
    share = { kept: [], placed: [], isSorted: false };
    slot.shares.set(task.connectorClass, share);
  }
  return share;
}

function candidate(slot: Slot, connectorClass: string): Candidate {
  return { slot, load: slot.load, hasPlaced: (slot.shares.get(connectorClass)?.placed.length ?? 0) > 0 };
}

/** Takes void entries off the queue, then the first valid one. */
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

function compareItems(left: Item, right: Item): number {
  return left.rank - right.rank || left.task.id.index - right.task.id.index;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
