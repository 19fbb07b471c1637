import {
  type Claimed,
  type ClusterState,
  defaultCoordinatorSettings,
  eventsIn,
  type Leader,
  levelOf,
  type LogEvent,
  type Member,
  memberKey,
  type ReadEntry,
  type Report,
  Role,
  TargetState,
  taskConfig,
  type TaskId,
  taskKey,
  type TaskState,
} from '@sluice/core';

/** A process as far as others depend on it. */
export interface JudgedNode {
  /** The feature level that its build knows. */
  readonly maxLevel: number;
  readonly isDead: boolean;
  /** It has ended because it was asked to, and the log has all that it wrote: no tail was lost since. */
  readonly hasStopped: boolean;
  readonly isLeaving: boolean;
  /** `seq` of the last entry that it has folded. */
  readonly appliedSeq: number;
  /** What it runs, tasks that it stops included, by `taskKey`. */
  readonly running: ReadonlyMap<string, { readonly generation: number }>;
}

const { leaseMs, sessionMs, probeIntervalMs, probeTimeoutMs } = defaultCoordinatorSettings;
/** Clocks run up to one per cent fast or slow, and reading takes its time. */
const TOLERANCE_MS = 200;
/** A leader whose own probes come back has read what was stored so long ago. */
const READ_WITHIN_MS = probeIntervalMs + probeTimeoutMs + TOLERANCE_MS;

/** What a log must never say, whatever happens: judged by one who sees all processes. */
export class SimJudge {
  /** Digests of the entries that gave them. */
  readonly #generations = new Map<string, string>();

  constructor(
    readonly nodeOf: (incarnation: string) => JudgedNode | undefined,
    /** How often an incarnation has reported in a time before now. */
    readonly reportsWithin: (incarnation: string, time: { readonly fromMs: number; readonly toMs: number }) => number,
    readonly violate: (what: string) => void,
  ) {}

  /** An entry was accepted: `before` is the state that it follows, `quietMs` the time since the last one. */
  judge(before: ClusterState, { digest, entry: { event, seq } }: ReadEntry, quietMs: number): void {
    this.#judgeKind(before, event);
    if (event.kind === 'tasks.assigned') {
      for (const id of event.tasks) this.#judgeGeneration(`generation ${seq} of ${taskKey(id)}`, digest);
    }
    if (event.kind === 'claimed') this.#judgeClaim(before, event, quietMs);
    for (const each of eventsIn(event)) this.#judgeEvent(before, each);
  }

  /** Somebody decides that a node is out. A single report may be lost; more than that are there once the reports topic is read. */
  judgeExpiry(event: LogEvent): void {
    if (event.kind !== 'member.left' || event.reason !== 'expired') return;
    const time = { fromMs: sessionMs - TOLERANCE_MS, toMs: READ_WITHIN_MS };
    const reports = this.reportsWithin(event.incarnation, time);
    if (reports > 1) this.violate(`${memberKey(event)} is expired though it reported ${reports} times`);
  }

  /** A leader decides to give tasks to runners: it has heard them, and none of them leaves as far as it knows. */
  judgeGrants(events: readonly LogEvent[], reportOf: (key: string) => Report | undefined): void {
    for (const event of events) {
      for (const task of event.kind === 'tasks.assigned' ? event.tasks : []) {
        const report = reportOf(memberKey(task));
        if (report === undefined) this.violate(`${taskKey(task)} is to be given to ${task.nodeId}, which was not heard`);
        if (report?.leaving === true) this.violate(`${taskKey(task)} is to be given to ${task.nodeId}, which leaves`);
      }
    }
  }

