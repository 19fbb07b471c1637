import type { LogEvent } from '../model/entry.js';

/** How long a node may run its tasks after it last knew all of the log, in milliseconds. The leader expires it later than that. */
export const MEMBER_LEASE_MS = 2_500;

/**
 * The right of one incarnation to run its tasks, told by the log alone. Times are of one monotonic clock, in milliseconds.
 * Whoever expires a node waits for `leaseMs` and a margin after reading the suspicion: a node that could not read the
 * log by then has no lease left.
 */
export interface NodeLease {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly leaseMs: number;
  /** When the lease ends; undefined before the head was first reached. */
  readonly until?: number;
  /** Between reading its own `member.suspected` and its own `member.cleared`. */
  readonly suspected: boolean;
  /** Why it is gone for good; only a new incarnation can run tasks again. */
  readonly lost?: 'left' | 'rejected' | 'log-lost';
}

export function newLease(self: {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly leaseMs: number;
}): NodeLease {
  return { nodeId: self.nodeId, incarnation: self.incarnation, leaseMs: self.leaseMs, suspected: false };
}

/** Takes notice of an accepted entry. To be called in the order of the log, before a `headReached` that covers the entry. */
export function leaseAfterEvent(lease: NodeLease, event: LogEvent): NodeLease {
  if (event.kind === 'member.suspected' || event.kind === 'member.cleared') {
    return isOwn(lease, event) ? { ...lease, suspected: event.kind === 'member.suspected' } : lease;
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
 */
export function leaseAfterHeadReached(lease: NodeLease, sentAtMs: number): NodeLease {
  if (lease.suspected || lease.lost !== undefined) return lease;
  const until = sentAtMs + lease.leaseMs;
  return lease.until !== undefined && lease.until >= until ? lease : { ...lease, until };
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
