import { taskKey, type ConnectorState, type TaskId, type TaskState } from './connector.js';
import { memberKey } from './member.js';
import { SharedMap } from './shared-map.js';

/** The tasks of one connector, each at its index; a place may be empty. */
export type TaskGroup = readonly (TaskState | undefined)[];

const NONE: TaskGroup = [];
const NOTHING: readonly TaskId[] = [];

/**
 * All tasks, by `taskKey`, kept by connector and by owner. The cost of a copy does not grow with their number. A
 * comparison of two versions looks only at the connectors that changed between them. Iterates by connector, in the
 * order of their first tasks, then by index.
 */
export class TaskTable implements ReadonlyMap<string, TaskState> {
  readonly #groups: SharedMap<TaskGroup>;
  /** Groups that no other table shares. */
  readonly #own = new Set<TaskGroup>();
  /** By `memberKey`. Lists, because the few ids of one owner are copied faster than a set of them. */
  readonly #held: SharedMap<readonly TaskId[]>;
  /** Lists that no other table shares. */
  readonly #ownHeld = new Set<readonly TaskId[]>();
  #size: number;

  /** A copy of a table that is not changed any more, or an empty one. */
  constructor(from?: TaskTable) {
    this.#groups = new SharedMap(from === undefined ? new Map<string, TaskGroup>() : from.#groups);
    this.#held = new SharedMap(from === undefined ? new Map<string, readonly TaskId[]>() : from.#held);
    this.#size = from?.size ?? 0;
  }

  static of(tasks: Iterable<TaskState>): TaskTable {
    const table = new TaskTable();
    for (const task of tasks) table.set(task);
    return table;
  }

  /** Connectors whose tasks differ. */
  static changedConnectors(before: TaskTable, after: TaskTable): readonly string[] {
    return SharedMap.changedKeys(before.#groups, after.#groups);
  }

  get size(): number {
    return this.#size;
  }

  /** Empty where the connector has no tasks. */
  ofConnector(name: string): TaskGroup {
    return this.#groups.get(name) ?? NONE;
  }

  /** The tasks that an incarnation holds, asked to stop or not. */
  heldBy(owner: string): readonly TaskId[] {
    return this.#held.get(owner) ?? NOTHING;
  }

  /** Returns whether an incarnation holds tasks, or has held some since {@link forgetOwner} dropped it. */
  knowsOwner(owner: string): boolean {
    return this.#held.has(owner);
  }

  /** Drops the empty list of an incarnation that never gets tasks again. */
  forgetOwner(owner: string): void {
    if (this.heldBy(owner).length === 0) this.#held.delete(owner);
  }

  find({ connector, index }: TaskId): TaskState | undefined {
    return this.#groups.get(connector)?.[index];
  }

  get(key: string): TaskState | undefined {
    const dash = key.lastIndexOf('-');
    const task = this.#groups.get(key.slice(0, dash))?.[Number(key.slice(dash + 1))];
    // Numbers can be written in other ways than keys are.
    return task !== undefined && taskKey(task.id) === key ? task : undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(task: TaskState): void {
    const { connector, index } = task.id;
    const group = this.#ownGroup(connector);
    const before = group[index];
    if (before === undefined) this.#size += 1;
    while (group.length < index) group.push(undefined);
    group[index] = task;
    this.#moveHolding(before, task);
  }

  delete({ connector, index }: TaskId): void {
    const before = this.find({ connector, index });
    if (before === undefined) return;
    this.#moveHolding(before, undefined);
    this.#size -= 1;
    const group = this.#ownGroup(connector);
    group[index] = undefined;
    while (group.length > 0 && group.at(-1) === undefined) group.pop();
    if (group.length === 0) this.#groups.delete(connector);
  }

  /** The tasks by connector. */
  groups(): MapIterator<[string, TaskGroup]> {
    return this.#groups.entries();
  }

  *values(): MapIterator<TaskState> {
    for (const group of this.#groups.values()) {
      for (const task of group) if (task !== undefined) yield task;
    }
  }

  *entries(): MapIterator<[string, TaskState]> {
    for (const task of this.values()) yield [taskKey(task.id), task];
  }

  *keys(): MapIterator<string> {
    for (const task of this.values()) yield taskKey(task.id);
  }

  [Symbol.iterator](): MapIterator<[string, TaskState]> {
    return this.entries();
  }

  forEach(visit: (value: TaskState, key: string, map: ReadonlyMap<string, TaskState>) => void): void {
    for (const [key, task] of this.entries()) visit(task, key, this);
  }

  #ownGroup(connector: string): (TaskState | undefined)[] {
    const group = this.ofConnector(connector);
    if (this.#own.has(group)) return group as (TaskState | undefined)[];
    const own = [...group];
    this.#own.add(own);
    this.#groups.set(connector, own);
    return own;
  }

  /** The lists hold the very ids of the tasks. */
  #moveHolding(before: TaskState | undefined, after: TaskState | undefined): void {
    const from = before?.assignment;
    const to = after?.assignment;
    const stays = from?.nodeId === to?.nodeId && from?.incarnation === to?.incarnation && before?.id === after?.id;
    if (stays) return;
    if (before !== undefined && from !== undefined) {
      const held = this.#ownHolding(memberKey(from));
      held.splice(held.indexOf(before.id), 1);
    }
    if (after !== undefined && to !== undefined) this.#ownHolding(memberKey(to)).push(after.id);
  }

  #ownHolding(owner: string): TaskId[] {
    const held = this.heldBy(owner);
    if (this.#ownHeld.has(held)) return held as TaskId[];
    const own = [...held];
    this.#ownHeld.add(own);
    this.#held.set(owner, own);
    return own;
  }
}

/** Lists the tasks that the connector has now, in their order. It leaves out one beyond the task count, which only stops. */
export function currentTasks(tasks: TaskTable, { name, taskCount = 0 }: Pick<ConnectorState, 'name' | 'taskCount'>): readonly TaskState[] {
  return tasks
    .ofConnector(name)
    .slice(0, taskCount)
    .filter((task) => task !== undefined);
}
