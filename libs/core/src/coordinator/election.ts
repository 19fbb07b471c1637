import { claimSeq } from '../log/claim-seq.js';
import { isVacated } from '../log/header-events.js';
import { memberKey } from '../model/member.js';
import { append, canAppend } from './appends.js';
import { fractionOf } from './fraction-of.js';
import type { CoordinatorState, Turn } from './state.js';

/** At most this share of the lease is added, fixed by node id, so that standbys do not all claim at once. */
const MAX_JITTER = 0.25;

/** The own clock may run faster than the broker's by this share: what earlier messages said weighs less than what they say now. */
const CLOCK_DRIFT = 0.01;

/** Takes notice of the broker's clock. Messages that were stored long ago change nothing. */
export function noteBrokerTime({ next, now }: Turn, storedAt: number | undefined): void {
  if (storedAt === undefined) return;
  const known = next.brokerTime;
  const expected = known === undefined ? -Infinity : known.storedAt + (now - known.now) * (1 - CLOCK_DRIFT);
  next.brokerTime = { storedAt: Math.max(storedAt, expected), now };
}

/**
 * Claims the lead if nobody holds it. The claim's number follows the broker's clock, because the clocks of coordinators
 * differ. A runner must never be given a lower generation than others that the log has lost. A claim made behind the
 * head is void and harms nobody.
 */
export function claimIfVacant(turn: Turn): void {
  const { next } = turn;
  if (next.role !== 'standby' || next.isStopping || !canAppend(turn) || !isVacant(next)) return;
  const { cluster, self, brokerTime } = next;
  if (brokerTime === undefined) return;
  const { seq, digest } = cluster.head;
  const claimId = `${memberKey(self)}/${next.appends + 1}`;
  const reportedSeqs = [...next.reports.values()].map(({ report }) => report.appliedSeq);
  const firstSeq = claimSeq(cluster, {
    wall: brokerTime.storedAt + turn.now - brokerTime.now,
    reportedSeqs,
    salt: fractionOf(claimId),
  });
  next.role = 'candidate';
  append(turn, [{ kind: 'claimed', nodeId: self.nodeId, incarnation: self.incarnation, after: { seq, digest } }], {
    epoch: cluster.epoch + 1,
    claimId,
    firstSeq,
  });
}

function isVacant({ cluster, self, settings, headProvenAt, lastAcceptedAt }: CoordinatorState): boolean {
  if (cluster.head.seq < 0 || headProvenAt === undefined) return false;
  const { leader } = cluster;
  if (leader === undefined || isVacated(cluster)) return true;
  if (leader.nodeId === self.nodeId && leader.incarnation === self.supersedes) return true;
  if (leadsByLog({ cluster, self })) return true;
  return headProvenAt >= lastAcceptedAt + settings.leaseMs * (1 + MAX_JITTER * fractionOf(self.nodeId));
}

/** The log has no other leader, though this one may have given the lead up. */
export function leadsByLog({ cluster, self }: Pick<CoordinatorState, 'cluster' | 'self'>): boolean {
  const { leader } = cluster;
  return leader?.resigned === false && leader.nodeId === self.nodeId && leader.incarnation === self.incarnation;
}

/** To be called when an own claim is read back. */
export function takeLead(turn: Turn, claimId: string): void {
  const { next, effects, now } = turn;
  const { cluster } = next;
  next.role = 'leader';
  next.leaderSince = now;
  // One that landed late may be so old that others have claimed since.
  next.lastConfirmedAt = next.inFlight?.claimId === claimId ? next.inFlight.sentAt : -Infinity;
  next.inFlight = undefined;
  next.appendNotBefore = now;
  next.appendFailures = 0;
  next.commands = [];
  next.rewindTo = undefined;
  next.questions = new Map();
  next.settledMembers = undefined;
  next.workforce = undefined;
  next.planned = undefined;
  next.snapshotJob = undefined;
  next.touched = new Set(next.reports.keys());
  next.probes = new Map();
  next.suspicions = new Map(
    [...cluster.members.values()].filter(({ suspectedAt }) => suspectedAt !== undefined).map((member) => [memberKey(member), now]),
  );
  effects.push({ kind: 'became-leader', epoch: cluster.epoch });
  readCommandsFrom(turn, cluster.nextCommandOffset);
}

/** Starts reading commands again: what an earlier reading still delivers is ignored, so none is ever left out. */
export function readCommandsFrom({ next, effects }: Turn, fromOffset: number): void {
  next.commandReads += 1;
  next.commandsCutAt = undefined;
  const { nextCommandOffset, lastRequestId } = next.cluster;
  const last = fromOffset === nextCommandOffset && lastRequestId !== undefined ? { lastRequestId } : {};
  effects.push({ kind: 'read-commands', readId: next.commandReads, fromOffset, ...last });
}

/**
 * When a leader may give tasks out or back: assign them, or clear a runner that is suspected of being gone. If the log lost its tail, a runner may act on
 * assignments there that this leader never saw, until its lease has ended. A resignation is no reason not to wait: it may follow what was lost.
 */
export function givesFrom({ leaderSince, settings }: CoordinatorState): number {
  return leaderSince + settings.memberLeaseMs + settings.marginMs;
}

/**
 * Steps down and claims again, where others may have written entries that the log does not hold any more.
 * `claimSeq` gives no number of a lost entry again. The new lead gives nothing out before the leases of those who read
 * these entries have ended.
 */
export function giveUpLead(turn: Turn, reason: string): void {
  stepDown(turn, turn.next.cluster.epoch, reason);
  claimIfVacant(turn);
}

/** To be called when the claim of another, or the own resignation, is read. */
export function stepDown({ next, effects }: Turn, epoch: number, reason: string): void {
  const wasLeader = next.role === 'leader';
  next.role = 'standby';
  next.inFlight = undefined;
  next.commands = [];
  next.commandsCutAt = undefined;
  next.questions = new Map();
  next.planned = undefined;
  next.snapshotJob = undefined;
  if (wasLeader) effects.push({ kind: 'stepped-down', epoch, reason });
}
