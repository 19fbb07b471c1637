import type { ConnectorType } from '../model/connector.js';
import { memberKey } from '../model/member.js';
import type {
  AssignableTask,
  AssignmentInput,
  PreviousAssignment,
  UnassignedReason,
  Worker,
} from './assignment-plan.js';
import { labelsText } from './placement.js';
import { Roster, type Able } from './roster.js';
import type { IndexedTask, TaskIndex } from './task-index.js';
import { compareIds, compareText } from './text-order.js';

type NeedOfTask = Pick<AssignableTask, 'connectorClass' | 'placement'>;

/** A worker with what it is to hold. */
export interface Slot {
  /** Place of its node id among all of its role. */
  readonly order: number;
  readonly worker: Worker;
  load: number;
  /** What it holds of each group. */
  readonly shares: Map<Group, Share>;
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
  /** In the order of the slots; empty with a reason. */
  readonly eligible: readonly Slot[];
  readonly members: ReadonlySet<Slot>;
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
  readonly slotOf: ReadonlyMap<string, Slot>;
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
  return { slots, slotOf: byNode(slots), groups: grouping.groups(), items, runnable };
}

/** The same fleet as {@link fleetOf} makes of all tasks, at the cost of the workers and of the tasks that cannot stay. */
export function fleetOfIndex(type: ConnectorType, index: TaskIndex, workers: readonly Worker[]): IndexedFleet {
  const roster = Roster.of(type, workers);
  const slots = slotsOf(roster);
  const grouping = new Grouping(roster, slots);
  const slotOfOwner = new Map(slots.map((slot) => [memberKey(slot.worker), slot]));
  const taken: Item[] = [];
  const open: Item[] = [];
  let runnable = 0;
  for (const { need, owners } of index.counts(type)) {
    const group = grouping.groupOf(need);
    for (const [owner, count] of owners) {
      if (group.eligible.length > 0) runnable += count;
      const slot = slotOfOwner.get(owner);
      if (slot === undefined || !group.members.has(slot)) {
        for (const held of index.heldBy(owner, type, (other) => other === need)) {
          open.push({ ...held, group, slot: undefined });
        }
        continue;
      }
      let kept = slot.shares.get(group)?.kept;
      if (kept === undefined) {
        const heldHere = (): readonly IndexedTask[] =>
          index.heldBy(owner, type, (other) => grouping.groupOf(other) === group);
        kept = new CountedItems(() => inOrderOfIds(heldHere().map((held) => ({ ...held, group, slot }))), taken);
        slot.shares.set(group, { kept, placed: [] });
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
  return { slots, slotOf: byNode(slots), groups: grouping.groups(), items: inOrderOfIds(open), runnable, taken };
}

/** Items that are counted, and made once the first of them is needed. */
class CountedItems implements KeptItems {
  length = 0;
  #items: Item[] | undefined;

  constructor(
    private readonly make: () => Item[],
    private readonly taken: Item[],
  ) {}

  push(item: Item): void {
    this.#made().push(item);
    this.length += 1;
  }

  pop(): Item | undefined {
    const item = this.#made().pop();
    if (item === undefined) return undefined;
    this.length -= 1;
    this.taken.push(item);
    return item;
  }

  #made(): Item[] {
    return (this.#items ??= this.make());
  }
}

export function inOrderOfIds(items: Item[]): Item[] {
  return items.sort(({ task: a }, { task: b }) => compareIds(a.id, b.id));
}

function slotsOf({ workers }: Roster): readonly Slot[] {
  return workers.map((worker, order) => ({ order, worker, load: 0, shares: new Map<Group, Share>() }));
}

function byNode(slots: readonly Slot[]): ReadonlyMap<string, Slot> {
  return new Map(slots.map((slot) => [slot.worker.nodeId, slot]));
}

export function shareOf(slot: Slot, group: Group): Share {
  let share = slot.shares.get(group);
  if (share === undefined) {
    share = { kept: [], placed: [] };
    slot.shares.set(group, share);
  }
  return share;
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
    if (reason !== undefined) return { eligible: [], members: new Set(), reason };
    const known = this.#byWorkers.get(key);
    if (known !== undefined) return known;
    const eligible = orders.flatMap((order) => this.slots[order] ?? []);
    const group = { eligible, members: new Set(eligible) };
    this.#byWorkers.set(key, group);
    return group;
  }
}
