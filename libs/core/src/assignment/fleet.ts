import type { ConnectorType } from '../model/connector.js';
import { runnerRole } from '../model/member.js';
import type {
  AssignableTask,
  AssignmentInput,
  PreviousAssignment,
  UnassignedReason,
  Worker,
} from './assignment-plan.js';
import { Eligibility } from './eligibility.js';
import { labelsText } from './placement.js';
import { compareText } from './text-order.js';

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
  readonly kept: Item[];
  /** Given by this plan: moving one of these again costs nothing. */
  readonly placed: Item[];
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
  /** By connector name, then index. */
  readonly items: readonly Item[];
}

export function fleetOf(type: ConnectorType, { tasks, workers, previous }: AssignmentInput): Fleet {
  const slots = workers
    .filter(({ role }) => role === runnerRole(type))
    .sort((a, b) => compareText(a.nodeId, b.nodeId))
    .map((worker, order) => ({ order, worker, load: 0, shares: new Map<Group, Share>() }));
  const grouping = new Grouping(type, slots);
  const items = inOrder(tasks, type).map((task) => ({
    task,
    group: grouping.groupOf(task),
    previous: previous.get(task.key),
    slot: undefined,
  }));
  const slotOf = new Map(slots.map((slot) => [slot.worker.nodeId, slot]));
  return { slots, slotOf, groups: grouping.groups(), items };
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
  readonly #eligibility: Eligibility;
  readonly #slotOf: ReadonlyMap<Worker, Slot>;
  readonly #byNeed = new Map<string, Group>();
  readonly #byWorkers = new Map<string, Group>();
  #last: { readonly task: AssignableTask; readonly group: Group } | undefined;

  constructor(type: ConnectorType, slots: readonly Slot[]) {
    const workers = slots.map(({ worker }) => worker);
    this.#eligibility = new Eligibility(runnerRole(type), workers);
    this.#slotOf = new Map(slots.map((slot) => [slot.worker, slot]));
  }

  groupOf(task: AssignableTask): Group {
    const last = this.#last;
    const isAlike = last?.task.connectorClass === task.connectorClass && last.task.placement === task.placement;
    const group = last !== undefined && isAlike ? last.group : this.#find(task);
    this.#last = { task, group };
    return group;
  }

  groups(): readonly Group[] {
    return [...this.#byWorkers]
      .sort(([a, left], [b, right]) => left.eligible.length - right.eligible.length || compareText(a, b))
      .map(([, group]) => group);
  }

  #find(task: AssignableTask): Group {
    const need = `${labelsText(task.placement ?? {})} ${task.connectorClass}`;
    let group = this.#byNeed.get(need);
    if (group === undefined) {
      group = this.#create(task);
      this.#byNeed.set(need, group);
    }
    return group;
  }

  #create(task: AssignableTask): Group {
    const { workers, reason } = this.#eligibility.find(task);
    if (reason !== undefined) return { eligible: [], members: new Set(), reason };
    const eligible = workers.flatMap((worker) => this.#slotOf.get(worker) ?? []);
    const key = eligible.map(({ order }) => order).join(' ');
    const known = this.#byWorkers.get(key);
    if (known !== undefined) return known;
    const group = { eligible, members: new Set(eligible) };
    this.#byWorkers.set(key, group);
    return group;
  }
}
