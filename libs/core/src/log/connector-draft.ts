import type { ClusterState } from '../model/cluster-state.js';
import {
  asSplit,
  freed,
  reconfigured,
  reopened,
  taskConfig,
  withoutError,
  TargetState,
  type ConnectorState,
  type TaskCompletion,
  type TaskId,
} from '../model/connector.js';
import type { LogEvent } from '../model/entry.js';
import type { Member } from '../model/member.js';
import { SharedMap } from '../model/shared-map.js';
import { TaskTable } from '../model/task-table.js';
import { sameConfig, sameTaskConfig } from './same-config.js';

type EventOf<Kind extends LogEvent['kind']> = Extract<LogEvent, { kind: Kind }>;

/**
 * Connectors and their tasks under change: each map is copied at its first write. What the events imply is settled here, so that no log can break it:
 * - a task is held without revocation only while it is wanted. The entry that stops or deletes its connector, or gives
 *   the task new settings, revokes it too;
 * - a free task always belongs to a connector that wants it: others vanish when they are released;
 * - a task that is held is not assigned again;
 * - a completed task is revoked by that and not assigned, until an event has it run again.
 */
export class ConnectorDraft {
  #connectors: ReadonlyMap<string, ConnectorState>;
  #tasks: TaskTable;
  #ownConnectors: SharedMap<ConnectorState> | undefined;
  #ownTasks: TaskTable | undefined;

  constructor({ connectors, tasks }: Pick<ClusterState, 'connectors' | 'tasks'>) {
    this.#connectors = connectors;
    this.#tasks = tasks;
  }

  get connectors(): ReadonlyMap<string, ConnectorState> {
    return this.#connectors;
  }
  get tasks(): TaskTable {
    return this.#tasks;
  }

