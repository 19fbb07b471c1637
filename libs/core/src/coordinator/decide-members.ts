import { taskKey, type TaskId } from '../model/connector.js';
import { isConnectorInfo, isRunner, memberKey, type Member } from '../model/member.js';
import type { Report } from '../model/report.js';
import { givesFrom } from './election.js';
import type { EventBatch } from './event-batch.js';
import { inChunks } from './in-chunks.js';
import { silenceCountsFrom } from './probes.js';
import { lifeSignOf, type SettledMembers, type CoordinatorState, type KnownReport } from './state.js';

/**
 * Decides who joins, leaves, is rejected, suspected, cleared or expired. Returns how long nobody has to be looked at again; undefined where that is
 * not known, since somebody is on the way.
 */
export function decideMembers(state: CoordinatorState, now: number, batch: EventBatch): SettledMembers | undefined {
  const { settledMembers: last, news } = state;
  const { members } = batch.draft;
  if (last !== undefined && last.members === members && last.news === news) {
    if (now < last.until) return last;
    const until = last.isEachHeard ? heardSince(state) + silenceLimitMs(state) : now;
    if (now < until) return { ...last, until };
  }
  let isSettled = true;
  for (const [key, known] of state.reports) {
    if (batch.draft.departed.has(key) || isRunningOn(known.report, batch.draft.members)) continue;
    isSettled = false;
    decideReporter(state, now, known, batch);
  }
  let until = now + silenceLimitMs(state);
  let isEachHeard = true;
  for (const member of [...batch.draft.members.values()]) {
    isEachHeard &&= lifeSignOf(state, memberKey(member)) !== undefined;
    const mayBeSilentUntil = decideSilence(state, now, member, batch);
    if (mayBeSilentUntil === undefined) isSettled = false;
    else until = Math.min(until, mayBeSilentUntil);
  }
  return isSettled ? { members, news, isEachHeard, until } : undefined;
}

/** Returns when the one was heard that was silent for longest: a look at each member costs ten times as much. */
function heardSince({ reports, heard }: CoordinatorState): number {
  let since = Infinity;
  for (const { lastAt } of reports.values()) since = Math.min(since, lastAt);
  for (const { lastAt } of heard.values()) since = Math.min(since, lastAt);
  return since;
}

/** Returns whether a report says nothing but that its member lives. */
function isRunningOn({ nodeId, incarnation, leaving }: Report, members: CoordinatorState['cluster']['members']): boolean {
  return !leaving && members.get(nodeId)?.incarnation === incarnation;
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
    letGo(state, report, batch);
    return;
  }
  const older = lifeSignOf(state, memberKey(member));
  if (older !== undefined && older.lastAt > known.firstAt) {
    const reason = `node id ${nodeId} is in use by a live node (${member.incarnation})`;
    batch.add({ kind: 'member.rejected', nodeId, incarnation, reason });
  } else if (report.supersedes === member.incarnation) supersede(state, now, member, report, batch);
}

/**
 * Puts a later incarnation in the place of an earlier one on the same state directory. Somebody may have copied that
 * directory or cloned its machine. So a runner is out only when it has no lease any more. If it reports meanwhile, the
 * coordinator rejects the later one.
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
  const stopped = assignedTo(state, report, batch).filter((id) => !listed.has(taskKey(id)));
  for (const tasks of inChunks(stopped)) batch.add({ kind: 'tasks.released', tasks });
}

function assignedTo(state: CoordinatorState, report: Report, batch: EventBatch): TaskId[] {
  const { index, cluster } = state;
  index.moveTo(cluster.tasks, cluster.connectors);
  const held = index.ownedBy(memberKey(report));
  return held.map(({ id }) => id).filter((id) => batch.draft.tasks.find(id)?.assignment !== undefined);
}

export function listedTasks(report: Report): ReadonlySet<string> {
  return new Set(report.tasks.map(({ id }) => taskKey(id)));
}

/** Returns until when the member may stay silent before there is something to decide; undefined where that is not known. */
function decideSilence(state: CoordinatorState, now: number, member: Member, batch: EventBatch): number | undefined {
  const { nodeId, incarnation } = member;
  // The leader before may have suspected it, and nobody else is there to say that it lives.
  const isSelf = nodeId === state.self.nodeId && incarnation === state.self.incarnation;
  if (isSelf && member.suspectedAt === undefined) return Infinity;
  const key = memberKey(member);
  const known = lifeSignOf(state, key);
  const suspectedSince = state.suspicions.get(key);
  const isHeardSince = suspectedSince !== undefined && known !== undefined && known.lastAt > suspectedSince;
  if (isSelf || isHeardSince) {
    if (now >= givesFrom(state)) batch.add({ kind: 'member.cleared', nodeId, incarnation });
    return undefined;
  }
  const countsFrom = silenceCountsFrom(state, now, known?.queue);
  if (countsFrom === undefined) return undefined;
  const silentFrom = Math.max(countsFrom, known?.lastAt ?? countsFrom);
  if (member.suspectedAt === undefined) {
    const mayBeSilentUntil = silentFrom + silenceLimitMs(state);
    if (now >= mayBeSilentUntil) batch.add({ kind: 'member.suspected', nodeId, incarnation });
    return suspectedSince === undefined ? mayBeSilentUntil : undefined;
  }
  if (now - silentFrom >= state.settings.sessionMs && hasNoLease(state, now, member)) {
    batch.add({ kind: 'member.left', nodeId, incarnation, reason: 'expired' });
  }
  return undefined;
}

/** After this time of silence a member is suspected: so its lease ends before its session. */
function silenceLimitMs({ settings: { sessionMs, memberLeaseMs, marginMs } }: CoordinatorState): number {
  return sessionMs - memberLeaseMs - marginMs;
}

function asMember(report: Report): Omit<Member, 'suspectedAt' | 'joinedAt'> {
  const { nodeId, incarnation, role, capacity, labels } = report;
  const plugins = report.plugins.filter(isConnectorInfo).flatMap(({ name, aliases }) => [name, ...aliases]);
  return {
    nodeId,
    incarnation,
    role,
    capacity,
    plugins: [...new Set(plugins)],
    ...(labels === undefined ? {} : { labels }),
  };
}
