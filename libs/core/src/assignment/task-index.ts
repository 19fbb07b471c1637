import { SharedMap } from '../model/shared-map.js';
import { TaskTable, type TaskGroup } from '../model/task-table.js';
import type { ClusterState } from '../model/cluster-state.js';
import { taskKey, type ConnectorState, type ConnectorType, type TaskState } from '../model/connector.js';
import { memberKey } from '../model/member.js';
import { assignableTask, needOf, previousOf, type Need } from './assignment-input.js';
import type { AssignableTask, PreviousAssignment } from './assignment-types.js';
import { labelsText } from '../model/placement.js';
import { hasOlderOwners, assignmentStateOf, type AssignmentState } from './assignment-state.js';

type Connectors = ClusterState['connectors'];

/** How many tasks of one need each owner runs, by `memberKey`. */
export interface HeldCounts {
  readonly need: Need;
  readonly owners: Map<string, number>;
}

/** A task and who has it. */
export interface IndexedTask {
  readonly task: AssignableTask;
  readonly previous: PreviousAssignment | undefined;
}

interface Known {
  readonly task: TaskState;
  readonly state: AssignmentState;
  readonly need: Need;
}

const nothing: ReadonlyMap<string, Known> = new Map();

/**
 * Indexes the tasks of a cluster by owner and by what they need. `moveTo` takes it to any other version of the tables,
 * at the cost of what differs between the two. What it says depends only on the version it stands at.
 */
export class TaskIndex {
  #tasks = new TaskTable();
  #connectors: Connectors = new Map();
  #version = 0;
  readonly #needs = new Map<string, Need>();
  readonly #counts = { source: new Map<Need, HeldCounts>(), sink: new Map<Need, HeldCounts>() };
  readonly #open = { source: new Map<string, IndexedTask>(), sink: new Map<string, IndexedTask>() };
  /** By `memberKey`, then by task. */
  readonly #owned = new Map<string, Map<string, Known>>();
  #moves = 0;

  get tasks(): TaskTable {
    return this.#tasks;
  }
  get connectors(): Connectors {
    return this.#connectors;
  }

  /** Another one means that an assignment may turn out differently. */
  get version(): number {
    return this.#version;
  }

  /** Tasks that somebody holds and was asked to stop. */
  get moves(): number {
    return this.#moves;
  }

