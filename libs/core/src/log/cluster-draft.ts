import {
  headerOf,
  type ClusterState,
  type LogHead,
  type StateHeader,
  type StoredResult,
} from '../model/cluster-state.js';
import {
  freed,
  asSplit,
  reconfigured,
  taskConfig,
  withoutError,
  TargetState,
  type Overrides,
  type ConnectorState,
  type TaskId,
} from '../model/connector.js';
import { eventsIn, type LogEvent } from '../model/entry.js';
import type { UnknownEntry } from '../model/feature-level.js';
import { RESULT_RETENTION_MS } from '../model/command.js';
import { memberKey, trusted, type Member } from '../model/member.js';
import { headerAfter, type EventStamp } from './header-events.js';
import { SharedMap } from '../model/shared-map.js';
import { sameConfig, sameTaskConfig } from './same-config.js';
import { TaskTable } from '../model/task-table.js';

/**
 * A cluster state under change: each map is copied at its first write and never again. What the events imply is settled
 * here, so that no log can break it:
 * - a task is held without revocation only while it is wanted. The entry that stops or deletes its connector, or gives
 *   the task new settings, revokes it too;
 * - a free task always belongs to a connector that wants it: others vanish when they are released;
 * - a task that is held is not assigned again, nor is one assigned to a node that is not a member;
 * - a member that leaves releases all its tasks.
 */
export class ClusterDraft {
  readonly #base: ClusterState;
  #header: StateHeader;
  #head: LogHead;
  #members: ReadonlyMap<string, Member>;
  #departed: ReadonlyMap<string, number>;
  #connectors: ReadonlyMap<string, ConnectorState>;
  #tasks: TaskTable;
  #results: ReadonlyMap<string, StoredResult>;
  #ownMembers?: SharedMap<Member>;
  #ownDeparted?: Map<string, number>;
  #ownConnectors: SharedMap<ConnectorState> | undefined;
  #ownTasks: TaskTable | undefined;
  #ownResults?: SharedMap<StoredResult>;
  #skipped: number;
  #needsNewer: UnknownEntry | undefined;

  constructor(base: ClusterState) {
    this.#base = base;
    this.#header = headerOf(base);
    this.#head = base.head;
    this.#members = base.members;
    this.#departed = base.departed;
    this.#connectors = base.connectors;
    this.#tasks = base.tasks;
    this.#results = base.results;
    this.#skipped = base.skipped;
    this.#needsNewer = base.needsNewer;
  }

