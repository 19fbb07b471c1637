import type { FoldResult } from '../log/fold.js';
import { TaskTable } from '../model/task-table.js';
import type { LogEntry, LogEvent } from '../model/entry.js';
import { memberKey } from '../model/member.js';
import { elapsedAfter } from '../lease/elapsed-time.js';
import type { Report } from '../model/report.js';
import { append, canAppend, reconcileInFlight, settleAppend } from './appends.js';
import { decideAssignment } from './decide-assignment.js';
import { decideCommands, decideRewind } from './decide-commands.js';
import { decideLevel } from './decide-level.js';
import { decideMembers } from './decide-members.js';
import { decideReports, isMark } from './decide-reports.js';
import { decideSnapshot } from './decide-snapshot.js';
import type { Effect } from './effect.js';
import { claimIfVacant, giveUpLead, givesFrom, leadsByLog, noteBrokerTime, readCommandsFrom, stepDown, takeLead } from './election.js';
import { EventBatch } from './event-batch.js';
import type { Input, ReportsSign } from './input.js';
import { probeReturned, tendProbes } from './probes.js';
import { askQuestions, decideSplits, takeAnswer } from './connector-splits.js';
import type { CoordinatorState, Turn } from './state.js';
import { workforceOf } from './workforce.js';

export interface Step {
  readonly state: CoordinatorState;
  /** To be carried out in this order. */
  readonly effects: readonly Effect[];
}

/** Renewals per lease. */
const RENEWALS = 3;

/**
 * The coordinator: takes in what was folded and read, then decides from the log and the latest reports, never while an append
 * is in flight. Whatever was sent is valid only once it is read back, so a lost, late or duplicate append changes nothing.
 */
export function step(state: CoordinatorState, input: Input): Step {
  if (state.hasEnded) return { state, effects: [] };
  const turn: Turn = { now: input.now, wall: input.wall, next: { ...state }, effects: [] };
  noteSuspension(turn);
  const mayDecide = receive(turn, input);
  if (turn.next.hasEnded) return { state: turn.next, effects: turn.effects };
  if (turn.next.isStopping) stopInOrder(turn);
  else if (turn.next.role === 'leader') {
    if (mayDecide) lead(turn);
  } else claimIfVacant(turn);
  return { state: turn.next, effects: turn.effects };
}

/**
 * Reads both clocks and adds the time of a suspension to the age of what the lead is known by. Others may claim while a
 * machine is suspended, and its monotonic clock does not show it. All other waits only get longer by it.
 */
function noteSuspension({ next, now, wall }: Turn): void {
  const time = elapsedAfter(next.time, { now, wall });
  const stoodStillMs = time.stoodStillMs - next.time.stoodStillMs;
  next.time = time;
  if (stoodStillMs === 0) return;
  const { brokerTime } = next;
  // What is read next may have been stored long ago.
  if (brokerTime !== undefined) next.brokerTime = { ...brokerTime, storedAt: brokerTime.storedAt + stoodStillMs };
  next.lastConfirmedAt -= stoodStillMs;
  if (next.inFlight !== undefined) next.inFlight = { ...next.inFlight, sentAt: next.inFlight.sentAt - stoodStillMs };
}

/** Returns whether the input can change a decision of a leader. */
function receive(turn: Turn, input: Input): boolean {
  const { next } = turn;
  switch (input.kind) {
    case 'log.folded':
      takeLog(turn, input, input.nextOffset);
      return true;
    case 'head.reached':
      next.headProvenAt = Math.max(input.sentAt, next.headProvenAt ?? -Infinity);
      next.logMinOffset = input.minOffset ?? next.logMinOffset;
      reconcile(turn);
      return true;
    case 'reports.read':
      noteBrokerTime(turn, input.storedAt);
      return readReports(turn, input.queue, input.signs);
    case 'command.read':
      return readCommand(turn, input);
    case 'commands.cut':
      return noticeCut(turn, input);
    case 'task-configs.answered':
      takeAnswer(turn, input, input.answer);
      return true;
    case 'append.settled':
      settleAppend(turn, input.appendId, input.outcome, input.lastOffset);
      reconcile(turn);
      return true;
    case 'tick':
      if (next.role === 'leader') tendProbes(turn);
      return true;
    case 'stop':
      next.isStopping = true;
      return true;
  }
}

function takeLog(turn: Turn, { state, accepted, skipped }: FoldResult, nextOffset: number): void {
  const { next, now } = turn;
  const tasksBefore = next.cluster.tasks;
  next.cluster = state;
  next.nextOffset = Math.max(next.nextOffset, nextOffset);
  for (const { entry } of accepted) {
    next.lastAcceptedAt = now;
    noticeEvent(turn, entry);
  }
  const first = skipped[0];
  if (first !== undefined) {
    const message = `skipped ${skipped.length} log entries, the first at offset ${first.offset}: ${first.reason}`;
    turn.effects.push({ kind: 'log', level: 'info', message });
  }
  // A runner may have read and reported an entry before it was read here.
  if (next.role === 'leader') touchOwners(next, tasksBefore);
  next.commands = next.commands.filter(({ offset }) => offset >= state.nextCommandOffset);
  reconcile(turn);
}

