import { headerOf, type ClusterState, type LogHead, type StateHeader, type StoredResult } from '../model/cluster-state.js';
import { completion, type ConnectorState } from '../model/connector.js';
import { eventsIn, type LogEvent } from '../model/entry.js';
import type { UnknownEntry } from '../model/feature-level.js';
import { RESULT_RETENTION_MS, type CommandResult } from '../model/command.js';
import { memberKey, type Member } from '../model/member.js';
import { PairTable, type Pair } from '../model/pair-table.js';
import { SharedMap } from '../model/shared-map.js';
import type { TaskTable } from '../model/task-table.js';
import { ConnectorDraft } from './connector-draft.js';
import { headerAfter, type EventStamp } from './header-events.js';
import { MemberDraft } from './member-draft.js';

/**
 * A cluster state under change. Says which part of the state an event changes, and settles what holds between the parts:
 * - a task is assigned to members only;
 * - a member that leaves releases all its tasks.
 */
export class ClusterDraft {
  readonly #base: ClusterState;
  readonly #memberDraft: MemberDraft;
  readonly #connectorDraft: ConnectorDraft;
  #header: StateHeader;
  #head: LogHead;
  #pairs: ClusterState['pairs'];
  #results: ReadonlyMap<string, StoredResult>;
  #ownResults?: SharedMap<StoredResult>;
  #skipped: number;
  #needsNewer: UnknownEntry | undefined;

  constructor(base: ClusterState) {
    this.#base = base;
    this.#memberDraft = new MemberDraft(base);
    this.#connectorDraft = new ConnectorDraft(base);
    this.#header = headerOf(base);
    this.#head = base.head;
    this.#pairs = base.pairs;
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
    return this.#memberDraft.members;
  }
  get departed(): ReadonlyMap<string, number> {
    return this.#memberDraft.departed;
  }
  get connectors(): ReadonlyMap<string, ConnectorState> {
    return this.#connectorDraft.connectors;
  }
  get tasks(): TaskTable {
    return this.#connectorDraft.tasks;
  }
  get pairs(): ClusterState['pairs'] {
    return this.#pairs;
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
    return this.#connectorDraft.settled();
  }

  /** The state as it stands; the draft must not be changed afterwards. */
  finish(): ClusterState {
    const base = this.#base;
    const isSame = this.#head === base.head && this.#skipped === base.skipped && this.#needsNewer === base.needsNewer;
    if (isSame) return base;
    return {
      ...this.#header,
      head: this.#head,
      members: this.members,
      departed: this.departed,
      connectors: this.connectors,
      tasks: this.tasks,
      pairs: this.#pairs,
      results: this.#results,
      skipped: this.#skipped,
      ...(this.#needsNewer === undefined ? {} : { needsNewer: this.#needsNewer }),
    };
  }

  /** Applies an event that was accepted at `stamp`. */
  apply(event: LogEvent, stamp: EventStamp): void {
    const { seq, at } = stamp;
    this.#forgetBefore(at - RESULT_RETENTION_MS);
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
        this.#memberDraft.join(event.member, seq);
        return;
      case 'member.suspected':
        this.#memberDraft.suspect(event, seq);
        return;
      case 'member.cleared':
        this.#memberDraft.clear(event);
        return;
      case 'member.left':
        if (this.#memberDraft.leave(event, at)) this.#connectorDraft.releaseAllOf(memberKey(event));
        return;
      case 'member.rejected':
        this.#memberDraft.reject(event, at);
        return;
      case 'connector.put':
        this.#connectorDraft.put(event, seq);
        return;
      case 'connector.target':
        this.#connectorDraft.target(event, seq);
        return;
      case 'connector.deleted':
        this.#connectorDraft.delete(event.name, seq);
        return;
      case 'tasks.configured':
        this.#connectorDraft.split(event, seq);
        return;
      case 'tasks.failed':
        this.#connectorDraft.failSplit(event);
        return;
      case 'tasks.assigned':
        for (const task of event.tasks) {
          const owner = this.#memberDraft.find(task);
          if (owner !== undefined) this.#connectorDraft.assign(task, owner, seq);
        }
        return;
      case 'tasks.revoked':
        for (const id of event.tasks) {
          if (event.reason === 'restarted') this.#connectorDraft.rerun(id, seq);
          else this.#connectorDraft.revoke(id, seq);
        }
        return;
      case 'tasks.released':
        for (const id of event.tasks) this.#connectorDraft.release(id);
        return;
      case 'tasks.committed':
        for (const id of event.tasks) this.#connectorDraft.commit(id);
        return;
      case 'tasks.completed':
        for (const { connector, index, ...completed } of event.tasks) {
          this.#connectorDraft.complete({ connector, index }, completion(completed), seq);
        }
        return;
      case 'pairs.extended':
        this.#extendPairs(event.connector, event.pairs);
        return;
      case 'command.applied':
        for (const each of eventsIn(event)) this.apply(each, stamp);
        return;
      case 'command.done':
        this.#header = headerAfter(this.#header, event, stamp);
        this.#keepResult(event.result, at);
        return;
      default:
        event satisfies never;
    }
  }

  #extendPairs(connector: string, pairs: Iterable<Pair>): void {
    const before = this.#pairs.get(connector) ?? PairTable.EMPTY;
    const after = before.with(pairs);
    if (after !== before) this.#pairs = SharedMap.with(this.#pairs, connector, after);
  }

  #keepResult(result: CommandResult, at: number): void {
    if (!this.#results.has(result.requestId)) this.#writeResults().set(result.requestId, { ...result, at });
  }

  #forgetBefore(limit: number): void {
    for (const [requestId, result] of this.#results) {
      if (result.at >= limit) break;
      this.#writeResults().delete(requestId);
    }
    this.#memberDraft.forgetBefore(limit);
  }

  #writeResults(): SharedMap<StoredResult> {
    this.#ownResults ??= new SharedMap(this.#results);
    this.#results = this.#ownResults;
    return this.#ownResults;
  }
}
