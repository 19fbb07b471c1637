import { taskKey, type TaskId } from '../model/connector.js';
import { isRunner, memberKey, type Member } from '../model/member.js';
import type { Report } from '../model/report.js';
import { givesFrom } from './election.js';
import type { EventBatch } from './event-batch.js';
import { inChunks } from './in-chunks.js';
import { silenceCountsFrom } from './probes.js';
import { lifeSignOf, type CoordinatorState, type KnownReport } from './state.js';

/** Who joins, leaves, is rejected, suspected, cleared or expired. */
export function decideMembers(state: CoordinatorState, now: number, batch: EventBatch): void {
  for (const [key, known] of state.reports) {
    if (!batch.draft.departed.has(key)) decideReporter(state, now, known, batch);
  }
  for (const member of [...batch.draft.members.values()]) decideSilence(state, now, member, batch);
}

function decideReporter(state: CoordinatorState, now: number, known: KnownReport, batch: EventBatch): void {
  const { report } = known;
  const member = batch.draft.members.get(report.nodeId);
  if (member === undefined) {
    if (!report.leaving) batch.add({ kind: 'member.joined', member: asMember(report) });
    return;
  }
  const { nodeId, incarnation } = report;
  if (member.incarnation === incarnation) {
    if (report.leaving) letGo(state, report, batch);
    return;
  }
  const older = lifeSignOf(state, memberKey(member));
  if (older !== undefined && older.lastAt > known.firstAt) {
    const reason = `node id ${nodeId} is in use by a live node (${member.incarnation})`;
    batch.add({ kind: 'member.rejected', nodeId, incarnation, reason });
  } else if (report.supersedes === member.incarnation) supersede(state, now, member, report, batch);
}

/**
 * Puts a later incarnation in the place of an earlier one on the same state directory. That directory may have been copied, or its machine cloned:
 * a runner is out only when it has no lease any more, and if it reports meanwhile the later one is rejected.
 */
function supersede(state: CoordinatorState, now: number, older: Member, report: Report, batch: EventBatch): void {
  const { nodeId, incarnation } = older;
  if (isRunner(older)) {
    if (older.suspectedAt === undefined) {
      batch.add({ kind: 'member.suspected', nodeId, incarnation });
      return;
    }
    if (!hasNoLease(state, now, older)) return;
  }
  const left = { kind: 'member.left', nodeId, incarnation, reason: 'superseded' } as const;
  batch.add(left, { kind: 'member.joined', member: asMember(report) });
}

/** By its suspicion, as long as it cannot have been cleared since. */
function hasNoLease({ suspicions, settings }: CoordinatorState, now: number, member: Member): boolean {
  const suspectedSince = suspicions.get(memberKey(member));
  return suspectedSince !== undefined && now - suspectedSince >= settings.memberLeaseMs + settings.marginMs;
}

/** After a report that says `leaving` a node starts nothing: what it does not list is free. */
function letGo(state: CoordinatorState, report: Report, batch: EventBatch): void {
  const { nodeId, incarnation } = report;
  if (report.tasks.length === 0) {
    batch.add({ kind: 'member.left', nodeId, incarnation, reason: 'leaving' });
    return;
  }
  const listed = listedTasks(report);
  const stopped = heldBy(state, report, batch).filter((id) => !listed.has(taskKey(id)));
  for (const tasks of inChunks(stopped)) batch.add({ kind: 'tasks.released', tasks });
}

function heldBy(state: CoordinatorState, report: Report, batch: EventBatch): TaskId[] {
  const { index, cluster } = state;
  index.moveTo(cluster.tasks, cluster.connectors);
  const held = index.ownedBy(memberKey(report));
  return held.map(({ id }) => id).filter((id) => batch.draft.tasks.find(id)?.assignment !== undefined);
}

export function listedTasks(report: Report): ReadonlySet<string> {
  return new Set(report.tasks.map(({ id }) => taskKey(id)));
}

function decideSilence(state: CoordinatorState, now: number, member: Member, batch: EventBatch): void {
  const { nodeId, incarnation } = member;
  if (nodeId === state.self.nodeId && incarnation === state.self.incarnation) return;
  const key = memberKey(member);
  const known = lifeSignOf(state, key);
  const suspectedSince = state.suspicions.get(key);
  if (suspectedSince !== undefined && known !== undefined && known.lastAt > suspectedSince) {
    if (now >= givesFrom(state)) batch.add({ kind: 'member.cleared', nodeId, incarnation });
    return;
  }
  const countsFrom = silenceCountsFrom(state, now, known?.queue);
  if (countsFrom === undefined) return;
  const silenceMs = now - Math.max(countsFrom, known?.lastAt ?? countsFrom);
  const { sessionMs, memberLeaseMs, marginMs } = state.settings;
  if (member.suspectedAt === undefined) {
    if (silenceMs >= sessionMs - memberLeaseMs - marginMs) batch.add({ kind: 'member.suspected', nodeId, incarnation });
    return;
  }
  if (silenceMs >= sessionMs && hasNoLease(state, now, member)) {
    batch.add({ kind: 'member.left', nodeId, incarnation, reason: 'expired' });
  }
}

function asMember(report: Report): Omit<Member, 'suspectedAt' | 'joinedAt'> {
  const { nodeId, incarnation, role, capacity, labels } = report;
  const plugins = report.plugins
    .filter(({ kind }) => kind !== 'converter')
    .flatMap(({ name, aliases }) => [name, ...aliases]);
  return {
    nodeId,
    incarnation,
    role,
    capacity,
    plugins: [...new Set(plugins)],
    ...(labels === undefined ? {} : { labels }),
  };
}
