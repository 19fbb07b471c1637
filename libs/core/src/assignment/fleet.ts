import type { ConnectorType } from '../model/connector.js';
import type { AssignableTask, AssignmentInput, PreviousAssignment, UnassignedReason, Worker } from './assignment-types.js';
import { labelsText } from '../model/placement.js';
import { Roster, type Able } from './roster.js';
import type { TaskIndex } from './task-index.js';
import { compareIds, compareText } from '../model/text-order.js';

type NeedOfTask = Pick<AssignableTask, 'connectorClass' | 'placement'>;

/** A worker with what it is to hold. */
export interface Slot {
  /** Place of its node id among all of its role. */
  readonly order: number;
  readonly worker: Worker;
  load: number;
  /** What it holds of each group, by the group's number. */
  readonly shares: (Share | undefined)[];
}

export interface Share {
  /** Running here: moving one of these stops it. */
  readonly kept: KeptItems;
  /** Given by this plan: moving one of these again costs nothing. */
  readonly placed: Item[];
}

/** A list of items of which most are never looked at. */
export interface KeptItems {
  readonly length: number;
  push(item: Item): void;
  pop(): Item | undefined;
}

/** Tasks that the same workers can run. */
export interface Group {
  readonly number: number;
  /** In the order of the slots; empty with a reason. */
  readonly eligible: readonly Slot[];
  /** Orders of the slots in `eligible`. */
  readonly members: ReadonlySet<number>;
  readonly reason?: UnassignedReason;
}

/** A task and where it is to run. */
export interface Item {
  readonly task: AssignableTask;
  readonly group: Group;
  readonly previous: PreviousAssignment | undefined;
  slot: Slot | undefined;
}

/** Tasks of one type and the workers of their role, in an order that does not depend on that of the input. */
export interface Fleet {
  readonly slots: readonly Slot[];
  /** By node id. */
  readonly slotOf: (nodeId: string) => Slot | undefined;
  /** Those that some worker can run; those that few can run come first. */
  readonly groups: readonly Group[];
  /** By connector name, then index: all of them, or all that may not stay where they are. */
  readonly items: readonly Item[];
  /** How many tasks some worker can run. */
  readonly runnable: number;
}

/** Tasks of an index, of which those that stay where they are are only counted until one of them is moved. */
export interface IndexedFleet extends Fleet {
  /** Items that were taken from where they ran. */
  readonly taken: readonly Item[];
}

export function fleetOf(type: ConnectorType, { tasks, workers, previous }: AssignmentInput): Fleet {
  const roster = Roster.of(type, workers);
  const slots = slotsOf(roster);
  const grouping = new Grouping(roster, slots);
  const items = inOrder(tasks, type).map((task) => ({
    task,
    group: grouping.groupOf(task),
    previous: previous.get(task.key),
    slot: undefined,
  }));
  const runnable = items.filter(({ group }) => group.eligible.length > 0).length;
  return { slots, slotOf: byNode(roster, slots), groups: grouping.groups(), items, runnable };
}

/** The same fleet as {@link fleetOf} makes of all tasks, at the cost of the workers and of the tasks that cannot stay. */
export function fleetOfIndex(type: ConnectorType, index: TaskIndex, workers: readonly Worker[]): IndexedFleet {
  const roster = Roster.of(type, workers);
  const slots = slotsOf(roster);
  const grouping = new Grouping(roster, slots);
  const taken: Item[] = [];
  const source: CountedSource = { index, type, grouping, taken };
  const open: Item[] = [];
  let runnable = 0;
  for (const { need, owners } of index.counts(type)) {
    const group = grouping.groupOf(need);
    for (const [owner, count] of owners) {
      if (group.eligible.length > 0) runnable += count;
      const order = roster.orderOfOwner(owner);
      const slot = order === undefined || !group.members.has(order) ? undefined : slots[order];
      if (slot === undefined) {
        for (const held of index.heldOfNeed(owner, type, (other) => other === need)) {
          open.push({ ...held, group, slot: undefined });
        }
        continue;
      }
      let kept = slot.shares[group.number]?.kept;
      if (kept === undefined) {
        kept = new CountedItems(source, owner, group, slot);
        slot.shares[group.number] = { kept, placed: [] };
      }
      (kept as CountedItems).length += count;
      slot.load += count;
    }
  }
  for (const { task, previous } of index.open(type)) {
    const group = grouping.groupOf(task);
    if (group.eligible.length > 0) runnable += 1;
    open.push({ task, group, previous, slot: undefined });
  }
  const items = inOrderOfIds(open);
  return { slots, slotOf: byNode(roster, slots), groups: grouping.groups(), items, runnable, taken };
}

