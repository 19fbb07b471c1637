import type { LogEntry } from '../model/entry.js';

/** How long a node may run its tasks after it last knew all of the log, in milliseconds. The leader expires it later than that. */
export const MEMBER_LEASE_MS = 2_500;

/** How far apart may be what a node and the leader take for the end of a lease, in milliseconds. */
export const LEASE_MARGIN_MS = 500;

/**
 * The right of one incarnation to run its tasks, told by the log alone. Times are those of `elapsedMs`, in milliseconds: they include suspensions.
 * Whoever expires a node waits for `leaseMs` and a margin after reading the suspicion: a node that could not read the
 * log by then has no lease left.
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
  /** Between reading its own `member.suspected` and its own `member.cleared`. */
  readonly suspected: boolean;
  /** `seq` of the last claim read; -1 before the first one. */
  readonly claimSeq: number;
  /** The same when the lease was last extended. */
  readonly trustedClaimSeq: number;
  /** After a gap between proofs, until another entry of the claim in force is read. */
  readonly awaitsEntry: boolean;
  /** Why it is gone for good; only a new incarnation can run tasks again. */
  readonly lost?: 'left' | 'rejected' | 'log-lost' | 'outdated-tasks';
}

/** @param nowMs not later than the first report of this incarnation. */
export function newLease(
  self: Pick<NodeLease, 'nodeId' | 'incarnation' | 'leaseMs' | 'marginMs'>,
  nowMs: number,
): NodeLease {
  const { nodeId, incarnation, leaseMs, marginMs } = self;
  const unproven = { resumesAt: -Infinity, suspected: false, claimSeq: -1, trustedClaimSeq: -1, awaitsEntry: false };
  return { nodeId, incarnation, leaseMs, marginMs, provenAt: nowMs, ...unproven };
}

/** Takes notice of an accepted entry. To be called in the order of the log, before a `headReached` that covers the entry. */
export function leaseAfterEntry(before: NodeLease, { event, seq }: Pick<LogEntry, 'event' | 'seq'>): NodeLease {
  if (event.kind === 'claimed') return { ...before, claimSeq: seq };
  const lease = before.awaitsEntry ? { ...before, awaitsEntry: false } : before;
  if (event.kind === 'member.suspected' || event.kind === 'member.cleared') {
    if (!isOwn(lease, event)) return lease;
    return event.kind === 'member.suspected' ? { ...lease, suspected: true } : cleared(lease);
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
 * Where the proof before is older than a lease, or this node is suspected, the leader may have expired it by entries that the log has lost again.
 *
 * - Whoever read there that it owns the tasks has no lease any more after another lease and margin: this node waits for that. A
 *   `member.cleared` that follows ends the wait, for the leader waits likewise before it writes one.
 * - The new owner has acted at a higher generation, and sinks drop what this node would still write. A leader that lost entries claims anew. So
 *   the node resumes only once it reads an entry of the claim that it knew before. Where another claim follows, it gives up tasks that are older.
 *
 * @param oldestGeneration the lowest generation of the tasks that the log gives this incarnation; Infinity without tasks.
 */
export function leaseAfterHeadReached(
  lease: NodeLease,
  sentAtMs: number,
  oldestGeneration: () => number = () => Infinity,
): NodeLease {
  const { leaseMs, marginMs, claimSeq, trustedClaimSeq, until = -Infinity } = lease;
  if (lease.lost !== undefined) return lease;
  const isGap = sentAtMs - lease.provenAt > leaseMs;
  const isInDoubt = isGap || lease.awaitsEntry || lease.suspected;
  if (isInDoubt && claimSeq > trustedClaimSeq && oldestGeneration() < claimSeq) {
    return { ...lease, lost: 'outdated-tasks' };
  }
  const proven = { ...lease, provenAt: Math.max(lease.provenAt, sentAtMs) };
  if (isGap) return { ...proven, resumesAt: sentAtMs + leaseMs + marginMs, awaitsEntry: true };
  if (isInDoubt || sentAtMs < lease.resumesAt) return proven;
  return { ...proven, trustedClaimSeq: claimSeq, until: Math.max(until, sentAtMs + leaseMs) };
}

function cleared(lease: NodeLease): NodeLease {
  return { ...lease, suspected: false, resumesAt: -Infinity };
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