  /** Returns both as they stand: what is applied from now on does not change them. */
  settled(): Pick<ClusterState, 'tasks' | 'connectors'> {
    this.#ownTasks = undefined;
    this.#ownConnectors = undefined;
    return { tasks: this.#tasks, connectors: this.#connectors };
  }

  put({ name, type, config, targetState, warnings }: EventOf<'connector.put'>, seq: number): void {
    const told = warnings === undefined ? {} : { warnings };
    const put = { name, type, config, configVersion: seq, targetState, ...told };
    this.#writeConnectors().set(name, reconfigured(this.#connectors.get(name), put));
    if (put.targetState === TargetState.stopped) this.#revokeAll(name, seq);
  }

  target({ name, targetState }: EventOf<'connector.target'>, seq: number): void {
    const connector = this.#connectors.get(name);
    if (connector === undefined) return;
    const splitsAnew = connector.targetState === TargetState.stopped && targetState !== TargetState.stopped;
    this.#writeConnectors().set(name, { ...(splitsAnew ? withoutError(connector) : connector), targetState });
    if (targetState === TargetState.stopped) this.#revokeAll(name, seq);
  }

  delete(name: string, seq: number): void {
    const connector = this.#connectors.get(name);
    if (connector === undefined) return;
    for (let index = 0; index < (connector.taskCount ?? 0); index += 1) {
      this.#discard({ connector: name, index }, seq);
    }
    this.#writeConnectors().delete(name);
  }

  /** Gives a connector the tasks of its present config; those of an older one are ignored. */
  split({ name, configVersion, tasks }: EventOf<'tasks.configured'>, seq: number): void {
    const connector = this.#connectors.get(name);
    if (connector?.configVersion !== configVersion) return;
    const split = asSplit(connector, tasks.length);
    this.#writeConnectors().set(name, split);
    const { type } = split;
    const { tasksConfig } = connector;
    const isSameBase = tasksConfig === undefined || sameTaskConfig(tasksConfig, connector.config);
    tasks.forEach((overrides, index) => {
      const id = { connector: name, index };
      const task = this.#tasks.find(id);
      const isSameText = task?.type === type && sameConfig(task.overrides, overrides);
      if (isSameText && isSameBase) return;
      const isSame = task?.type === type && sameTaskConfig(taskConfig(connector, task), taskConfig(split, { overrides }));
      if (!isSame) this.rerun(id, seq);
      const revoked = this.#tasks.find(id);
      this.#writeTasks().set(revoked === undefined ? { id, type, overrides, committed: false } : { ...revoked, type, overrides });
    });
    for (let index = tasks.length; index < (connector.taskCount ?? 0); index += 1) {
      this.#discard({ connector: name, index }, seq);
    }
  }

  /** Keeps why the present config of a connector could not be split into tasks. */
  failSplit({ name, configVersion, error }: EventOf<'tasks.failed'>): void {
    const connector = this.#connectors.get(name);
    if (connector?.configVersion !== configVersion) return;
    this.#writeConnectors().set(name, { ...connector, error });
  }

  assign(target: TaskId, owner: Member, seq: number): void {
    const task = this.#tasks.find(target);
    if (task === undefined || task.assignment !== undefined || task.completed !== undefined) return;
    if (this.#connectors.get(target.connector)?.targetState === TargetState.stopped) return;
    const { id, type, overrides, committed } = task;
    // The member's own texts: those of the entry need not outlive it.
    const { nodeId, incarnation } = owner;
    const assignment = { nodeId, incarnation, generation: seq };
    this.#writeTasks().set({ id, type, overrides, committed, lastNodeId: nodeId, assignment });
  }

  revoke(id: TaskId, seq: number): void {
    const task = this.#tasks.find(id);
    if (task?.assignment === undefined || task.assignment.revokedAt !== undefined) return;
    this.#writeTasks().set({ ...task, assignment: { ...task.assignment, revokedAt: seq } });
  }

  /** Revokes a task that is held, and has one run again that has completed. */
  rerun(id: TaskId, seq: number): void {
    const task = this.#tasks.find(id);
    if (task?.completed !== undefined) this.#writeTasks().set(reopened(task));
    this.revoke(id, seq);
  }

  /** Takes effect for the generation that holds the task and was not asked to stop: that may be for a restart or new settings. */
  complete(id: TaskId, completed: TaskCompletion, seq: number): void {
    const task = this.#tasks.find(id);
    if (task?.assignment?.generation !== completed.generation || task.assignment.revokedAt !== undefined) return;
    this.#writeTasks().set({ ...task, completed, assignment: { ...task.assignment, revokedAt: seq } });
  }

  release(id: TaskId): void {
    const task = this.#tasks.find(id);
    if (task?.assignment === undefined) return;
    if (task.id.index >= (this.#connectors.get(task.id.connector)?.taskCount ?? 0)) {
      this.#writeTasks().delete(id);
      return;
    }
    this.#writeTasks().set(freed(task));
  }

  /** Releases all tasks of an incarnation that never gets any again. */
  releaseAllOf(owner: string): void {
    for (const id of [...this.#tasks.heldBy(owner)]) this.release(id);
    if (this.#tasks.knowsOwner(owner)) this.#writeTasks().forgetOwner(owner);
  }

  commit(id: TaskId): void {
    const task = this.#tasks.find(id);
    if (task !== undefined && !task.committed) this.#writeTasks().set({ ...task, committed: true });
  }

  /** The connector has no such task any more: it goes, or once its owner has stopped it. */
  #discard(id: TaskId, seq: number): void {
    if (this.#tasks.find(id)?.assignment === undefined) this.#writeTasks().delete(id);
    else this.rerun(id, seq);
  }

  #revokeAll(name: string, seq: number): void {
    const count = this.#connectors.get(name)?.taskCount ?? 0;
    for (let index = 0; index < count; index += 1) this.rerun({ connector: name, index }, seq);
  }

  #writeConnectors(): SharedMap<ConnectorState> {
    this.#ownConnectors ??= new SharedMap(this.#connectors);
    this.#connectors = this.#ownConnectors;
    return this.#ownConnectors;
  }
  #writeTasks(): TaskTable {
    this.#ownTasks ??= new TaskTable(this.#tasks);
    this.#tasks = this.#ownTasks;
    return this.#ownTasks;
  }
}