  /** Neither may be changed afterwards. */
  moveTo(tasks: TaskTable, connectors: Connectors): void {
    if (tasks === this.#tasks && connectors === this.#connectors) return;
    const changed = new Set(TaskTable.changedConnectors(this.#tasks, tasks));
    for (const name of SharedMap.changedKeys(this.#connectors, connectors)) changed.add(name);
    for (const name of changed) {
      const before = { connector: this.#connectors.get(name), group: this.#tasks.ofConnector(name) };
      this.#replace(before, { connector: connectors.get(name), group: tasks.ofConnector(name) });
    }
    this.#tasks = tasks;
    this.#connectors = connectors;
  }

  /** What is held, by need. */
  counts(type: ConnectorType): Iterable<HeldCounts> {
    return this.#counts[type].values();
  }

  /** Tasks that are free or moving. */
  open(type: ConnectorType): Iterable<IndexedTask> {
    return this.#open[type].values();
  }

  /** Tasks that an incarnation holds, asked to stop or not. */
  ownedBy(owner: string): readonly TaskState[] {
    return [...(this.#owned.get(owner) ?? nothing).values()].map(({ task }) => task);
  }

  /** Those among them that it runs for connectors with such needs. */
  heldOfNeed(owner: string, type: ConnectorType, isWanted: (need: Need) => boolean): IndexedTask[] {
    const held: IndexedTask[] = [];
    for (const { task, state, need } of (this.#owned.get(owner) ?? nothing).values()) {
      if (state !== 'held' || task.type !== type || !isWanted(need)) continue;
      held.push({ task: assignableTask(task, need), previous: previousOf(task) });
    }
    return held;
  }

  #replace(before: Part, after: Part): void {
    const wasWaiting = hasOlderOwners(before.connector, before.group);
    const isWaiting = hasOlderOwners(after.connector, after.group);
    const needBefore = this.#needOf(before.connector);
    const needAfter = this.#needOf(after.connector);
    for (let index = 0; index < Math.max(before.group.length, after.group.length); index += 1) {
      const old = knownOf(before.group[index], before.connector, wasWaiting, needBefore);
      const now = knownOf(after.group[index], after.connector, isWaiting, needAfter);
      if (old?.task === now?.task && old?.state === now?.state && old?.need === now?.need) continue;
      if (!isAlike(old, now)) this.#version += 1;
      if (old !== undefined) this.#remove(old);
      if (now !== undefined) this.#add(now);
    }
  }

  #add(known: Known): void {
    const { task, state, need } = known;
    const { type, assignment } = task;
    if (state === 'free' || state === 'moving') {
      const assignable = assignableTask(task, need);
      const previous = state === 'free' ? undefined : previousOf(task);
      this.#open[type].set(assignable.key, { task: assignable, previous });
    }
    if (assignment === undefined) return;
    const owner = memberKey(assignment);
    if (assignment.revokedAt !== undefined) this.#moves += 1;
    let owned = this.#owned.get(owner);
    if (owned === undefined) this.#owned.set(owner, (owned = new Map<string, Known>()));
    owned.set(taskKey(task.id), known);
    if (state !== 'held') return;
    let counts = this.#counts[type].get(need);
    if (counts === undefined) this.#counts[type].set(need, (counts = { need, owners: new Map() }));
    counts.owners.set(owner, (counts.owners.get(owner) ?? 0) + 1);
  }

  #remove({ task, state, need }: Known): void {
    const { type, assignment } = task;
    if (state === 'free' || state === 'moving') this.#open[type].delete(taskKey(task.id));
    if (assignment === undefined) return;
    const owner = memberKey(assignment);
    if (assignment.revokedAt !== undefined) this.#moves -= 1;
    const owned = this.#owned.get(owner);
    owned?.delete(taskKey(task.id));
    if (owned?.size === 0) this.#owned.delete(owner);
    const owners = state === 'held' ? this.#counts[type].get(need)?.owners : undefined;
    const left = (owners?.get(owner) ?? 0) - 1;
    if (left > 0) owners?.set(owner, left);
    else owners?.delete(owner);
    if (owners?.size === 0) this.#counts[type].delete(need);
  }

  /** One object per class and placement. */
  #needOf(connector: ConnectorState | undefined): Need {
    const need = connector === undefined ? noNeed : needOf(connector);
    const text = `${labelsText(need.placement)} ${need.connectorClass}`;
    const known = this.#needs.get(text);
    if (known === undefined) this.#needs.set(text, need);
    return known ?? need;
  }
}

interface Part {
  readonly connector: ConnectorState | undefined;
  readonly group: TaskGroup;
}

const noNeed: Need = { connectorClass: '', placement: {} };

function knownOf(task: TaskState | undefined, connector: ConnectorState | undefined, isWaiting: boolean, need: Need): Known | undefined {
  return task === undefined ? undefined : { task, state: assignmentStateOf(task, connector, isWaiting), need };
}

/** Whether both lead to the same assignment: marks such as `committed` do not matter. */
function isAlike(old: Known | undefined, now: Known | undefined): boolean {
  return (
    old?.state === now?.state &&
    old?.need === now?.need &&
    old?.task.type === now?.task.type &&
    old?.task.lastNodeId === now?.task.lastNodeId &&
    old?.task.assignment?.generation === now?.task.assignment?.generation &&
    old?.task.assignment?.nodeId === now?.task.assignment?.nodeId &&
    old?.task.assignment?.incarnation === now?.task.assignment?.incarnation
  );
}