  /** Its `head` is that of the base; see `head`. */
  get header(): StateHeader {
    return this.#header;
  }
  get head(): LogHead {
    return this.#head;
  }
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }
  get departed(): ReadonlyMap<string, number> {
    return this.#departed;
  }
  get connectors(): ReadonlyMap<string, ConnectorState> {
    return this.#connectors;
  }
  get tasks(): TaskTable {
    return this.#tasks;
  }
  get results(): ClusterState['results'] {
    return this.#results;
  }

  /** Set once an accepted entry cannot be applied: nothing may follow. */
  get needsNewer(): UnknownEntry | undefined {
    return this.#needsNewer;
  }

  stopBefore(entry: UnknownEntry): void {
    this.#needsNewer = entry;
  }

  skip(): void {
    this.#skipped += 1;
  }

  advance(head: LogHead): void {
    this.#head = head;
  }

  /** Tasks and connectors as they stand: what is applied from now on does not change them. */
  settled(): Pick<ClusterState, 'tasks' | 'connectors'> {
    this.#ownTasks = undefined;
    this.#ownConnectors = undefined;
    return { tasks: this.#tasks, connectors: this.#connectors };
  }

  /** The state as it stands; the draft must not be changed afterwards. */
  finish(): ClusterState {
    const base = this.#base;
    const isSame = this.#head === base.head && this.#skipped === base.skipped && this.#needsNewer === base.needsNewer;
    if (isSame) return base;
    return {
      ...this.#header,
      head: this.#head,
      members: this.#members,
      departed: this.#departed,
      connectors: this.#connectors,
      tasks: this.#tasks,
      results: this.#results,
      skipped: this.#skipped,
      ...(this.#needsNewer === undefined ? {} : { needsNewer: this.#needsNewer }),
    };
  }

  /** Applies an event that was accepted at `stamp`. */
  apply(event: LogEvent, stamp: EventStamp): void {
    this.#forgetOld(stamp.at);
    switch (event.kind) {
      case 'genesis':
      case 'claimed':
      case 'lease.renewed':
      case 'cluster.version':
      case 'leader.resigned':
      case 'commands.rewound':
      case 'drain.started':
      case 'drain.ended':
      case 'settings.changed':
      case 'snapshot.chunk':
      case 'snapshot.done':
        this.#header = headerAfter(this.#header, event, stamp);
        return;
      case 'member.joined':
        this.#join(event.member, stamp.seq);
        return;
      case 'member.suspected':
      case 'member.cleared': {
        const member = this.#members.get(event.nodeId);
        if (member?.incarnation !== event.incarnation) return;
        this.#writeMembers().set(
          member.nodeId,
          event.kind === 'member.suspected' ? { ...member, suspectedAt: stamp.seq } : trusted(member),
        );
        return;
      }
      case 'member.left':
        this.#depart(event, stamp.at);
        this.#leave(event.nodeId, event.incarnation);
        return;
      case 'member.rejected':
        if (this.#members.get(event.nodeId)?.incarnation !== event.incarnation) this.#depart(event, stamp.at);
        return;
      case 'connector.put': {
        const { name, type, config, targetState, warnings } = event;
        const told = warnings === undefined ? {} : { warnings };
        const put = { name, type, config, configVersion: stamp.seq, targetState, ...told };
        this.#writeConnectors().set(name, reconfigured(this.#connectors.get(name), put));
        if (event.targetState === TargetState.stopped) this.#revokeAll(event.name, stamp.seq);
        return;
      }
      case 'connector.target':
        this.#target(event.name, event.targetState, stamp.seq);
        return;
      case 'connector.deleted':
        this.#delete(event.name, stamp.seq);
        return;
      case 'tasks.configured':
        this.#configure(event.name, event.configVersion, event.tasks, stamp.seq);
        return;
      case 'tasks.failed': {
        const connector = this.#connectors.get(event.name);
        if (connector?.configVersion !== event.configVersion) return;
        this.#writeConnectors().set(event.name, { ...connector, error: event.error });
        return;
      }
      case 'tasks.assigned':
        for (const task of event.tasks) this.#assign(task, stamp.seq);
        return;
      case 'tasks.revoked':
        for (const id of event.tasks) this.#revoke(id, stamp.seq);
        return;
      case 'tasks.released':
        for (const id of event.tasks) this.#release(id);
        return;
      case 'tasks.committed':
        for (const id of event.tasks) {
          const task = this.#tasks.find(id);
          if (task !== undefined && !task.committed) this.#writeTasks().set({ ...task, committed: true });
        }
        return;
      case 'command.applied':
        for (const each of eventsIn(event)) this.apply(each, stamp);
        return;
      case 'command.done': {
        const { result } = event;
        this.#header = headerAfter(this.#header, event, stamp);
        if (!this.#results.has(result.requestId)) {
          this.#writeResults().set(result.requestId, { ...result, at: stamp.at });
        }
        return;
      }
      default:
        event satisfies never;
    }
  }

  #join(member: Omit<Member, 'suspectedAt' | 'joinedAt'>, seq: number): void {
    const before = this.#members.get(member.nodeId);
    if (this.#departed.has(memberKey(member))) return;
    if (before !== undefined && before.incarnation !== member.incarnation) return;
    this.#writeMembers().set(member.nodeId, { ...before, ...member, joinedAt: before?.joinedAt ?? seq });
  }

  #depart(node: { readonly nodeId: string; readonly incarnation: string }, at: number): void {
    this.#ownDeparted ??= new Map(this.#departed);
    this.#departed = this.#ownDeparted;
    this.#ownDeparted.set(memberKey(node), at);
  }

  #leave(nodeId: string, incarnation: string): void {
    if (this.#members.get(nodeId)?.incarnation !== incarnation) return;
    this.#writeMembers().delete(nodeId);
    const owner = memberKey({ nodeId, incarnation });
    for (const id of [...this.#tasks.heldBy(owner)]) this.#release(id);
    if (this.#tasks.knowsOwner(owner)) this.#writeTasks().forgetOwner(owner);
  }

  #target(name: string, targetState: TargetState, seq: number): void {
    const connector = this.#connectors.get(name);
    if (connector === undefined) return;
    const splitsAnew = connector.targetState === TargetState.stopped && targetState !== TargetState.stopped;
    this.#writeConnectors().set(name, { ...(splitsAnew ? withoutError(connector) : connector), targetState });
    if (targetState === TargetState.stopped) this.#revokeAll(name, seq);
  }

  #delete(name: string, seq: number): void {
    const connector = this.#connectors.get(name);
    if (connector === undefined) return;
    for (let index = 0; index < (connector.taskCount ?? 0); index += 1) {
      this.#discard({ connector: name, index }, seq);
    }
    this.#writeConnectors().delete(name);
  }

  #configure(name: string, configVersion: number, tasks: readonly Overrides[], seq: number): void {
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
      const isSame =
        task?.type === type && sameTaskConfig(taskConfig(connector, task), taskConfig(split, { overrides }));
      if (!isSame) this.#revoke(id, seq);
      const revoked = this.#tasks.find(id);
      this.#writeTasks().set(
        revoked === undefined ? { id, type, overrides, committed: false } : { ...revoked, type, overrides },
      );
    });
    for (let index = tasks.length; index < (connector.taskCount ?? 0); index += 1) {
      this.#discard({ connector: name, index }, seq);
    }
  }

  #assign(target: TaskId & { readonly nodeId: string; readonly incarnation: string }, seq: number): void {
    const task = this.#tasks.find(target);
    if (task === undefined || task.assignment !== undefined) return;
    const member = this.#members.get(target.nodeId);
    if (member?.incarnation !== target.incarnation) return;
    if (this.#connectors.get(target.connector)?.targetState === TargetState.stopped) return;
    const { id, type, overrides, committed } = task;
    // The member's own texts: those of the entry need not outlive it.
    const { nodeId, incarnation } = member;
    const assignment = { nodeId, incarnation, generation: seq };
    this.#writeTasks().set({ id, type, overrides, committed, lastNodeId: nodeId, assignment });
  }

  /** The connector has no such task any more: it goes, or once its owner has stopped it. */
  #discard(id: TaskId, seq: number): void {
    if (this.#tasks.find(id)?.assignment === undefined) this.#writeTasks().delete(id);
    else this.#revoke(id, seq);
  }

  #revoke(id: TaskId, seq: number): void {
    const task = this.#tasks.find(id);
    if (task?.assignment === undefined || task.assignment.revokedAt !== undefined) return;
    this.#writeTasks().set({ ...task, assignment: { ...task.assignment, revokedAt: seq } });
  }

  #revokeAll(name: string, seq: number): void {
    const count = this.#connectors.get(name)?.taskCount ?? 0;
    for (let index = 0; index < count; index += 1) this.#revoke({ connector: name, index }, seq);
  }

  #release(id: TaskId): void {
    const task = this.#tasks.find(id);
    if (task?.assignment === undefined) return;
    if (task.id.index >= (this.#connectors.get(task.id.connector)?.taskCount ?? 0)) {
      this.#writeTasks().delete(id);
      return;
    }
    this.#writeTasks().set(freed(task));
  }

  #forgetOld(at: number): void {
    const limit = at - RESULT_RETENTION_MS;
    for (const [requestId, result] of this.#results) {
      if (result.at >= limit) break;
      this.#writeResults().delete(requestId);
    }
    for (const [key, departedAt] of this.#departed) {
      if (departedAt >= limit) break;
      this.#ownDeparted ??= new Map(this.#departed);
      this.#departed = this.#ownDeparted;
      this.#ownDeparted.delete(key);
    }
  }

  #writeMembers(): SharedMap<Member> {
    this.#ownMembers ??= new SharedMap(this.#members);
    this.#members = this.#ownMembers;
    return this.#ownMembers;
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
  #writeResults(): SharedMap<StoredResult> {
    this.#ownResults ??= new SharedMap(this.#results);
    this.#results = this.#ownResults;
    return this.#ownResults;
  }
}