/** The reports of those who hold, or held, a task that has changed are looked at again. */
function touchOwners(next: Turn['next'], before: TaskTable): void {
  const after = next.cluster.tasks;
  const touched = new Set(next.touched);
  for (const name of TaskTable.changedConnectors(before, after)) {
    const groups = [before.ofConnector(name), after.ofConnector(name)] as const;
    for (let index = 0; index < Math.max(groups[0].length, groups[1].length); index += 1) {
      if (groups[0][index] === groups[1][index]) continue;
      for (const group of groups) {
        const assignment = group[index]?.assignment;
        if (assignment !== undefined) touched.add(memberKey(assignment));
      }
    }
  }
  next.touched = touched;
}

function reconcile(turn: Turn): void {
  if (reconcileInFlight(turn) && !turn.next.isStopping) giveUpLead(turn, 'entries that it sent are not in the log');
}

function noticeEvent(turn: Turn, { event, epoch, claimId }: LogEntry): void {
  const { next, now } = turn;
  const { self } = next;
  if (event.kind === 'claimed') {
    const isOwn = event.nodeId === self.nodeId && event.incarnation === self.incarnation;
    if (next.role === 'leader') stepDown(turn, epoch - 1, `${event.nodeId} claimed epoch ${epoch}`);
    else if (next.role === 'candidate' && !isOwn) stepDown(turn, epoch, 'another claim came first');
    if (isOwn) takeLead(turn, claimId);
  } else if (event.kind === 'cluster.version') {
    // What the level before could not say may have been reported.
    next.touched = new Set(next.reports.keys());
  } else if (event.kind === 'commands.rewound') {
    next.rewindTo = undefined;
    next.commands = [];
    if (next.role === 'leader') readCommandsFrom(turn, event.nextOffset);
  } else if (event.kind === 'leader.resigned') {
    if (next.role === 'leader') stepDown(turn, epoch, 'resigned');
  } else if (event.kind === 'member.suspected') {
    next.suspicions = new Map(next.suspicions).set(memberKey(event), now);
  } else if (event.kind === 'member.cleared' || event.kind === 'member.left' || event.kind === 'member.rejected') {
    forget(turn, event);
  }
}

function forget(turn: Turn, event: Extract<LogEvent, { kind: 'member.cleared' | 'member.left' | 'member.rejected' }>): void {
  const { next, effects } = turn;
  const key = memberKey(event);
  next.suspicions = withoutKey(next.suspicions, key);
  if (event.kind === 'member.cleared') return;
  next.reports.delete(key);
  next.reportChanges += 1;
  next.heard = withoutKey(next.heard, key);
  next.news += 1;
  if (key !== memberKey(next.self) || (event.kind === 'member.left' && event.reason === 'leaving')) return;
  const reason = event.kind === 'member.rejected' ? 'rejected' : event.reason === 'superseded' ? 'superseded' : 'expired';
  const why = event.kind === 'member.rejected' ? event.reason : `the cluster counts it as ${reason}`;
  next.hasEnded = true;
  effects.push({ kind: 'exit', reason, message: `node ${event.nodeId} (${event.incarnation}) must exit: ${why}` });
}

function withoutKey<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

/** Returns whether one of the signs can change a decision. */
function readReports(turn: Turn, queue: number, signs: readonly ReportsSign[]): boolean {
  const { next } = turn;
  const { cluster, index } = next;
  if (next.role === 'leader') index.moveTo(cluster.tasks, cluster.connectors);
  let isNews = false;
  for (const sign of signs) {
    if (sign.kind === 'report') isNews = readReport(turn, queue, sign.report) || isNews;
    else if (sign.kind === 'alive') isNews = noticeLife(turn, queue, sign) || isNews;
    else if (sign.probe.incarnation === next.self.incarnation) probeReturned(turn, queue, sign.probe.sentAt);
  }
  return isNews;
}

function readReport({ next, now }: Turn, queue: number, report: Report): boolean {
  const { reports } = next;
  const key = memberKey(report);
  const known = reports.get(key);
  if (next.cluster.departed.has(key)) return false;
  if (known !== undefined && known.report.reportSeq >= report.reportSeq) return false;
  const firstAt = (known ?? next.heard.get(key))?.firstAt ?? now;
  reports.set(key, { report, queue, firstAt, lastAt: now });
  next.reportChanges += 1;
  next.heard = withoutKey(next.heard, key);
  if (next.role !== 'leader') return false;
  const member = next.cluster.members.get(report.nodeId);
  const { index, cluster } = next;
  const frees = index.moves > 0 && index.ownedBy(key).some(({ assignment }) => assignment?.revokedAt !== undefined);
  // What the log says of tasks that were reported before was looked at when it was read.
  const isTold = report.tasks === known?.report.tasks;
  const marks = !isTold && report.tasks.some((task) => isMark(task, cluster.tasks.find(task.id)));
  if (frees || marks) next.touched = new Set(next.touched).add(key);
  const isNews = known === undefined || report.leaving || member?.incarnation !== report.incarnation;
  if (isNews) next.news += 1;
  return isNews || frees || marks || member.suspectedAt !== undefined;
}