/** What {@link CountedItems} are made from. */
interface CountedSource {
  readonly index: TaskIndex;
  readonly type: ConnectorType;
  readonly grouping: Grouping;
  /** Items that were taken from where they ran. */
  readonly taken: Item[];
}

/** Counts the items of one group that an owner runs, and makes them once the first is needed. */
class CountedItems implements KeptItems {
  length = 0;
  #items: Item[] | undefined;

  constructor(
    private readonly source: CountedSource,
    private readonly owner: string,
    private readonly group: Group,
    private readonly slot: Slot,
  ) {}

  push(item: Item): void {
    this.#made().push(item);
    this.length += 1;
  }

  pop(): Item | undefined {
    const item = this.#made().pop();
    if (item === undefined) return undefined;
    this.length -= 1;
    this.source.taken.push(item);
    return item;
  }

  #made(): Item[] {
    return (this.#items ??= this.#make());
  }

  #make(): Item[] {
    const { group, slot, owner } = this;
    const { index, type, grouping } = this.source;
    const held = index.heldOfNeed(owner, type, (need) => grouping.groupOf(need) === group);
    return inOrderOfIds(held.map((each) => ({ ...each, group, slot })));
  }
}

export function inOrderOfIds(items: Item[]): Item[] {
  return items.sort(({ task: a }, { task: b }) => compareIds(a.id, b.id));
}

function slotsOf({ workers }: Roster): readonly Slot[] {
  return workers.map((worker, order) => ({ order, worker, load: 0, shares: [] }));
}

function byNode(roster: Roster, slots: readonly Slot[]): Fleet['slotOf'] {
  return (nodeId) => {
    const order = roster.orderOfNode(nodeId);
    return order === undefined ? undefined : slots[order];
  };
}

export function shareOf({ shares }: Slot, { number }: Group): Share {
  return (shares[number] ??= { kept: [], placed: [] });
}

export function give(slot: Slot, item: Item): void {
  shareOf(slot, item.group).placed.push(item);
  item.slot = slot;
  slot.load += 1;
}

/** By name, then index. Tasks are put together by connector first: names are compared once each. */
function inOrder(tasks: readonly AssignableTask[], type: ConnectorType): readonly AssignableTask[] {
  const byName = new Map<string, AssignableTask[]>();
  let name: string | undefined;
  let own: AssignableTask[] = [];
  for (const task of tasks) {
    if (task.type !== type) continue;
    // Tasks of one connector mostly follow each other: then they are looked up once.
    if (task.id.connector !== name) {
      name = task.id.connector;
      own = byName.get(name) ?? [];
      byName.set(name, own);
    }
    own.push(task);
  }
  const ordered: AssignableTask[] = [];
  for (const each of [...byName.keys()].sort(compareText)) {
    const sorted = (byName.get(each) ?? []).sort((a, b) => a.id.index - b.id.index);
    for (const task of sorted) ordered.push(task);
  }
  return ordered;
}

/** Puts tasks with the same eligible workers together, whatever their classes and placements are. */
class Grouping {
  readonly #byNeed = new Map<string, Group>();
  readonly #byWorkers = new Map<string, Group>();
  #count = 0;
  #last: { readonly need: NeedOfTask; readonly group: Group } | undefined;

  constructor(
    private readonly roster: Roster,
    private readonly slots: readonly Slot[],
  ) {}

  groupOf(need: NeedOfTask): Group {
    const last = this.#last;
    const isAlike = last?.need.connectorClass === need.connectorClass && last.need.placement === need.placement;
    const group = last !== undefined && isAlike ? last.group : this.#find(need);
    this.#last = { need, group };
    return group;
  }

  groups(): readonly Group[] {
    return [...this.#byWorkers]
      .sort(([a, left], [b, right]) => left.eligible.length - right.eligible.length || compareText(a, b))
      .map(([, group]) => group);
  }

  #find(task: NeedOfTask): Group {
    const need = `${labelsText(task.placement ?? {})} ${task.connectorClass}`;
    let group = this.#byNeed.get(need);
    if (group === undefined) {
      group = this.#create(this.roster.able(need, task));
      this.#byNeed.set(need, group);
    }
    return group;
  }

  #create({ orders, key, reason }: Able): Group {
    const known = reason === undefined ? this.#byWorkers.get(key) : undefined;
    if (known !== undefined) return known;
    const number = this.#count++;
    if (reason !== undefined) return { number, eligible: [], members: orders, reason };
    const eligible = Array.from(orders).flatMap((order) => this.slots[order] ?? []);
    const group = { number, eligible, members: orders };
    this.#byWorkers.set(key, group);
    return group;
  }
}