  /** Also over what the log has lost: whoever read that may have written with it. */
  #judgeGeneration(what: string, digest: string): void {
    const known = this.#generations.get(what);
    if (known !== undefined && known !== digest) this.violate(`${what} is given twice`);
    this.#generations.set(what, digest);
  }

  #judgeKind({ level }: ClusterState, event: LogEvent): void {
    for (const { kind } of [event, ...eventsIn(event)]) {
      if ((levelOf(kind) ?? Infinity) > level) this.violate(`${kind} is written at level ${level}`);
    }
    const isOfCommand = event.kind === 'connector.put' || event.kind === 'connector.target';
    if (isOfCommand && level >= (levelOf('command.applied') ?? 0)) {
      this.violate(`${event.kind} stands apart from the result of its command`);
    }
  }

  /** A leader loses its lead only if it is gone, has resigned or wrote nothing for its lease. */
  #judgeClaim({ leader, epoch }: ClusterState, claim: Claimed, quietMs: number): void {
    if (leader === undefined || leader.resigned || leader.incarnation === claim.incarnation) return;
    const node = this.nodeOf(leader.incarnation);
    if (node?.hasStopped === true) this.violate(`${leader.nodeId} stopped as the leader and did not resign`);
    if (node?.isDead === false && quietMs < leaseMs - TOLERANCE_MS) {
      this.violate(`${claim.nodeId} deposes ${nameOf(leader)} of epoch ${epoch} after ${quietMs.toFixed(0)} ms`);
    }
  }

  #judgeEvent(before: ClusterState, event: LogEvent): void {
    if (event.kind === 'cluster.version') this.#judgeLevel(before, event.level);
    if (event.kind === 'member.left' && event.reason === 'leaving') this.#judgeLeaving(event);
    if (event.kind === 'tasks.released') {
      for (const id of event.tasks) this.#judgeRelease(before.tasks.get(taskKey(id)));
    }
    if (event.kind === 'tasks.revoked' && event.reason === 'moved') {
      for (const id of event.tasks) this.#judgeMove(before, taskKey(id));
    }
    if (event.kind === 'tasks.assigned') {
      for (const id of event.tasks) this.#judgeAssignment(before, id);
    }
  }

  #judgeLevel({ members }: ClusterState, level: number): void {
    for (const { nodeId, incarnation } of members.values()) {
      if ((this.nodeOf(incarnation)?.maxLevel ?? level) < level) this.violate(`level ${level} though ${nodeId} is older`);
    }
  }

  #judgeLeaving(node: { readonly nodeId: string; readonly incarnation: string }): void {
    const running = this.nodeOf(node.incarnation)?.running.size ?? 0;
    if (running > 0) this.violate(`${memberKey(node)} has left and runs ${running} tasks`);
  }

  /** A task is free once its owner has read that it must stop and has stopped it. */
  #judgeRelease(task: TaskState | undefined): void {
    const { assignment } = task ?? {};
    const owner = assignment === undefined ? undefined : this.nodeOf(assignment.incarnation);
    if (task === undefined || assignment === undefined || owner === undefined || owner.isDead) return;
    const key = taskKey(task.id);
    if (owner.running.get(key)?.generation === assignment.generation) this.violate(`${key} is free and ${memberKey(assignment)} runs it`);
    if (!owner.isLeaving && owner.appliedSeq < (assignment.revokedAt ?? Infinity))
      this.violate(`${key} is free and ${memberKey(assignment)} may still start it`);
  }

  /** While a runner may be back or gone soon no task is moved. Tasks are taken only from nodes that drain or hold more than their share. */
  #judgeMove(before: ClusterState, key: string): void {
    for (const { nodeId, role, suspectedAt } of before.members.values()) {
      if (role === Role.sourceRunner && suspectedAt !== undefined) this.violate(`${key} is moved while ${nodeId} is suspected`);
    }
    const task = before.tasks.get(key);
    const owner = task?.assignment?.nodeId;
    if (task === undefined || owner === undefined || before.draining.includes(owner)) return;
    const member = before.members.get(owner);
    if (member !== undefined && !mayRunTask(before, task, member)) return;
    if ((before.settings['assignment.strategy'] ?? 'sticky') !== 'sticky' || !isUniform(before)) return;
    const workers = activeRunners(before);
    const capacity = workers.reduce((sum, member) => sum + member.capacity, 0);
    const own = member?.capacity ?? 0;
    const share = Math.floor((assignableTasks(before) * own) / Math.max(1, capacity));
    if (loadOf(before, owner) <= share) this.violate(`${key} was taken from ${owner}, which had no more than its share`);
  }

  #judgeAssignment(before: ClusterState, { nodeId, ...id }: TaskId & { readonly nodeId: string }): void {
    const key = taskKey(id);
    const member = before.members.get(nodeId);
    if (member?.role !== Role.sourceRunner) this.violate(`${key} was given to ${nodeId}, which is no member that runs tasks`);
    if (member?.suspectedAt !== undefined) this.violate(`${key} was given to ${nodeId}, which is suspected`);
    if (before.connectors.get(id.connector)?.targetState === TargetState.stopped)
      this.violate(`${key} was given to ${nodeId} though its connector is stopped`);
    if (before.draining.includes(nodeId)) this.violate(`${key} was given to ${nodeId}, which drains`);
    const task = before.tasks.get(key);
    if (task !== undefined && member !== undefined && !mayRunTask(before, task, member))
      this.violate(`${key} was given to ${nodeId}, which has no such plugin`);
    if (task?.assignment !== undefined) this.violate(`${key} was given to ${nodeId} while it is held`);
  }
}

/** Whether an accepted event is a reason for a node to stop one of its tasks. */
export function isCauseOfStop(event: LogEvent, id: TaskId, node: Parameters<typeof memberKey>[0]): boolean {
  return eventsIn(event).some((each) => {
    if (each.kind === 'member.left') return memberKey(each) === memberKey(node);
    if (each.kind === 'connector.deleted' || each.kind === 'tasks.configured') return each.name === id.connector;
    if (each.kind === 'connector.put' || each.kind === 'connector.target') {
      return each.name === id.connector && each.targetState === TargetState.stopped;
    }
    const isOfTasks =
      each.kind === 'tasks.revoked' || each.kind === 'tasks.released' || each.kind === 'tasks.assigned' || each.kind === 'tasks.completed';
    return isOfTasks && each.tasks.some((task) => taskKey(task) === taskKey(id));
  });
}

/** Whether a member has the plugin that a task needs. */
export function mayRunTask({ connectors }: ClusterState, task: TaskState, { plugins }: Pick<Member, 'plugins'>): boolean {
  return plugins.includes(taskConfig(connectors.get(task.id.connector), task)['connector.class'] ?? '');
}

/** Whether all runners can run the same tasks. */
export function isUniform({ members }: ClusterState): boolean {
  const runners = [...members.values()].filter(({ role }) => role === Role.sourceRunner);
  return new Set(runners.map(({ plugins }) => plugins.length)).size <= 1;
}

/** Runners that may be given tasks. */
export function activeRunners({ members, draining }: Pick<ClusterState, 'members' | 'draining'>): readonly Member[] {
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
  for (const { id, assignment, completed } of tasks.values()) {
    const connector = connectors.get(id.connector);
    if (connector === undefined || connector.targetState === TargetState.stopped || completed !== undefined) continue;
    const isHeld = assignment !== undefined && assignment.revokedAt === undefined;
    if (!isHeld && connector.tasksVersion !== connector.configVersion && connector.error !== undefined) continue;
    if (id.index < (connector.taskCount ?? 0)) count += 1;
  }
  return count;
}

function nameOf({ nodeId, incarnation }: Leader): string {
  return memberKey({ nodeId, incarnation });
}
