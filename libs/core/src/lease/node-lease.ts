import type { LogEntry } from '../model/entry.js';

/** How long a node may run its tasks after it last knew all of the log, in milliseconds. The leader expires it later than that. */
export const MEMBER_LEASE_MS = 2_500;

/** How far apart may be what a node and the leader take for the end of a lease, in milliseconds. */
export const LEASE_MARGIN_MS = 500;

/** How long a leader may be silent before a standby claims, in milliseconds. */
export const LEADER_LEASE_MS = 3_000;

/**
 * The right of one incarnation to run its tasks, which follows from the log alone. Times are those of `elapsedMs`, in
 * milliseconds: they include suspensions. Whoever expires a node waits for `leaseMs` and a margin after reading the
 * suspicion. A node that could not read the log by then has no lease left.
 */
export interface NodeLease {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly leaseMs: number;
  /** How far apart what this node and others take for the end of a lease may be. */
  readonly marginMs: number;
  /** Send time of the last proof of being at the head; before the first one, when this incarnation began. */
  readonly provenAt: number;
  /** When the lease ends; undefined before it was first held. */
  readonly until?: number;
  /** No proof that was sent before this extends the lease: see `leaseAfterHeadReached`. */
  readonly resumesAt: number;
  /**
   * Generations up to this number are doubtful: other nodes may have run their tasks at newer generations that the log has lost. -1 before the first
   * gap in the lease.
   */
  readonly doubtfulUpTo: number;
  /** How often generations became doubtful. The log may lose its end, so `doubtfulUpTo` can be the same after two gaps. */
  readonly gaps: number;
  /** Between reading its own `member.suspected` and its own `member.cleared`. */
  readonly suspected: boolean;
  /** `seq` of the last `member.cleared` of its own; -1 before the first one. */
  readonly clearedSeq: number;
  /** Why it is gone for good; only a new incarnation can run tasks again. */
  readonly lost?: 'left' | 'rejected' | 'log-lost';
}

/** @param nowMs not later than the first report of this incarnation. */
export function newLease(self: Pick<NodeLease, 'nodeId' | 'incarnation' | 'leaseMs' | 'marginMs'>, nowMs: number): NodeLease {
  const { nodeId, incarnation, leaseMs, marginMs } = self;
  const unbroken = { resumesAt: -Infinity, doubtfulUpTo: -1, gaps: 0, suspected: false, clearedSeq: -1 };
  return { nodeId, incarnation, leaseMs, marginMs, provenAt: nowMs, ...unbroken };
}

/** Takes notice of an accepted entry. To be called in the order of the log, before {@link leaseAfterHeadReached} with a head that covers the entry. */
export function leaseAfterEntry(lease: NodeLease, { event, seq }: Pick<LogEntry, 'event' | 'seq'>): NodeLease {
  if (event.kind === 'member.suspected' || event.kind === 'member.cleared') {
    if (!isOwn(lease, event)) return lease;
    return event.kind === 'member.suspected' ? { ...lease, suspected: true } : cleared(lease, seq);
  }
  if (event.kind === 'member.left' || event.kind === 'member.rejected') {
    if (!isOwn(lease, event)) return lease;
    return { ...lease, lost: lease.lost ?? (event.kind === 'member.left' ? 'left' : 'rejected') };
  }
  return lease;
}

/**
 * Extends the lease: a non-suspending pull that was sent at `sentAtMs` was answered by the master with
 * `nextOffset = maxOffset`, and everything before is folded.
 *
 * Where the proof before is older than a lease, the leader may have expired this node meanwhile. The log may have lost
 * those entries again, the suspicion included. Whoever read there that it owns the tasks has no lease any more after
 * another lease and margin: this node waits for that. A `member.cleared` that follows ends the wait, for the leader
 * waits likewise before it writes one.
 *
 * The wait does not show whether another node had the tasks. Generations from now on are newer than all that the log
 * has lost; those before become doubtful. Those before a `member.cleared` also do where the lease had ended meanwhile.
 *
 * @param headSeq number of the last entry that was folded
 */
export function leaseAfterHeadReached(lease: NodeLease, sentAtMs: number, headSeq: number): NodeLease {
  const { leaseMs, marginMs, until = -Infinity } = lease;
  if (lease.lost !== undefined) return lease;
  const proven = { ...lease, provenAt: Math.max(lease.provenAt, sentAtMs) };
  const gaps = lease.gaps + 1;
  if (sentAtMs - lease.provenAt > leaseMs) return { ...proven, resumesAt: sentAtMs + leaseMs + marginMs, doubtfulUpTo: headSeq, gaps };
  if (lease.suspected || sentAtMs < lease.resumesAt) return proven;
  const extended = { ...proven, until: Math.max(until, sentAtMs + leaseMs) };
  if (sentAtMs <= until || lease.clearedSeq <= lease.doubtfulUpTo) return extended;
  return { ...extended, doubtfulUpTo: lease.clearedSeq, gaps };
}

function cleared(lease: NodeLease, clearedSeq: number): NodeLease {
  return { ...lease, suspected: false, clearedSeq, resumesAt: -Infinity };
}

/** The log was cut, replaced or cannot be continued: nothing that was read from it holds any more. */
export function leaseAfterLogLost(lease: NodeLease): NodeLease {
  return { ...lease, lost: lease.lost ?? 'log-lost' };
}

/** The time from which on nothing may be sent, put or committed; `-Infinity` without a lease. */
export function heldUntil(lease: NodeLease): number {
  return lease.lost === undefined ? (lease.until ?? -Infinity) : -Infinity;
}

export function isLeaseHeld(lease: NodeLease, nowMs: number): boolean {
  return nowMs < heldUntil(lease);
}

function isOwn(lease: NodeLease, node: { readonly nodeId: string; readonly incarnation: string }): boolean {
  return node.nodeId === lease.nodeId && node.incarnation === lease.incarnation;
}
