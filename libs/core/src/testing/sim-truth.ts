import { emptyState, foldEntries } from '../log/fold.js';
import type { ClusterState } from '../model/cluster-state.js';
import { TargetState, taskKey } from '../model/connector.js';
import { eventsIn, type LogEntry, type LogEvent, type ReadEntry } from '../model/entry.js';
import { Role } from '../model/member.js';
import type { SimBroker } from './sim-broker.js';

/** The feature level that an incarnation's build knows. */
export type LevelOf = (incarnation: string) => number | undefined;

/** What the log says to one who sees all of it at every moment, and what it must never say. */
export class SimTruth {
  state: ClusterState = emptyState();
  /** Claims that were accepted and are still in the log, by epoch. */
  readonly claims = new Map<number, string>();
  #read = 0;
  #rewrites = 0;

  constructor(
    readonly broker: SimBroker,
    readonly levelOf: LevelOf,
    readonly violate: (what: string) => void,
  ) {}

  /** Reads what is new; after the loss of the tail, all of it again. */
  follow(): void {
    const { log, rewrites } = this.broker;
    const isRewritten = rewrites !== this.#rewrites;
    if (isRewritten) {
      this.#rewrites = rewrites;
      this.state = emptyState();
      this.claims.clear();
      this.#read = 0;
    }
    for (; this.#read < log.length; this.#read += 1) {
      const read = log[this.#read];
      if (read !== undefined) this.#take(read, isRewritten);
    }
  }

  /** What a reader must hold that has read up to an offset. */
  stateAt(offset: number): ClusterState {
    return foldEntries(emptyState(), this.broker.log.slice(0, offset + 1)).state;
  }

  /** Accepted entries in their order. */
  accepted(): readonly LogEntry[] {
    return foldEntries(emptyState(), this.broker.log).accepted.map(({ entry }) => entry);
  }

  #take(read: ReadEntry, wasSeen: boolean): void {
    const before = this.state;
    const { state, accepted } = foldEntries(before, [read]);
    this.state = state;
    if (accepted.length === 0) return;
    const { event, epoch, claimId } = read.entry;
    if (event.kind === 'claimed') this.claims.set(epoch, claimId);
    if (wasSeen) return;
    for (const each of eventsIn(event)) this.#judge(before, each);
  }

  #judge(before: ClusterState, event: LogEvent): void {
    if (event.kind === 'cluster.version') this.#judgeLevel(before, event.level);
    if (event.kind === 'tasks.revoked' && event.reason === 'moved') {
      for (const id of event.tasks) this.#judgeMove(before, taskKey(id));
    }
    if (event.kind === 'tasks.assigned') {
      for (const id of event.tasks) this.#judgeAssignment(before, taskKey(id), id.nodeId);
    }
  }

  #judgeLevel({ members }: ClusterState, level: number): void {
    for (const { nodeId, incarnation } of members.values()) {
      if ((this.levelOf(incarnation) ?? level) < level)
        this.violate(`level ${String(level)} though ${nodeId} is older`);
    }
  }

  /** Tasks are taken only from nodes that drain or hold more than their share. */
  #judgeMove(before: ClusterState, key: string): void {
    const task = before.tasks.get(key);
    const owner = task?.assignment?.nodeId;
    if (owner === undefined || before.draining.includes(owner)) return;
    if ((before.settings['assignment.strategy'] ?? 'sticky') !== 'sticky') return;
    const workers = activeRunners(before);
    const capacity = workers.reduce((sum, member) => sum + member.capacity, 0);
    const own = before.members.get(owner)?.capacity ?? 0;
    const share = Math.floor((assignableTasks(before) * own) / Math.max(1, capacity));
    if (loadOf(before, owner) <= share)
      this.violate(`${key} was taken from ${owner}, which had no more than its share`);
  }

  #judgeAssignment(before: ClusterState, key: string, nodeId: string): void {
    if (before.draining.includes(nodeId)) this.violate(`${key} was given to ${nodeId}, which drains`);
  }
}

/** Runners that may be given tasks. */
export function activeRunners({
  members,
  draining,
}: Pick<ClusterState, 'members' | 'draining'>): readonly { nodeId: string; incarnation: string; capacity: number }[] {
  return [...members.values()].filter(({ role, nodeId }) => role === Role.sourceRunner && !draining.includes(nodeId));
}

export function loadOf({ tasks }: ClusterState, nodeId: string): number {
  let load = 0;
  for (const { assignment } of tasks.values()) {
    if (assignment?.nodeId === nodeId && assignment.revokedAt === undefined) load += 1;
  }
  return load;
}

/** Tasks that are held or will be given to somebody. */
function assignableTasks({ tasks, connectors }: ClusterState): number {
  let count = 0;
  for (const { id, assignment } of tasks.values()) {
    const connector = connectors.get(id.connector);
    if (connector === undefined || connector.targetState === TargetState.stopped) continue;
    const isHeld = assignment !== undefined && assignment.revokedAt === undefined;
    if (!isHeld && connector.tasksVersion !== connector.configVersion && connector.error !== undefined) continue;
    if (id.index < (connector.taskCount ?? 0)) count += 1;
  }
  return count;
}