/** A report without those that it builds on: what the node does is not known, but silent it is not. */
function noticeLife({ next, now }: Turn, queue: number, { reportSeq, ...node }: Extract<ReportsSign, { kind: 'alive' }>): boolean {
  const { reports } = next;
  const key = memberKey(node);
  if (next.cluster.departed.has(key)) return false;
  const known = reports.get(key);
  const last = next.heard.get(key);
  if (reportSeq <= Math.max(known?.report.reportSeq ?? -1, last?.reportSeq ?? -1)) return false;
  if (known !== undefined) reports.set(key, { ...known, lastAt: now });
  const firstAt = last?.firstAt ?? now;
  if (known === undefined) next.heard = new Map(next.heard).set(key, { reportSeq, queue, firstAt, lastAt: now });
  return next.role === 'leader' && next.cluster.members.get(node.nodeId)?.suspectedAt !== undefined;
}

function readCommand({ next }: Turn, { readId, offset, command }: Extract<Input, { kind: 'command.read' }>): boolean {
  if (next.role !== 'leader' || readId !== next.commandReads || offset < next.cluster.nextCommandOffset) return false;
  const last = next.commands.at(-1);
  if (last !== undefined && offset <= last.offset) return false;
  if (next.commandsCutAt !== undefined && offset >= next.commandsCutAt) return false;
  if (next.commands.length >= next.settings.maxQueuedCommands) {
    next.commandsCutAt = offset;
    return false;
  }
  next.commands = [...next.commands, { offset, command }];
  return true;
}

/**
 * Notes that the commands queue was cut: what was read from the old one is void. The log says where to resume, because
 * an append in flight may still hold results of it.
 */
function noticeCut({ next }: Turn, { readId, minOffset }: Extract<Input, { kind: 'commands.cut' }>): boolean {
  if (next.role !== 'leader' || readId !== next.commandReads) return false;
  next.rewindTo = minOffset;
  return true;
}

function lead(turn: Turn): void {
  const { next, now, wall } = turn;
  const { leaseMs, maxAppendBytes, maxQueuedCommands } = next.settings;
  const sinceConfirmedMs = now - next.lastConfirmedAt;
  if (sinceConfirmedMs > leaseMs) {
    // Others may have claimed, and the log may have lost that: after a pause nothing else would tell.
    const isWaiting = next.inFlight !== undefined && next.inFlight.settled === undefined;
    if (!isWaiting) giveUpLead(turn, `it has read nothing of its own for ${leaseMs} ms`);
    return;
  }
  askQuestions(turn);
  if (next.commandsCutAt !== undefined && next.commands.length <= maxQueuedCommands / 2) {
    readCommandsFrom(turn, next.commandsCutAt);
  }
  if (!canAppend(turn)) return;
  const batch = new EventBatch(next.cluster, wall, maxAppendBytes);
  decide(turn, batch);
  decideSnapshot(turn, batch);
  if (batch.events.length === 0 && sinceConfirmedMs >= leaseMs / RENEWALS) batch.add(renewal(next));
  if (batch.events.length > 0) append(turn, batch.events, next.cluster, next.lastConfirmedAt + leaseMs);
}

function decide({ next, now, wall }: Turn, batch: EventBatch): void {
  decideLevel(next, batch);
  next.settledMembers = decideMembers(next, now, batch);
  decideRewind(next, batch);
  decideCommands(next, now, wall, batch);
  decideSplits(next, batch);
  if (!decideReports(next, batch)) next.touched = new Set();
  if (now < givesFrom(next)) return;
  next.workforce = workforceOf(next, batch.draft);
  next.planned = decideAssignment(next, next.workforce, now, batch);
}

function renewal({ cluster }: CoordinatorState): LogEvent {
  const { snapshot } = cluster;
  return { kind: 'lease.renewed', ...(snapshot === undefined ? {} : { snapshotAt: snapshot.doneOffset }) };
}

function stopInOrder(turn: Turn): void {
  const { next, effects } = turn;
  if (next.inFlight !== undefined) return;
  if (next.role !== 'leader' && !leadsByLog(next)) {
    next.hasEnded = true;
    effects.push({ kind: 'exit', reason: 'stopped', message: `coordinator ${next.self.nodeId} stopped` });
  } else if (canAppend(turn)) append(turn, [{ kind: 'leader.resigned' }], next.cluster);
}
